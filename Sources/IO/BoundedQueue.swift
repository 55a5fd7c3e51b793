// SPDX-License-Identifier: Apache-2.0
import Bytes

/// Elements handed from one producer task to one consumer task of the same loop; the producer
/// waits while the queue is full, so that a slow consumer slows its source instead of the memory.
///
/// It needs no lock because it is not `Sendable`: it lives in one loop's isolation. Neither wait
/// observes cancellation: whichever side ends calls ``finish()`` or ``cancel()``.
package final class BoundedQueue<Element> {
    /// Elements kept at most.
    package let capacity: Int
    private var elements: [Element] = []
    private var head = 0
    private var isFinished = false
    private let notEmpty = Waiter<Void, Never>()
    private let notFull = Waiter<Void, Never>()

    /// - Parameter capacity: At least one.
    package init(capacity: Int) {
        invariant(capacity > 0, "a queue without room")
        self.capacity = capacity
    }

    /// Elements not yet taken.
    package var count: Int { elements.count - head }

    /// Adds an element if there is room; false if not, or if the queue has ended.
    package func tryPush(_ element: Element) -> Bool {
        guard !isFinished, count < capacity else { return false }
        elements.append(element)
        notEmpty.resume()
        return true
    }

    /// Adds an element, waiting for room. False when the consumer is gone: the element is dropped.
    package func push(
        _ element: Element, isolation: isolated (any Actor)? = #isolation
    ) async -> Bool {
        while !isFinished, count >= capacity { await notFull.wait() }
        return tryPush(element)
    }

    /// The oldest element, waiting for one; nil after the last once the producer has finished.
    package func next(isolation: isolated (any Actor)? = #isolation) async -> Element? {
        while count == 0, !isFinished { await notEmpty.wait() }
        guard count > 0 else { return nil }
        let element = elements[head]
        head += 1
        if head >= max(16, capacity) || head == elements.count {
            elements.removeFirst(head)
            head = 0
        }
        notFull.resume()
        return element
    }

    /// The producer adds no more; what is queued can still be taken.
    package func finish() {
        isFinished = true
        notEmpty.resume()
        notFull.resume()
    }

    /// The consumer takes no more; what is queued is dropped and a waiting producer goes on.
    package func cancel() {
        elements = []
        head = 0
        finish()
    }
}
