// SPDX-License-Identifier: Apache-2.0

package import Bytes
import JSON

/// What two companies owe each other over one period in one currency, line by line.
///
/// Balances are from the issuer's view: above zero the peer owes, below zero the issuer does. They
/// always satisfy opening + lines = closing = payable + residue.
/// - SeeAlso: Spec §5.9.
package struct Statement: Hashable, Sendable {
    /// Whose books it is taken from.
    package let issuer: EntityID
    /// The other company.
    package let peer: EntityID
    /// Of every amount in it.
    package let currency: Currency
    /// What it covers, by the time at which a line was booked.
    package let period: StatementPeriod
    /// The balance before the period.
    package let opening: Money
    /// One per kind of line and direction.
    package let totals: [Total]
    /// The balance at the end.
    package let closing: Money
    /// What is to be paid now: whole minor units of the closing balance, nothing below the least
    /// amount that the companies agreed to move.
    package let payable: Money
    /// What stays as opening balance of the next period.
    package let residue: Money
    /// When the payment is due; nil when there is none.
    package let due: Instant?
    /// Holds that were pending when the statement was made; they are in no balance.
    package let openHolds: [HoldRecord]
    /// In the order of booking.
    package let rows: [Row]

    /// The sum of the lines of one name and direction.
    package struct Total: Hashable, Sendable {
        /// What the lines are.
        package let kind: StatementLine.Kind
        /// Their name in the tariff.
        package let name: String
        /// The direction.
        package let isOwedToUs: Bool
        /// How many.
        package fileprivate(set) var count: Int
        /// Their sum.
        package fileprivate(set) var amount: Money
    }

    /// One line with what belongs beside it.
    package struct Row: Hashable, Sendable {
        /// The line as it was booked.
        package let line: StatementLine
        /// How well it is proven.
        package let evidence: Evidence
        /// The version of the tariff.
        package let version: Int64?
        /// The rate of a commission. It is what was charged only where no cap or floor binds.
        package let rate: PartsPerMillion?
        /// The balance after the line.
        package let balance: Money
    }
}

/// A month between two instants, by the offset from UTC on which the companies agreed.
package struct StatementPeriod: Hashable, Sendable {
    /// The first instant.
    package let from: Instant
    /// The first instant after it.
    package let to: Instant
    /// Minutes east of UTC.
    package let offsetMinutes: Int64

    /// The month that contains `instant`; held at the ends of the calendar's years 0 to 9999.
    package init(monthOf instant: Instant, offsetMinutes: Int64) {
        self.offsetMinutes = offsetMinutes
        let offset = offsetMinutes * 60
        let first = { (local: Instant) in
            let text = local.rfc3339.prefix(7) + "-01T00:00:00Z"
            return Instant(rfc3339: text) ?? local
        }
        let start = first(instant.adding(seconds: offset))
        // No month has more than 31 days, and two never fewer than 59.
        let next = first(start.adding(seconds: 32 * 86_400))
        from = start.adding(seconds: -offset)
        to = next.adding(seconds: -offset)
    }
}

extension Ledger {
    /// The statement with `peer` over `period`. It may be taken while the period still runs, and
    /// then closes at the last line so far.
    package func statement(
        with peer: EntityID, _ currency: Currency, over period: StatementPeriod,
        settlement: Tariff.Settlement
    ) throws(StorageFault) -> Statement {
        let opening = try storage.statementBalance(peer, currency, before: period.from)
        var balance = opening
        var rows: [Statement.Row] = []
        var totals: [Statement.Total] = []
        var tariffs: [HashName: Tariff] = [:]
        for (line, evidence) in try storage.statementLines(
            peer, currency, from: period.from, to: period.to)
        {
            let (sum, overflow) = balance.addingReportingOverflow(
                line.isOwedToUs ? line.amount.micros : -line.amount.micros)
            invariant(!overflow, "the books refuse what a statement could not add")
            balance = sum
            var rated: Tariff?
            if let name = line.tariff {
                rated = tariffs[name]
                if rated == nil { rated = try tariff(named: name) }
                tariffs[name] = rated
            }
            rows.append(
                Statement.Row(
                    line: line, evidence: evidence, version: rated?.version,
                    rate: line.kind == .commission ? rated?.commission?.rule.rate : nil,
                    balance: Money(micros: balance, currency)))
            count(line, in: &totals)
        }
        let closing = Money(micros: balance, currency)
        let isMoved =
            closing.micros.magnitude >= settlement.least.micros.magnitude
            || settlement.least.currency != currency
        let payable = isMoved ? closing.swept.payable : .zero(currency)
        let residue = Money(micros: closing.micros - payable.micros, currency)
        return Statement(
            issuer: ourselves, peer: peer, currency: currency, period: period,
            opening: Money(micros: opening, currency), totals: totals, closing: closing,
            payable: payable, residue: residue,
            due: payable.micros == 0
                ? nil : period.to.adding(seconds: settlement.dueDays * 86_400),
            openHolds: try storage.pendingHolds(peer, currency), rows: rows)
    }

    private func count(_ line: StatementLine, in totals: inout [Statement.Total]) {
        let place = totals.firstIndex {
            $0.kind == line.kind && $0.name == line.name && $0.isOwedToUs == line.isOwedToUs
        }
        guard let place else {
            totals.append(
                Statement.Total(
                    kind: line.kind, name: line.name, isOwedToUs: line.isOwedToUs, count: 1,
                    amount: line.amount))
            return
        }
        let (sum, overflow) = totals[place].amount.micros
            .addingReportingOverflow(line.amount.micros)
        invariant(!overflow, "the books refuse what a statement could not add")
        totals[place].amount = Money(micros: sum, line.amount.currency)
        totals[place].count += 1
    }
}
