// SPDX-License-Identifier: Apache-2.0
import Bytes

/// Names one scheduled timer. Stays false for ever once the timer has fired or was cancelled.
package struct TimerID: Hashable, Sendable {
    let slot: UInt32
    let generation: UInt32
}

/// Pending timers by deadline: a binary heap whose entries know their place, so that any of them
/// can be moved or removed in O(log n). Equal deadlines fire in the order in which they were
/// scheduled.
struct TimerHeap: ~Copyable {
    private struct Timer {
        var generation: UInt32 = 0
        var position: Int = 0
        var deadline = MonotonicInstant(nanoseconds: 0)
        var order: UInt64 = 0
        var action: (() -> Void)?
    }

    private var timers: [Timer] = []
    private var free: [UInt32] = []
    private var heap: [UInt32] = []
    private var nextOrder: UInt64 = 0

    var count: Int { heap.count }
    var earliest: MonotonicInstant? { heap.first.map { timers[Int($0)].deadline } }

    mutating func insert(at deadline: MonotonicInstant, _ action: @escaping () -> Void) -> TimerID {
        let slot: UInt32
        if let reused = free.popLast() {
            slot = reused
        } else {
            slot = UInt32(timers.count)
            timers.append(Timer())
        }
        timers[Int(slot)].deadline = deadline
        timers[Int(slot)].order = takeOrder()
        timers[Int(slot)].action = action
        timers[Int(slot)].position = heap.count
        heap.append(slot)
        siftUp(heap.count - 1)
        return TimerID(slot: slot, generation: timers[Int(slot)].generation)
    }

    /// Removes a pending timer and returns its action; nil if it is no longer pending.
    mutating func remove(_ id: TimerID) -> (() -> Void)? {
        guard contains(id) else { return nil }
        return take(at: timers[Int(id.slot)].position)
    }

    /// Gives a pending timer another deadline; false if it is no longer pending.
    mutating func move(_ id: TimerID, to deadline: MonotonicInstant) -> Bool {
        guard contains(id) else { return false }
        timers[Int(id.slot)].deadline = deadline
        timers[Int(id.slot)].order = takeOrder()
        siftDown(siftUp(timers[Int(id.slot)].position))
        return true
    }

    /// Removes the earliest timer if it is due and returns its action. `order` is the ``horizon``
    /// at the start of a tick: a timer that schedules another one for at once must not keep the
    /// tick busy.
    mutating func takeDue(_ now: MonotonicInstant, before order: UInt64) -> (() -> Void)? {
        guard let first = heap.first else { return nil }
        guard timers[Int(first)].deadline <= now, timers[Int(first)].order < order else {
            return nil
        }
        return take(at: 0)
    }

    /// Timers scheduled from now on have orders not below this one.
    var horizon: UInt64 { nextOrder }

    func contains(_ id: TimerID) -> Bool {
        Int(id.slot) < timers.count && timers[Int(id.slot)].generation == id.generation
            && timers[Int(id.slot)].action != nil
    }

    private mutating func takeOrder() -> UInt64 {
        defer { nextOrder += 1 }
        return nextOrder
    }

    private mutating func take(at position: Int) -> (() -> Void)? {
        let slot = heap[position]
        let last = heap.count - 1
        place(heap[last], at: position)
        heap.removeLast()
        if position < last { siftDown(siftUp(position)) }
        timers[Int(slot)].generation &+= 1
        free.append(slot)
        return timers[Int(slot)].action.take()
    }

    private func isBefore(_ a: UInt32, _ b: UInt32) -> Bool {
        let (x, y) = (timers[Int(a)].deadline, timers[Int(b)].deadline)
        return x == y ? timers[Int(a)].order < timers[Int(b)].order : x < y
    }

    private mutating func place(_ slot: UInt32, at position: Int) {
        heap[position] = slot
        timers[Int(slot)].position = position
    }

    @discardableResult
    private mutating func siftUp(_ start: Int) -> Int {
        var position = start
        let slot = heap[position]
        while position > 0 {
            let parent = (position - 1) / 2
            guard isBefore(slot, heap[parent]) else { break }
            place(heap[parent], at: position)
            position = parent
        }
        place(slot, at: position)
        return position
    }

    private mutating func siftDown(_ start: Int) {
        var position = start
        let slot = heap[position]
        while true {
            var child = 2 * position + 1
            guard child < heap.count else { break }
            if child + 1 < heap.count, isBefore(heap[child + 1], heap[child]) { child += 1 }
            guard isBefore(heap[child], slot) else { break }
            place(heap[child], at: position)
            position = child
        }
        place(slot, at: position)
    }
}
