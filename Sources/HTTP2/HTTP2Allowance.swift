// SPDX-License-Identifier: Apache-2.0
package import Bytes

/// What all connections of one identity may do together.
///
/// A flood that is spread over twenty connections stays below the limit of each. An owner that
/// knows the certificates of its peers holds one of these for each identity, fed with the counters
/// of all its connections. Limits on one frame, one header block or one row have no sum over
/// connections; who passes them has its connection cut, and being cut counts here
/// (``HTTP2Glitch/cut``).
package struct HTTP2Allowance: Sendable {
    private var buckets: [(limit: HTTP2Abuse, bucket: TokenBucket)]

    /// A full allowance.
    ///
    /// - Parameters:
    ///   - limits: Of one connection.
    ///   - share: How many connections' worth of each rate the identity has.
    ///   - glitches: The weighted sum of everything odd.
    package init(
        _ limits: HTTP2Limits, share: Int, glitches: HTTP2Rate, now: MonotonicInstant
    ) {
        buckets = Self.kinds.map { kind in
            guard kind != .glitches, var rate = limits.rate(of: kind) else {
                return (kind, TokenBucket(glitches, now: now))
            }
            rate.burst *= share
            rate.perSecond *= share
            return (kind, TokenBucket(rate, now: now))
        }
    }

    /// Takes what was counted since the last time.
    ///
    /// - Returns: A limit that is passed.
    package mutating func take(
        _ counters: HTTP2Counters, now: MonotonicInstant
    ) -> HTTP2Abuse? {
        var passed: HTTP2Abuse?
        for index in buckets.indices {
            let limit = buckets[index].limit
            let count = Int(clamping: counters.figure(of: limit))
            if count > 0, !buckets[index].bucket.take(count, now: now) { passed = passed ?? limit }
        }
        return passed
    }

    /// The limits that an identity has as a whole.
    package static let kinds: [HTTP2Abuse] = [
        .receivedResets, .earlyResets, .sentResets, .priorities, .pings, .settings,
        .invalidFrames, .unknownFrames, .glitches,
    ]
}

extension HTTP2Limits {
    /// The rate behind a limit; `nil` for one that is not forgiven over time.
    func rate(of limit: HTTP2Abuse) -> HTTP2Rate? {
        switch limit {
        case .receivedResets: receivedResets
        case .earlyResets: earlyResets
        case .sentResets: sentResets
        case .priorities: priorities
        case .pings: pings
        case .settings: settings
        case .invalidFrames: invalidFrames
        case .unknownFrames: unknownFrames
        case .glitches: glitches
        case .emptyData, .settingsEntries, .windowUpdates, .continuations, .headerBlock,
            .headerList, .interimResponses, .outboundFrames, .outboundControlFrames:
            nil
        }
    }
}
