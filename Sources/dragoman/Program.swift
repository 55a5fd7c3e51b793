// SPDX-License-Identifier: Apache-2.0
import Bytes

/// Finds the command that the words name, and runs it.
struct Program {
    /// The version of this build, as `--version` says it.
    static let version = "0.1.0"

    let groups: [CommandGroup]
    let shell: any Shell

    /// - Parameter words: The arguments of the process, without its name.
    func run(_ words: [String]) async -> ExitCode {
        guard let first = words.first, !["--help", "-h", "help"].contains(first) || words.count > 1
        else {
            if words.isEmpty { shell.complain(firstPage) } else { shell.say(firstPage) }
            return words.isEmpty ? .misuse : .success
        }
        if first == "--version" {
            shell.say("dragoman \(Self.version)")
            return .success
        }
        let isHelp =
            first == "help"
            || words.prefix { $0 != "--" }.contains { $0 == "--help" || $0 == "-h" }
        let path = first == "help" ? Array(words.dropFirst()) : words
        guard let command = command(path) else { return chooseAmong(path, isHelp: isHelp) }
        let page = command.page
        if isHelp {
            shell.say(page.text)
            return .success
        }
        do {
            let arguments = try Arguments(path.dropFirst(page.words.count), for: page)
            return try await command.run(arguments, shell)
        } catch {
            shell.complain("dragoman \(page.name): \(error.message)")
            if error.status == .misuse { shell.complain("See: dragoman \(page.name) --help") }
            return error.status
        }
    }

    /// The command with the words that `path` starts with.
    private func command(_ path: [String]) -> (any Command.Type)? {
        commands.first { path.starts(with: $0.page.words) }
    }

    private var commands: [any Command.Type] { groups.flatMap(\.commands) }

    private var pages: [HelpPage] { commands.map { $0.page } }

    /// Answers for words that are no command, or only the first words of several.
    private func chooseAmong(_ path: [String], isHelp: Bool) -> ExitCode {
        let words = Array(path.prefix { !$0.hasPrefix("-") })
        let candidates = pages.filter { $0.words.starts(with: words) }
        if !candidates.isEmpty, !words.isEmpty {
            let text = candidates.map { "\($0.synopsis)\n    \($0.summary)" }
                .joined(separator: "\n\n")
            if isHelp { shell.say(text) } else { shell.complain(text) }
            return isHelp ? .success : .misuse
        }
        // The words that some command begins with, and the first one that none has.
        let count = words.indices.last { index in
            pages.contains { $0.words.starts(with: words[..<index]) }
        }
        let known = words.prefix(count ?? 0)
        let wrong = words.isEmpty ? path[0] : words[known.count]
        let next = pages.map(\.words).filter { $0.count > known.count && $0.starts(with: known) }
        let near = NearestName.find(wrong, among: next.map { $0[known.count] })
        func quoted(_ last: String) -> String { "\"\((known + [last]).joined(separator: " "))\"" }
        shell.complain(
            "dragoman: there is no command \(quoted(wrong))"
                + (near.map { "; did you mean \(quoted($0))?" } ?? ""))
        shell.complain("See: dragoman --help")
        return .misuse
    }

    /// What `dragoman --help` shows: every group on a line.
    var firstPage: String {
        var text = "dragoman: a gateway between agents that act for people\n"
        let width = groups.map(\.line.count).max() ?? 0
        for group in groups {
            let gap = String(repeating: " ", count: width - group.line.count + 2)
            text += "\n  dragoman \(group.line)\(gap)\(group.summary)"
        }
        return text + "\n\n'dragoman COMMAND --help' shows options and an example of each."
            + "\nExit status: 0 done, 1 the answer is no, 2 misuse."
    }
}

/// Commands that share one line of the first help page.
struct CommandGroup: Sendable {
    /// As `peer invite|add`.
    let line: String
    let summary: String
    let commands: [any Command.Type]
}
