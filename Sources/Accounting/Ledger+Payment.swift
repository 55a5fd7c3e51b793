// SPDX-License-Identifier: Apache-2.0

package import Bytes

/// Money that moved between the companies outside the gateway, as a statement asked, after the
/// rail has confirmed it.
/// - SeeAlso: Spec §5.7.5.
package struct Payment: Hashable, Sendable {
    /// The id of the operation.
    package var op: OperationID
    /// Above zero, in whole minor units.
    package var amount: Money
    /// Whether the peer paid us; otherwise we paid the peer.
    package var isReceived: Bool

    /// One of these members.
    package init(op: OperationID, amount: Money, isReceived: Bool) {
        self.op = op
        self.amount = amount
        self.isReceived = isReceived
    }
}

extension Ledger {
    /// Books a payment: first what both owe each other is set off, then the money lowers what
    /// remains. That also gives the credit back that holds need.
    ///
    /// A payment of more than is owed is refused: it would hide a mistake in somebody's books.
    /// - Returns: nil when it is booked, now or before.
    package func pay(
        _ payment: Payment, _ call: LedgerCall
    ) throws(StorageFault) -> LedgerRefusal? {
        if let stored = try storage.operationOutcome(call.peer, payment.op) {
            return stored.request == call.request ? stored.refusal : .idempotencyConflict
        }
        let currency = payment.amount.currency
        let receivable = AccountKey(peer: call.peer, code: .receivable, currency: currency)
        let payable = AccountKey(peer: call.peer, code: .payable, currency: currency)
        let theyOwe = try storage.accountBalance(receivable)?.posted(.receivable) ?? 0
        let weOwe = try storage.accountBalance(payable)?.posted(.payable) ?? 0
        let setOff = max(0, min(theyOwe, weOwe))
        let owed = payment.isReceived ? theyOwe - setOff : weOwe - setOff
        guard payment.amount.micros > 0, payment.amount.swept.residue.micros == 0 else {
            return .amountSyntax
        }
        guard payment.amount.micros <= owed else { return .postExceedsHold }

        let cash = AccountKey(peer: nil, code: .cash, currency: currency)
        var entry = LedgerEntry(peer: call.peer, op: payment.op, now: call.now)
        entry.book(setOff, index: 0, (payable, receivable))
        entry.book(
            payment.amount.micros, index: 1,
            payment.isReceived ? (cash, receivable) : (payable, cash))
        if let refusal = try write(entry) { return refusal }
        try storage.insertStatementLine(
            StatementLine(
                peer: call.peer, op: payment.op, kind: .payment, name: "payment", exchange: nil,
                basis: nil, amount: payment.amount, isOwedToUs: !payment.isReceived,
                booked: call.now, tariff: nil))
        try storage.insertOperationOutcome(
            OperationOutcome(
                peer: call.peer, op: payment.op, request: call.request, hold: nil, refusal: nil,
                forgetAfter: forgetAfter(call.now)))
        return nil
    }
}
