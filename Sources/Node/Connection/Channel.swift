// SPDX-License-Identifier: Apache-2.0
import Bytes
import IO
import TLS

/// What a channel tells the one who speaks through it.
protocol ChannelOwner: AnyObject {
    /// Bytes may be exchanged; under TLS the peer is known now.
    func channelOpened()
    /// Plaintext from the peer, to be read or copied before this returns.
    func channelReceived(_ bytes: ArraySlice<UInt8>)
    /// Appends what is to be sent now, at most `limit` bytes. Asked only when all before was taken.
    func channelFill(_ output: inout [UInt8], atMost limit: Int)
    /// The socket takes no more now, and there may be more to send.
    func channelBlocked()
    /// The peer sends no more. It may still read.
    func channelPeerFinished()
    /// The socket is closed; nothing is called after this.
    func channelClosed(_ end: ChannelEnd)
}

extension ChannelOwner {
    func channelBlocked() {}
}

/// How a channel ended.
enum ChannelEnd: Error, Equatable {
    /// We ended it, and all that was given to it was sent.
    case closed
    /// We ended it at once.
    case aborted
    /// The peer was gone before it should.
    case finished
    case tls(TLSError)
    case system(SystemError)
    /// No end of the handshake in time.
    case lateHandshake
    /// The peer took nothing of what was waiting.
    case lateWrite
}

/// The bytes of one connection, in clear or under TLS: reading, writing once per tick,
/// back-pressure both ways, the deadlines of handshake and writing, an end that loses nothing.
///
/// The owner calls ``wantsToSend()`` when it has something to send and is asked for it at the end
/// of the tick. The owner is kept alive by the channel and the channel by its socket.
final class Channel: Flushable {
    enum State {
        case handshaking, open
        /// The last output is on its way.
        case finishing
        /// All was sent; the peer's end is awaited.
        case lingering
        case closed
    }

    let loop: EventLoop
    let limits: ConnectionLimits
    let buffers: ChannelBuffers
    let socket: StreamSocket
    let isSecure: Bool
    var tls: TLSSession?
    var owner: (any ChannelOwner)?
    var isDirty = false
    var state: State
    /// How it will have ended, once the last bytes are sent.
    var pendingEnd = ChannelEnd.closed

    /// Clear bytes that the socket would not take yet.
    var unsent: ArraySlice<UInt8> = []
    var isBlocked = false
    var writeFailure: SystemError?
    private(set) var isReadingPaused = false
    /// Plaintext may be waiting in the TLS session although the socket is silent.
    var needsPump = false
    var discarded = 0

    var deadline: MonotonicInstant?
    private(set) lazy var alarm = Alarm(on: loop) { [weak self] in self?.deadlineCame() }

    /// A channel over a connected socket, under TLS when a session is given. Its owner is set
    /// before ``start()``.
    init(
        _ socket: StreamSocket, _ tls: consuming TLSSession?, buffers: ChannelBuffers,
        limits: ConnectionLimits
    ) {
        loop = socket.loop
        self.socket = socket
        isSecure = tls != nil
        self.tls = tls
        self.buffers = buffers
        self.limits = limits
        state = isSecure ? .handshaking : .open
    }

    /// Begins; in clear text the owner hears ``ChannelOwner/channelOpened()`` within this call.
    func start() {
        socket.onReadable = { [unowned self] in readSome() }
        socket.onWritable = { [unowned self] in
            isBlocked = false
            writeSome()
        }
        socket.onHangup = { [unowned self] in hungUp($0) }
        // The socket's callbacks do not keep this object; that is its owner's part, whom it keeps.
        if isSecure {
            set(loop.now.adding(limits.handshake))
            advanceHandshake()
        } else {
            owner?.channelOpened()
        }
    }

    // MARK: What the owner asks

    /// The owner has something to send; it is asked for it at the end of this tick.
    func wantsToSend() {
        guard state != .closed, state != .lingering else { return }
        loop.markDirty(self)
    }

    /// Holds reading back: the kernel's buffer fills and the sender stops.
    func pauseReading() {
        isReadingPaused = true
        socket.pauseReading()
    }

    /// Lets reading go on.
    func resumeReading() {
        guard isReadingPaused else { return }
        isReadingPaused = false
        socket.resumeReading()
        if isSecure {
            needsPump = true
            loop.markDirty(self)
        }
    }

    /// Ends in order: what the owner still has to send is sent first.
    func close() {
        guard state == .open || state == .handshaking else { return }
        guard state == .open else { return abort(.aborted) }
        state = .finishing
        isReadingPaused = false
        socket.resumeReading()
        loop.markDirty(self)
    }

    /// Ends at once.
    func abort(_ end: ChannelEnd = .aborted) {
        guard state != .closed else { return }
        state = .closed
        alarm.cancel()
        socket.close()
        tls = nil
        unsent = []
        let told = owner.take()
        told?.channelClosed(end)
    }

    /// Bytes that were encrypted or gathered and that the socket did not take.
    var unsentCount: Int { isSecure ? tls?.ciphertextCount ?? 0 : unsent.count }

    // MARK: Deadlines

    /// Moves this channel's own deadline.
    func set(_ time: MonotonicInstant?) {
        deadline = time
        alarm.set(time)
    }

    private func deadlineCame() {
        guard let deadline else { return }
        guard deadline <= loop.now else { return alarm.set(deadline) }
        switch state {
        case .handshaking: abort(.lateHandshake)
        case .open, .finishing: abort(.lateWrite)
        case .lingering: abort(pendingEnd)
        case .closed: break
        }
    }

    private func hungUp(_ hangup: StreamSocket.Hangup) {
        switch hangup {
        case .failed(let error): abort(.system(error))
        case .finished:
            // Reading tells it in its place among the bytes, unless nobody reads.
            if isReadingPaused, state == .open { owner?.channelPeerFinished() }
        }
    }
}

extension Channel {
    /// The peer that the handshake has verified; nil in clear text.
    var peer: PeerIdentity? { tls?.peer }

    /// What the handshake has agreed on; nil in clear text.
    var applicationProtocol: ApplicationProtocol? { tls?.applicationProtocol }
}
