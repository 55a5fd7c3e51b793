// SPDX-License-Identifier: Apache-2.0
import CLinux

/// What the kernel says about a descriptor.
struct Readiness: OptionSet {
    let rawValue: UInt32
    static let readable = Readiness(rawValue: cl_readable)
    static let writable = Readiness(rawValue: cl_writable)
    static let error = Readiness(rawValue: cl_error)
    /// Both directions have ended.
    static let hangup = Readiness(rawValue: cl_hangup)
    /// The peer will send no more.
    static let peerFinished = Readiness(rawValue: cl_peer_finished)
}

/// The owner of a descriptor that is registered with a loop.
protocol ReadinessHandler: AnyObject {
    /// An edge: the kernel tells it once, so the handler remembers it until it met EAGAIN.
    func ready(_ readiness: Readiness)
    /// The next tick after ``EventLoop/revisit(_:)``: go on with work left from an earlier edge.
    func revisit()
    /// The loop ends: close the descriptor, drop callbacks.
    func loopStopped()
}

/// Names one descriptor's membership in a loop; never names its successor in the same slot.
struct Registration: Hashable, Sendable {
    let slot: UInt32
    let generation: UInt32
}

/// The loop's handlers. Each slot carries a generation that the kernel hands back with every event,
/// so that an event of a closed descriptor cannot reach the next user of its slot or number.
struct RegistrationTable {
    private struct Slot {
        var generation: UInt32 = 0
        var handler: (any ReadinessHandler)?
    }

    private var slots: [Slot] = []
    private var free: [UInt32] = []

    mutating func add(_ handler: any ReadinessHandler) -> Registration {
        let slot: UInt32
        if let reused = free.popLast() {
            slot = reused
        } else {
            slot = UInt32(slots.count)
            slots.append(Slot())
        }
        slots[Int(slot)].handler = handler
        return Registration(slot: slot, generation: slots[Int(slot)].generation)
    }

    mutating func remove(_ registration: Registration) {
        let index = Int(registration.slot)
        guard index < slots.count, slots[index].generation == registration.generation,
            slots[index].handler != nil
        else { return }
        slots[index].handler = nil
        slots[index].generation &+= 1
        free.append(registration.slot)
    }

    func handler(slot: UInt32, generation: UInt32) -> (any ReadinessHandler)? {
        let index = Int(slot)
        guard index < slots.count, slots[index].generation == generation else { return nil }
        return slots[index].handler
    }

    /// Empties the table, keeping generations.
    mutating func removeAll() -> [any ReadinessHandler] {
        var handlers: [any ReadinessHandler] = []
        for index in slots.indices {
            guard let handler = slots[index].handler.take() else { continue }
            slots[index].generation &+= 1
            free.append(UInt32(index))
            handlers.append(handler)
        }
        return handlers
    }
}

extension EventLoop {
    /// Registers a descriptor, edge-triggered for everything, for as long as it is open.
    func register(
        _ number: Int32, _ handler: any ReadinessHandler
    ) throws(SystemError) -> Registration {
        requireLoop()
        let registration = registrations.add(handler)
        let result = cl_epoll_add(
            epoll.number, number, registration.slot, registration.generation)
        if result < 0 { registrations.remove(registration) }
        try SystemError.check("epoll_ctl", result)
        return registration
    }

    /// Ends a registration. Closing the descriptor takes it out of the kernel's set; until the
    /// owner does so, its events are dropped as stale.
    func deregister(_ registration: Registration) {
        requireLoop()
        registrations.remove(registration)
    }

    /// Calls `handler.revisit()` in the next tick, without waiting for the kernel.
    func revisit(_ handler: any ReadinessHandler) {
        requireLoop()
        leftovers.append(handler)
    }
}
