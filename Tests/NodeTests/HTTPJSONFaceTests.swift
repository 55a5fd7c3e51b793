// SPDX-License-Identifier: Apache-2.0
import A2A
import HTTP
import JSON
import Testing

@testable import Node

/// The HTTP+JSON face of a whole gateway, over a socket, in front of an agent that knows JSON-RPC.
@Suite struct HTTPJSONFaceTests {
    private static let message =
        #"{"message":{"messageId":"m","role":"ROLE_USER","parts":[{"text":"hi"}]}}"#

    static func with(
        _ bindings: [String] = ["JSONRPC"], tenant: String? = nil,
        _ body: (WholeGateway, FaceAgent) async throws -> Void
    ) async throws {
        let agent = FaceAgent()
        try await TestNode.with(agent) { node, _ in
            agent.offer(bindings, at: "http://\(node.local)", tenant: tenant)
            let gateway = try await WholeGateway.start(
                agents: """
                    [{"name": "echo", "url": "http://\(node.local)/rpc", "listeners": ["apps"]}]
                    """)
            try await WholeGateway.with(gateway) { try await body($0, agent) }
        }
    }

    @Test("a message, its task, and what cannot be done with it")
    func calls() async throws {
        try await Self.with { gateway, agent in
            let sent = try await gateway.ask("POST /agents/echo/message:send", Self.message)
            #expect(sent.status == 200)
            #expect(sent.fields["content-type"] == "application/a2a+json")
            let task = try #require(try sent.json["task"])
            #expect(task["status"]?["state"]?.string == "TASK_STATE_COMPLETED")
            let id = try #require(task["id"]?.string)
            #expect(id != "up", "the caller never sees the agent's own id")

            let again = try await gateway.ask("GET /agents/echo/tasks/\(id)?historyLength=1")
            #expect(again.status == 200)
            #expect(try again.json["id"]?.string == id, "a task that is asked for is not wrapped")

            let list = try await gateway.ask("GET /agents/echo/tasks?pageSize=10")
            #expect(try list.json["tasks"]?[0]?["id"]?.string == id)
            #expect(try list.json["totalSize"]?.int == 1)

            let cancelled = try await gateway.ask("POST /agents/echo/tasks/\(id):cancel", "")
            #expect(cancelled.status == 400)
            #expect(try cancelled.reason == "TASK_NOT_CANCELABLE")
            let gone = try await gateway.ask("GET /agents/echo/tasks/nobody")
            #expect(gone.status == 404)
            #expect(try gone.reason == "TASK_NOT_FOUND")
            #expect(agent.lines.first == "POST /rpc")
        }
    }

    @Test("a page that calls this machine by a name of its own reads no task")
    func pages() async throws {
        try await Self.with { gateway, _ in
            let sent = try await gateway.ask("POST /agents/echo/message:send", Self.message)
            let id = try #require(try sent.json["task"]?["id"]?.string)
            for path in ["tasks", "tasks/\(id)", "tasks/\(id):subscribe"] {
                for host in ["page.example", "localhost.page.example:80", "192.0.2.7"] {
                    let read = try await gateway.ask("GET /agents/echo/\(path)", host: host)
                    #expect(read.status == 403, "\(path) at \(host)")
                }
            }
            for host in ["127.0.0.1", "127.0.0.1:80", "[::1]:80", "LOCALHOST:80"] {
                let read = try await gateway.ask("GET /agents/echo/tasks/\(id)", host: host)
                #expect(read.status == 200, "\(host)")
            }
        }
    }

