// SPDX-License-Identifier: Apache-2.0
import Glibc
import Testing

/// The rules of this repository, held against the repository.
@Suite struct RepositoryTests {
    @Test(arguments: Rule.all)
    func holds(_ rule: Rule) {
        let excused = Set(Exceptions.entries.filter { $0.rule == rule.name }.map(\.path))
        let findings = rule.check(Tree.this)
        for finding in findings where !excused.contains(finding.path) {
            Issue.record("\(finding)")
        }
        for path in excused.subtracting(findings.map(\.path)) {
            Issue.record("\(path) keeps to the rule `\(rule.name)`: take it off Exceptions.swift")
        }
    }

    @Test func exceptionsNameARuleAndAReason() {
        for entry in Exceptions.entries {
            #expect(Rule.all.contains { $0.name == entry.rule }, "\(entry.rule)")
            #expect(entry.reason.split(separator: " ").count >= 4, "\(entry.path)")
        }
    }

    /// The built program lies beside the test bundle that is running.
    @Test func linksWhatTheReadmeSays() throws {
        let bundle = try #require(Self.pathOfThisProgram())
        let folder = bundle[..<(bundle.lastIndex(of: "/") ?? bundle.startIndex)]
        guard let program = Repository(root: String(folder)).bytes(of: "dragoman") else { return }
        let needed = try #require(Linked.needed(by: program))
        let foreign = Set(needed.filter { !Linked.isRuntime($0) })
        #expect(foreign == Linked.named(in: Repository.this.text(of: "README.md")))
    }

    private static func pathOfThisProgram() -> String? {
        var path = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = unsafe readlink("/proc/self/exe", &path, path.count)
        guard count > 0 else { return nil }
        return String(decoding: path[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}

/// The files of the repository, read once for all rules.
struct Tree: Sendable {
    static let this = Tree(.this)

    let repository: Repository
    /// Swift files of targets.
    let swift: [SwiftSource]
    /// All files that people write code in: Swift, C, shell, Python, container and service files.
    let code: [(path: String, lines: [Substring])]

    init(_ repository: Repository) {
        self.repository = repository
        let folders = ["Sources", "Tests", "Interop", "Docker", ".ci"]
        let paths = ["Package.swift"] + folders.flatMap(repository.files(under:))
        let texts = paths.filter(Self.isCode).map { ($0, repository.text(of: $0)) }
        swift = texts.filter { $0.0.hasSuffix(".swift") && $0.0.contains("/") }
            .map { SwiftSource(path: $0.0, text: $0.1) }
        code = texts.filter { !$0.1.isEmpty }
            .map { ($0.0, $0.1.split(separator: "\n", omittingEmptySubsequences: false)) }
    }

    /// By extension; a file without one is a script or a Dockerfile. Empty files mark a folder.
    private static func isCode(_ path: String) -> Bool {
        let name = path.split(separator: "/").last ?? ""
        guard let dot = name.lastIndex(of: ".") else { return !data.contains(String(name)) }
        return ["swift", "c", "h", "sh", "py", "modulemap"].contains(
            name[name.index(after: dot)...])
    }

    /// Files without an extension that hold no code.
    private static let data: Set<String> = ["control", "copyright", "expected"]
}

/// A rule with its name and the function that finds what breaks it.
struct Rule: Sendable, CustomTestStringConvertible {
    let name: String
    let check: @Sendable (Tree) -> [Finding]

    var testDescription: String { name }

    static let all: [Rule] = [
        Rule(name: "imports") { $0.swift.flatMap(Imports.findings) },
        Rule(name: "columns") { tree in
            tree.code.flatMap { Sizes.wideLines(path: $0.path, lines: $0.lines) }
        },
        Rule(name: "lines per file") { tree in
            tree.code.flatMap { Sizes.longFile(path: $0.path, lines: $0.lines) }
        },
        Rule(name: "lines per function") { $0.swift.flatMap(Sizes.longFunctions) },
        Rule(name: "banned calls") { $0.swift.flatMap { Banned.findings(in: $0) } },
        Rule(name: "unfinished work") { tree in
            tree.code.filter { !$0.path.hasPrefix(Banned.home) }
                .flatMap { Banned.words(path: $0.path, lines: $0.lines) }
        },
        Rule(name: "licence") { tree in
            tree.code.flatMap { References.licence(path: $0.path, lines: $0.lines) }
        },
        Rule(name: "documentation") { tree in
            tree.swift.filter { $0.path.hasPrefix("Sources/") }.flatMap(Documented.findings)
        },
        Rule(name: "sections") { tree in
            let known = Set(tree.citable.map(\.citation))
            return tree.code.filter { !$0.path.hasPrefix(Banned.home) }.flatMap {
                References.sections(path: $0.path, lines: $0.lines, known: known)
            }
        },
        Rule(name: "headings") { tree in
            var seen: Set<References.Citation> = []
            return tree.citable.filter { !seen.insert($0.citation).inserted }.map {
                Finding(path: $0.path, line: 1, message: "\($0.citation) exists already")
            }
        },
        Rule(name: "links") { tree in
            tree.markdown.flatMap { path in
                let folder = path.split(separator: "/").dropLast().map { $0 + "/" }.joined()
                return References.links(in: tree.repository.text(of: path))
                    .filter { !tree.repository.exists(folder + $0) }
                    .map {
                        Finding(path: path, line: 1, message: "links to \($0), which is not there")
                    }
            }
        },
        Rule(name: "vectors") { tree in
            let areas = tree.repository.entries(of: "Spec/vectors").filter(\.isFolder).map(\.name)
            let tests = tree.swift.filter { $0.path.hasPrefix("Tests/") }
                .map { tree.repository.text(of: $0.path) }
            return References.unreadAreas(areas, tests: tests).map {
                Finding(path: "Spec/vectors/\($0)", line: 1, message: "no test reads it")
            }
        },
        Rule(name: "top level") { tree in
            tree.repository.entries(of: "").map(\.name)
                .filter { !topLevel.contains($0) && !Repository.ignored.contains($0) }
                .map { Finding(path: $0, line: 1, message: "has no place at the top level") }
        },
    ]

    /// The layout of the repository; a new entry here is a decision, not a convenience.
    static let topLevel: Set<String> = [
        "Package.swift", "README.md", "LICENSE", "Sources", "Tests", "Spec", "Interop", "Docker",
        ".ci", ".swift-format", ".gitignore",
    ]
}

extension Tree {
    /// Texts for people, wherever they are.
    var markdown: [String] { repository.files(under: "").filter { $0.hasSuffix(".md") } }

    /// Numbered headings of the normative text, in the order of its files.
    var citable: [(path: String, citation: References.Citation)] {
        repository.entries(of: "Spec").map(\.name).filter { $0.hasSuffix(".md") }.sorted()
            .flatMap { name in
                let path = "Spec/" + name
                return References.citable(file: name, markdown: repository.text(of: path))
                    .map { (path, $0) }
            }
    }
}
