// SPDX-License-Identifier: Apache-2.0
import A2A
import Gateway
import HTTP
import IO
import JSON
import TestSupport
import Testing

@testable import Node

/// In which binding agents and peers are called: the first of their card that the gateway knows.
@Suite struct InterfaceTests {
    private static let message =
        #"{"message":{"messageId":"m","role":"ROLE_USER","parts":[{"text":"hi"}]}}"#

    @Test(
        "the first interface of the card decides",
        arguments: [
            (["HTTP+JSON", "JSONRPC"], "POST /rest/message:send"),
            (["JSONRPC", "HTTP+JSON"], "POST /rpc"),
            (["https://x.example/odd", "HTTP+JSON"], "POST /rest/message:send"),
            (["https://x.example/odd"], "POST /rpc"),
        ])
    func first(bindings: [String], line: String) async throws {
        try await HTTPJSONFaceTests.with(bindings) { gateway, agent in
            let sent = try await gateway.ask("POST /agents/echo/message:send", Self.message)
            #expect(sent.status == 200)
            #expect(agent.lines == [line])
        }
    }

    @Test("an agent that knows HTTP+JSON only serves a caller of either binding")
    func httpJSON() async throws {
        try await HTTPJSONFaceTests.with(["HTTP+JSON"]) { gateway, agent in
            let rpc = try await gateway.ask(
                "POST /agents/echo",
                #"{"jsonrpc":"2.0","id":1,"method":"SendMessage","params":\#(Self.message)}"#)
            let task = try #require(try rpc.json["result"]?["task"])
            #expect(task["status"]?["state"]?.string == "TASK_STATE_COMPLETED")
            let id = try #require(task["id"]?.string)
            let stream = try await gateway.ask("POST /agents/echo/message:stream", Self.message)
            #expect(try stream.events.count == 2)
            let again = try await gateway.ask("GET /agents/echo/tasks/\(id)?historyLength=0")
            #expect(again.status == 200)
            #expect(
                agent.lines == [
                    "POST /rest/message:send", "POST /rest/message:stream",
                    "GET /rest/tasks/up?historyLength=0",
                ])
            let sent = try #require(agent.requests.first?.head.fields)
            #expect(sent[.contentType] == "application/a2a+json")
            #expect(sent[.a2aVersion] == "1.0")
            #expect(agent.requests.last?.head.fields[.contentType] == nil)
        }
    }

    @Test("an agent's tenant stands in the path and in the body, a caller's does not pass")
    func tenant() async throws {
        try await HTTPJSONFaceTests.with(["HTTP+JSON"], tenant: "acme") { gateway, agent in
            _ = try await gateway.ask("POST /agents/echo/message:send", Self.message)
            #expect(agent.lines == ["POST /rest/acme/message:send"])
            let body = try JSONDocument(parsing: try #require(agent.requests.first?.body)).root
            #expect(body["tenant"]?.string == "acme")
        }
        try await HTTPJSONFaceTests.with(["HTTP+JSON"]) { gateway, agent in
            _ = try await gateway.ask("POST /agents/echo/mine/message:send", Self.message)
            #expect(agent.lines == ["POST /rest/message:send"])
            let body = try JSONDocument(parsing: try #require(agent.requests.first?.body)).root
            #expect(body["tenant"]?.isNull == true)
        }
        try await HTTPJSONFaceTests.with(["JSONRPC"], tenant: "acme") { gateway, agent in
            _ = try await gateway.ask("POST /agents/echo/message:send", Self.message)
            let body = try JSONDocument(parsing: try #require(agent.requests.first?.body)).root
            #expect(body["params"]?["tenant"]?.string == "acme")
        }
        try await HTTPJSONFaceTests.with(["JSONRPC"]) { gateway, agent in
            _ = try await gateway.ask("POST /agents/echo/mine/message:send", Self.message)
            let body = try JSONDocument(parsing: try #require(agent.requests.first?.body)).root
            #expect(body["params"]?["tenant"]?.isNull == true)
        }
    }

    @Test(
        "a peer is called as its card says, its errors are its own, and subscribing has two forms")
    func peers() async throws {
        let agent = FaceAgent()
        try await TwoServices.with(agent) { alpha, destination in
            agent.offer(["HTTP+JSON"], at: "https://beta.example")
            let task = try await alpha.call("GetTask", #"{"id":"up"}"#, destination)
            #expect(try task.get()["id"]?.string == "up")
            let cancelled = try await alpha.call("CancelTask", #"{"id":"up"}"#, destination)
            #expect(cancelled == .failure(.agent(A2AError(.taskNotCancelable, "Too late"))))
            let events = try await alpha.stream("SubscribeToTask", #"{"id":"up"}"#, destination)
            #expect(try events.get() == ["streamed", "streamed"])
            agent.refusePostedSubscriptions()
            let others = try await alpha.stream("SubscribeToTask", #"{"id":"up"}"#, destination)
            #expect(try others.get() == ["streamed", "streamed"])
            #expect(
                agent.lines == [
                    "GET /rest/tasks/up", "POST /rest/tasks/up:cancel",
                    "POST /rest/tasks/up:subscribe", "POST /rest/tasks/up:subscribe",
                    "GET /rest/tasks/up:subscribe",
                ])
            #expect(agent.requests.allSatisfy { $0.head.fields[.dragomanCaller] == nil })
            let plain = try await alpha.call("SendMessage", Self.message, destination)
            #expect(plain == .failure(.status(405, retryAfter: nil)))
        }
    }
}

/// Alpha's node, which calls, and beta's, which serves on its link.
private enum TwoServices {
    static func with(
        _ service: any Service, _ body: (TestNode, Gateway.Destination) async throws -> Void
    ) async throws {
        let organisations = try Organisations()
        let beta = try await TestNode.start(
            service, organisations, material: organisations.material(organisations.beta))
        var routes = UpstreamRoutes()
        routes.peers[organisations.beta.entity] = beta.link.description
        let alpha = try await TestNode.start(EchoService(), organisations, routes: routes)
        let outcome: Result<Void, any Error>
        do {
            try await body(alpha, .peer(organisations.beta.entity, agent: "face"))
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        await alpha.stop()
        await beta.stop()
        try outcome.get()
    }
}

extension TestNode {
    fileprivate func call(
        _ method: String, _ params: String, _ destination: Gateway.Destination
    ) async throws -> Result<JSONNode, UpstreamFailure> {
        let call = Self.upstreamCall(method, params, destination)
        return await workers.withUpstreams { upstreams in
            do throws(UpstreamFailure) {
                return .success(try await upstreams.call(call).detached())
            } catch {
                return .failure(error)
            }
        }
    }

    /// The task ids of a stream's events.
    fileprivate func stream(
        _ method: String, _ params: String, _ destination: Gateway.Destination
    ) async throws -> Result<[String?], UpstreamFailure> {
        let call = Self.upstreamCall(method, params, destination)
        return await workers.withUpstreams { upstreams in
            do throws(UpstreamFailure) {
                let events = try await upstreams.stream(call)
                var tasks: [String?] = []
                while let event = try await events.next() { tasks.append(event.taskID) }
                return .success(tasks)
            } catch {
                return .failure(error)
            }
        }
    }

    private static func upstreamCall(
        _ method: String, _ params: String, _ destination: Gateway.Destination
    ) -> UpstreamCall {
        UpstreamCall(
            destination: destination, method: method, params: Array(params.utf8),
            extensions: nil, traceparent: nil, onBehalfOf: "https://x.example",
            timeout: .seconds(5))
    }
}
