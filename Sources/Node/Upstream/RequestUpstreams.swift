// SPDX-License-Identifier: Apache-2.0
import A2A
import Bytes
import Gateway
import IO
import JSON

/// The ways out of one request: those of its loop, with a list of what is under way, so that all of
/// it ends when the client leaves. It spares each wait a handler of its own.
///
/// Nothing is asked of a suspended peer for the sake of a request. What settles earlier ones leaves
/// by ``LoopUpstreams`` itself.
final class RequestUpstreams: Upstreams {
    private let upstreams: LoopUpstreams
    /// Memory of the answers that are read here.
    let share: AnswerShare
    private var exchanges: [OutboundExchange] = []
    private var isCancelled = false

    init(_ upstreams: LoopUpstreams, _ share: AnswerShare) {
        self.upstreams = upstreams
        self.share = share
    }

    func call(_ call: UpstreamCall) async throws(UpstreamFailure) -> JSONValue {
        try check(call.destination)
        return try await upstreams.call(call, in: self)
    }

    func stream(_ call: UpstreamCall) async throws(UpstreamFailure) -> any UpstreamEvents {
        try check(call.destination)
        return try await upstreams.stream(call, in: self)
    }

    func facts(of peer: EntityID) async throws(UpstreamFailure) -> PeerFacts {
        try check(peer)
        return try await upstreams.facts(of: peer)
    }

    func card(of destination: Gateway.Destination) async throws(UpstreamFailure) -> AgentCard {
        try check(destination)
        return try await upstreams.card(of: destination, in: self)
    }

    func pause(_ duration: Duration) async { await upstreams.pause(duration) }

    func post(
        _ body: [UInt8], to path: String, at peer: EntityID
    ) async throws(UpstreamFailure) -> PeerAnswer {
        try check(peer)
        return try await upstreams.post(body, to: path, at: peer, in: self)
    }

    private func check(_ destination: Gateway.Destination) throws(UpstreamFailure) {
        if case .peer(let peer, _) = destination { try check(peer) }
    }

    private func check(_ peer: EntityID) throws(UpstreamFailure) {
        if upstreams.parts.isSuspended(peer) { throw .suspended }
    }

    // MARK: What is under way

    /// Enters an exchange; `false` when the client has left, and it is not to be waited for.
    func add(_ exchange: OutboundExchange) -> Bool {
        guard !isCancelled else { return false }
        exchanges.append(exchange)
        return true
    }

    func remove(_ exchange: OutboundExchange) {
        exchanges.removeAll { $0 === exchange }
    }

    /// Ends what is under way, and refuses what would begin.
    func cancel() {
        isCancelled = true
        let ended = exchanges
        exchanges = []
        for exchange in ended { exchange.stop(.cancelled) }
    }
}
