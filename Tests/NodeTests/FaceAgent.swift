// SPDX-License-Identifier: Apache-2.0
import A2A
import Bindings
import Consent
import Gateway
import HTTP
import JSON
import Synchronization

@testable import Node

/// An agent that speaks JSON-RPC at `/rpc` and HTTP+JSON below `/rest`, and offers what a test
/// says. A message is answered by the task `up`, which is done; a stream is about the task
/// `streamed`.
final class FaceAgent: Service {
    private struct State {
        var card = ""
        var requests: [ServiceRequest] = []
        var servesPostedSubscriptions = true
    }
    private let state = Mutex(State())

    /// Offers interfaces in this order; `url` is where the agent is, without a path.
    func offer(_ bindings: [String], at url: String, tenant: String? = nil) {
        let interfaces = bindings.map { binding in
            let path = binding == "JSONRPC" ? "/rpc" : "/rest"
            let tenant = tenant.map { #","tenant":"\#($0)""# } ?? ""
            return #"{"url":"\#(url)\#(path)","protocolBinding":"\#(binding)","#
                + #""protocolVersion":"1.0"\#(tenant)}"#
        }
        let text = interfaces.joined(separator: ",")
        state.withLock {
            $0.card = #"{"name":"Face","supportedInterfaces":[\#(text)],"skills":[]}"#
        }
    }

    /// Answers POST on a subscription with 405, as servers of the protobuf annotations do.
    func refusePostedSubscriptions() {
        state.withLock { $0.servesPostedSubscriptions = false }
    }

    /// What was asked, cards left out.
    var requests: [ServiceRequest] {
        state.withLock { $0.requests.filter { !$0.head.path.hasSuffix("agent-card.json") } }
    }

    /// Requests as `POST /rest/message:send`.
    var lines: [String] { requests.map { "\($0.head.method) \($0.head.path)" } }

    func refusal(
        of head: HTTPRequestHead, at listener: ListenerSettings, from peer: Presenter?
    ) -> ServiceResponse? { nil }

    func respond(
        to request: ServiceRequest, through upstreams: any Upstreams
    ) async -> ServiceResponse {
        let (card, takesPost) = state.withLock {
            $0.requests.append(request)
            return ($0.card, $0.servesPostedSubscriptions)
        }
        let segments = request.head.target.segments ?? []
        if segments.last == "agent-card.json" { return .json(Array(card.utf8)) }
        switch segments.first {
        case "rpc":
            guard let call = try? JSONRPC.decode(request.body) else { return .plain(500, "?") }
            return Self.answer(call.operation) { result in
                switch result {
                case .success(let value): JSONRPC.response(id: call.id, result: value)
                case .failure(let error): JSONRPC.response(id: call.id, error: error)
                }
            }
        case "rest":
            guard let route = HTTPJSON.Route(segments.dropFirst()),
                takesPost || request.head.method == .get
            else { return .plain(405, "not so") }
            return Self.rest(request, route)
        default: return .plain(404, "nothing")
        }
    }

    private static func rest(
        _ request: ServiceRequest, _ route: HTTPJSON.Route
    ) -> ServiceResponse {
        do throws(A2AError) {
            let operation = try route.operation(
                request.head.method, parameters: request.head.target.parameters,
                body: request.body)
            if case .failure(let error) = result(operation) { throw error }
            return answer(operation) { result in
                switch result {
                case .success(let value): value
                case .failure(let error): HTTPJSON.body(of: error)
                }
            }
        } catch {
            return .httpJSON(error)
        }
    }

    private static func answer(
        _ operation: Operation, _ worded: (Result<[UInt8], A2AError>) -> [UInt8]
    ) -> ServiceResponse {
        guard operation.isStreaming else { return .json(worded(result(operation))) }
        if case .failure = result(operation) { return .json(worded(result(operation))) }
        let done = #""taskId":"streamed","contextId":"c","status":\#(status("COMPLETED"))"#
        let events = [
            #"{"task":\#(task("streamed", "WORKING"))}"#, #"{"statusUpdate":{\#(done)}}"#,
        ]
        return ServiceResponse(
            status: 200, fields: [.contentType: "text/event-stream"],
            body: .events(
                WordedEvents(events.map { RPCEvents.frame(worded(.success(Array($0.utf8)))) })))
    }

    private static func result(_ operation: Operation) -> Result<[UInt8], A2AError> {
        switch operation {
        case .sendMessage: .success(Array(#"{"task":\#(task("up", "COMPLETED"))}"#.utf8))
        case .sendStreamingMessage, .subscribeToTask: .success([])
        case .getTask(let request) where request.id == "up":
            .success(Array(task("up", "COMPLETED").utf8))
        case .cancelTask: .failure(A2AError(.taskNotCancelable, "Too late"))
        default: .failure(A2AError(.taskNotFound, "None such"))
        }
    }

    private static func task(_ id: String, _ state: String) -> String {
        #"{"id":"\#(id)","contextId":"c","status":\#(status(state))}"#
    }

    private static func status(_ state: String) -> String { #"{"state":"TASK_STATE_\#(state)"}"# }
}

/// The given pieces of a stream.
private final class WordedEvents: ServiceEvents {
    private var pieces: [[UInt8]]

    init(_ pieces: [[UInt8]]) { self.pieces = pieces }

    func next() async -> [UInt8]? { pieces.isEmpty ? nil : pieces.removeFirst() }

    func cancel() { pieces = [] }
}
