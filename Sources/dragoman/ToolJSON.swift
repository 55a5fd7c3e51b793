// SPDX-License-Identifier: Apache-2.0
import JSON
import Node

/// `dragoman tool json check`
enum ToolJSONCheck: Command {
    static let page = HelpPage(
        words: ["tool", "json", "check"], operands: ["FILE|-"], options: [.json],
        summary: "Says whether a text is JSON as this program reads it, and where it is not.",
        details: [
            """
            Strict RFC 8259: UTF-8 without a byte order mark, no name twice in an object, no half \
            surrogate pairs, at most 64 levels deep. Status 0 for yes, 1 for no.
            """
        ],
        examples: [
            "dragoman tool json check message.json", "echo '[1,]' | dragoman tool json check -",
        ])

    static func run(
        _ arguments: Arguments, _ shell: any Shell
    ) async throws(Failure) -> ExitCode {
        let path = arguments.operands[0]
        let bytes = try Input.bytes(path, limit: Input.documentLimit)
        do {
            _ = try JSONDocument(parsing: bytes)
        } catch {
            return JSONAnswer.no(error, path, arguments, shell)
        }
        shell.say(arguments.has("--json") ? #"{"valid":true}"# : "\(path): valid")
        return .success
    }
}

/// `dragoman tool json canonical`
enum ToolJSONCanonical: Command {
    static let page = HelpPage(
        words: ["tool", "json", "canonical"], operands: ["FILE|-"], options: [.json],
        summary: "Writes a text in the canonical form of RFC 8785, the form that is signed.",
        details: [
            """
            Nothing but the canonical bytes goes to standard output, without a line end. Status 1 \
            and the place for a text that has no such form. With --json a refusal is JSON.
            """
        ],
        examples: ["dragoman tool json canonical message.json | sha256sum"])

    static func run(
        _ arguments: Arguments, _ shell: any Shell
    ) async throws(Failure) -> ExitCode {
        let path = arguments.operands[0]
        let bytes = try Input.bytes(path, limit: Input.documentLimit)
        do {
            shell.write(try JSONCanonical.encode(JSONDocument(parsing: bytes).root))
        } catch {
            return JSONAnswer.no(error, path, arguments, shell)
        }
        return .success
    }
}

private enum JSONAnswer {
    /// Says where a text breaks which rule.
    static func no(
        _ fault: JSONFault, _ path: String, _ arguments: Arguments, _ shell: any Shell
    ) -> ExitCode {
        if arguments.has("--json") {
            let answer: JSONNode = [
                "valid": false, "line": .int(fault.line), "column": .int(fault.column),
                "offset": .int(fault.offset), "rule": .string(fault.rule.rawValue),
            ]
            shell.say(answer.text)
        } else {
            shell.complain("\(path):\(fault.line):\(fault.column): \(fault.rule.rawValue)")
        }
        return .no
    }
}

extension HelpPage.Option {
    /// Answers for programs.
    static let json = HelpPage.Option("--json", nil, "answer in JSON, for programs")
}
