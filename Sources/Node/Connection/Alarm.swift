// SPDX-License-Identifier: Apache-2.0
import Bytes
import IO

/// One timer for an owner that has many deadlines.
///
/// Only an earlier deadline moves the timer. One that has become later costs nothing: the timer
/// fires as it was set, the owner finds nothing late and sets it again. So a deadline that moves
/// with every byte touches the loop's heap once in its length.
final class Alarm {
    private let loop: EventLoop
    private let ring: () -> Void
    private var timer: TimerID?
    private var due: MonotonicInstant?

    /// - Parameter ring: Called on the loop; it is dropped with this object, so it should hold its
    ///   owner weakly or without ownership.
    init(on loop: EventLoop, _ ring: @escaping () -> Void) {
        self.loop = loop
        self.ring = ring
    }

    /// Rings at `deadline` at the latest, perhaps also before.
    func set(_ deadline: MonotonicInstant?) {
        guard let deadline else { return }
        if let due, due <= deadline { return }
        due = deadline
        if let timer, loop.postpone(timer, to: deadline) { return }
        timer = loop.schedule(at: deadline) { [weak self] in self?.fire() }
    }

    /// Rings no more until it is set again.
    func cancel() {
        if let timer { loop.cancel(timer) }
        timer = nil
        due = nil
    }

    private func fire() {
        timer = nil
        due = nil
        ring()
    }
}
