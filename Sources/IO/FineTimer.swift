// SPDX-License-Identifier: Apache-2.0
package import Bytes
import CLinux

/// One timer of a loop that is precise to some ten microseconds, where those of
/// ``EventLoop/schedule(at:_:)`` are to a millisecond; it costs a descriptor and a system call
/// each time it is set.
///
/// It is kept alive by its loop until ``close()``.
package final class FineTimer: ReadinessHandler {
    /// Called on the loop each time the timer fires.
    package var onFire: (() -> Void)?

    private let loop: EventLoop
    private var descriptor: Descriptor?
    private var registration: Registration?

    /// - Throws: ``SystemError`` when the kernel grants no descriptor.
    package init(on loop: EventLoop) throws(SystemError) {
        self.loop = loop
        let descriptor = Descriptor(owning: try SystemError.check("timerfd_create", cl_timerfd()))
        let number = descriptor.number
        self.descriptor = consume descriptor
        registration = try loop.register(number, self)
    }

    /// Fires once at `time`, at once when that has passed; an earlier setting is forgotten.
    package func set(_ time: MonotonicInstant) {
        guard let number = descriptor?.number else { return }
        // It also takes back the expirations that were counted, so that the next one is an edge.
        let result = cl_timerfd_set(number, time.nanoseconds)
        invariant(result == 0, "timerfd_settime: errno \(-result)")
    }

    /// Fires no more, and drops ``onFire``.
    package func close() {
        guard let registration = registration.take() else { return }
        loop.deregister(registration)
        descriptor = nil
        onFire = nil
    }

    func ready(_ readiness: Readiness) { onFire?() }

    func revisit() {}

    func loopStopped() { close() }
}
