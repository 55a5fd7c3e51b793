// SPDX-License-Identifier: Apache-2.0

package import Bytes
internal import Synchronization

/// A clock that moves only when a test moves it.
package final class VirtualTime: TimeSource {
    private struct Hands {
        var now: Instant
        var monotonic = MonotonicInstant(nanoseconds: 0)
    }

    private let hands: Mutex<Hands>

    /// A clock that stands at `start`: 2026-11-21T00:00:00Z unless a test needs another day.
    package init(_ start: Instant = Instant(seconds: 1_795_219_200)) {
        hands = Mutex(Hands(now: start))
    }

    package func now() -> Instant { hands.withLock { $0.now } }

    package func monotonic() -> MonotonicInstant { hands.withLock { $0.monotonic } }

    /// Lets `milliseconds` pass on both clocks.
    package func advance(milliseconds: Int64) {
        hands.withLock { hands in
            hands.now = hands.now.adding(milliseconds: milliseconds)
            hands.monotonic = hands.monotonic.adding(.milliseconds(milliseconds))
        }
    }

    /// Lets `seconds` pass on both clocks.
    package func advance(seconds: Int64) { advance(milliseconds: seconds * 1000) }

    /// Sets the wall clock, as an administrator or NTP may; the steady clock stays.
    package func jump(to instant: Instant) { hands.withLock { $0.now = instant } }
}
