// SPDX-License-Identifier: Apache-2.0
package import Bytes

/// A counting semaphore within one loop: at most so many holders at a time, first come first
/// served, and at most so many that wait.
///
/// It needs no lock because it is not `Sendable`: it lives in one loop's isolation.
package final class Permits {
    /// Why no permit was given.
    package enum Refusal: Error, Hashable, Sendable {
        /// ``Permits/mostWaiting`` tasks wait already: refusing at once is kinder than a queue that
        /// grows beyond every deadline.
        case tooManyWaiting
        /// The deadline passed.
        case timedOut
        /// The calling task was cancelled.
        case cancelled
        /// ``Permits/close()`` was called.
        case closed
    }

    /// Permits that nobody holds.
    package private(set) var available: Int
    /// The bound on waiting tasks.
    package let mostWaiting: Int
    private let loop: EventLoop
    private var waiting: [Settlement<Void, Refusal>] = []
    private var isClosed = false

    /// - Parameters:
    ///   - count: Holders at a time.
    ///   - mostWaiting: Tasks that may wait for one.
    package init(_ count: Int, mostWaiting: Int, on loop: EventLoop) {
        invariant(count >= 0 && mostWaiting >= 0, "a semaphore of negative size")
        available = count
        self.mostWaiting = mostWaiting
        self.loop = loop
    }

    /// Tasks that wait.
    package var waitingCount: Int { waiting.count }

    /// Takes a permit if one is free and nobody waits for it.
    package func tryAcquire() -> Bool {
        guard !isClosed, available > 0 else { return false }
        available -= 1
        return true
    }

    /// Takes a permit, waiting for one until `deadline`. Each success is answered by ``release()``.
    package func acquire(
        until deadline: MonotonicInstant, isolation: isolated (any Actor)? = #isolation
    ) async throws(Refusal) {
        guard !isClosed else { throw .closed }
        if tryAcquire() { return }
        guard waiting.count < mostWaiting else { throw .tooManyWaiting }
        let turn = Settlement<Void, Refusal>()
        waiting.append(turn)
        let timer = loop.schedule(at: deadline) { [self] in fail(turn, .timedOut) }
        let result = await loop.result(of: turn, ifCancelled: .cancelled)
        loop.cancel(timer)
        // A cancelled turn is still in the queue.
        if case .failure = result { waiting.removeAll { $0 === turn } }
        try result.get()
    }

    /// Gives a permit back, to the task that has waited longest if any.
    package func release() {
        if waiting.isEmpty {
            available += 1
        } else {
            // A turn that was cancelled in this tick is settled already: the next one's.
            if !waiting.removeFirst().settle(.success(())) { release() }
        }
    }

    /// Refuses everyone who waits and all who come. Permits held may still be released.
    package func close() {
        isClosed = true
        let refused = waiting
        waiting = []
        for turn in refused { turn.settle(.failure(.closed)) }
    }

    private func fail(_ turn: Settlement<Void, Refusal>, _ reason: Refusal) {
        guard let index = waiting.firstIndex(where: { $0 === turn }) else { return }
        waiting.remove(at: index)
        turn.settle(.failure(reason))
    }
}
