// SPDX-License-Identifier: Apache-2.0
import Accounting
import Bytes
import Synchronization

/// The blocks of all links in memory, and which task drew what: beginning and ending a small task
/// costs a lock and an addition. ``BlockKeeper`` writes it down and closes what is over.
/// - SeeAlso: Spec/accounting.md §5.6.
final class BlockBook: Sendable {
    /// One block; the peer is the other company of the link.
    struct Key: Hashable, Sendable {
        let peer: EntityID
        let op: OperationID
    }

    /// One fee that was drawn for a task.
    struct Ticket: Sendable {
        let key: Key
        let draw: Draw
    }

    struct Entry {
        var block: Block
        let tariff: Tariff
        /// The signed opening.
        let opening: String
        /// Whether the callee has answered a message that carried the opening.
        var isConfirmed: Bool
        /// Since when it takes no more draws: drawn up, or followed by another.
        var overSince: Instant?
        /// Whether it is being posted.
        var isClosing = false
        /// Whether the callee counts more than we do, and people were not told yet.
        var isInflated = false
        /// What changed since it was last written down.
        var isChanged = true
        var draws: [Int64: DrawRecord] = [:]
        /// The draws that are under way, which later changes refer to.
        var open: [Int64: DrawRecord] = [:]
    }

    /// What stands between a caller and its next block.
    struct Opening {
        var isUnderWay = false
        var waiters: [CheckedContinuation<Void, Never>] = []
        /// Why the last one was refused, and until when that is the answer.
        var refusal: LedgerRefusal?
        var until = Instant(milliseconds: 0)
    }

    struct State {
        var entries: [Key: Entry] = [:]
        /// Where the next draw goes, by peer.
        var current: [EntityID: OperationID] = [:]
        var openings: [EntityID: Opening] = [:]
        /// The draws of tasks under way, by our id of the task.
        var tasks: [String: [Key: Int64]] = [:]
        var isLoaded = false
    }

    let state = Mutex(State())

    /// A block that was followed or drawn up waits so long for what is still on its way to it.
    static let lingerMilliseconds: Int64 = 5000
    /// A refused opening is not tried again before, so that the books are not filled with refusals.
    static let retryMilliseconds: Int64 = 1000
}

// MARK: - The caller

extension BlockBook {
    /// Where a caller stands that wants to draw.
    enum Offer: Sendable {
        /// Drawn. `opening` is the signed block that the message must carry because the callee may
        /// not know it; with `isRenewalDue` the caller opens the next block.
        case drawn(Ticket, opening: String?, isRenewalDue: Bool)
        /// There is no block to draw on, and this caller opens one.
        case open
        /// Somebody else opens one.
        case wait
        /// One was just refused.
        case refused(LedgerRefusal)
    }

    /// Draws the fee of a task that is about to begin at `peer` under `tariff`.
    func draw(
        at peer: EntityID, _ tariff: PinnedTariff, _ exchange: OperationID, now: Instant
    ) -> Offer {
        state.withLock { state in
            var opening = state.openings[peer] ?? Opening()
            let mayOpen = !opening.isUnderWay && now >= opening.until
            if let op = state.current[peer], case let key = Key(peer: peer, op: op),
                let given = state.entries[key]?.give(key, tariff.name, exchange, now: now)
            {
                // A message carries one opening, and has to carry that of the block it draws on.
                let isDue = mayOpen && given.shouldRenew && given.opening == nil
                if isDue {
                    opening.isUnderWay = true
                    state.openings[peer] = opening
                }
                return .drawn(
                    Ticket(key: key, draw: given.draw), opening: given.opening,
                    isRenewalDue: isDue)
            }
            if opening.isUnderWay { return .wait }
            if !mayOpen, let refusal = opening.refusal { return .refused(refusal) }
            opening.isUnderWay = true
            state.openings[peer] = opening
            return .open
        }
    }

    /// The block was placed: the next draws go to it.
    func opened(_ record: HoldRecord, _ tariff: Tariff, _ opening: String, now: Instant) {
        finishOpening(record.peer, nil, now: now) { state in
            let key = Key(peer: record.peer, op: record.op)
            if let old = state.current[record.peer] {
                state.entries[Key(peer: record.peer, op: old)]?.overSince = now
            }
            state.entries[key] = Entry(
                block: Block(opening: record, tariff), tariff: tariff, opening: opening,
                isConfirmed: false)
            state.current[record.peer] = record.op
        }
    }

    /// The block was not placed; `refusal` is the books' reason, if they gave one.
    func notOpened(at peer: EntityID, _ refusal: LedgerRefusal?, now: Instant) {
        finishOpening(peer, refusal ?? .unavailable, now: now) { _ in }
    }

    private func finishOpening(
        _ peer: EntityID, _ refusal: LedgerRefusal?, now: Instant, _ body: (inout State) -> Void
    ) {
        let waiters = state.withLock { state in
            body(&state)
            let waiters = state.openings[peer]?.waiters ?? []
            var opening = Opening()
            if let refusal {
                opening.refusal = refusal
                opening.until = now.adding(milliseconds: Self.retryMilliseconds)
            }
            state.openings[peer] = opening
            return waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Waits until nobody opens a block at `peer`.
    func opening(at peer: EntityID) async {
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                guard state.openings[peer]?.isUnderWay ?? false else { return true }
                state.openings[peer]?.waiters.append(continuation)
                return false
            }
            if isOver { continuation.resume() }
        }
    }

