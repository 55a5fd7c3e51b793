// SPDX-License-Identifier: Apache-2.0

package import Bytes

/// What the user pays for an exchange, as the entrance signed it for its own file, so that it can
/// show later that nobody was charged more than was confirmed.
/// - SeeAlso: Spec §5.8.2.
package struct UserTotal: Hashable, Sendable {
    /// The user's request.
    package let exchange: OperationID
    /// The hash of the record's signing input.
    package let name: HashName
    /// The `a2a-hop+jwt` of kind `total`.
    package let record: String
    /// The JSON text of the public key that signed it: the key in use changes, the record stays.
    package let key: [UInt8]
    /// What the user pays.
    package let paid: Money
    /// The most that the user confirmed.
    package let consented: Money
    /// When it was booked.
    package let booked: Instant

    /// One of these members.
    package init(
        exchange: OperationID, name: HashName, record: String, key: [UInt8], paid: Money,
        consented: Money, booked: Instant
    ) {
        self.exchange = exchange
        self.name = name
        self.record = record
        self.key = key
        self.paid = paid
        self.consented = consented
        self.booked = booked
    }
}

extension Ledger {
    /// Files what the user pays, once the sale is posted on the link to the next hop.
    ///
    /// - Returns: nil when it is filed; ``LedgerRefusal/consentExceeded`` when the user confirmed
    ///   less, ``LedgerRefusal/price`` when the books have another sale for the exchange.
    package func file(_ total: UserTotal) throws(StorageFault) -> LedgerRefusal? {
        guard total.paid.isAtMost(total.consented) else { return .consentExceeded }
        let before = try storage.userTotals(of: total.exchange)
        if before.contains(where: { $0.name == total.name }) { return nil }
        guard try isPosted(before + [total]) else { return .price }
        try storage.insertUserTotal(total)
        return nil
    }

    /// Whether the totals of one exchange are together the sales that we, as the caller, have
    /// posted in it.
    func isPosted(_ totals: [UserTotal]) throws(StorageFault) -> Bool {
        guard let first = totals.first else { return true }
        var posted = Int128(0)
        for hold in try storage.holds(exchange: first.exchange)
        where hold.side == .caller && hold.state == .posted {
            guard let sale = hold.resolution?.sale, sale.currency == first.paid.currency else {
                return false
            }
            posted += Int128(sale.micros)
        }
        return totals.reduce(0) { $0 + Int128($1.paid.micros) } == posted
    }
}
