// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// Tells those who wait on a task that it changed. Only a wake-up: what changed is read from the
/// journal, so a late listener misses nothing.
package final class TaskFeed: Sendable {
    private struct Listener {
        /// It changed since the listener last heard of it.
        var isPending = false
        var waiter: CheckedContinuation<Bool, Never>?
    }
    private struct State {
        var tasks: [String: [UInt64: Listener]] = [:]
        var nextListener: UInt64 = 0
        var isClosed = false
    }
    private let state = Mutex(State())

    /// Most listeners of one task: every change is read and written once for each of them.
    package static let listenersMax = 256

    package init() {}

    /// Begins to listen; no change after this call is missed.
    ///
    /// - Returns: `nil` where ``listenersMax`` listen already, or at the end of the program.
    package func subscribe(_ task: String) -> TaskSubscription? {
        state.withLock { state in
            guard !state.isClosed, state.tasks[task]?.count ?? 0 < Self.listenersMax else {
                return nil
            }
            state.nextListener += 1
            state.tasks[task, default: [:]][state.nextListener] = Listener()
            return TaskSubscription(feed: self, task: task, listener: state.nextListener)
        }
    }

    /// Wakes everybody who listens to `task`.
    package func changed(_ task: String) {
        let woken = state.withLock { state in
            var woken: [CheckedContinuation<Bool, Never>] = []
            for listener in state.tasks[task]?.keys.map({ $0 }) ?? [] {
                if let waiter = state.tasks[task]?[listener]?.waiter.take() {
                    woken.append(waiter)
                } else {
                    state.tasks[task]?[listener]?.isPending = true
                }
            }
            return woken
        }
        for waiter in woken { waiter.resume(returning: true) }
    }

    /// Ends every subscription, at the end of the program.
    package func close() {
        let woken = state.withLock { state in
            let waiters = state.tasks.values.flatMap { $0.values.compactMap(\.waiter) }
            state.tasks = [:]
            state.isClosed = true
            return waiters
        }
        for waiter in woken { waiter.resume(returning: false) }
    }

    /// How many listen, to whichever task.
    package var listenerCount: Int {
        state.withLock { $0.tasks.values.reduce(0) { $0 + $1.count } }
    }

    fileprivate func wait(_ task: String, _ listener: UInt64) async -> Bool {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer: Bool? = state.withLock { state in
                    guard let known = state.tasks[task]?[listener], !Task.isCancelled else {
                        return false
                    }
                    if known.isPending {
                        state.tasks[task]?[listener]?.isPending = false
                        return true
                    }
                    state.tasks[task]?[listener]?.waiter = continuation
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            end(task, listener)
        }
    }

    fileprivate func end(_ task: String, _ listener: UInt64) {
        let waiter = state.withLock { state in
            let gone = state.tasks[task]?.removeValue(forKey: listener)
            if state.tasks[task]?.isEmpty ?? false { state.tasks[task] = nil }
            return gone?.waiter
        }
        waiter?.resume(returning: false)
    }
}

/// One listener of one task, until it is ended or let go.
package final class TaskSubscription: Sendable {
    private let feed: TaskFeed
    private let task: String
    private let listener: UInt64

    fileprivate init(feed: TaskFeed, task: String, listener: UInt64) {
        self.feed = feed
        self.task = task
        self.listener = listener
    }

    deinit { feed.end(task, listener) }

    /// Waits until the task changed since this last returned. One caller at a time.
    ///
    /// - Returns: `false` when nothing more will come: it was ended, the waiting task was
    ///   cancelled, or the program ends.
    package func next() async -> Bool { await feed.wait(task, listener) }

    /// Wakes whoever waits and listens no more.
    package func end() { feed.end(task, listener) }
}
