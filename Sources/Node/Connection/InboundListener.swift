// SPDX-License-Identifier: Apache-2.0
import IO
import Synchronization

/// Where connections of one listener are accepted. It lives on the first worker and hands the
/// connections to all of them in turn.
///
/// One acceptor rather than a socket per worker on one port (SO_REUSEPORT): peers hold one or two
/// connections for weeks, which the kernel's hash would often put on the same core; a Unix socket
/// cannot be shared so; and no connection is lost in the queue of a listener that closes. It costs
/// one step between threads per connection, and none per request.
final class InboundListener {
    let settings: ListenerSettings
    private let listener: IO.Listener
    private let workers: [Worker]
    private let gauge: ListenerGauge
    private let parts: WorkerParts
    private var turn = 0

    /// Where it listens; with port 0 asked for, the port that the kernel chose.
    var address: SocketAddress { listener.address }

    init(
        _ settings: ListenerSettings, at address: SocketAddress, on loop: EventLoop,
        _ workers: [Worker], _ gauge: ListenerGauge, _ parts: WorkerParts
    ) throws(SystemError) {
        self.settings = settings
        self.workers = workers
        self.gauge = gauge
        self.parts = parts
        listener = try IO.Listener(on: loop, at: address)
        listener.onAccept = { [unowned self] descriptor, _ in accept(descriptor) }
    }

    /// Accepts no more.
    func close() { listener.close() }

    private func accept(_ descriptor: consuming Descriptor) {
        guard gauge.enter() else {
            parts.counters.refused(.full)
            parts.refusals?.note(
                .init(
                    listener: settings.name, status: settings.kind == .link ? nil : 503,
                    reason: "too many connections"))
            return refuse(descriptor)
        }
        turn = (turn + 1) % workers.count
        workers[turn].take(descriptor, of: settings.name)
    }

    /// Says in clear text that there is no room; under TLS it would cost a handshake to say.
    private func refuse(_ descriptor: consuming Descriptor) {
        guard settings.kind != .link,
            let socket = try? StreamSocket(descriptor, on: listener.loop)
        else { return }
        try? socket.send(Self.full)
        socket.finish()
        // What the client sends is read for a moment, so that a reset does not destroy the answer.
        socket.onReadable = { [unowned socket] in
            switch socket.read({ _ in }) {
            case .bytes, .wouldBlock: break
            case .endOfStream, .failed: socket.close()
            }
        }
        listener.loop.schedule(after: parts.limits.linger) { socket.close() }
    }

    private static let full = Array(
        """
        HTTP/1.1 503 Service Unavailable\r
        retry-after: 1\r
        content-length: 0\r
        connection: close\r
        \r

        """.utf8)
}

/// How many connections of one listener are open, on all workers.
final class ListenerGauge: Sendable {
    private let limit: Int
    private let open = Atomic<Int>(0)

    init(limit: Int) { self.limit = limit }

    var count: Int { open.load(ordering: .relaxed) }

    /// Counts one more, if there is room for it.
    func enter() -> Bool {
        let before = open.add(1, ordering: .relaxed).oldValue
        guard before < limit else {
            leave()
            return false
        }
        return true
    }

    func leave() { open.subtract(1, ordering: .relaxed) }
}
