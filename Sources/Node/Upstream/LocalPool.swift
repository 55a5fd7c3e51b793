// SPDX-License-Identifier: Apache-2.0
import Bytes
import IO
import TLS

/// The connections of one loop to one local address. Each carries one call; between calls a few
/// are kept for a moment.
final class LocalPool {
    private typealias Turn = Settlement<Void, OutboundFailure>

    private let address: SocketAddress
    private let loop: EventLoop
    private let parts: WorkerParts
    private let buffers: ChannelBuffers
    private var connections: [OutboundHTTP1] = []
    private var idle: [OutboundHTTP1] = []
    /// Connections, with those that are being made.
    private var open = 0
    private var waiting: [Turn] = []
    private lazy var alarm = Alarm(on: loop) { [weak self] in self?.closeIdle() }

    init(at address: SocketAddress, on loop: EventLoop, parts: WorkerParts, buffers: ChannelBuffers)
    {
        self.address = address
        self.loop = loop
        self.parts = parts
        self.buffers = buffers
    }

    /// Sends a request over a connection that is free, or a new one.
    func send(
        _ request: OutboundRequest, before deadline: MonotonicInstant
    ) async throws(OutboundFailure) -> OutboundExchange {
        while true {
            // The latest first: it is the least likely to be closed by the agent just now.
            while let connection = idle.popLast() {
                if connection.isUsable { return try connection.send(request) }
            }
            if open < parts.upstream.localConnections {
                return try await connect(before: deadline).send(request)
            }
            try await turn(before: deadline)
        }
    }

    /// Closes what is not in use.
    func close() {
        let closing = idle
        idle = []
        for connection in closing { connection.close() }
    }

    /// Closes every connection.
    func cut() {
        for connection in connections { connection.close() }
    }

    private func connect(
        before deadline: MonotonicInstant
    ) async throws(OutboundFailure) -> OutboundHTTP1 {
        open += 1
        let socket: StreamSocket
        do {
            socket = try await StreamSocket.connect(
                to: [address], on: loop,
                deadline: min(deadline, loop.now.adding(parts.upstream.dial)))
            parts.counters.dialled(failed: false)
        } catch {
            left()
            parts.counters.dialled(failed: true)
            throw .refused(PeerPool.text(error))
        }
        let channel = Channel(socket, nil, buffers: buffers, limits: parts.limits)
        let connection = OutboundHTTP1(channel, limits: parts.upstream)
        connection.onIdle = { [weak self, weak connection] isUsable in
            guard let connection else { return }
            self?.became(connection, isUsable: isUsable)
        }
        connections.append(connection)
        connection.start()
        return connection
    }

    private func became(_ connection: OutboundHTTP1, isUsable: Bool) {
        guard isUsable else {
            idle.removeAll { $0 === connection }
            connections.removeAll { $0 === connection }
            return left()
        }
        idle.append(connection)
        if !waiting.isEmpty {
            next()
        } else if idle.count > parts.upstream.localIdle {
            idle.removeFirst().close()
        } else {
            alarm.set(loop.now.adding(parts.upstream.localIdleTime))
        }
    }

    private func left() {
        open -= 1
        next()
    }

    private func closeIdle() {
        let now = loop.now
        let late = idle.filter { $0.idleSince.adding(parts.upstream.localIdleTime) <= now }
        for connection in late { connection.close() }
        alarm.set(idle.first?.idleSince.adding(parts.upstream.localIdleTime))
    }

    // MARK: Waiting

    private func turn(before deadline: MonotonicInstant) async throws(OutboundFailure) {
        guard waiting.count < parts.upstream.waiting else {
            throw .refused("too many calls wait for this agent")
        }
        let turn = Turn()
        waiting.append(turn)
        let timer = loop.schedule(at: deadline) { turn.settle(.failure(.refused("no time left"))) }
        let result = await turn.result()
        loop.cancel(timer)
        try result.get()
    }

    private func next() {
        while !waiting.isEmpty {
            if waiting.removeFirst().settle(.success(())) { return }
        }
    }
}
