// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// Tells those who wait on a task that it changed. Only a wake-up: what changed is read from the
/// journal, so a late listener misses nothing.
package final class TaskFeed: Sendable {
    private struct Entry {
        var version: UInt64 = 0
        var waiters: [UInt64: CheckedContinuation<Void, Never>] = [:]
    }
    private struct State {
        var entries: [String: Entry] = [:]
        var nextWaiter: UInt64 = 0
    }
    private let state = Mutex(State())

    /// Most waiters on one task; more are told at once that it changed, and read again.
    package static let waitersMax = 256

    package init() {}

    /// Wakes everybody who waits on `task`.
    package func changed(_ task: String) {
        let woken = state.withLock { state in
            let waiters = state.entries[task]?.waiters ?? [:]
            state.entries[task]?.waiters = [:]
            state.entries[task]?.version += 1
            return waiters
        }
        for waiter in woken.values { waiter.resume() }
    }

    /// Begins to listen; a change after this call is not missed by ``wait(for:since:)``.
    package func subscribe(_ task: String) -> UInt64 {
        state.withLock { state in
            state.entries[task, default: Entry()].version
        }
    }

    /// Waits until `task` changed after `version`.
    ///
    /// - Returns: The version to wait from next time.
    package func wait(for task: String, since version: UInt64) async -> UInt64 {
        await withCheckedContinuation { continuation in
            let atOnce = state.withLock { state in
                let entry = state.entries[task, default: Entry()]
                state.entries[task] = entry
                if entry.version != version || entry.waiters.count >= Self.waitersMax {
                    return true
                }
                state.nextWaiter += 1
                state.entries[task]?.waiters[state.nextWaiter] = continuation
                return false
            }
            if atOnce { continuation.resume() }
        }
        return state.withLock { $0.entries[task]?.version ?? 0 }
    }

    /// Wakes every waiter of every task, at the end of the program.
    package func close() {
        let woken = state.withLock { state in
            let all = state.entries.values.flatMap { $0.waiters.values }
            state.entries = [:]
            return all
        }
        for waiter in woken { waiter.resume() }
    }

    /// Forgets a task on which nobody waits.
    package func forget(_ task: String) {
        state.withLock { state in
            if state.entries[task]?.waiters.isEmpty ?? false { state.entries[task] = nil }
        }
    }
}
