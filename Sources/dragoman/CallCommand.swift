// SPDX-License-Identifier: Apache-2.0
import A2A
import Bindings
import Bytes
import HTTP
import JSON
import Node

/// `dragoman call`
enum CallCommand: Command {
    static let page = HelpPage(
        words: ["call"], operands: ["URL", "TEXT"],
        options: [
            .init("--stream", nil, "SendStreamingMessage: every event as it comes"),
            .init("--task", "ID", "goes on with a task"),
            .init("--token-file", "FILE", "the bearer token of the listener"), .json,
        ],
        summary: "Says something to an A2A agent on this machine and shows what it answers.",
        details: [
            """
            The URL is that of an agent, or of one at a gateway's local listener: \
            http://127.0.0.1:8080/agents/NAME. Clear text stays on this machine, so other hosts \
            are refused; between companies speak gateways. With --json every answer is one line.
            """
        ],
        examples: [
            "dragoman call http://127.0.0.1:8080/agents/dining \"A table for four tomorrow\"",
            "dragoman call http://127.0.0.1:9999/ Hello --stream --json",
        ])

    static func run(
        _ arguments: Arguments, _ shell: any Shell
    ) async throws(Failure) -> ExitCode {
        guard let url = LocalURL(arguments.operands[0]) else {
            throw .misuse(
                "\(arguments.operands[0]) is not http:// on this machine's loopback, nor unix:")
        }
        let isStream = arguments.has("--stream")
        let request = try request(url, arguments, isStream: isStream, shell)
        let isJSON = arguments.has("--json")
        let client = ControlClient(address: url.address)
        var parser = SSEParser()
        var whole: [UInt8] = []
        let response = try client.send(request) { (response, piece) throws(Failure) in
            guard isEvents(response) else {
                guard whole.count + piece.count <= answerMax else {
                    throw .no("the answer is larger than \(answerMax) bytes")
                }
                whole += piece
                return .goOn
            }
            let events: [SSEEvent]
            do throws(SSEFault) { events = try parser.receive(piece) } catch {
                throw .no("the stream breaks a rule: \(error.rawValue)")
            }
            for event in events { try show(event.data, isJSON, shell) }
            return .goOn
        }
        guard response.status == 200 else {
            throw .no(
                "the listener answers \(response.status): "
                    + String(decoding: whole.prefix(200), as: UTF8.self).trimmed)
        }
        if !isEvents(response) { try show(whole, isJSON, shell) }
        return .success
    }

    /// Largest answer that is not a stream, in bytes.
    private static let answerMax = 32 << 20

    private static func isEvents(_ response: ControlClient.Response) -> Bool {
        response.fields[.contentType]?.hasPrefix("text/event-stream") ?? false
    }

    private static func request(
        _ url: LocalURL, _ arguments: Arguments, isStream: Bool, _ shell: any Shell
    ) throws(Failure) -> ControlClient.Request {
        var message: JSONNode = [
            "messageId": .string(UUIDv7(at: shell.time.now(), random: shell.random).text),
            "role": "ROLE_USER", "parts": [["text": .string(arguments.operands[1])]],
        ]
        message["taskId"] = arguments["--task"].map { .string($0) }
        let params: JSONNode = ["message": message]
        var fields: HTTPFields = [
            .contentType: "application/json", .a2aVersion: "1.0",
            .accept: isStream ? "text/event-stream" : "application/json",
        ]
        if let file = arguments["--token-file"] {
            let token = try Input.text(file).trimmed
            guard let value = try? HTTPFieldValue("Bearer \(token)") else {
                throw .misuse("\(file) holds no token")
            }
            fields.append(.authorization, value)
        }
        let method = isStream ? "SendStreamingMessage" : "SendMessage"
        return ControlClient.Request(
            method: .post, path: url.path, fields: fields,
            body: JSONRPC.request(id: 1, method: method, params: params.bytes))
    }

    /// Shows one answer, or throws what it refuses with.
    private static func show(
        _ body: [UInt8], _ isJSON: Bool, _ shell: any Shell
    ) throws(Failure) {
        let value: JSONValue
        let event: StreamEvent
        do {
            value = try JSONRPC.result(body)
            event = try StreamEvent(wrapped: value)
        } catch {
            throw .no("\(error.reason): \(error.message)")
        }
        if isJSON {
            shell.write(Array(value.raw))
            shell.say("")
            return
        }
        var line = event.kind.rawValue
        if let id = event.taskID { line += " \(id)" }
        if let state = event.state { line += " \(state.rawValue)" }
        shell.say(line)
        for part in event.parts {
            if let text = part.text {
                shell.say("  \(text)")
            } else if let data = part.data {
                shell.say("  \(String(decoding: data.raw, as: UTF8.self))")
            }
        }
    }
}

extension String {
    /// Without blanks and line ends around it.
    fileprivate var trimmed: String {
        let isBlank = { (c: Character) in c == " " || c.isNewline || c == "\t" }
        return String(drop(while: isBlank).reversed().drop(while: isBlank).reversed())
    }
}
