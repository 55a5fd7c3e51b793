// SPDX-License-Identifier: Apache-2.0
import A2A
import Bytes
import Consent
import Gateway
import HTTP
import IO
import JSON
import Synchronization
import TestSupport

@testable import Node

/// A service that answers as an agent of A2A does: its method decides how.
final class AgentStub: Service {
    private struct State {
        var heads: [HTTPRequestHead] = []
        var bodies: [String] = []
        var peers: [Presenter?] = []
        var card = ""
        var cancelled = 0
    }
    private let state = Mutex(State())

    func refusal(
        of head: HTTPRequestHead, at listener: ListenerSettings, from peer: Presenter?
    ) -> ServiceResponse? { nil }

    func respond(
        to request: ServiceRequest, through upstreams: any Upstreams
    ) async -> ServiceResponse {
        let body = String(decoding: request.body, as: UTF8.self)
        let card = state.withLock { state in
            state.heads.append(request.head)
            state.bodies.append(body)
            state.peers.append(request.peer)
            return state.card
        }
        if request.head.path.hasSuffix("/.well-known/agent-card.json") {
            return cardAnswer(card, request.head)
        }
        let method = (try? JSONDocument(parsing: request.body))?.root["method"]?.string ?? ""
        switch method {
        case "Busy":
            var response = ServiceResponse.plain(503, "busy")
            response.fields.append(.retryAfter, "7")
            return response
        case "Error":
            return Self.json(#"{"code":-32001,"message":"Task not found"}"#, "error")
        case "Nonsense": return .plain(200, "hello")
        case "Large":
            return ServiceResponse(
                status: 200, body: .bytes([UInt8](repeating: 0x20, count: 9 << 20)))
        case "Sizeable":
            return Self.json("\"" + String(repeating: "x", count: 3 << 20) + "\"")
        case "Page":
            let filling = String(repeating: "x", count: 8 << 10)
            return Self.json(
                #"{"message":{"messageId":"\#(filling)","role":"ROLE_AGENT","parts":[]}}"#)
        case "Never", "Quiet":
            let events = AgentEvents(self, method == "Never" ? [] : [Self.event(1)], ends: false)
            return Self.stream(events)
        case "Stream": return Self.stream(AgentEvents(self, (1...5).map(Self.event)))
        case "StreamError":
            let error = #"{"jsonrpc":"2.0","id":1,"error":{"code":-32001,"message":"gone"}}"#
            return Self.stream(
                AgentEvents(self, [Self.event(1), "event: error\ndata: \(error)\n\n"]))
        case "StreamBroken": return Self.stream(AgentEvents(self, [Self.event(1), "data: {\n\n"]))
        default: return Self.json(#"{"message":{"messageId":"m","role":"ROLE_AGENT","parts":[]}}"#)
        }
    }

    private func cardAnswer(_ card: String, _ head: HTTPRequestHead) -> ServiceResponse {
        guard !card.isEmpty else { return .plain(404, "no card") }
        let fields: HTTPFields = [
            .contentType: "application/json", .eTag: "\"one\"", .cacheControl: "max-age=0",
        ]
        if head.fields[.ifNoneMatch] == "\"one\"" {
            return ServiceResponse(status: 304, fields: fields)
        }
        return ServiceResponse(status: 200, fields: fields, body: .bytes(Array(card.utf8)))
    }

    private static func json(_ value: String, _ member: String = "result") -> ServiceResponse {
        .json(Array(#"{"jsonrpc":"2.0","id":1,"\#(member)":\#(value)}"#.utf8))
    }

    private static func stream(_ events: AgentEvents) -> ServiceResponse {
        ServiceResponse(
            status: 200, fields: [.contentType: "text/event-stream; charset=utf-8"],
            body: .events(events))
    }

    private static func event(_ number: Int) -> String {
        let update = #"{"taskId":"t\#(number)","status":{"state":"TASK_STATE_WORKING"}}"#
        return "data: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"statusUpdate\":\(update)}}\n\n"
    }

    // MARK: What happened

    var heads: [HTTPRequestHead] { state.withLock { $0.heads } }
    /// Those of calls, without the questions for the card.
    var calls: [HTTPRequestHead] { heads.filter { !$0.path.hasSuffix("/agent-card.json") } }
    var bodies: [String] { state.withLock { $0.bodies } }
    var peers: [Presenter?] { state.withLock { $0.peers } }
    var cancelled: Int { state.withLock { $0.cancelled } }
    func wasCancelled() { state.withLock { $0.cancelled += 1 } }

    /// Offers a card with one JSON-RPC interface.
    func offerCard(interface url: String) {
        let interface = #"{"url":"\#(url)","protocolBinding":"JSONRPC","protocolVersion":"1.0"}"#
        state.withLock {
            $0.card = #"{"name":"Stub","supportedInterfaces":[\#(interface)],"skills":[]}"#
        }
    }
}

/// The given pieces; then the end, or silence until it is cancelled.
private final class AgentEvents: ServiceEvents {
    private let service: AgentStub
    private var pieces: [String]
    private let ends: Bool
    private var isCancelled = false
    private var waiting: CheckedContinuation<Void, Never>?

    init(_ service: AgentStub, _ pieces: [String], ends: Bool = true) {
        self.service = service
        self.pieces = pieces
        self.ends = ends
    }

    func next() async -> [UInt8]? {
        if isCancelled { return nil }
        if !pieces.isEmpty { return Array(pieces.removeFirst().utf8) }
        if !ends { await withCheckedContinuation { waiting = $0 } }
        return nil
    }

    func cancel() {
        guard !isCancelled else { return }
        isCancelled = true
        service.wasCancelled()
        waiting.take()?.resume()
    }
}

/// Two gateways: alpha calls, beta is called. Beta serves a stub on its link; the same stub answers
/// as alpha's local agent `here`.
struct TwoNodes {
    let alpha: TestNode
    let beta: TestNode
    let stub: AgentStub
    let organisations: Organisations

    static func with(
        beta material: ((Organisations) throws -> TrustMaterial)? = nil,
        alpha own: LimitsChange? = nil, _ change: @escaping LimitsChange = { _, _ in },
        body: (TwoNodes) async throws -> Void
    ) async throws {
        let organisations = try Organisations()
        let stub = AgentStub()
        let beta = try await TestNode.start(
            stub, organisations,
            material: try material?(organisations) ?? organisations.material(organisations.beta),
            change)
        let alpha = try await TestNode.start(
            EchoService(), organisations, routes: routes(to: beta, organisations),
            own ?? change)
        let nodes = TwoNodes(
            alpha: alpha, beta: beta, stub: stub, organisations: organisations)
        do {
            try await body(nodes)
            await alpha.stop()
            await beta.stop()
        } catch {
            await alpha.stop()
            await beta.stop()
            throw error
        }
    }

    static func routes(to beta: TestNode, _ organisations: Organisations) -> UpstreamRoutes {
        var routes = UpstreamRoutes()
        routes.peers[organisations.beta.entity] = beta.link.description
        routes.agents["here"] = LocalURL("http://\(beta.local)/rpc")
        return routes
    }

    var peer: Gateway.Destination { .peer(organisations.beta.entity, agent: "cook") }

    func call(
        _ method: String, _ destination: Gateway.Destination? = nil, params: String = "{}",
        timeout: Duration = .seconds(10)
    ) -> UpstreamCall {
        UpstreamCall(
            destination: destination ?? peer, method: method, params: Array(params.utf8),
            extensions: "https://x.example/e", traceparent: nil,
            onBehalfOf: "https://caller.example", timeout: timeout)
    }

    /// The failure of a call.
    func failure(_ call: UpstreamCall) async -> UpstreamFailure? {
        await alpha.workers.withUpstreams { upstreams -> UpstreamFailure? in
            do throws(UpstreamFailure) {
                _ = try await upstreams.call(call)
                return nil
            } catch {
                return error
            }
        }
    }

    /// The task ids of a stream's events, and what ended it.
    func stream(_ call: UpstreamCall) async -> (tasks: [String?], failure: UpstreamFailure?) {
        await alpha.workers.withUpstreams { upstreams in
            var tasks: [String?] = []
            do throws(UpstreamFailure) {
                let events = try await upstreams.stream(call)
                while let event = try await events.next() { tasks.append(event.taskID) }
                return (tasks, nil)
            } catch {
                return (tasks, error)
            }
        }
    }
}
