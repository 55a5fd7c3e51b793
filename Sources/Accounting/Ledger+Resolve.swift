// SPDX-License-Identifier: Apache-2.0

package import Bytes

extension Ledger {
    /// Books what a finished task costs and releases the rest of its hold: ours as the callee when
    /// we answer, or the callee's when its answer reaches us.
    ///
    /// Checked in this order: hold, side, end, currency, amounts, price. Whether it is in time the
    /// clock of the receiver decides. For a block, `ceiling` is the most that the caller's own
    /// counter admits (``Block/ceiling``); it is nil for the hold of a task and for our own post.
    /// - SeeAlso: Spec §5.5.4.
    package func post(
        _ post: Post, ceiling: Money? = nil, _ call: LedgerCall
    ) throws(StorageFault) -> LedgerResult {
        try once(post.op, call) { () throws(StorageFault) -> Decision in
            let hold: HoldRecord
            switch try pending(post.hold, call) {
            case .success(let found): hold = found
            case .failure(let refusal): return .refused(refusal, hold: post.hold)
            }
            // Only the callee knows what it did; the caller never posts.
            guard hold.side == (call.origin == .us ? .callee : .caller) else {
                return .refused(.wrongSide, hold: post.hold)
            }
            guard let tariff = try tariff(named: hold.tariff) else {
                throw .corrupt("a hold without its tariff")
            }
            if let refusal = check(post, ceiling, hold, tariff, call) {
                return .refused(refusal, hold: post.hold)
            }
            var entry = LedgerEntry(peer: call.peer, op: post.op, now: call.now)
            let amounts = [post.charge, post.commission]
            for (line, amount) in zip(LedgerEntry.Line.allCases, amounts) {
                entry.resolve(
                    line, of: hold.op, held: hold.held(line), posting: amount.micros,
                    index: line.rawValue,
                    accounts(line, hold.side, hold.peer, hold.charge.currency))
            }
            let currency = post.sale.currency
            entry.book(
                post.sale.micros, index: LedgerEntry.Line.allCases.count,
                (
                    AccountKey(peer: call.peer, code: .volume, currency: currency),
                    AccountKey(peer: call.peer, code: .volumeContra, currency: currency)
                ))
            if let refusal = try write(entry) { return .refused(refusal, hold: post.hold) }
            try writeLines(post, hold, tariff)
            return .done(
                try resolve(
                    hold, as: .posted, by: post.op, at: call.now, charge: post.charge,
                    commission: post.commission, sale: post.sale))
        }
    }

    /// Releases a whole hold: nothing is due.
    ///
    /// The callee may say so at any time; the caller only in its own books, which it does when the
    /// task never reached the callee or ended there without a claim.
    /// - SeeAlso: Spec §5.5.5.
    package func void(
        _ void: HoldVoid, _ call: LedgerCall
    ) throws(StorageFault) -> LedgerResult {
        try once(void.op, call) { () throws(StorageFault) -> Decision in
            let hold: HoldRecord
            switch try pending(void.hold, call) {
            case .success(let found): hold = found
            case .failure(let refusal): return .refused(refusal, hold: void.hold)
            }
            guard call.origin == .us || hold.side == .caller else {
                return .refused(.wrongSide, hold: void.hold)
            }
            var entry = LedgerEntry(peer: call.peer, op: void.op, now: call.now)
            release(hold, in: &entry) { $0.rawValue }
            if let refusal = try write(entry) { return .refused(refusal, hold: void.hold) }
            return .done(try resolve(hold, as: .voided, by: void.op, at: call.now))
        }
    }

    /// Releases up to `limit` holds that were not posted in time, and returns them.
    /// - SeeAlso: Spec §5.5.6.
    package func expire(now: Instant, limit: Int) throws(StorageFault) -> [HoldRecord] {
        var expired: [HoldRecord] = []
        for hold in try storage.overdueHolds(before: now, limit: limit) {
            var entry = LedgerEntry(peer: hold.peer, op: hold.op, now: now)
            release(hold, in: &entry) { $0.expiryIndex }
            if try write(entry) != nil { throw .corrupt("a hold that cannot be released") }
            expired.append(try resolve(hold, as: .expired, by: hold.op, at: now))
        }
        return expired
    }
}

// MARK: - Steps

