// SPDX-License-Identifier: Apache-2.0

package import Bytes

/// What an audit of the books found. Nothing is good.
package struct AuditFinding: Hashable, Sendable, CustomStringConvertible {
    /// The rule that does not hold.
    package enum Rule: String, CaseIterable, Sendable {
        /// Debits are not credits, pending or posted.
        case trialBalance = "trial balance"
        /// The columns of an account are not the sum of its postings.
        case columns
        /// A posting resolves nothing, resolves twice, or posts more than was held.
        case resolution
        /// The lines of a statement do not make the balance with a peer.
        case lines
        /// A block is not so many fees, or not what its draws make.
        case block
        /// What a user pays is not the sale that was posted, or more than was confirmed.
        case userTotal = "user total"
        /// A signed object is not what its maker signed.
        case signature
    }

    /// The rule that does not hold.
    package let rule: Rule
    /// The account, posting or peer.
    package let place: String

    /// One of these members.
    package init(rule: Rule, place: String) {
        self.rule = rule
        self.place = place
    }

    package var description: String { rule.rawValue + ": " + place }
}

extension Ledger {
    /// Re-adds the whole books from their postings, by code that shares nothing with the writing of
    /// entries, and compares.
    ///
    /// Reads everything, in one transaction: for a copy of the books or a quiet hour.
    /// - SeeAlso: Spec §5.7.4.
    package func audit() throws(StorageFault) -> [AuditFinding] {
        var audit = Audit()
        var offset = 0
        while true {
            let page = try storage.postings(from: offset, limit: 1000)
            for posting in page { audit.add(posting) }
            offset += page.count
            if page.count < 1000 { break }
        }
        let accounts = try storage.accountBalances()
        audit.compare(accounts)
        for (key, balance) in accounts where key.code == .receivable {
            guard let peer = key.peer else { continue }
            let payable = AccountKey(peer: peer, code: .payable, currency: key.currency)
            let owed = try storage.accountBalance(payable)?.posted(.payable) ?? 0
            let lines = try storage.statementBalance(
                peer, key.currency, before: Instant(milliseconds: .max))
            if lines != balance.posted(.receivable) - owed {
                audit.findings.append(AuditFinding(rule: .lines, place: peer.text))
            }
        }
        try auditBlocks(&audit.findings)
        try auditTotals(&audit.findings)
        return audit.findings.sorted { $0.description < $1.description }
    }

    /// Every block is so many fees as it says, which its draws bear out, and what was posted on it.
    private func auditBlocks(_ findings: inout [AuditFinding]) throws(StorageFault) {
        for block in try storage.blockCheckpoints() {
            guard let hold = try storage.hold(block.peer, block.hold), hold.kind == .block,
                let fee = try tariff(of: hold)?.charge?.fixed
            else {
                findings.append(AuditFinding(rule: .block, place: block.hold.text))
                continue
            }
            let billed = try storage.draws(block.peer, on: block.hold, .billed)
            let open = try storage.draws(block.peer, on: block.hold, .open)
            let highest = (billed + open).map(\.number).max() ?? 0
            // The callee decides what is posted; the caller may have forgotten draws.
            let posted = hold.state == .posted ? hold.resolution?.charge : nil
            let isPosted = hold.side == .caller || posted.map { $0 == block.amount } ?? true
            let isSound =
                Int128(block.calls) * Int128(fee.micros) == Int128(block.amount.micros)
                && block.amount.isAtMost(hold.charge) && billed.count == Int(block.calls)
                && highest <= block.highest && isPosted
            if !isSound { findings.append(AuditFinding(rule: .block, place: block.hold.text)) }
        }
    }

    /// What every user pays is what was posted for him, and at most what he confirmed.
    private func auditTotals(_ findings: inout [AuditFinding]) throws(StorageFault) {
        var last: HashName?
        while true {
            let page = try storage.userTotals(after: last, limit: 1000)
            for total in page {
                let all = try storage.userTotals(of: total.exchange)
                let isSound = try isPosted(all)
                if !isSound || !total.paid.isAtMost(total.consented) {
                    let place = total.exchange.text
                    findings.append(AuditFinding(rule: .userTotal, place: place))
                }
            }
            last = page.last?.name
            if page.count < 1000 { break }
        }
    }
}

/// The sums of an audit under way.
private struct Audit {
    struct Slot: Hashable {
        let peer: EntityID
        let reference: Posting.Reference
    }

    var findings: [AuditFinding] = []
    private var sums: [AccountKey: [Int128]] = [:]
    /// Pending postings and what they hold, nil once resolved.
    private var holds: [Slot: Int64?] = [:]

    /// The columns in the order of ``AccountBalance``.
    private enum Column: Int {
        case debitsPending, debitsPosted, creditsPending, creditsPosted
    }

    mutating func add(_ posting: Posting) {
        if posting.debit.currency != posting.credit.currency || posting.amount < 0 {
            find(.trialBalance, posting)
        }
        switch posting.kind {
        case .single:
            count(posting, pending: 0, posted: posting.amount)
        case .pending:
            holds[Slot(peer: posting.peer, reference: posting.reference)] = posting.amount
            count(posting, pending: posting.amount, posted: 0)
        case .post, .void:
            guard let reference = posting.resolves,
                case let slot = Slot(peer: posting.peer, reference: reference),
                case .some(.some(let held)) = holds[slot],
                posting.kind == .post ? posting.amount <= held : posting.amount == held
            else {
                find(.resolution, posting)
                return
            }
            holds[slot] = .some(nil)
            count(posting, pending: -held, posted: posting.kind == .post ? posting.amount : 0)
        }
    }

    mutating func compare(_ accounts: [(key: AccountKey, balance: AccountBalance)]) {
        var totals: [Currency: [Int128]] = [:]
        for (key, balance) in accounts {
            let columns = [
                balance.debitsPending, balance.debitsPosted, balance.creditsPending,
                balance.creditsPosted,
            ].map { Int128($0) }
            if columns != sums.removeValue(forKey: key) ?? [0, 0, 0, 0] {
                findings.append(AuditFinding(rule: .columns, place: "\(key)"))
            }
            let before = totals[key.currency] ?? [0, 0, 0, 0]
            totals[key.currency] = zip(before, columns).map { $0 + $1 }
        }
        for key in sums.keys { findings.append(AuditFinding(rule: .columns, place: "\(key)")) }
        for (currency, total) in totals where total[0] != total[2] || total[1] != total[3] {
            findings.append(AuditFinding(rule: .trialBalance, place: currency.code))
        }
    }

    private mutating func count(_ posting: Posting, pending: Int64, posted: Int64) {
        func add(_ key: AccountKey, _ first: Column, _ second: Column) {
            var columns = sums[key] ?? [0, 0, 0, 0]
            columns[first.rawValue] += Int128(pending)
            columns[second.rawValue] += Int128(posted)
            sums[key] = columns
        }
        add(posting.debit, .debitsPending, .debitsPosted)
        add(posting.credit, .creditsPending, .creditsPosted)
    }

    private mutating func find(_ rule: AuditFinding.Rule, _ posting: Posting) {
        let place = "\(posting.peer) \(posting.reference.op).\(posting.reference.index)"
        findings.append(AuditFinding(rule: rule, place: place))
    }
}
