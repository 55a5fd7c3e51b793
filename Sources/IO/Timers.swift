// SPDX-License-Identifier: Apache-2.0
package import Bytes

/// The wait was ended because its task was cancelled.
package struct Cancelled: Error, Hashable, Sendable {
    package init() {}
}

extension EventLoop {
    /// Calls `action` once `delay` after ``now``, on the loop. Precision is a millisecond, never
    /// early.
    ///
    /// Scheduling, cancelling and postponing cost O(log n), so each stream may own its deadline.
    @discardableResult
    package func schedule(after delay: Duration, _ action: @escaping () -> Void) -> TimerID {
        schedule(at: now.adding(delay), action)
    }

    /// Calls `action` at `deadline`, in the next tick if that has passed.
    @discardableResult
    package func schedule(
        at deadline: MonotonicInstant, _ action: @escaping () -> Void
    ) -> TimerID {
        requireLoop()
        return timers.insert(at: deadline, action)
    }

    /// Forgets a timer. Returns false, and does nothing, if it has fired or was cancelled before.
    @discardableResult
    package func cancel(_ timer: TimerID) -> Bool {
        requireLoop()
        return timers.remove(timer) != nil
    }

    /// Moves a pending timer to another deadline, e.g. an idle timeout on activity. Returns false
    /// if it has fired or was cancelled.
    @discardableResult
    package func postpone(_ timer: TimerID, to deadline: MonotonicInstant) -> Bool {
        requireLoop()
        return timers.move(timer, to: deadline)
    }

    /// Suspends the calling task, which runs on this loop, until `deadline`.
    ///
    /// - Throws: ``Cancelled`` as soon as the task is cancelled; at once if it already is.
    package func sleep(until deadline: MonotonicInstant) async throws(Cancelled) {
        requireLoop()
        guard !Task.isCancelled else { throw Cancelled() }
        let outcome = Settlement<Void, Cancelled>()
        let timer = schedule(at: deadline) { outcome.settle(.success(())) }
        let result = await withCancellation {
            outcome.settle(.failure(Cancelled()))
        } wait: {
            await outcome.result()
        }
        cancel(timer)
        try result.get()
    }

    /// Suspends the calling task, which runs on this loop, for `duration` reckoned from ``now``.
    package func sleep(for duration: Duration) async throws(Cancelled) {
        try await sleep(until: now.adding(duration))
    }

    /// Runs `wait` in the calling task and `fail` on this loop if that task is cancelled meanwhile,
    /// from whichever thread; `fail` then ends the wait.
    func withCancellation<Result>(
        _ fail: @escaping () -> Void, wait: () async -> Result
    ) async -> Result {
        requireLoop()
        let id = nextCancellation
        nextCancellation += 1
        cancellations[id] = fail
        defer { cancellations[id] = nil }
        return await withTaskCancellationHandler {
            await wait()
        } onCancel: {
            execute { self.cancellations[id]?() }
        }
    }
}
