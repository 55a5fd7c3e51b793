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
    package func sleep(
        until deadline: MonotonicInstant, isolation: isolated (any Actor)? = #isolation
    ) async throws(Cancelled) {
        requireLoop()
        guard !Task.isCancelled else { throw Cancelled() }
        let outcome = Settlement<Void, Cancelled>()
        let timer = schedule(at: deadline) { outcome.settle(.success(())) }
        let result = await result(of: outcome, ifCancelled: Cancelled())
        cancel(timer)
        try result.get()
    }

    /// Suspends the calling task, which runs on this loop, for `duration` reckoned from ``now``.
    package func sleep(
        for duration: Duration, isolation: isolated (any Actor)? = #isolation
    ) async throws(Cancelled) {
        try await sleep(until: now.adding(duration), isolation: isolation)
    }

    /// What `outcome` is settled with, or `failure` if the calling task is cancelled first, from
    /// whichever thread.
    ///
    /// It costs a cancellation handler (about a microsecond); hot paths rather settle the outcome
    /// from where they cancel.
    package func result<Value, Failure>(
        of outcome: Settlement<Value, Failure>, ifCancelled failure: Failure,
        isolation: isolated (any Actor)? = #isolation
    ) async -> Result<Value, Failure> {
        requireLoop()
        let id = nextCancellation
        nextCancellation += 1
        cancellations[id] = { outcome.settle(.failure(failure)) }
        defer { cancellations[id] = nil }
        return await withTaskCancellationHandler {
            await outcome.result(isolation: isolation)
        } onCancel: {
            execute { self.cancellations[id]?() }
        }
    }
}
