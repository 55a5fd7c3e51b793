// SPDX-License-Identifier: Apache-2.0

package import Bytes

/// What a hold is for and what bounds it, apart from the caller's request.
package struct HoldContext: Hashable, Sendable {
    /// For one task or for many small fees.
    package var kind: HoldRecord.Kind
    /// The user's request; nil exactly for a block.
    package var exchange: OperationID?
    /// The version in force on the link. The books know it (``Ledger/adopt(_:with:now:)``).
    package var tariff: PinnedTariff
    /// The latest `post_by` that leaves Δ beneath the claim we have ourselves
    /// (``Tariff/postBy(beneath:outerDelta:now:)``); nil at the entrance and for a callee.
    package var latest: Instant?

    /// The hold of one task.
    package init(exchange: OperationID, tariff: PinnedTariff, latest: Instant? = nil) {
        kind = .task
        self.exchange = exchange
        self.tariff = tariff
        self.latest = latest
    }

    /// A block under `tariff`.
    package init(block tariff: PinnedTariff) {
        kind = .block
        self.tariff = tariff
    }
}

extension Ledger {
    /// Places a hold: our own before the task is forwarded, or the mirror image of the caller's
    /// before the task is accepted.
    ///
    /// Checked in this order: tariff, currency, deadline, price, credit.
    /// - SeeAlso: Spec §5.5.2.
    package func place(
        _ request: HoldRequest, _ context: HoldContext, _ call: LedgerCall
    ) throws(StorageFault) -> LedgerResult {
        try once(request.op, call) { () throws(StorageFault) -> Decision in
            let side: LinkSide = call.origin == .us ? .caller : .callee
            if let refusal = try check(request, context, side, call) {
                return .refused(refusal, hold: request.op)
            }
            let hold = HoldRecord(
                peer: call.peer, side: side, kind: context.kind, exchange: context.exchange,
                tariff: context.tariff.name, request: request, placed: call.now)
            var entry = LedgerEntry(peer: call.peer, op: request.op, now: call.now)
            self.hold(hold, in: &entry)
            if let refusal = try write(entry) { return .refused(refusal, hold: request.op) }
            try storage.insertHold(hold)
            return .done(hold)
        }
    }

    /// Puts a new hold in the place of an older one of the same exchange. When the new one is
    /// refused, the old one stays as it was.
    /// - SeeAlso: Spec §5.5.3.
    package func extend(
        _ extension: HoldExtension, _ context: HoldContext, _ call: LedgerCall
    ) throws(StorageFault) -> LedgerResult {
        let request = `extension`.request
        return try once(request.op, call) { () throws(StorageFault) -> Decision in
            let side: LinkSide = call.origin == .us ? .caller : .callee
            let old: HoldRecord
            switch try pending(`extension`.hold, call) {
            case .success(let hold): old = hold
            case .failure(let refusal): return .refused(refusal, hold: request.op)
            }
            guard old.side == side else { return .refused(.wrongSide, hold: request.op) }
            guard old.kind == .task, old.exchange == context.exchange else {
                return .refused(.holdUnknown, hold: request.op)
            }
            // What the caller extended in time may reach the callee a little after the old end.
            let grace = side == .callee ? context.tariff.tariff.hold.skew : 0
            guard call.now <= old.postBy.adding(seconds: grace) else {
                return .refused(.holdExpired, hold: request.op)
            }
            if let refusal = try check(request, context, side, call) {
                return .refused(refusal, hold: request.op)
            }
            let hold = HoldRecord(
                peer: call.peer, side: side, kind: .task, exchange: context.exchange,
                tariff: context.tariff.name, request: request, placed: call.now)
            var entry = LedgerEntry(peer: call.peer, op: request.op, now: call.now)
            release(old, in: &entry) { $0.replacedIndex }
            self.hold(hold, in: &entry)
            if let refusal = try write(entry) { return .refused(refusal, hold: request.op) }
            try resolve(old, as: .extended, by: request.op, at: call.now)
            try storage.insertHold(hold)
            return .done(hold)
        }
    }

    /// The first rule that a new hold breaks, credit left out.
    private func check(
        _ request: HoldRequest, _ context: HoldContext, _ side: LinkSide, _ call: LedgerCall
    ) throws(StorageFault) -> LedgerRefusal? {
        let tariff = context.tariff.tariff
        let skew = tariff.hold.skew
        // A hold placed right before a version ends arrives right after it, by clocks that differ.
        let isInForce =
            tariff.covers(call.now)
            || side == .callee
                && (tariff.covers(call.now.adding(seconds: -skew))
                    || tariff.covers(call.now.adding(seconds: skew)))
        guard isInForce, tariff.side(of: ourselves) == side,
            tariff.side(of: call.peer) == side.other,
            try storage.tariff(named: context.tariff.name) != nil,
            context.kind == .task || tariff.block != nil
        else { return .tariffUnknown }
        let amounts = [request.charge, request.commission, request.sale]
        if amounts.contains(where: { $0.currency != tariff.currency }) { return .currency }

        let longest = (context.kind == .block ? tariff.block?.longest : nil) ?? tariff.hold.longest
        let end = call.now.adding(seconds: longest + (side == .callee ? skew : 0))
        guard request.postBy > call.now, request.postBy <= end,
            request.lifeMilliseconds <= longest * 1000,
            context.latest.map({ request.postBy <= $0 }) ?? true
        else { return .deadline }

        if context.kind == .block {
            let fee = tariff.charge?.fixed.micros ?? 0
            let isWithin =
                fee > 0 && request.charge.micros >= fee
                && tariff.block.map { request.charge.isAtMost($0.amount) } ?? false
            return isWithin && request.commission.micros == 0 && request.sale.micros == 0
                ? nil : .price
        }
        do throws(MoneyFault) {
            let price = try tariff.price(sale: request.sale)
            return price == Price(charge: request.charge, commission: request.commission)
                ? nil : .price
        } catch {
            return LedgerRefusal(error)
        }
    }

    private func hold(_ hold: HoldRecord, in entry: inout LedgerEntry) {
        for line in LedgerEntry.Line.allCases {
            entry.hold(
                line, hold.held(line),
                accounts(line, hold.side, hold.peer, hold.charge.currency))
        }
    }
}

extension HoldRecord {
    /// Micros held on a line.
    func held(_ line: LedgerEntry.Line) -> Int64 {
        line == .charge ? charge.micros : commission.micros
    }
}
