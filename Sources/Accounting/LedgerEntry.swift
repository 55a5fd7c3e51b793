// SPDX-License-Identifier: Apache-2.0

import Bytes

/// A linked set of postings in the making: what one business event writes, all or nothing.
struct LedgerEntry {
    let peer: EntityID
    let op: OperationID
    let now: Instant
    private(set) var postings: [Posting] = []
    /// One per account, in the order in which accounts were first touched, so that a run can be
    /// repeated exactly.
    private(set) var changes: [(key: AccountKey, change: BalanceChange)] = []

    init(peer: EntityID, op: OperationID, now: Instant) {
        self.peer = peer
        self.op = op
        self.now = now
    }

    /// The debited and the credited account of one line of a hold.
    typealias Accounts = (debit: AccountKey, credit: AccountKey)

    /// The two lines of a hold, in the order of their indices.
    enum Line: Int, CaseIterable {
        case charge = 0
        case commission = 1

        /// Index of the line's release when the hold expires, under the hold's own id.
        var expiryIndex: Int { rawValue + 2 }

        /// Index of the older hold's release, under the id of the hold that takes its place, which
        /// may itself expire.
        var replacedIndex: Int { rawValue + 4 }
    }

    /// Holds `amount`; nothing is written for nothing.
    mutating func hold(_ line: Line, _ amount: Int64, _ accounts: Accounts) {
        if amount == 0 { return }
        append(.pending, line.rawValue, nil, accounts, amount)
        change(accounts.debit) { $0.debitsPending += amount }
        change(accounts.credit) { $0.creditsPending += amount }
    }

    /// Resolves what the hold `op` has on `line`: posts `amount`, or voids it when that is nil.
    mutating func resolve(
        _ line: Line, of hold: OperationID, held: Int64, posting amount: Int64?, index: Int,
        _ accounts: Accounts
    ) {
        if held == 0 { return }
        let posted = amount ?? 0
        invariant((0...held).contains(posted), "at most what is held is posted")
        let pending = Posting.Reference(op: hold, index: line.rawValue)
        append(amount == nil ? .void : .post, index, pending, accounts, amount ?? held)
        change(accounts.debit) {
            $0.debitsPending -= held
            $0.debitsPosted += posted
        }
        change(accounts.credit) {
            $0.creditsPending -= held
            $0.creditsPosted += posted
        }
    }

    /// Books `amount` at once.
    mutating func book(_ amount: Int64, index: Int, _ accounts: Accounts) {
        if amount == 0 { return }
        append(.single, index, nil, accounts, amount)
        change(accounts.debit) { $0.debitsPosted += amount }
        change(accounts.credit) { $0.creditsPosted += amount }
    }

    private mutating func change(_ key: AccountKey, _ edit: (inout BalanceChange) -> Void) {
        let place = changes.firstIndex { $0.key == key } ?? changes.count
        if place == changes.count { changes.append((key, BalanceChange())) }
        edit(&changes[place].change)
    }

    private mutating func append(
        _ kind: Posting.Kind, _ index: Int, _ resolves: Posting.Reference?, _ accounts: Accounts,
        _ amount: Int64
    ) {
        invariant(amount >= 0, "a posting has no negative amount")
        invariant(accounts.debit != accounts.credit, "a posting joins two accounts")
        invariant(
            accounts.debit.currency == accounts.credit.currency, "a posting has one currency")
        postings.append(
            Posting(
                peer: peer, reference: Posting.Reference(op: op, index: index), kind: kind,
                resolves: resolves, debit: accounts.debit, credit: accounts.credit, amount: amount,
                booked: now))
    }
}

extension Ledger {
    /// The accounts of a line of a hold with `peer` when we stand on `side`.
    func accounts(
        _ line: LedgerEntry.Line, _ side: LinkSide, _ peer: EntityID, _ currency: Currency
    ) -> LedgerEntry.Accounts {
        func own(_ code: AccountCode) -> AccountKey {
            AccountKey(peer: nil, code: code, currency: currency)
        }
        let receivable = AccountKey(peer: peer, code: .receivable, currency: currency)
        let payable = AccountKey(peer: peer, code: .payable, currency: currency)
        return switch (line, side) {
        case (.charge, .caller): (own(.feeCost), payable)
        case (.charge, .callee): (receivable, own(.feeIncome))
        case (.commission, .caller): (receivable, own(.commissionIncome))
        case (.commission, .callee): (own(.commissionCost), payable)
        }
    }

    /// Writes the entry, or says why not and has written nothing.
    ///
    /// Everything is decided on the columns as they are before the first write, because a refusal
    /// must leave no partial entry. The storage decides again, and where it disagrees another
    /// writer was in between: the transaction fails as a whole and may be tried again.
    func write(_ entry: LedgerEntry) throws(StorageFault) -> LedgerRefusal? {
        var columns = (debitsPending: Int128(0), debitsPosted: Int128(0))
        var unopened: [AccountKey] = []
        for (key, change) in entry.changes {
            invariant(
                change.debitsPosted >= 0 && change.creditsPosted >= 0,
                "posted columns never fall")
            columns.debitsPending += Int128(change.debitsPending) - Int128(change.creditsPending)
            columns.debitsPosted += Int128(change.debitsPosted) - Int128(change.creditsPosted)
            let before = try storage.accountBalance(key)
            if before == nil { unopened.append(key) }
            guard let after = (before ?? AccountBalance()).applying(change),
                let exposure = after.exposure(key.code)
            else { return .overflow }
            invariant(
                after.debitsPending >= 0 && after.creditsPending >= 0,
                "no more is released than was held on \(key)")
            if change.exposure(key.code) > 0, let limit = after.limit, exposure > limit {
                return .creditExceeded
            }
        }
        invariant(
            columns == (0, 0), "the debits of an entry are its credits, pending and posted")
        for key in unopened { try storage.openAccount(key, limit: nil) }
        for (key, change) in entry.changes {
            guard try storage.changeAccount(key, by: change) else {
                throw .constraint("limit of \(key)")
            }
        }
        for posting in entry.postings { try storage.insertPosting(posting) }
        return nil
    }
}
