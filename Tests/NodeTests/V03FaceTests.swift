// SPDX-License-Identifier: Apache-2.0
import A2A
import Bytes
import HTTP
import IO
import JSON
import TestSupport
import Testing

@testable import Node

/// Clients of A2A 0.3 at a whole gateway, over a socket; behind it is an agent that knows 1.0 only.
@Suite struct V03FaceTests {
    private static let message =
        #"{"message":{"kind":"message","messageId":"m","role":"user","parts":[{"kind":"text","#
        + #""text":"hi"}]}}"#

    /// Sends a method of 0.3 as its clients do: without a version.
    private static func call(
        _ gateway: WholeGateway, _ method: String, _ params: String, version: String? = nil
    ) async throws -> PlainAnswer {
        try await gateway.ask(
            "POST /agents/echo",
            #"{"jsonrpc":"2.0","id":"a","method":"\#(method)","params":\#(params)}"#,
            type: "application/json", version: version)
    }

    @Test("a message, its task and its end, in the words of 0.3")
    func calls() async throws {
        try await HTTPJSONFaceTests.with { gateway, agent in
            let sent = try await Self.call(gateway, "message/send", Self.message)
            #expect(sent.status == 200 && sent.fields["content-type"] == "application/json")
            #expect(try sent.json["id"]?.string == "a")
            let task = try #require(try sent.json["result"])
            #expect(task["kind"]?.string == "task")
            #expect(task["status"]?["state"]?.string == "completed")
            let id = try #require(task["id"]?.string)
            #expect(id != "up", "the caller never sees the agent's own id")

            let again = try await Self.call(
                gateway, "tasks/get", #"{"id":"\#(id)"}"#, version: "0.3")
            #expect(try again.json["result"]?["id"]?.string == id)
            let cancelled = try await Self.call(gateway, "tasks/cancel", #"{"id":"\#(id)"}"#)
            #expect(try cancelled.json["error"]?["code"]?.int == -32002)
            let none = try await Self.call(gateway, "tasks/get", #"{"id":"nobody"}"#)
            #expect(try none.json["error"]?["code"]?.int == -32001)
            #expect(try none.json["error"]?["data"] == nil, "the number says it all")
            // The agent was asked in its own version.
            #expect(agent.requests.allSatisfy { $0.head.fields[.a2aVersion] == "1.0" })
        }
    }

    @Test("a stream ends with an update that says so; errors are events")
    func streams() async throws {
        try await HTTPJSONFaceTests.with { gateway, _ in
            let answer = try await Self.call(gateway, "message/stream", Self.message)
            #expect(answer.fields["content-type"] == "text/event-stream")
            let events = try answer.events.map { try #require($0["result"]) }
            #expect(events.map { $0["kind"]?.string } == ["task", "status-update"])
            #expect(events.last?["final"]?.bool == true)
            #expect(events.last?["status"]?["state"]?.string == "completed")
            let id = try #require(events.first?["id"]?.string)
            let late = try await Self.call(gateway, "tasks/resubscribe", #"{"id":"\#(id)"}"#)
            #expect(late.fields["content-type"] == "text/event-stream")
            #expect(try late.events.first?["error"]?["code"]?.int == -32004)
            #expect(!late.body.contains("event: error"))
        }
    }

    @Test("what the gateway has not is refused by its number")
    func refusals() async throws {
        try await HTTPJSONFaceTests.with { gateway, _ in
            let configuration = "tasks/pushNotificationConfig"
            let set = #"{"taskId":"t","pushNotificationConfig":{"url":"https://cb.example"}}"#
            let refused: [(method: String, params: String, code: Int64)] = [
                ("\(configuration)/set", set, -32003), ("\(configuration)/get", set, -32003),
                ("\(configuration)/list", #"{"id":"t"}"#, -32003),
                ("\(configuration)/delete", #"{"id":"t"}"#, -32003),
                ("agent/getAuthenticatedExtendedCard", "{}", -32004),
                ("tasks/send", "{}", -32601), ("message/send", "{}", -32602),
            ]
            for (method, params, code) in refused {
                let answer = try await Self.call(gateway, method, params)
                #expect(try answer.json["error"]?["code"]?.int == code, "\(method)")
            }
            let webhook =
                Self.message.dropLast()
                + #","configuration":{"pushNotificationConfig":{"url":"https://cb.example"}}}"#
            let pushed = try await Self.call(gateway, "message/send", String(webhook))
            #expect(try pushed.json["error"]?["code"]?.int == -32003)
            // A method of 1.0 needs its version named; in 0.3 there is no such method.
            let unnamed = try await Self.call(gateway, "GetTask", #"{"id":"t"}"#)
            #expect(try unnamed.json["error"]?["code"]?.int == -32009)
            let named = try await Self.call(gateway, "GetTask", #"{"id":"t"}"#, version: "0.3")
            #expect(try named.json["error"]?["code"]?.int == -32601)
            let newer = try await Self.call(gateway, "tasks/get", "{}", version: "1.0")
            #expect(try newer.json["error"]?["code"]?.int == -32601)
        }
    }

    @Test("one card on this side is for both versions; between gateways 1.0 alone is spoken")
    func cardsAndLinks() async throws {
        try await HTTPJSONFaceTests.with { gateway, _ in
            let answer = try await gateway.ask("GET /agents/echo/.well-known/agent-card.json")
            let card = try AgentCard(try answer.json)
            let url = "http://localhost/agents/echo"
            #expect(card.jsonRPC?.url == url && card.jsonRPCInV03?.url == url)
            #expect(card.value["url"]?.string == url)
            #expect(card.value["protocolVersion"]?.string == "0.3.0")
            #expect(card.value["preferredTransport"]?.string == "JSONRPC")
        }
        let agent = FaceAgent()
        try await TestNode.with(agent) { node, _ in
            agent.offer(["JSONRPC"], at: "http://\(node.local)")
            let gateway = try await WholeGateway.start(
                agents: """
                    [{"name": "echo", "url": "http://\(node.local)/rpc", "listeners": ["peers"]}]
                    """)
            try await WholeGateway.with(gateway) { gateway in
                try await onLoop { lane in
                    let client = try await gateway.link(lane)
                    await client.wait { client.hasSettings }
                    let body = #"{"jsonrpc":"2.0","id":1,"method":"message/send","params":{}}"#
                    let id = try client.request(
                        "/agents/echo", fields: [.contentType: "application/json"],
                        body: Array(body.utf8))
                    #expect(await client.status(id) == 200)
                    let error = try JSONDocument(parsing: client.text(id)).root["error"]
                    #expect(error?["code"]?.int == -32601)
                    let card = try client.request(
                        "/agents/echo/.well-known/agent-card.json", method: .get)
                    #expect(await client.status(card) == 200)
                    let read = try AgentCard(JSONDocument(parsing: client.text(card)).root)
                    #expect(read.jsonRPC != nil && read.jsonRPCInV03 == nil)
                    client.channel.abort()
                }
            }
        }
    }
}

/// An agent of A2A 0.3 behind a whole gateway, called by clients of 1.0.
@Suite struct V03UpstreamTests {
    private static let message =
        #"{"message":{"messageId":"m","role":"ROLE_USER","parts":[{"text":"hi"}]}"#

    private static func with(
        _ body: (WholeGateway, V03Agent) async throws -> Void
    ) async throws {
        let agent = V03Agent()
        try await TestNode.with(agent) { node, _ in
            agent.offer(at: "http://\(node.local)")
            let gateway = try await WholeGateway.start(
                agents: """
                    [{"name": "echo", "url": "http://\(node.local)/", "listeners": ["apps"]}]
                    """)
            try await WholeGateway.with(gateway) { try await body($0, agent) }
        }
    }

    private static func call(
        _ gateway: WholeGateway, _ method: String, _ params: String
    ) async throws -> PlainAnswer {
        try await gateway.ask(
            "POST /agents/echo",
            #"{"jsonrpc":"2.0","id":1,"method":"\#(method)","params":\#(params)}"#,
            type: "application/json")
    }

    @Test("a message is sent and answered in 0.3, and read in 1.0")
    func calls() async throws {
        try await Self.with { gateway, agent in
            let wish = #","configuration":{"returnImmediately":true,"historyLength":1}}"#
            let sent = try await Self.call(gateway, "SendMessage", Self.message + wish)
            let task = try #require(try sent.json["result"]?["task"])
            #expect(task["status"]?["state"]?.string == "TASK_STATE_COMPLETED")
            #expect(task["status"]?["timestamp"]?.string == "2026-11-21T00:20:51.723455Z")
            #expect(task["history"]?.count == 1, "no more than was asked for")
            #expect(task["history"]?[0]?["parts"]?[0]?.rawText == #"{"text":"x"}"#)
            #expect(task["metadata"]?["n"]?.rawText == "1.50")
            #expect(task["kind"] == nil && !sent.body.contains(#""up""#))
            let call = try #require(agent.calls.first)
            #expect(call.method == "message/send" && call.version == "0.3")
            #expect(call.params?["configuration"]?["blocking"]?.bool == false)
            #expect(call.params?["message"]?["parts"]?[0]?["kind"]?.string == "text")

            let id = try #require(task["id"]?.string)
            let bare = try await Self.call(
                gateway, "GetTask", #"{"id":"\#(id)","historyLength":0}"#)
            #expect(try bare.json["result"]?["history"] == nil)
            #expect(agent.calls.last?.params?["historyLength"] == nil)
        }
    }

    @Test("a stream ends with the agent's last word, though the agent leaves it open")
    func streams() async throws {
        try await Self.with { gateway, agent in
            agent.enter("input-required")
            let answer = try await Self.call(gateway, "SendStreamingMessage", Self.message + "}")
            let events = try answer.events.map { try #require($0["result"]) }
            #expect(events.count == 2)
            let update = events.last?["statusUpdate"]
            #expect(update?["status"]?["state"]?.string == "TASK_STATE_INPUT_REQUIRED")
            #expect(update?["final"] == nil && update?["kind"] == nil)
            // It waits, and the agent runs nothing for it: the task alone is told.
            let id = try #require(events.first?["task"]?["id"]?.string)
            let waiting = try await Self.call(gateway, "SubscribeToTask", #"{"id":"\#(id)"}"#)
            let told = try waiting.events.map { $0["result"]?["task"]?["status"]?["state"]?.string }
            #expect(told == ["TASK_STATE_INPUT_REQUIRED"])

            agent.enter("working")
            let running = try await Self.call(gateway, "SubscribeToTask", #"{"id":"\#(id)"}"#)
            let followed = try running.events.map { try #require($0["result"]) }
            #expect(followed.count == 2)
            #expect(
                followed.first?["task"]?["status"]?["state"]?.string == "TASK_STATE_WORKING")
            #expect(
                followed.last?["statusUpdate"]?["status"]?["state"]?.string
                    == "TASK_STATE_COMPLETED")
        }
    }

    @Test("a stream that ends before the task is said to have ended is given its end")
    func brokenStreams() async throws {
        try await Self.with { gateway, agent in
            agent.enter("canceled")
            let answer = try await Self.call(gateway, "SendStreamingMessage", Self.message + "}")
            let states = try answer.events.map {
                $0["result"]?["task"]?["status"]?["state"]?.string
            }
            #expect(states == ["TASK_STATE_WORKING", "TASK_STATE_CANCELED"])
            #expect(agent.calls.map(\.method) == ["message/stream", "tasks/get"])
        }
    }

    @Test("an agent's errors keep their meaning, and what they held")
    func errors() async throws {
        try await Self.with { gateway, agent in
            agent.enter("working")
            let sent = try await Self.call(gateway, "SendMessage", Self.message + "}")
            let id = try #require(try sent.json["result"]?["task"]?["id"]?.string)
            let answer = try await Self.call(gateway, "CancelTask", #"{"id":"\#(id)"}"#)
            let error = try #require(try answer.json["error"])
            #expect(error["code"]?.int == -32002)
            #expect(error["data"]?[0]?["reason"]?.string == "TASK_NOT_CANCELABLE")
            #expect(error["data"]?[0]?["metadata"]?["since"]?.string == "[1.50]")
            // The agent ended it meanwhile, and says only that there is no such stream.
            agent.enter("completed")
            let late = try await Self.call(gateway, "SubscribeToTask", #"{"id":"\#(id)"}"#)
            #expect(try late.json["error"]?["code"]?.int == -32004)
        }
    }
}
