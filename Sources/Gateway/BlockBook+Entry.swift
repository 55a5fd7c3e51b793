// SPDX-License-Identifier: Apache-2.0
import Accounting
import Bytes

// Every change is made in place: a copy would cost as much as all that is under way.
extension BlockBook.State {
    /// The end of a task is of no interest to a block any more.
    mutating func forget(_ task: String?, on key: BlockBook.Key) {
        guard let task else { return }
        tasks[task]?[key] = nil
        if tasks[task]?.isEmpty ?? false { tasks[task] = nil }
    }

    mutating func conclude(
        _ key: BlockBook.Key, _ number: Int64, _ end: BlockBook.End, now: Instant
    ) {
        guard let isBilled = entries[key].map({ end.isBilled(by: $0.tariff) }) else { return }
        entries[key]?.conclude(number, isBilled: isBilled, now: now)
    }
}

extension BlockBook.Entry {
    /// Gives out a number, unless another version of the tariff is in force, which needs a block
    /// of its own at once, or nothing is left.
    mutating func give(
        _ key: BlockBook.Key, _ tariff: HashName, _ exchange: OperationID, now: Instant
    ) -> (draw: Draw, opening: String?, shouldRenew: Bool)? {
        guard block.tariff == tariff, let draw = try? block.draw(at: now) else { return nil }
        note(draw, key, exchange, now: now)
        return (draw, isConfirmed ? nil : opening, block.shouldRenew(at: now))
    }

    mutating func admit(
        _ draw: Draw, _ key: BlockBook.Key, _ exchange: OperationID, now: Instant
    ) -> Result<Void, LedgerRefusal> {
        guard block.side == .callee else { return .failure(.wrongSide) }
        if isClosing { return .failure(.holdResolved) }
        do throws(BlockFault) {
            try block.admit(draw, at: now)
        } catch {
            return .failure(LedgerRefusal(error))
        }
        note(draw, key, exchange, now: now)
        return .success(())
    }

    private mutating func note(
        _ draw: Draw, _ key: BlockBook.Key, _ exchange: OperationID, now: Instant
    ) {
        let record = DrawRecord(
            peer: key.peer, block: key.op, number: draw.number, exchange: exchange, task: nil,
            state: .open, at: now)
        open[draw.number] = record
        draws[draw.number] = record
        isChanged = true
        if block.isExhausted, overSince == nil { overSince = now }
    }

    /// The task that drew `number` has got an id.
    mutating func bind(_ number: Int64, to task: String) -> Bool {
        guard var record = open[number] else { return false }
        record.task = task
        open[number] = record
        draws[number] = record
        isChanged = true
        return true
    }

    /// The callee's count once the task that drew `number` has ended so; `nil` at the caller.
    func counter(after number: Int64, _ end: BlockBook.End) -> UsageCounter? {
        guard block.side == .callee else { return nil }
        let isDue = !isClosing && open[number] != nil && end.isBilled(by: tariff)
        return isDue ? block.counter(billing: 1) : block.counter
    }

    mutating func conclude(_ number: Int64, isBilled: Bool, now: Instant) {
        guard !isClosing, var record = open.removeValue(forKey: number) else { return }
        block.conclude(number, isBilled: isBilled)
        record.state = isBilled ? .billed : .free
        record.at = now
        draws[number] = record
        isChanged = true
    }
}

extension BlockBook.State {
    mutating func take(_ loaded: BlockBook.Loaded) {
        let key = BlockBook.Key(peer: loaded.record.peer, op: loaded.record.op)
        var entry = BlockBook.Entry(
            block: Block(
                resuming: loaded.record, loaded.tariff, from: loaded.checkpoint,
                underway: Set(loaded.open.map(\.number))), tariff: loaded.tariff,
            opening: loaded.checkpoint.opening, isConfirmed: loaded.record.side == .callee)
        for draw in loaded.open {
            entry.open[draw.number] = draw
            if let task = draw.task { tasks[task, default: [:]][key] = draw.number }
        }
        entries[key] = entry
    }
}

extension BlockBook.Entry {
    func page(_ key: BlockBook.Key, isWhole: Bool) -> BlockBook.Page {
        BlockBook.Page(
            checkpoint: block.checkpoint(key.peer, opening: opening, isWhole: isWhole),
            draws: draws.values.sorted { $0.number < $1.number })
    }
}