    /// The callee answered a message that carried the opening of this block.
    func confirm(_ opening: String, at peer: EntityID) {
        state.withLock { state in
            for (key, entry) in state.entries
            where key.peer == peer && entry.opening == opening {
                state.entries[key]?.isConfirmed = true
            }
        }
    }

    /// The callee does not take draws on a block any more: the next goes to another.
    ///
    /// - Returns: Whether the callee never confirmed that it knows the block.
    func retire(_ key: Key, now: Instant) -> Bool {
        state.withLock { state in
            if state.current[key.peer] == key.op { state.current[key.peer] = nil }
            state.entries[key]?.overSince = now
            return !(state.entries[key]?.isConfirmed ?? true)
        }
    }

    /// Takes the callee's counter from an answer.
    func learn(_ counter: UsageCounter, from peer: EntityID) {
        state.withLock { state in
            let key = Key(peer: peer, op: counter.hold)
            guard state.entries[key]?.block.side == .caller else { return }
            if !(state.entries[key]?.block.learn(counter) ?? true) {
                state.entries[key]?.isInflated = true
            }
        }
    }

    /// The most that the caller admits of a post on a block; nil where nothing is known of it, and
    /// the hold itself is the bound.
    func ceiling(_ key: Key) -> Money? {
        state.withLock { $0.entries[key]?.block.ceiling }
    }
}

// MARK: - The callee

extension BlockBook {
    /// Whether `opening` opened a block that is known.
    func knows(_ opening: String, from peer: EntityID) -> Bool {
        state.withLock { state in
            state.entries.contains { $0.key.peer == peer && $0.value.opening == opening }
        }
    }

    /// The caller's block was mirrored: what it opened before takes no more draws.
    func accept(_ record: HoldRecord, _ tariff: Tariff, _ opening: String, now: Instant) {
        state.withLock { state in
            let key = Key(peer: record.peer, op: record.op)
            guard state.entries[key] == nil else { return }
            for (other, entry) in state.entries
            where other.peer == key.peer && entry.block.side == .callee && entry.overSince == nil {
                state.entries[other]?.overSince = now
            }
            state.entries[key] = Entry(
                block: Block(opening: record, tariff), tariff: tariff, opening: opening,
                isConfirmed: true)
        }
    }

    /// Counts a task that `peer` begins here with `draw`.
    func admit(
        _ draw: Draw, from peer: EntityID, _ exchange: OperationID, now: Instant
    ) throws(LedgerRefusal) -> Ticket {
        let key = Key(peer: peer, op: draw.block)
        let result = state.withLock { state -> Result<Ticket, LedgerRefusal> in
            let outcome = state.entries[key]?.admit(draw, key, exchange, now: now)
            return (outcome ?? .failure(.holdUnknown)).map { Ticket(key: key, draw: draw) }
        }
        return try result.get()
    }

    /// Whether `draw` is on a block that is known.
    func counts(_ draw: Draw, from peer: EntityID) -> Bool {
        state.withLock { $0.entries[Key(peer: peer, op: draw.block)] != nil }
    }

    /// What the callee's answers say of the block.
    func counter(_ key: Key) -> UsageCounter? {
        state.withLock { $0.entries[key]?.block.counter }
    }

    /// What they will say of it once the task called `task` has ended so; nothing is counted yet.
    func counter(task: String, endingAs end: End) -> UsageCounter? {
        state.withLock { state in
            for (key, number) in state.tasks[task] ?? [:] {
                if let counter = state.entries[key]?.counter(after: number, end) { return counter }
            }
            return nil
        }
    }
}

// MARK: - Both

extension BlockBook {
    /// A task's own end, as far as its fee is concerned.
    enum End: Sendable {
        /// It reached this terminal state, by which the tariff says whether a fee is due.
        case completed, failed, canceled, rejected

        func isBilled(by tariff: Tariff) -> Bool {
            switch self {
            case .completed: true
            case .failed: tariff.billsFailed
            case .canceled: tariff.billsCanceled
            case .rejected: false
            }
        }
    }

    /// The task for which a fee was drawn has got an id here.
    func bind(_ tickets: [Ticket], to task: String) {
        state.withLock { state in
            for ticket in tickets {
                let (key, number) = (ticket.key, ticket.draw.number)
                guard state.entries[key]?.bind(number, to: task) ?? false else { continue }
                state.tasks[task, default: [:]][key] = number
            }
        }
    }

    /// The end of the task called `task` is on disk.
    func conclude(task: String, _ end: End, now: Instant) {
        state.withLock { state in
            guard let draws = state.tasks.removeValue(forKey: task) else { return }
            for (key, number) in draws { state.conclude(key, number, end, now: now) }
        }
    }

    /// What was drawn for a message has ended without a task.
    func conclude(_ tickets: [Ticket], _ end: End, now: Instant) {
        state.withLock { state in
            for ticket in tickets { state.conclude(ticket.key, ticket.draw.number, end, now: now) }
        }
    }
}
