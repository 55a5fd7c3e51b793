// SPDX-License-Identifier: Apache-2.0

/// A point on the steady clock, in nanoseconds from an origin without meaning (usually the boot).
/// Two of them can be compared and subtracted within one run of the machine, nothing more.
package struct MonotonicInstant: Hashable, Comparable, Sendable {
    /// Nanoseconds since the clock's origin.
    package let nanoseconds: UInt64

    /// The point `nanoseconds` after the clock's origin.
    package init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

    /// The point `duration` later, or earlier for a negative one; held at the ends of the range.
    package func adding(_ duration: Duration) -> MonotonicInstant {
        let (seconds, attoseconds) = duration.components
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (delta, carry) = whole.addingReportingOverflow(attoseconds / 1_000_000_000)
        let isForward = seconds >= 0 && attoseconds >= 0
        if overflow || carry {
            return MonotonicInstant(nanoseconds: isForward ? .max : .min)
        }
        let magnitude = delta.magnitude
        let (sum, isOut) =
            delta >= 0
            ? nanoseconds.addingReportingOverflow(magnitude)
            : nanoseconds.subtractingReportingOverflow(magnitude)
        return MonotonicInstant(nanoseconds: isOut ? (isForward ? .max : .min) : sum)
    }

    /// The time from `earlier` to this point; negative when `earlier` is later.
    package func duration(since earlier: MonotonicInstant) -> Duration {
        if nanoseconds >= earlier.nanoseconds {
            return .nanoseconds(Int64(clamping: nanoseconds - earlier.nanoseconds))
        }
        return .nanoseconds(-Int64(clamping: earlier.nanoseconds - nanoseconds))
    }

    /// Whole milliseconds from `earlier` to this point, rounded down; 0 when `earlier` is later.
    package func milliseconds(since earlier: MonotonicInstant) -> Int64 {
        nanoseconds > earlier.nanoseconds
            ? Int64(clamping: (nanoseconds - earlier.nanoseconds) / 1_000_000) : 0
    }

    package static func < (a: MonotonicInstant, b: MonotonicInstant) -> Bool {
        a.nanoseconds < b.nanoseconds
    }
}
