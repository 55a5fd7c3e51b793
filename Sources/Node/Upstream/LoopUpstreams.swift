// SPDX-License-Identifier: Apache-2.0
package import A2A
import Bindings
package import Bytes
import Crypto
import Discovery
package import Gateway
import HTTP
import IO
package import JSON
import TLS

/// The ways out of one loop: pools of connections to peers and local agents, and the cards that
/// were fetched over them. Housekeeping calls through it; a request calls through its own
/// ``RequestUpstreams``, so that it can be stopped when its client leaves.
package final class LoopUpstreams: Upstreams {
    let worker: Worker
    let parts: WorkerParts
    private let buffers: ChannelBuffers
    private var peers: [EntityID: PeerPool] = [:]
    private var agents: [SocketAddress: LocalPool] = [:]
    var cards = CardCache<Gateway.Destination>()
    /// Where and how agents are called, as their cards said not long ago.
    var interfaces: [Gateway.Destination: (interface: AgentInterface, until: MonotonicInstant)] =
        [:]

    init(worker: Worker, parts: WorkerParts, buffers: ChannelBuffers) {
        self.worker = worker
        self.parts = parts
        self.buffers = buffers
    }

    var loop: EventLoop { worker.loop }

    // MARK: Upstreams

    /// Sends a request and reads its one answer.
    package func call(_ call: UpstreamCall) async throws(UpstreamFailure) -> JSONValue {
        try await self.call(call, in: nil)
    }

    /// Sends a request that is answered by a stream; one answer is a stream of one event.
    package func stream(
        _ call: UpstreamCall
    ) async throws(UpstreamFailure) -> any UpstreamEvents {
        try await stream(call, in: nil)
    }

    /// What the connection to `peer` proves about it; connects if need be.
    package func facts(of peer: EntityID) async throws(UpstreamFailure) -> PeerFacts {
        let deadline = loop.now.adding(parts.upstream.dial)
        let connection: OutboundHTTP2
        do {
            connection = try await pool(of: peer).connection(before: deadline)
        } catch {
            throw UpstreamFailure(error)
        }
        guard let identity = connection.identity,
            let key = parts.trust.current.signingKeys[peer] ?? identity.certificate.publicKey
        else { throw .malformed("the peer's certificate has no key that signs tokens") }
        return PeerFacts(entity: peer, key: key, thumbprint: identity.thumbprint)
    }

    /// The checked card of an agent, from the cache while it is fresh.
    package func card(
        of destination: Gateway.Destination
    ) async throws(UpstreamFailure) -> AgentCard {
        try await card(of: destination, in: nil)
    }

    /// Waits on the loop.
    package func pause(_ duration: Duration) async {
        // Cancelled or not, whoever paused goes on.
        try? await loop.sleep(for: duration)
    }

    /// Sends JSON to a peer outside A2A, as reservations and records of a hop.
    package func post(
        _ body: [UInt8], to path: String, at peer: EntityID
    ) async throws(UpstreamFailure) -> PeerAnswer {
        try await post(body, to: path, at: peer, in: nil)
    }

    // MARK: Connections

    /// Takes no new calls and ends connections after their calls.
    func close() {
        for pool in peers.values { pool.close() }
        for pool in agents.values { pool.close() }
    }

    /// Ends connections to peers that are not believed any more, and forgets cards: they may have
    /// come from other places than are configured now.
    func leave(unlessKnownTo trust: TrustMaterial) {
        cards = CardCache()
        interfaces = [:]
        for (entity, pool) in peers where !trust.knows(entity) { pool.cut() }
    }

    /// Has every peer be dialled anew for new calls.
    func renewLinks() {
        for pool in peers.values { pool.renew() }
    }

    /// Has one peer be dialled anew for new calls, if that is allowed then.
    func renewLinks(to peer: EntityID) { peers[peer]?.renew() }

    /// Ends every connection now.
    func cut() {
        for pool in peers.values { pool.cut() }
        for pool in agents.values { pool.cut() }
    }

    /// The connections to a peer. Only those that can be dialled have a pool, whoever is asked for.
    func pool(of peer: EntityID) throws(OutboundFailure) -> PeerPool {
        if let pool = peers[peer] { return pool }
        guard parts.routes.current.peers[peer] != nil else {
            throw .refused("no address is configured for this peer")
        }
        let pool = PeerPool(to: peer, worker: worker, parts: parts, buffers: buffers)
        peers[peer] = pool
        return pool
    }

    func pool(at address: SocketAddress) -> LocalPool {
        if let pool = agents[address] { return pool }
        let pool = LocalPool(at: address, on: loop, parts: parts, buffers: buffers)
        agents[address] = pool
        return pool
    }
}
