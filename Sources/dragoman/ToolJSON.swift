// SPDX-License-Identifier: Apache-2.0
import JSON
import Node

/// `dragoman tool json check`
enum ToolJSONCheck: Command {
    static let page = HelpPage(
        words: ["tool", "json", "check"], operands: ["FILE|-"],
        options: [
            .init(
                "--as", "WHAT", "text (default): RFC 8259; message or token: what it must be here"),
            .json,
        ],
        summary: "Says whether a text is JSON, and where it is not.",
        details: [
            """
            As a text: RFC 8259 in UTF-8 without a byte order mark, no half surrogate pairs, at \
            most 64 levels deep. As a message no name may stand twice in an object, which the RFC \
            only advises; as a token, moreover, there is no null and no number but 0 to 2^53-1. A \
            text that is JSON but would be no message is said to be so. Status 0 for yes, 1 for no.
            """
        ],
        examples: [
            "dragoman tool json check message.json --as message",
            "echo '[1,]' | dragoman tool json check -",
        ])

    static func run(
        _ arguments: Arguments, _ shell: any Shell
    ) async throws(Failure) -> ExitCode {
        let path = arguments.operands[0]
        let limits = try arguments.value("--as", "text, message or token") {
            ["text": JSONLimits.grammar, "message": .standard, "token": .token][$0]
        }
        let bytes = try Input.bytes(path, limit: Input.documentLimit)
        if let fault = fault(bytes, limits ?? .grammar) {
            return JSONAnswer.no(fault, path, arguments, shell)
        }
        let remark = limits == nil ? fault(bytes, .standard) : nil
        if arguments.has("--json") {
            var answer: JSONNode = ["valid": true]
            answer["message"] = limits == nil ? .bool(remark == nil) : nil
            shell.say(answer.text)
        } else {
            let place = remark.map { "\($0.line):\($0.column): \($0.rule.rawValue)" }
            shell.say("\(path): valid" + (place.map { ", but no message: \($0)" } ?? ""))
        }
        return .success
    }

    private static func fault(_ bytes: [UInt8], _ limits: JSONLimits) -> JSONFault? {
        do {
            _ = try JSONDocument(parsing: bytes, limits: limits)
            return nil
        } catch { return error }
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
