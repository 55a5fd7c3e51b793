// SPDX-License-Identifier: Apache-2.0
import Bytes

/// A place where at most one task of a loop waits until something else on the same loop wakes it.
///
/// It needs no lock because it is not `Sendable`: it lives in one loop's isolation. A wake
/// without anyone waiting is not remembered; whoever wakes first stores what happened where the
/// waiter looks before it waits. ``Settlement`` is the variant that remembers one result.
///
///     while buffer.isEmpty { try await arrival.wait() }
///
/// Whoever waits must be isolated to an actor of the loop, directly or through its callers. A task
/// that is isolated to nothing is run by the loop like any other, but suspends at each call, so
/// that between its looking and its waiting the wake could come and be lost: that traps.
///
/// Waiting does not observe task cancellation: the owner of the event (the stream, the connection)
/// fails its waiter when it ends, which is cheaper than a cancellation handler per wait.
@safe
package final class Waiter<Value, Failure: Error> {
    private var continuation: UnsafeContinuation<Void, Never>?
    private var outcome: Result<Value, Failure>?

    package init() {}

    /// Whether a task is parked here.
    package var isWaiting: Bool { unsafe continuation != nil }

    /// Parks the calling task until the next ``resume(returning:)`` or ``resume(throwing:)``.
    package func wait(
        isolation: isolated (any Actor)? = #isolation
    ) async throws(Failure) -> Value {
        invariant(isolation != nil, "a wait on a loop needs the isolation of its lane")
        invariant(!isWaiting, "two tasks wait in one Waiter")
        // The continuation is resumed exactly once: only `resume` takes it out, and this object
        // cannot die before that since the suspended call holds it.
        unsafe await withUnsafeContinuation(isolation: isolation) { unsafe continuation = $0 }
        guard let outcome = outcome.take() else {
            fatalError("a Waiter was resumed without outcome")
        }
        return try outcome.get()
    }

    /// Wakes the waiting task with `value`; returns false, and does nothing, when none waits.
    @discardableResult
    package func resume(returning value: Value) -> Bool { settle(.success(value)) }

    /// Wakes the waiting task with an error; returns false, and does nothing, when none waits.
    @discardableResult
    package func resume(throwing error: Failure) -> Bool { settle(.failure(error)) }

    private func settle(_ result: Result<Value, Failure>) -> Bool {
        guard let waiting = unsafe continuation.take() else { return false }
        outcome = result
        unsafe waiting.resume()
        return true
    }
}

extension Waiter where Value == Void {
    /// Wakes the waiting task; returns false, and does nothing, when none waits.
    @discardableResult
    package func resume() -> Bool { resume(returning: ()) }
}

/// A wake on one loop that is remembered until somebody waits for it.
///
/// For code that has no actor: a task that merely prefers the loop suspends at each call it makes,
/// so a wake may come between its looking and its waiting. Whoever waits looks again afterwards,
/// since a remembered wake may be older than what it waits for:
///
///     while buffer.isEmpty { await arrival.wait() }
@safe
package final class Arrival {
    private var continuation: UnsafeContinuation<Void, Never>?
    private var isRemembered = false

    package init() {}

    /// Parks the calling task, which runs on the loop, unless there was a wake since the last wait.
    package func wait(isolation: isolated (any Actor)? = #isolation) async {
        unsafe await withUnsafeContinuation(isolation: isolation) { waiting in
            let isBusy = unsafe continuation != nil
            invariant(!isBusy, "two tasks wait for one Arrival")
            if isRemembered {
                isRemembered = false
                unsafe waiting.resume()
            } else {
                unsafe continuation = waiting
            }
        }
    }

    /// Forgets a wake that nobody waited for.
    package func forget() { isRemembered = false }

    /// Wakes the waiting task, or the next one that would wait.
    package func resume() {
        if let waiting = unsafe continuation.take() {
            unsafe waiting.resume()
        } else {
            isRemembered = true
        }
    }
}

/// A result that arrives once and is taken once, in either order, on one loop.
///
/// The first ``settle(_:)`` wins; later ones are ignored and return false, so that a response, a
/// deadline and a lost connection may all try.
package final class Settlement<Value, Failure: Error> {
    private var result: Result<Value, Failure>?
    private var isTaken = false
    private let arrival = Arrival()

    package init() {}

    /// Whether a result has arrived.
    package private(set) var isSettled = false

    /// Stores the result and wakes the task that waits for it. Returns false if there was one
    /// already.
    @discardableResult
    package func settle(_ result: Result<Value, Failure>) -> Bool {
        guard !isSettled else { return false }
        isSettled = true
        self.result = result
        arrival.resume()
        return true
    }

    /// The result, waiting for it if need be. It may be asked for once.
    package func value(
        isolation: isolated (any Actor)? = #isolation
    ) async throws(Failure) -> Value { try await result(isolation: isolation).get() }

    /// The same without throwing.
    package func result(
        isolation: isolated (any Actor)? = #isolation
    ) async -> Result<Value, Failure> {
        invariant(!isTaken, "a Settlement is taken twice")
        isTaken = true
        while result == nil { await arrival.wait(isolation: isolation) }
        guard let result = result.take() else { fatalError("a Settlement has no result") }
        return result
    }
}
