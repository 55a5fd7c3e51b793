// SPDX-License-Identifier: Apache-2.0

package import Bytes

/// What an account is for. Raw values are the names of Spec §5.7.1.
package enum AccountCode: String, CaseIterable, Sendable {
    /// Asset: what the peer owes us.
    case receivable = "recv"
    /// Liability: what we owe the peer.
    case payable = "pay"
    /// Income: commissions of those whom we bring tasks.
    case commissionIncome = "rev:comm"
    /// Income: fees of those whose tasks we take.
    case feeIncome = "rev:usage"
    /// Expense: commissions to those who bring us tasks.
    case commissionCost = "cost:comm"
    /// Expense: fees to those to whom we pass tasks.
    case feeCost = "cost:down"
    /// Asset: money that moved outside the gateway, by whatever rail.
    case cash = "cash"
    /// Memo pair: sales that crossed the link. They are others' money and never touch the rest.
    case volume = "memo:gmv"
    case volumeContra = "memo:gmv-contra"

    /// Whether debits raise the balance.
    package var isDebitNormal: Bool {
        switch self {
        case .receivable, .commissionCost, .feeCost, .cash, .volume: true
        case .payable, .commissionIncome, .feeIncome, .volumeContra: false
        }
    }
}

/// Names one account.
package struct AccountKey: Hashable, Sendable, CustomStringConvertible {
    /// nil: our own income, expense or cash.
    package let peer: EntityID?
    /// What it is for.
    package let code: AccountCode
    /// The currency of every amount in it.
    package let currency: Currency

    /// One of these members.
    package init(peer: EntityID?, code: AccountCode, currency: Currency) {
        self.peer = peer
        self.code = code
        self.currency = currency
    }

    package var description: String {
        code.rawValue + (peer.map { ":" + $0.text } ?? "") + "/" + currency.code
    }
}

/// The four columns of an account, in micros. Posted columns never fall.
package struct AccountBalance: Hashable, Sendable {
    /// Held on the debit side.
    package var debitsPending: Int64 = 0
    /// Booked on the debit side.
    package var debitsPosted: Int64 = 0
    /// Held on the credit side.
    package var creditsPending: Int64 = 0
    /// Booked on the credit side.
    package var creditsPosted: Int64 = 0
    /// The most that ``exposure(_:)`` may become; nil for none.
    package var limit: Int64?

    /// One of these members.
    package init(limit: Int64? = nil) { self.limit = limit }

    /// What is owed on the account at worst: posted and held on its own side, less what was posted
    /// against it. Nil when that leaves 64 bits.
    package func exposure(_ code: AccountCode) -> Int64? {
        let (raising, held, lowering) =
            code.isDebitNormal
            ? (debitsPosted, debitsPending, creditsPosted)
            : (creditsPosted, creditsPending, debitsPosted)
        return Int64(exactly: Int128(raising) + Int128(held) - Int128(lowering))
    }

    /// What is owed on the account now, holds left out.
    package func posted(_ code: AccountCode) -> Int64 {
        code.isDebitNormal ? debitsPosted - creditsPosted : creditsPosted - debitsPosted
    }

    /// The columns after `change`, or nil when one would leave 64 bits.
    package func applying(_ change: BalanceChange) -> AccountBalance? {
        guard let debitsPending = sum(debitsPending, change.debitsPending),
            let debitsPosted = sum(debitsPosted, change.debitsPosted),
            let creditsPending = sum(creditsPending, change.creditsPending),
            let creditsPosted = sum(creditsPosted, change.creditsPosted)
        else { return nil }
        var after = self
        after.debitsPending = debitsPending
        after.debitsPosted = debitsPosted
        after.creditsPending = creditsPending
        after.creditsPosted = creditsPosted
        return after
    }

    private func sum(_ a: Int64, _ b: Int64) -> Int64? {
        let (sum, overflow) = a.addingReportingOverflow(b)
        return overflow ? nil : sum
    }
}

/// What one entry adds to the four columns of one account, in micros.
package struct BalanceChange: Hashable, Sendable {
    /// Held on the debit side.
    package var debitsPending: Int64 = 0
    /// Zero or above.
    package var debitsPosted: Int64 = 0
    /// Held on the credit side.
    package var creditsPending: Int64 = 0
    /// Zero or above.
    package var creditsPosted: Int64 = 0

    /// Empty.
    package init() {}

    /// By how much the exposure of an account of this code changes.
    package func exposure(_ code: AccountCode) -> Int64 {
        code.isDebitNormal
            ? debitsPosted + debitsPending - creditsPosted
            : creditsPosted + creditsPending - debitsPosted
    }
}

/// One immutable movement from the credited to the debited account.
package struct Posting: Hashable, Sendable {
    /// What it is.
    package enum Kind: String, CaseIterable, Sendable {
        /// Booked at once.
        case single
        /// Held.
        case pending
        /// Resolves a pending one: this amount is booked, the rest of the held is released.
        case post
        /// Resolves a pending one: all of it is released; the amount is what was held.
        case void
    }

    /// A posting within the books of one peer: unique.
    package struct Reference: Hashable, Sendable {
        /// The id of the operation.
        package let op: OperationID
        /// The place in the entry.
        package let index: Int

        /// One of these members.
        package init(op: OperationID, index: Int) {
            self.op = op
            self.index = index
        }
    }

    /// The other company of the link.
    package let peer: EntityID
    /// Its unique name.
    package let reference: Reference
    /// What it is.
    package let kind: Kind
    /// The pending posting that a `post` or `void` resolves; each is resolved at most once.
    package let resolves: Reference?
    /// The account that is debited.
    package let debit: AccountKey
    /// The account that is credited.
    package let credit: AccountKey
    /// Micros, zero or above.
    package let amount: Int64
    /// When it was booked.
    package let booked: Instant

    /// One of these members.
    package init(
        peer: EntityID, reference: Reference, kind: Kind, resolves: Reference?, debit: AccountKey,
        credit: AccountKey, amount: Int64, booked: Instant
    ) {
        self.peer = peer
        self.reference = reference
        self.kind = kind
        self.resolves = resolves
        self.debit = debit
        self.credit = credit
        self.amount = amount
        self.booked = booked
    }
}
