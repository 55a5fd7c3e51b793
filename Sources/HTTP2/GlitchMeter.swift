// SPDX-License-Identifier: Apache-2.0
package import Bytes

/// Odd behaviour and how much each is held against a peer. None is proof of malice alone.
package enum HTTP2Glitch: Int, Sendable {
    case receivedReset = 1
    case emptyData = 2
    case refusedStream = 3
    case sentReset = 5
    case invalidFrame = 10
    case oversizedHeaderList = 50

    /// Named apart because some weigh the same.
    static let earlyReset = HTTP2Glitch.receivedReset
    static let priority = HTTP2Glitch.receivedReset
    static let ping = HTTP2Glitch.receivedReset
    static let continuation = HTTP2Glitch.receivedReset
    static let unknownFrame = HTTP2Glitch.receivedReset
    static let settings = HTTP2Glitch.emptyData
    static let rejectedRequest = HTTP2Glitch.sentReset
    static let lateStream = HTTP2Glitch.sentReset

    /// What it weighs.
    package var weight: Int { rawValue }
}

/// One weighted sum of glitches, forgiven over time.
///
/// Every session has its own. An owner that knows the peer's certificate holds a second one for
/// that identity, fed with ``HTTP2Session/takeGlitches()`` of all its connections, because a flood
/// that is spread over twenty connections stays below the limit of each.
package struct GlitchMeter: Sendable {
    private var bucket: TokenBucket
    /// The sum since the beginning, for metrics.
    package private(set) var total: UInt64 = 0
    /// Whether the limit was ever passed.
    package private(set) var isExceeded = false

    /// A meter that nothing was held against yet.
    package init(_ rate: HTTP2Rate, now: MonotonicInstant) {
        bucket = TokenBucket(rate, now: now)
    }

    /// Adds a weight; `false` when the limit is passed and the peer should be cut or slowed.
    @discardableResult
    package mutating func note(_ weight: Int, now: MonotonicInstant) -> Bool {
        total += UInt64(weight)
        if bucket.take(weight, now: now) { return true }
        isExceeded = true
        return false
    }
}
