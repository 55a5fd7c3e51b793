// SPDX-License-Identifier: Apache-2.0
package import Bytes
package import Gateway
import Synchronization

/// A journal that knows how it is doing: how many callers wait for the disk, and whether it takes
/// anything at all.
package final class WatchedJournal: Journal {
    private let inner: any Journal
    private let time: any TimeSource
    private let state = Mutex(State())

    private struct State {
        var waiting = 0
        var writes: Int64 = 0
        var failures: Int64 = 0
        var milliseconds: Int64 = 0
        var fault: StorageFault?
        var probed: MonotonicInstant?
    }

    /// Seconds between two attempts to write while the disk refuses.
    package static let probeSeconds: Int64 = 10

    package init(_ inner: any Journal, time: any TimeSource) {
        self.inner = inner
        self.time = time
    }

    /// As the journal beneath, and notes how long it took and what the disk said.
    package func write<Value: Sendable>(
        _ body: @escaping @Sendable (any JournalTransaction) throws -> Value
    ) async throws -> Value {
        let began = time.monotonic()
        state.withLock { $0.waiting += 1 }
        defer {
            let took = time.monotonic().milliseconds(since: began)
            state.withLock { state in
                state.waiting -= 1
                state.writes += 1
                state.milliseconds += took
            }
        }
        do {
            return try await inner.write(body)
        } catch let fault as StorageFault {
            note(fault)
            throw fault
        }
    }

    /// As the journal beneath.
    package func read<Value: Sendable>(
        _ body: @escaping @Sendable (any JournalTransaction) throws -> Value
    ) async throws -> Value {
        try await inner.read(body)
    }

    /// A rule of the tables is the caller's mistake; everything else is the disk's.
    private func note(_ fault: StorageFault) {
        if case .constraint = fault { return }
        state.withLock { state in
            state.failures += 1
            state.fault = fault
        }
    }

    /// Why nothing can be written; `nil` when it can.
    ///
    /// After a fault only a write that really reaches the disk says that it is over, so one is
    /// tried now and then, by whoever asks.
    package func check() async -> StorageFault? {
        let now = time.monotonic()
        let (fault, isDue) = state.withLock { state -> (StorageFault?, Bool) in
            guard state.fault != nil else { return (nil, false) }
            if let probed = state.probed, now.milliseconds(since: probed) < Self.probeSeconds * 1000
            {
                return (state.fault, false)
            }
            state.probed = now
            return (state.fault, true)
        }
        guard isDue else { return fault }
        do {
            let at = time.now()
            try await inner.write { try $0.probe(at: at) }
            state.withLock { $0.fault = nil }
            return nil
        } catch {
            return fault
        }
    }

    /// Callers that wait for a commit now.
    package var waiting: Int { state.withLock { $0.waiting } }

    /// Transactions so far, those that the disk refused, and the milliseconds that all took.
    package var totals: (writes: Int64, failures: Int64, milliseconds: Int64) {
        state.withLock { ($0.writes, $0.failures, $0.milliseconds) }
    }
}
