// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc

/// A connected stream socket (or the reading end of a pipe) on one event loop.
///
/// The kernel reports an edge once; this class remembers it and calls ``onReadable`` each tick
/// until a read finds nothing more. So a reader takes one portion per call, other sockets get
/// their turn in between, and ``pauseReading()`` and ``resumeReading()`` lose no edge and cost no
/// system call.
///
/// An open socket is kept alive by its loop; ``close()`` ends that and drops the callbacks, and
/// with them whatever they hold.
package final class StreamSocket: ReadinessHandler {
    package let loop: EventLoop
    package let limits: Limits
    /// Bytes have arrived or the stream has ended: read once. Called again while more may be there.
    package var onReadable: (() -> Void)? {
        didSet { if isReadable, !isReadingPaused, onReadable != nil { revisitSoon() } }
    }
    /// Writing is possible again after ``write(_:)`` was blocked, or the backlog of ``send(_:)``
    /// has shrunk to ``Limits/lowWater``.
    package var onWritable: (() -> Void)?
    /// The peer has finished, or the connection has failed; each is told once, also while reading
    /// is paused. Bytes received before may still be waiting to be read.
    package var onHangup: ((Hangup) -> Void)?

    private var descriptor: Descriptor?
    private var registration: Registration?
    private var isRevisiting = false
    var isReadable = false
    var hasPeerFinished = false
    private var hasToldEnd = false
    private var hasToldFailure = false
    var output = OutputState()

    /// Whether ``onReadable`` is held back; see ``pauseReading()``.
    package private(set) var isReadingPaused = false

    /// Takes over a connected, non-blocking descriptor. On the loop.
    ///
    /// - Throws: ``SystemError`` of `epoll_ctl`; the descriptor is closed then.
    package init(
        _ descriptor: consuming Descriptor, on loop: EventLoop, limits: Limits = Limits()
    ) throws(SystemError) {
        self.loop = loop
        self.limits = limits
        let number = descriptor.number
        self.descriptor = consume descriptor
        registration = try loop.register(number, self)
    }

    /// False once closed, by us: a peer's end is told by ``onHangup`` and by reading.
    package var isOpen: Bool { number >= 0 }

    /// This end's address; nil when closed or not a socket.
    package var localAddress: SocketAddress? { descriptor?.localAddress }

    /// The other end's address; nil when closed, disconnected or not a socket.
    package var peerAddress: SocketAddress? { descriptor?.peerAddress }

    /// -1 once closed; the kernel then answers EBADF.
    var number: Int32 { descriptor?.number ?? -1 }

    /// The error an asynchronous operation left, cleared by asking; EBADF once closed.
    func pendingError() -> Int32 { descriptor?.pendingError() ?? EBADF }

    // MARK: Reading on and off

    /// Holds ``onReadable`` back, e.g. while a slower peer takes what was read. The kernel's buffer
    /// fills and the sender stops; nothing is copied here.
    package func pauseReading() { isReadingPaused = true }

    /// Lets ``onReadable`` come again, in the next tick if bytes are already waiting.
    package func resumeReading() {
        guard isReadingPaused else { return }
        isReadingPaused = false
        if isReadable { revisitSoon() }
    }

    // MARK: Ending

    /// Closes both directions at once; unsent backlog is lost, and no callback is called any more.
    /// Does nothing when closed.
    package func close() {
        guard let registration = registration.take() else { return }
        loop.deregister(registration)
        descriptor = nil
        output = OutputState()
        onReadable = nil
        onWritable = nil
        onHangup = nil
    }

    /// Closes with a TCP reset, so that the peer notices at once and nothing lingers.
    package func reset() {
        var value = linger(l_onoff: 1, l_linger: 0)
        let size = socklen_t(MemoryLayout<linger>.size)
        _ = unsafe setsockopt(number, SOL_SOCKET, SO_LINGER, &value, size)
        close()
    }

    func loopStopped() {
        // The table has forgotten this registration already; deregistering again does nothing.
        close()
    }

    // MARK: Readiness

    func ready(_ readiness: Readiness) {
        let hasEnded = !readiness.isDisjoint(with: [.peerFinished, .hangup, .error])
        if hasEnded { hasPeerFinished = true }
        if hasEnded || readiness.contains(.readable) { isReadable = true }
        deliverReadable()
        if readiness.contains(.writable), isOpen { kernelTakesMore() }
        if hasEnded, isOpen { tellHangup(readiness) }
    }

    func revisit() {
        isRevisiting = false
        deliverReadable()
    }

    private func deliverReadable() {
        guard isReadable, !isReadingPaused, isOpen, let onReadable else { return }
        onReadable()
        if isReadable, !isReadingPaused, isOpen { revisitSoon() }
    }

    private func revisitSoon() {
        guard !isRevisiting else { return }
        isRevisiting = true
        loop.revisit(self)
    }

    private func tellHangup(_ readiness: Readiness) {
        let code = readiness.isDisjoint(with: [.hangup, .error]) ? 0 : pendingError()
        if code != 0, !hasToldFailure {
            hasToldFailure = true
            hasToldEnd = true
            onHangup?(.failed(SystemError("socket", code)))
        } else if !hasToldEnd {
            hasToldEnd = true
            onHangup?(.finished)
        }
    }
}

extension StreamSocket {
    /// What happens on the other side without our asking.
    package enum Hangup: Hashable, Sendable {
        /// The peer sends no more; it may still read.
        case finished
        /// The connection is gone: reset, or timed out (TCP_USER_TIMEOUT, keep-alive).
        case failed(SystemError)
    }

    /// Bounds of what one socket may keep in memory.
    package struct Limits: Sendable {
        /// Bytes of backlog from which ``StreamSocket/isCongested`` asks producers to stop.
        package var highWater = 64 << 10
        /// Bytes of backlog at which ``StreamSocket/onWritable`` tells them to go on.
        package var lowWater = 16 << 10
        /// Bytes of backlog that ``StreamSocket/send(_:)`` never exceeds: room for one answer of a
        /// producer that writes it whole, and for control frames on top.
        package var backlog = 4 << 20

        package init() {}
    }
}
