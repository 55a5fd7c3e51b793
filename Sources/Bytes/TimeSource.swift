// SPDX-License-Identifier: Apache-2.0

/// Where code that needs the time gets it. Node passes the system's clocks, tests and the
/// simulator a virtual one; nothing else in the program reads a clock.
package protocol TimeSource: Sendable {
    /// The wall clock: for expiry dates and records. It may jump.
    func now() -> Instant
    /// The steady clock: for deadlines and durations. It never goes back.
    func monotonic() -> MonotonicInstant
}

/// Where code that needs randomness gets it. Node passes the operating system's generator, tests
/// a seeded one, so that a run can be repeated.
package protocol RandomBytes: Sendable {
    /// `count` bytes, each independent and uniform.
    func bytes(_ count: Int) -> [UInt8]
}
