// SPDX-License-Identifier: Apache-2.0
package import Bytes

/// Allows a burst, and so many more each second. Time is an argument and never runs backwards.
package struct TokenBucket: Sendable {
    /// In billionths of a token, so that a nanosecond forgives a whole number of them.
    private var level: Int64
    private let capacity: Int64
    private let perSecond: Int64
    private var refilled: MonotonicInstant

    /// A full bucket.
    package init(_ rate: HTTP2Rate, now: MonotonicInstant) {
        capacity = Int64(rate.burst) * 1_000_000_000
        perSecond = Int64(rate.perSecond)
        level = capacity
        refilled = now
    }

    /// Takes `count` tokens if there are so many, else none.
    package mutating func take(_ count: Int = 1, now: MonotonicInstant) -> Bool {
        refill(now)
        let cost = Int64(count) * 1_000_000_000
        guard cost <= level else { return false }
        level -= cost
        return true
    }

    private mutating func refill(_ now: MonotonicInstant) {
        guard now > refilled else { return }
        let elapsed = Int64(clamping: now.nanoseconds - refilled.nanoseconds)
        let (gain, overflow) = elapsed.multipliedReportingOverflow(by: perSecond)
        level = overflow || gain > capacity - level ? capacity : level + gain
        refilled = now
    }
}
