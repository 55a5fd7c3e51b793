// SPDX-License-Identifier: Apache-2.0

/// The isolation domain of one event loop: what lives in a lane is touched by the loop's thread
/// alone.
///
/// Connections, streams and pools are plain classes without locks, created and used in one lane.
/// The lane's methods run on the loop; callbacks of sockets and timers that are written inside
/// them are isolated to the lane too. A request is a task of the lane:
///
///     extension Lane {
///         func begin(_ stream: Stream) {
///             Task.immediate(executorPreference: loop) { await self.serve(stream) }
///         }
///     }
///
/// `Task.immediate` is the one initializer that takes a preference and still inherits the lane's
/// isolation, so that `stream` need not be `Sendable`. The preference makes each continuation
/// come back to the loop directly; it also makes the task start as the loop's next job rather
/// than inside the call. A capture list would lose the isolation.
///
/// What such a task calls should inherit its isolation, as functions do here by default. Code that
/// is isolated to nothing would run on the loop too, but come back to it at each call.
///
/// Other actors may share the loop by returning ``EventLoop/asUnownedSerialExecutor()`` in the
/// same way; calls between them do not suspend.
package actor Lane {
    /// The loop that runs this lane.
    package nonisolated let loop: EventLoop

    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        unsafe loop.asUnownedSerialExecutor()
    }

    package init(_ loop: EventLoop) { self.loop = loop }

    /// Enters the lane from code that runs on its loop without the compiler knowing, such as a
    /// callback from C. Traps off the loop.
    package nonisolated func enter<Value, Result: Sendable>(
        with value: Value, _ body: @Sendable (isolated Lane, Value) -> Result
    ) -> Result {
        // The value is already on this lane's thread and stays there.
        nonisolated(unsafe) let value = value
        return assumeIsolated { lane in unsafe body(lane, value) }
    }

    /// Runs `body` in the lane, waiting for its turn when called from elsewhere.
    package func run<Result: Sendable, Failure>(
        _ body: @Sendable (isolated Lane) async throws(Failure) -> Result
    ) async throws(Failure) -> Result {
        try await body(self)
    }
}
