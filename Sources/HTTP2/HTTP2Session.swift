// SPDX-License-Identifier: Apache-2.0
package import Bytes
import CNghttp2

/// One HTTP/2 connection, either end, without input or output of its own (RFC 9113 over nghttp2).
///
/// ```
///        bytes ──► receive ──► takeEvents ──► owner
/// bytes ◄── takeOutput ◄── submit…, write, finish, reset ◄── owner
/// ```
/// The owner calls ``receive(_:now:)``, then works off ``takeEvents()``, then sends what
/// ``takeOutput(into:atMost:now:)`` gives, which may bring further events. When ``isFinished`` is
/// true or something throws, it writes the last output and closes the transport. No callback of
/// the library reaches the owner, so nothing it does can happen inside the library.
///
/// Three kinds of wrong: a mistake of ours traps; a fault of the peer ends a stream (an event) or
/// the connection (an error); a call about a stream that has meanwhile closed is normal and does
/// nothing. A session belongs to the thread that drives it.
@safe package final class HTTP2Session {
    /// Which end of the connection this is.
    package enum Role: Sendable {
        case server, client
    }

    package let role: Role
    package let limits: HTTP2Limits
    /// What happened so far.
    package internal(set) var counters = HTTP2Counters()
    /// Why the connection is over; `nil` while it is not, or when it ended in order.
    package internal(set) var failure: HTTP2Error?

    /// The library's session, ours from `init` to `deinit`.
    let raw: OpaquePointer
    var streams = StreamTable<HTTP2Stream>()
    /// Bytes that the owner holds of streams that ended in order; they still count against the
    /// connection's window.
    var lingering = StreamTable<Int>()
    var events: [HTTP2Event] = []
    var scanner: FrameScanner
    var frameGuard: FrameGuard
    let block = HeaderBlock()
    /// The time of the latest call that was given one.
    var clock: MonotonicInstant
    /// A limit that a callback found passed; acted upon when the library has returned.
    var verdict: HTTP2Error?

    var earlyResets: TokenBucket
    var sentResets: TokenBucket
    var invalidFrames: TokenBucket
    var glitches: TokenBucket
    var emptyDataInARow = 0

    /// Output that was over the last call's limit.
    var carried: ArraySlice<UInt8> = []
    var settingsWereSent = false
    /// The library is not asked any more.
    var isDead = false
    var settingsDeadline: MonotonicInstant?
    var prefaceDeadline: MonotonicInstant?
    var nextSweep: MonotonicInstant?
    var nextSmallWrite: MonotonicInstant?
    var lastPeerStream: Int32 = 0
    var goAwayWasSent = false
    var goAwayWasReceived = false

    /// Begins a connection; the preface and SETTINGS are the first output.
    package init(role: Role, limits: HTTP2Limits = HTTP2Limits(), now: MonotonicInstant) {
        self.role = role
        self.limits = limits
        clock = now
        scanner = FrameScanner(expectsPreface: role == .server)
        frameGuard = FrameGuard(limits: limits, isServer: role == .server, now: now)
        earlyResets = TokenBucket(limits.earlyResets, now: now)
        sentResets = TokenBucket(limits.sentResets, now: now)
        invalidFrames = TokenBucket(limits.invalidFrames, now: now)
        glitches = TokenBucket(limits.glitches, now: now)
        prefaceDeadline = now.adding(limits.preface)
        unsafe raw = NGHTTP2.makeSession(role, limits)
        unsafe nghttp2_session_set_user_data(
            raw, Unmanaged.passUnretained(self).toOpaque())
        submitSettings()
    }

    deinit {
        unsafe nghttp2_session_del(raw)
    }

    // MARK: What happened

    /// The events since the last call, in order.
    package func takeEvents() -> [HTTP2Event] {
        let taken = events
        events.removeAll(keepingCapacity: true)
        return taken
    }

    // MARK: State

    /// Streams that are open now.
    package var openStreams: Int { streams.count }

    /// How many requests a client may submit now.
    package var availableStreams: Int {
        guard role == .client, !isGoingAway else { return 0 }
        let announced = unsafe nghttp2_session_get_remote_settings(
            raw, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS)
        // Before the peer has said, RFC 9113 §6.5.2 recommends to expect no less than this.
        let allowed = prefaceDeadline == nil ? Int(announced) : 100
        return max(0, min(allowed, limits.concurrentStreams) - streams.count)
    }

    /// Whether no new stream can begin.
    package var isGoingAway: Bool {
        goAwayWasSent || goAwayWasReceived || isFinished
    }

    /// Whether the last stream has ended after a GOAWAY of ours.
    package var isDrained: Bool { goAwayWasSent && streams.isEmpty }

    /// Whether nothing more can come or go but what is waiting as output.
    package var isFinished: Bool {
        if isDead { return true }
        return unsafe nghttp2_session_want_read(raw) == 0
            && nghttp2_session_want_write(raw) == 0
    }

    /// Whether there is output to take.
    package var wantsOutput: Bool {
        if !carried.isEmpty { return true }
        return unsafe !isDead && nghttp2_session_want_write(raw) != 0
    }

    /// Bytes of a stream's body that wait to be sent.
    package func pendingBytes(on stream: HTTP2StreamID) -> Int {
        streams[stream]?.body.count ?? 0
    }

    // MARK: Ending

    /// First step of a drain: tells the peer to open no more streams, and still serves those that
    /// are on their way. A round trip later follows ``goAway(_:)``.
    package func announceShutdown() {
        guard !isDead, role == .server else { return }
        check(unsafe nghttp2_submit_shutdown_notice(raw))
    }

    /// Second step of a drain: names the last stream that is served; the open ones go on.
    package func goAway(_ code: HTTP2ErrorCode = .noError) {
        guard !isDead, !goAwayWasSent else { return }
        goAwayWasSent = true
        check(
            unsafe nghttp2_submit_goaway(
                raw, UInt8(NGHTTP2_FLAG_NONE.rawValue),
                nghttp2_session_get_last_proc_stream_id(raw), code.rawValue, nil, 0))
    }

    /// Ends the connection now, whatever is open: streams are closed, and one GOAWAY is left as
    /// output.
    package func terminate(_ code: HTTP2ErrorCode) {
        end(code == .noError ? .ended : .violation(code))
    }

    /// The transport is gone: closes all streams; there is no output any more.
    package func connectionLost() {
        end(.ended)
        carried = []
    }

    /// Closes all streams and leaves a GOAWAY as the last output. The library is not used for it:
    /// it may be in the state after a fatal error.
    func end(_ error: HTTP2Error) {
        guard !isDead else { return }
        isDead = true
        failure = error
        switch error {
        case .abuse: counters.add(.cut)
        case .late: counters.add(.late)
        case .violation, .ended: break
        }
        var last = Array(carried)
        if !settingsWereSent { last += [0, 0, 0, FrameHead.settings, 0, 0, 0, 0, 0] }
        last += [0, 0, 8, FrameHead.goAway, 0, 0, 0, 0, 0]
        for number in [UInt32(lastPeerStream), error.code.rawValue] {
            last += [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) }
        }
        carried = last[...]
        closeAll()
    }

    /// Says of each open stream that its connection is lost.
    func closeAll() {
        for stream in streams.values where stream.isAnnounced {
            let isRetryable = role == .client && !stream.headWasSent
            events.append(
                .closed(
                    stream.id,
                    HTTP2Closure(
                        initiator: .connection, code: failure?.code ?? .noError,
                        isRetryable: isRetryable)))
        }
        streams.removeAll()
        lingering.removeAll()
    }

    /// A call that fails only without memory, or by a mistake of ours.
    func check(_ result: CInt) {
        invariant(result == 0, "nghttp2 said \(result)")
    }
}