    @Test("a stream is one of bare events")
    func streams() async throws {
        try await Self.with { gateway, _ in
            let answer = try await gateway.ask("POST /agents/echo/message:stream", Self.message)
            #expect(answer.status == 200)
            #expect(answer.fields["content-type"] == "text/event-stream")
            let events = try answer.events
            #expect(events.count == 2)
            #expect(events[0]["task"]?["status"]?["state"]?.string == "TASK_STATE_WORKING")
            #expect(
                events[1]["statusUpdate"]?["status"]?["state"]?.string == "TASK_STATE_COMPLETED")
            let id = try #require(events[0]["task"]?["id"]?.string)
            for method in ["GET", "POST"] {
                let late = try await gateway.ask(
                    "\(method) /agents/echo/tasks/\(id):subscribe", method == "POST" ? "" : nil)
                #expect(late.status == 400)
                #expect(try late.reason == "UNSUPPORTED_OPERATION")
            }
        }
    }

    @Test("what the gateway has not is refused by its name, what is no resource by its path")
    func refusals() async throws {
        try await Self.with { gateway, _ in
            let configurations = "/agents/echo/tasks/t/pushNotificationConfigs"
            for (request, body, status, reason) in [
                ("POST \(configurations)", "{}", 400, "PUSH_NOTIFICATION_NOT_SUPPORTED"),
                ("GET \(configurations)", nil, 400, "PUSH_NOTIFICATION_NOT_SUPPORTED"),
                ("GET \(configurations)/c", nil, 400, "PUSH_NOTIFICATION_NOT_SUPPORTED"),
                ("DELETE \(configurations)/c", nil, 400, "PUSH_NOTIFICATION_NOT_SUPPORTED"),
                ("GET /agents/echo/extendedAgentCard", nil, 400, "UNSUPPORTED_OPERATION"),
                ("GET /agents/echo/nothing", nil, 404, "METHOD_NOT_FOUND"),
                ("GET /agents/nobody/tasks", nil, 404, "METHOD_NOT_FOUND"),
                ("PUT /agents/echo/tasks", "{}", 405, "UNSUPPORTED_OPERATION"),
                ("POST /agents/echo/message:send", "{", 400, "PARSE_ERROR"),
                ("POST /agents/echo/message:send", "{}", 400, "INVALID_PARAMS"),
            ] as [(String, String?, Int, String)] {
                let answer = try await gateway.ask(request, body)
                #expect(answer.status == status, "\(request)")
                #expect(try answer.reason == reason, "\(request)")
                #expect(answer.fields["content-type"] == "application/a2a+json", "\(request)")
            }
            let text = try await gateway.ask(
                "POST /agents/echo/message:send", Self.message, type: "text/plain")
            #expect(text.status == 400)
            #expect(try text.reason == "CONTENT_TYPE_NOT_SUPPORTED")
            let plain = try await gateway.ask(
                "POST /agents/echo/message:send", Self.message, type: "application/json")
            #expect(plain.status == 200)
            let old = try await gateway.ask("GET /agents/echo/tasks", version: nil)
            #expect(old.status == 400)
            #expect(try old.reason == "VERSION_NOT_SUPPORTED")
            let named = try await gateway.ask(
                "GET /agents/echo/tasks?A2A-Version=1.0", version: nil)
            #expect(named.status == 200)
        }
    }

    @Test("the card offers both bindings at one address")
    func card() async throws {
        try await Self.with { gateway, _ in
            let card = try await gateway.ask("GET /agents/echo/.well-known/agent-card.json")
            let interfaces = try #require(try card.json["supportedInterfaces"])
            #expect(
                interfaces.elements.map { $0["protocolBinding"]?.string }.prefix(2)
                    == ["JSONRPC", "HTTP+JSON"])
            let url = "http://localhost/agents/echo"
            #expect(interfaces.elements.prefix(2).allSatisfy { $0["url"]?.string == url })
        }
    }
}

/// The answer to a plain request.
struct PlainAnswer {
    let status: Int
    /// Field values by name; the last of a name.
    let fields: [String: String]
    let body: String

    init(_ text: String) {
        let end = text.firstRange(of: "\r\n\r\n")
        let lines = text[..<(end?.lowerBound ?? text.endIndex)].split(separator: "\r\n")
        status = Int(lines.first?.dropFirst("HTTP/1.1 ".count).prefix(3) ?? "") ?? 0
        var fields: [String: String] = [:]
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            fields[String(parts[0])] = parts.count == 2 ? String(parts[1].dropFirst()) : ""
        }
        self.fields = fields
        body = String(text[(end?.upperBound ?? text.endIndex)...])
    }

    var json: JSONValue { get throws { try JSONDocument(parsing: body).root } }

    /// `ErrorInfo.reason`.
    var reason: String? { get throws { try json["error"]?["details"]?[0]?["reason"]?.string } }

    /// The data of the events of a stream; the chunks around them are dropped.
    var events: [JSONValue] {
        get throws {
            try body.split(whereSeparator: \.isNewline).filter { $0.hasPrefix("data: ") }
                .map { try JSONDocument(parsing: String($0.dropFirst("data: ".count))).root }
        }
    }
}

extension WholeGateway {
    /// Sends `METHOD path` to the listener of apps, with a body where one is given.
    func ask(
        _ line: String, _ body: String? = nil, type: String = "application/a2a+json",
        version: String? = "1.0", host: String = "localhost"
    ) async throws -> PlainAnswer {
        var request = "\(line) HTTP/1.1\r\nhost: \(host)\r\nconnection: close\r\n"
        if let version { request += "a2a-version: \(version)\r\n" }
        if let body {
            request += "content-type: \(type)\r\ncontent-length: \(body.utf8.count)\r\n"
        }
        request += "\r\n\(body ?? "")"
        let address = try address("apps")
        return PlainAnswer(
            try await onLoop { [request] lane in
                let client = try await RawClient.connect(to: address, on: lane)
                client.send(request)
                return await client.waitForEnd()
            })
    }
}