extension Ledger {
    /// The hold that an operation wants to resolve or replace.
    func pending(
        _ op: OperationID, _ call: LedgerCall
    ) throws(StorageFault) -> Result<HoldRecord, LedgerRefusal> {
        guard let hold = try storage.hold(call.peer, op) else {
            let outcome = try storage.operationOutcome(call.peer, op)
            return .failure(outcome?.refusal == nil ? .holdUnknown : .alreadyFailed)
        }
        switch hold.state {
        case .pending: return .success(hold)
        case .expired: return .failure(.holdExpired)
        case .posted, .voided, .extended: return .failure(.holdResolved)
        }
    }

    /// The first rule that a post breaks.
    private func check(
        _ post: Post, _ ceiling: Money?, _ hold: HoldRecord, _ tariff: Tariff, _ call: LedgerCall
    ) -> LedgerRefusal? {
        if call.now > hold.postBy { return .holdExpired }
        let skew = tariff.hold.skew
        // The poster's clock decides the period on both sides, so it may not stray.
        guard post.booked <= call.now.adding(seconds: skew),
            post.booked >= hold.placed.adding(seconds: -skew)
        else { return .deadline }
        let amounts = [post.charge, post.commission, post.sale]
        if amounts.contains(where: { $0.currency != tariff.currency }) { return .currency }
        guard post.charge.isAtMost(hold.charge), post.commission.isAtMost(hold.commission),
            post.sale.isAtMost(hold.sale), ceiling.map({ post.charge.isAtMost($0) }) ?? true
        else { return .postExceedsHold }
        if hold.kind == .block {
            // A block is so many fees, neither more nor less.
            let fee = Int128(tariff.charge?.fixed.micros ?? 0)
            let isPrice = post.calls.map { Int128($0) * fee == Int128(post.charge.micros) }
            return isPrice ?? false ? nil : .price
        }
        guard post.calls == nil else { return .price }
        do throws(MoneyFault) {
            let price = try tariff.price(sale: post.sale)
            // The callee may ask for less than its due, never owe less than the caller's.
            return post.charge.isAtMost(price.charge) && post.commission == price.commission
                ? nil : .price
        } catch {
            return LedgerRefusal(error)
        }
    }

    /// Voids the lines of `hold` under the entry's id.
    func release(
        _ hold: HoldRecord, in entry: inout LedgerEntry, index: (LedgerEntry.Line) -> Int
    ) {
        for line in LedgerEntry.Line.allCases {
            entry.resolve(
                line, of: hold.op, held: hold.held(line), posting: nil, index: index(line),
                accounts(line, hold.side, hold.peer, hold.charge.currency))
        }
    }

    /// Ends `hold`, which is pending: a second end is a broken invariant, for `pending` was asked
    /// in the same transaction.
    @discardableResult
    func resolve(
        _ hold: HoldRecord, as state: HoldRecord.State, by op: OperationID, at now: Instant,
        charge: Money? = nil, commission: Money? = nil, sale: Money? = nil
    ) throws(StorageFault) -> HoldRecord {
        let zero = Money.zero(hold.charge.currency)
        let resolution = HoldResolution(
            op: op, at: now, charge: charge ?? zero, commission: commission ?? zero,
            sale: sale ?? zero)
        let isFirst = try storage.resolveHold(hold.peer, hold.op, state, resolution)
        invariant(isFirst, "a hold ends once")
        var ended = hold
        ended.state = state
        ended.resolution = resolution
        return ended
    }

    /// The lines of the statement that a post makes; nothing for nothing.
    private func writeLines(
        _ post: Post, _ hold: HoldRecord, _ tariff: Tariff
    ) throws(StorageFault) {
        func write(
            _ kind: StatementLine.Kind, _ name: String?, _ amount: Money, _ isOwedToUs: Bool
        ) throws(StorageFault) {
            guard let name, amount.micros > 0 else { return }
            try storage.insertStatementLine(
                StatementLine(
                    peer: hold.peer, op: post.op, kind: kind, name: name, exchange: hold.exchange,
                    basis: hold.kind == .block ? nil : post.sale, amount: amount,
                    isOwedToUs: isOwedToUs, booked: post.booked, tariff: hold.tariff,
                    calls: post.calls))
        }
        try write(.charge, tariff.charge?.id, post.charge, hold.side == .callee)
        try write(.commission, tariff.commission?.id, post.commission, hold.side == .caller)
    }
}
