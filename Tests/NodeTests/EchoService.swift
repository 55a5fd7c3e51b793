// SPDX-License-Identifier: Apache-2.0
import Bytes
import Consent
import Gateway
import HTTP
import JSON
import Synchronization

@testable import Node

/// A service for tests of connections. What it does is in the path: `/echo`, `/who`,
/// `/events/{count}/{bytes}`, `/quiet`, `/refused`, `/large`, `/slow`, `/through/{agent}/{method}`.
final class EchoService: Service {
    private struct State {
        var requests: [String: Int] = [:]
        var pieces = 0
        var cancelled = 0
        var heads: [HTTPRequestHead] = []
        var gate: [CheckedContinuation<Void, Never>] = []
        var isOpen = false
    }
    private let state = Mutex(State())

    func refusal(
        of head: HTTPRequestHead, at listener: ListenerSettings, from peer: Presenter?
    ) -> ServiceResponse? {
        head.path == "/refused" ? .plain(401, "Not you") : nil
    }

    func respond(
        to request: ServiceRequest, through upstreams: any Upstreams
    ) async -> ServiceResponse {
        let segments = request.head.target.segments ?? []
        state.withLock {
            $0.requests[segments.first ?? "", default: 0] += 1
            $0.heads.append(request.head)
        }
        switch segments.first {
        case "echo":
            return ServiceResponse(
                status: 200, fields: [.contentType: "application/octet-stream"],
                body: .bytes(request.body))
        case "who":
            return .plain(200, request.peer?.entity.text ?? "nobody")
        case "large":
            let count = Int(segments[1]) ?? 0
            return ServiceResponse(
                status: 200, body: .bytes([UInt8](repeating: 0x61, count: count)))
        case "events":
            return events(Int(segments[1]) ?? 0, Int(segments[2]) ?? 1)
        case "quiet": return events(nil, 0)
        case "slow":
            await waitForGate()
            return .plain(200, "late")
        case "through":
            return await passOn(request, segments[1], segments[2], upstreams)
        default: return .plain(404, "Nothing is here")
        }
    }

    private func events(_ count: Int?, _ bytes: Int) -> ServiceResponse {
        ServiceResponse(
            status: 200, fields: [.contentType: "text/event-stream"],
            body: .events(TestEvents(self, count: count, bytes: bytes)))
    }

    /// Calls an agent and answers with its answer's text.
    private func passOn(
        _ request: ServiceRequest, _ agent: String, _ method: String, _ upstreams: any Upstreams
    ) async -> ServiceResponse {
        let call = UpstreamCall(
            destination: agent == "cook"
                ? .peer(Organisations.beta, agent: agent) : .local(agent: agent), method: method,
            params: request.body,
            extensions: nil, traceparent: nil, onBehalfOf: request.peer?.entity.text,
            timeout: .seconds(20))
        do {
            return .plain(200, try await upstreams.call(call).rawText)
        } catch {
            note("failed")
            return .plain(502, "\(error)")
        }
    }

    // MARK: What happened

    func note(_ name: String) { state.withLock { $0.requests[name, default: 0] += 1 } }
    func count(_ name: String) -> Int { state.withLock { $0.requests[name] ?? 0 } }
    var pieces: Int { state.withLock { $0.pieces } }
    var cancelled: Int { state.withLock { $0.cancelled } }
    var heads: [HTTPRequestHead] { state.withLock { $0.heads } }
    fileprivate func gavePiece() { state.withLock { $0.pieces += 1 } }
    fileprivate func wasCancelled() { state.withLock { $0.cancelled += 1 } }

    // MARK: The gate of `/slow`

    private func waitForGate() async {
        await withCheckedContinuation { continuation in
            let isOpen = state.withLock { state in
                if !state.isOpen { state.gate.append(continuation) }
                return state.isOpen
            }
            if isOpen { continuation.resume() }
        }
    }

    func openGate() {
        let waiting = state.withLock { state in
            state.isOpen = true
            defer { state.gate = [] }
            return state.gate
        }
        for continuation in waiting { continuation.resume() }
    }
}

/// Numbered events, or one and then silence until it is cancelled.
private final class TestEvents: ServiceEvents {
    private let service: EchoService
    private let count: Int?
    private let bytes: Int
    private var given = 0
    private var isCancelled = false
    private var waiting: CheckedContinuation<Void, Never>?

    init(_ service: EchoService, count: Int?, bytes: Int) {
        self.service = service
        self.count = count
        self.bytes = bytes
    }

    func next() async -> [UInt8]? {
        if isCancelled { return nil }
        if count == nil, given == 1 {
            await withCheckedContinuation { waiting = $0 }
            return nil
        }
        if let count, given == count { return nil }
        given += 1
        service.gavePiece()
        let filling = String(repeating: "x", count: bytes)
        return Array("data: \(given) \(filling)\n\n".utf8)
    }

    func cancel() {
        guard !isCancelled else { return }
        isCancelled = true
        service.wasCancelled()
        waiting.take()?.resume()
    }
}
