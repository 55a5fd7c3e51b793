// SPDX-License-Identifier: Apache-2.0
import Bytes
import IO
import TLS

/// The connections of one loop to one peer, and the calls that wait for one.
///
/// A peer that cannot be reached is tried again only after a pause that grows; until then calls
/// fail at once. Whoever waits when an attempt fails hears of it.
final class PeerPool {
    private typealias Turn = Settlement<OutboundHTTP2, OutboundFailure>

    let entity: EntityID
    private let worker: Worker
    private let parts: WorkerParts
    private let buffers: ChannelBuffers
    private var connections: [OutboundHTTP2] = []
    private var isDialling = false
    private var waiting: [Turn] = []
    private var failures = 0
    private var lastFailure = OutboundFailure.refused("")
    private var retryAt: MonotonicInstant?
    private var isClosed = false

    init(to entity: EntityID, worker: Worker, parts: WorkerParts, buffers: ChannelBuffers) {
        self.entity = entity
        self.worker = worker
        self.parts = parts
        self.buffers = buffers
    }

    private var loop: EventLoop { worker.loop }

    /// Sends a request over a connection with room, making one if there is none.
    func send(
        _ request: OutboundRequest, before deadline: MonotonicInstant
    ) async throws(OutboundFailure) -> OutboundExchange {
        while true {
            let connection = try await connection(before: deadline)
            do throws(OutboundFailure) {
                return try connection.send(request)
            } catch {
                // Another call was quicker; nothing was sent.
                guard loop.now < deadline else { throw error }
            }
        }
    }

    /// A connection that takes a call now.
    func connection(
        before deadline: MonotonicInstant
    ) async throws(OutboundFailure)
        -> OutboundHTTP2
    {
        if let ready = best { return ready }
        if let retryAt, loop.now < retryAt, !isDialling, usable.isEmpty { throw lastFailure }
        guard !isClosed else { throw .refused("this gateway is stopping") }
        guard waiting.count < parts.upstream.waiting else {
            throw .refused("too many calls wait for this peer")
        }
        let turn = Turn()
        waiting.append(turn)
        dialIfNeeded()
        let timer = loop.schedule(at: deadline) { turn.settle(.failure(.refused("no time left"))) }
        let result = await turn.result()
        loop.cancel(timer)
        return try result.get()
    }

    /// Ends all connections whose calls have ended, and takes no new calls.
    func close() {
        isClosed = true
        for connection in connections { connection.drain() }
        fail(.refused("this gateway is stopping"))
    }

    /// Ends all connections whose calls have ended; new calls go over new ones.
    func renew() {
        for connection in connections { connection.drain() }
    }

    /// Ends all connections now, for instance because the peer is not believed any more.
    func cut() {
        for connection in connections { connection.cut() }
    }

    /// Whether no connection is left.
    var isEmpty: Bool { connections.isEmpty && !isDialling }

    private var usable: [OutboundHTTP2] { connections.filter(\.isUsable) }

    /// The connection with the most room.
    private var best: OutboundHTTP2? {
        var best: OutboundHTTP2?
        var most = 0
        for connection in connections {
            let room = connection.room
            if room > most { (best, most) = (connection, room) }
        }
        return best
    }

    // MARK: Dialling

    private func dialIfNeeded() {
        guard !isDialling, !isClosed, usable.count < parts.upstream.peerConnections else { return }
        if let retryAt, loop.now < retryAt { return }
        isDialling = true
        _ = worker.spawn(self) { await $0.dial() }
    }

    private func dial() async {
        do throws(OutboundFailure) {
            let connection = try await connect()
            failures = 0
            retryAt = nil
            connections.append(connection)
            connection.onChange = { [weak self, weak connection] in
                if let connection { self?.changed(connection) }
            }
            parts.counters.dialled(failed: false)
        } catch {
            parts.counters.dialled(failed: true)
            noteFailure(error)
        }
        isDialling = false
        serveWaiting()
    }

    private func connect() async throws(OutboundFailure) -> OutboundHTTP2 {
        guard let target = parts.routes.current.peers[entity].flatMap(DialTarget.init) else {
            throw .refused("no address is configured for this peer")
        }
        guard !parts.meters.refuses(entity, now: loop.now) else {
            throw .refused("the peer has passed the limits on its behaviour")
        }
        let deadline = loop.now.adding(parts.upstream.dial)
        let addresses = await target.addresses(parts.lookup)
        let socket: StreamSocket
        do {
            socket = try await StreamSocket.connect(to: addresses, on: loop, deadline: deadline)
        } catch {
            throw .refused(Self.text(error))
        }
        let session: TLSSession
        do {
            session = try TLSSession(
                connecting: parts.trust.current.client, to: TLS.Destination.entity(entity))
        } catch {
            socket.close()
            throw .refused("TLS failed: \(error)")
        }
        let channel = Channel(socket, session, buffers: buffers, limits: parts.limits)
        let connection = OutboundHTTP2(channel, to: entity, parts: parts)
        try await connection.open()
        guard connection.isUsable else { throw .refused("the peer ended the new connection") }
        return connection
    }

    static func text(_ error: ConnectError) -> String {
        switch error {
        case .noAddress: "its name has no address"
        case .timedOut: "the connection could not be made in time"
        case .cancelled: "this gateway is stopping"
        case .failed(let error): error.description
        }
    }

    private func noteFailure(_ failure: OutboundFailure) {
        lastFailure = failure
        let limits = parts.upstream
        let doubled = limits.backoff * (1 << min(failures, 10))
        let pause = min(doubled, limits.backoffMost)
        // Up to a quarter more, so that many gateways do not come back at the same moment.
        let spread = Int(parts.random.bytes(1).first ?? 0)
        retryAt = loop.now.adding(pause + pause * spread / 1024)
        failures += 1
        if usable.isEmpty { fail(failure) }
    }

    // MARK: Waiting

    private func changed(_ connection: OutboundHTTP2) {
        if connection.isOver { connections.removeAll { $0 === connection } }
        serveWaiting()
    }

    private func serveWaiting() {
        guard !waiting.isEmpty else { return }
        if let ready = best {
            // As many as there is room for now; it is used up when their tasks have run.
            var room = ready.room
            while room > 0, !waiting.isEmpty {
                if waiting.removeFirst().settle(.success(ready)) { room -= 1 }
            }
        }
        guard !waiting.isEmpty else { return }
        dialIfNeeded()
        if !isDialling, usable.isEmpty { fail(lastFailure) }
    }

    private func fail(_ failure: OutboundFailure) {
        let failed = waiting
        waiting = []
        for turn in failed { turn.settle(.failure(failure)) }
    }
}
