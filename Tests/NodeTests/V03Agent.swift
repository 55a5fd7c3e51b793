// SPDX-License-Identifier: Apache-2.0
import A2A
import Bindings
import Consent
import Gateway
import HTTP
import JSON
import Synchronization

@testable import Node

/// An agent of A2A 0.3, as the A2A SDK of that time answers: its streams say their last word and
/// may stay open, it has no stream of a task that waits, and it gives all of a task's history.
final class V03Agent: Service {
    private struct State {
        var card = ""
        var state = "completed"
        var requests: [ServiceRequest] = []
    }
    private let state = Mutex(State())

    func offer(at url: String) {
        state.withLock {
            $0.card = """
                {"name":"Old","description":"d","version":"1","url":"\(url)/rpc","skills":[],
                "protocolVersion":"0.3.0","capabilities":{"streaming":true},
                "defaultInputModes":["text/plain"],"defaultOutputModes":["text/plain"]}
                """
        }
    }

    /// The state that its one task is in.
    func enter(_ name: String) { state.withLock { $0.state = name } }

    /// What was asked, cards left out.
    var calls: [(method: String, params: JSONValue?, version: String?)] {
        state.withLock { $0.requests }.compactMap { request in
            guard let root = try? JSONDocument(parsing: request.body).root,
                let method = root["method"]?.string
            else { return nil }
            return (method, root["params"], request.head.fields[.a2aVersion])
        }
    }

    func refusal(
        of head: HTTPRequestHead, at listener: ListenerSettings, from peer: Presenter?
    ) -> ServiceResponse? { nil }

    func respond(
        to request: ServiceRequest, through upstreams: any Upstreams
    ) async -> ServiceResponse {
        let (card, now) = state.withLock {
            $0.requests.append(request)
            return ($0.card, $0.state)
        }
        if request.head.path.hasSuffix("agent-card.json") { return .json(Array(card.utf8)) }
        let method = (try? JSONDocument(parsing: request.body))?.root["method"]?.string
        switch method.flatMap(V03Method.init(rawValue:)) {
        case .sendMessage, .getTask: return .json(Self.answer(Self.task(now)))
        case .sendStreamingMessage where now == "canceled":
            // It ends its stream as soon as the task is canceled, and says nothing of it.
            return Self.stream([Self.answer(Self.task("working"))], ends: true)
        case .sendStreamingMessage:
            let update = Self.update(now, isFinal: true)
            return Self.stream([Self.answer(Self.task("submitted")), Self.answer(update)])
        case .subscribeToTask where now == "working":
            let update = Self.update("completed", isFinal: true)
            return Self.stream([Self.answer(Self.task("working")), Self.answer(update)])
        case .subscribeToTask:
            return Self.stream([Self.error(-32001, #"{"task":1}"#)])
        case .cancelTask: return .json(Self.error(-32002, #"{"since":[1.50]}"#))
        default: return .json(Self.error(-32601, "null"))
        }
    }

    private static func answer(_ result: String) -> [UInt8] {
        Array(#"{"id":1,"jsonrpc":"2.0","result":\#(result)}"#.utf8)
    }

    private static func error(_ code: Int, _ data: String) -> [UInt8] {
        let error = #"{"code":\#(code),"message":"no","data":\#(data)}"#
        return Array(#"{"id":1,"jsonrpc":"2.0","error":\#(error)}"#.utf8)
    }

    private static func task(_ state: String) -> String {
        let parts = #"[{"kind":"text","text":"x"}]"#
        let message = #"{"kind":"message","messageId":"m","role":"user","parts":\#(parts)}"#
        return """
            {"kind":"task","id":"up","contextId":"c","history":[\(message),\(message)],
            "metadata":{"n":1.50},"status":{"state":"\(state)",
            "timestamp":"2026-11-21T00:20:51.723455+00:00"}}
            """.filter { $0 != "\n" }
    }

    private static func update(_ state: String, isFinal: Bool) -> String {
        #"{"kind":"status-update","taskId":"up","contextId":"c","final":\#(isFinal),"#
            + #""status":{"state":"\#(state)"}}"#
    }

    private static func stream(_ events: [[UInt8]], ends: Bool = false) -> ServiceResponse {
        ServiceResponse(
            status: 200, fields: [.contentType: "text/event-stream"],
            body: .events(OpenEvents(events.map { RPCEvents.frame($0) }, ends: ends)))
    }
}

/// Pieces of a stream that then stays open, or ends.
private final class OpenEvents: ServiceEvents {
    private var pieces: [[UInt8]]
    private let ends: Bool
    private var waiting: CheckedContinuation<Void, Never>?
    private var isCancelled = false

    init(_ pieces: [[UInt8]], ends: Bool) {
        self.pieces = pieces
        self.ends = ends
    }

    func next() async -> [UInt8]? {
        if isCancelled { return nil }
        if !pieces.isEmpty { return pieces.removeFirst() }
        if ends { return nil }
        await withCheckedContinuation { waiting = $0 }
        return nil
    }

    func cancel() {
        isCancelled = true
        waiting.take()?.resume()
    }
}
