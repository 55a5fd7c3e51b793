// SPDX-License-Identifier: Apache-2.0
package import Bytes
import CLinux
import Glibc

/// The machine's clocks: CLOCK_REALTIME for ``now()``, CLOCK_MONOTONIC for ``monotonic()``.
///
/// Wall time serves what is written down and compared between parties; every deadline inside the
/// process is monotonic, so a corrected clock neither fires nor loses one.
package struct SystemTime: TimeSource {
    package init() {}

    /// The wall clock, whole milliseconds.
    package func now() -> Instant {
        let time = read(CLOCK_REALTIME)
        return Instant(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }

    /// The steady clock; it stands still while the machine is suspended.
    package func monotonic() -> MonotonicInstant {
        let time = read(CLOCK_MONOTONIC)
        return MonotonicInstant(
            nanoseconds: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
    }

    private func read(_ clock: clockid_t) -> timespec {
        var time = timespec()
        unsafe clock_gettime(clock, &time)
        return time
    }
}
