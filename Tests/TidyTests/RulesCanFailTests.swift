// SPDX-License-Identifier: Apache-2.0
import Testing

/// A rule that cannot fail holds nothing: each is shown a text that breaks it beside one that keeps
/// to it.
@Suite struct RulesCanFailTests {
    private func source(
        _ text: String, at path: String = "Sources/Bindings/X.swift"
    ) -> SwiftSource {
        SwiftSource(path: path, text: text)
    }

    private func lines(_ text: String) -> [Substring] {
        text.split(separator: "\n", omittingEmptySubsequences: false)
    }

    // MARK: The scanner

    @Test func commentsAndStringsAreNotCode() {
        let text = #"""
            let a = "try! /* not a comment" // as!
            /* one /* inside another */ still a comment */ let b = #"raw " quote"#
            let c = "\(try! f("as!"))"
            """#
        let words = source(text).tokens.map(\.text)
        #expect(words.filter { $0 == "try" }.count == 1, "only the one in the interpolation")
        #expect(!words.contains("as"))
        #expect(!words.contains("quote"))
        #expect(words.filter { $0 == "let" }.count == 3)
    }

    @Test func linesStayTrueAcrossMultilineStrings() {
        let text =
            "let a = \"\"\"\n    one \\\n    two\n    \"\"\"\nlet b = 1\n/* x\n*/ let c = 2\n"
        let tokens = source(text).tokens.filter { $0.text == "let" }
        #expect(tokens.map(\.line) == [1, 5, 7])
    }

    // MARK: Imports

    @Test(arguments: [
        "import Accounting", "internal import Accounting", "package import Accounting",
        "import struct Accounting.Tariff", "@testable import Accounting",
    ])
    func anImportOutsideTheTableIsFound(statement: String) {
        let consent = source("import JSON\n\(statement)\n", at: "Sources/Consent/X.swift")
        let findings = Imports.findings(in: consent)
        #expect(findings.map(\.line) == [2])
        #expect(findings.first?.message == "Consent may not import Accounting")
    }

    @Test func aModuleWithoutATableIsFound() {
        let findings = Imports.findings(in: source("", at: "Sources/Utils/X.swift"))
        #expect(findings.first?.message.hasPrefix("module Utils is in no table") == true)
        #expect(!Imports.findings(in: source("", at: "Tests/UtilsTests/X.swift")).isEmpty)
    }

    @Test func foundationIsAnsweredWithWhatToUse() {
        let findings = Imports.findings(in: source("import Foundation"))
        #expect(findings.first?.message.contains("Glibc and Synchronization suffice") == true)
    }

    @Test func testsReachWhatTheirSubjectReachesButNoCModule() {
        let path = "Tests/TLSTests/X.swift"
        let good = "import Testing\nimport TestSupport\nimport TLS\nimport Crypto\nimport JSON"
        #expect(Imports.findings(in: source(good, at: path)).isEmpty)
        #expect(Imports.findings(in: source("import COpenSSL", at: path)).count == 1)
        #expect(Imports.findings(in: source("import Consent", at: path)).count == 1)
    }

    @Test func policyModulesDoNotImportEachOtherInTheTable() {
        let policy: Set<String> = ["Consent", "Accounting", "Discovery"]
        for module in policy {
            #expect(policy.isDisjoint(with: Imports.sources[module, default: [:]].keys))
        }
    }

    @Test func aCModuleHasOneWrapper() {
        for module in Imports.wrapped.subtracting(["COpenSSL"]) {
            let importers = Imports.sources.filter { $0.value[module] != nil }.keys
            #expect(importers.count == 1, "\(module): \(importers)")
        }
        // libcrypto and libssl are one package with one set of headers.
        let importers = Imports.sources.filter { $0.value["COpenSSL"] != nil }.keys
        #expect(Set(importers) == ["Crypto", "TLS"])
    }

    // MARK: Sizes

    @Test func aWideLineIsFound() {
        let hundred = String(repeating: "漢", count: 100)
        #expect(Sizes.wideLines(path: "x", lines: [hundred[...]]).isEmpty)
        #expect(Sizes.wideLines(path: "x", lines: ["", (hundred + "x")[...]]).map(\.line) == [2])
    }

    @Test func aLongFileIsFound() {
        let fits = String(repeating: "x\n", count: 600)
        #expect(Sizes.longFile(path: "x", lines: lines(fits)).isEmpty)
        #expect(Sizes.longFile(path: "x", lines: lines(fits + "x\n")).count == 1)
    }

    @Test func functionsAreMeasured() {
        let text = """
            protocol P {
                func required(_ a: Int) throws(Fault) -> Int
                init(b: Int)
            }
            struct S {
                func short() { .init() }
                init(
                    a: () -> Void = {}
                )
                where A: B
                {
                    x()
                }
                subscript(i: Int) -> Int {
                    i
                }
            }
            """
        let functions = Sizes.functions(in: source(text))
        #expect(functions.map(\.name) == ["short", "init", "subscript"])
        #expect(functions.map(\.lines) == [1, 7, 3])
    }

    @Test func aLongFunctionIsFound() {
        let body = String(repeating: "    x()\n", count: 68)
        #expect(Sizes.longFunctions(in: source("func f() {\n\(body)}")).isEmpty)
        #expect(Sizes.longFunctions(in: source("func f() {\n\(body)    y()\n}")).count == 1)
    }

    // MARK: Banned calls and words

    @Test(arguments: [
        "let now = Date()", "print(x)", "let x = try! f()", "let x = y as! Z", "DispatchQueue.main",
        "Task.detached { }", "final class C: @unchecked Sendable {}",
        "nonisolated(unsafe) var x = 1", "debugPrint(x)",
    ])
    func aBannedCallIsFound(text: String) {
        #expect(Banned.findings(in: source(text)).count == 1)
    }

    @Test(arguments: [
        "let d: LocalDate = LocalDate(1)", "writer.print(x)", "let x = try !f()", "has!.x",
        "// Date() and try! in a comment", "let s = \"print(x)\"",
    ])
    func whatOnlyLooksBannedIsNot(text: String) {
        #expect(Banned.findings(in: source(text)).isEmpty)
    }

    @Test func theCommandLineMayPrint() {
        #expect(Banned.findings(in: source("print(x)", at: "Sources/dragoman/X.swift")).isEmpty)
    }

    @Test func aReasonExcusesAnUncheckedConformanceOnly() {
        let reason = "// Every access is on the loop's own thread.\n"
        let conformance = "final class C: @unchecked Sendable {}"
        #expect(Banned.findings(in: source(reason + conformance)).isEmpty)
        #expect(Banned.findings(in: source(reason + "@safe\n" + conformance)).isEmpty)
        #expect(Banned.findings(in: source("// safe\n" + conformance)).count == 1)
        #expect(Banned.findings(in: source(reason + "let x = try! f()")).count == 1)
    }

    @Test func unfinishedWorkIsFound() {
        let text = "let a = 1 // TODO: more\nlet TODOS = 2\n-Ounchecked"
        #expect(Banned.words(path: "x", lines: lines(text)).map(\.line) == [1, 3])
        let paper = "// As BOOKING.md has it."
        #expect(Banned.words(path: "x", lines: [paper[...]]).count == 1)
    }

    // MARK: Licence and documentation

    @Test func aMissingLicenceIsFound() {
        let named = "#!/bin/sh\n# SPDX-License-Identifier: Apache-2.0\n"
        #expect(References.licence(path: "x", lines: lines(named)).isEmpty)
        #expect(References.licence(path: "x", lines: lines("import Bytes\n")).count == 1)
    }

    @Test(arguments: [
        "package func f() {}", "package static let x = 1", "package init() { start() }",
        "@safe package struct S {}", "public final class C {}",
        "@inline(__always)\npackage func f() {}", "package var x: Int { 1 }",
        "/// Of something else.\n\npackage enum E {}", "package class func f() {}",
        "package init(a: Int) { self.a = a + 1 }", "package static let bytesMax = 1 << 20",
        "package static let text = \"a\" + b", "package static let limit = Limit(\"a\", 5)",
    ])
    func anUndocumentedDeclarationIsFound(text: String) {
        #expect(Documented.findings(in: source(text)).count == 1)
    }

    @Test(arguments: [
        "package import Bytes", "func f() {}", "/// What.\npackage func f() {}",
        "/// What.\n@safe\npackage struct S {}", "package var description: String { \"\" }",
        "package static func == (a: S, b: S) -> Bool { true }",
        "package func hash(into hasher: inout Hasher) {}", "let package = Package()",
        "package init(stringLiteral value: String) { self = .string(value) }",
        "package static let date: Name = \"date\"", "package static let get = Method(\"GET\")",
        "package private(set) var x = 1", "package.targets.append(x)", "package let a, b: Int",
        "package init(\n    a: @escaping () -> Void, b: Int = 1\n) {\n    self.a = a\n    b = b\n}",
    ])
    func aDocumentedOrPlainDeclarationIsFine(text: String) {
        #expect(Documented.findings(in: source(text)).isEmpty)
    }

    // MARK: References

    @Test func aSectionThatIsNotThereIsFound() {
        let chapter = "# 3 Parts\ntext 3.9\n## 3.1 Draft\n### 3.1.2. Money\n## No number\n"
        let other = "# Accounting\n## 4 Holds\n"
        let known = Set(
            References.citable(file: "parts.md", markdown: chapter)
                + References.citable(file: "accounting.md", markdown: other))
        let good = "(Spec §3.1.2), `Spec` §3.1. `Spec/accounting.md` §4, RFC 9110 §9, A2A §7"
        #expect(References.sections(path: "x", lines: [good[...]], known: known).isEmpty)
        let bad = "Spec §9, Spec §4, `Spec/parts.md` §3.9 and Spec/none.md §1"
        let findings = References.sections(path: "x", lines: [bad[...]], known: known)
        #expect(
            findings.map(\.message) == [
                "there is no Spec §9", "there is no Spec §4", "there is no Spec/parts.md §3.9",
                "there is no Spec/none.md §1",
            ])
    }

    @Test func linksInsideTheRepositoryAreFollowed() {
        let text = "[a](Spec/x.md#3) and [b](https://x.example) [c](#here)"
        #expect(References.links(in: text) == ["Spec/x.md"])
        #expect(!Repository.this.exists("Spec/no-such-file.md"))
        #expect(Repository.this.exists("Package.swift"))
    }

    @Test func vectorsThatNoTestReadsAreFound() {
        let tests = [#"SpecVectors.files(in: "json/refused")"#, "Spec/vectors/consent/x.json"]
        #expect(References.unreadAreas(["json", "consent", "sse"], tests: tests) == ["sse"])
    }

    // MARK: Libraries

    @Test func theTableNamesItsLibraries() {
        let text = "| `libssl.so.3`, `libcrypto.so.3` | `libssl-dev` | `Crypto` |"
        #expect(Linked.named(in: text) == ["libssl.so.3", "libcrypto.so.3"])
    }

    @Test func theRuntimeIsNotNamed() {
        for name in ["libc.so.6", "ld-linux-x86-64.so.2", "libswiftCore.so"] {
            #expect(Linked.isRuntime(name))
        }
        #expect(!Linked.isRuntime("libcrypto.so.3"))
        #expect(!Linked.isRuntime("libFoundation.so"))
    }

    @Test func thisTestsOwnLibrariesAreRead() throws {
        let file = try #require(Repository(root: "/proc/self").bytes(of: "exe"))
        let needed = try #require(Linked.needed(by: file))
        #expect(needed.contains("libc.so.6"))
        #expect(Linked.needed(by: Array("#!/bin/sh\n".utf8)) == nil)
        #expect(Linked.needed(by: Array(file.prefix(64))) == nil)
    }
}
