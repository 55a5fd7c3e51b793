// SPDX-License-Identifier: Apache-2.0
import Accounting
import Bytes

// Lines are in the file of the period that was closed after they were booked, or still here.
extension SQLiteTransaction {
    func insertStatementLine(_ line: StatementLine) throws(StorageFault) {
        try database.run(
            "INSERT INTO line VALUES(?,?,?,?,?,?,?,?,?,?,?,?)",
            [
                .text(line.peer.text), .text(line.op.text), .text(line.name),
                .text(line.kind.rawValue), .optional(line.exchange?.text),
                .optional(line.basis?.micros), .text(line.amount.currency.code),
                .integer(line.amount.micros), .integer(line.isOwedToUs ? 1 : 0),
                .integer(line.booked.milliseconds), .optional(line.tariff?.text),
                .optional(line.calls),
            ])
    }

    func statementLines(
        _ peer: EntityID, _ currency: Currency, from: Instant, to: Instant
    ) throws(StorageFault) -> [(line: StatementLine, evidence: Evidence)] {
        let select = Select(peer: peer, currency: currency, from: from, to: to)
        var found = try select.run(on: database)
        let here = found.count
        for period in try periods() where period.hasLines(from, to) {
            for (line, evidence) in try select.run(on: file(of: period)) {
                // A record may have been filed or acknowledged after its line was put away.
                let isLate = evidence == .unilateral && line.kind != .payment
                let record = isLate ? try hopEvidence(peer, post: line.op) : nil
                found.append((line, record.map(\.level) ?? evidence))
            }
        }
        if found.count == here { return found }
        return found.sorted {
            ($0.line.booked, $0.line.op, $0.line.name)
                < ($1.line.booked, $1.line.op, $1.line.name)
        }
    }

    func statementBalance(
        _ peer: EntityID, _ currency: Currency, before instant: Instant
    ) throws(StorageFault) -> Int64 {
        let periods = try periods()
        var balance = try Self.balance(of: database, peer, currency, before: instant)
        // The sum of all files up to a closing is stored with it; lines in later files may still
        // have been booked before the instant.
        if let last = periods.last(where: { $0.until <= instant }) {
            balance +=
                try database.number(
                    "SELECT balance FROM carried_line WHERE until=? AND peer=? AND ccy=?",
                    [
                        .integer(last.until.milliseconds), .text(peer.text),
                        .text(currency.code),
                    ]) ?? 0
        }
        for period in periods where period.until > instant {
            guard let first = period.firstLine, first < instant else { continue }
            balance += try Self.balance(of: file(of: period), peer, currency, before: instant)
        }
        return balance
    }

    private static func balance(
        of source: Database, _ peer: EntityID, _ currency: Currency, before instant: Instant
    ) throws(StorageFault) -> Int64 {
        try source.number(
            """
            SELECT coalesce(sum(CASE owed_to_us WHEN 1 THEN amount ELSE -amount END), 0)
            FROM line WHERE peer=? AND ccy=? AND booked<?
            """, [.text(peer.text), .text(currency.code), .integer(instant.milliseconds)]) ?? 0
    }
}

extension PeriodRow {
    /// Whether its file has lines booked in `[from, to)`.
    fileprivate func hasLines(_ from: Instant, _ to: Instant) -> Bool {
        guard let firstLine, let lastLine else { return false }
        return firstLine < to && lastLine >= from
    }
}

extension HopEvidence {
    /// How well it proves its lines.
    fileprivate var level: Evidence { acknowledgement == nil ? .recorded : .countersigned }
}

/// The lines with one peer in one currency, booked in `[from, to)`.
private struct Select {
    let peer: EntityID
    let currency: Currency
    let from: Instant
    let to: Instant

    func run(
        on source: Database
    ) throws(StorageFault) -> [(line: StatementLine, evidence: Evidence)] {
        try source.run(
            """
            SELECT l.op, l.name, l.kind, l.exchange, l.basis, l.amount, l.owed_to_us, l.booked,
            l.tariff, h.name IS NOT NULL, h.ack IS NOT NULL, l.calls
            FROM line l LEFT JOIN hop h ON h.peer=l.peer AND h.post=l.op
            WHERE l.peer=? AND l.ccy=? AND l.booked>=? AND l.booked<?
            ORDER BY l.booked, l.op, l.name
            """,
            [
                .text(peer.text), .text(currency.code), .integer(from.milliseconds),
                .integer(to.milliseconds),
            ]
        ) { row throws(StorageFault) in
            let isCountersigned = row.integer(10) != 0
            let evidence: Evidence =
                isCountersigned
                ? .countersigned : row.integer(9) != 0 ? .recorded : .unilateral
            return (try line(row), evidence)
        }
    }

    private func line(_ row: borrowing PreparedStatement) throws(StorageFault) -> StatementLine {
        guard let kind = StatementLine.Kind(rawValue: row.text(2)) else {
            throw .corrupt("line.kind")
        }
        return StatementLine(
            peer: peer, op: try SQLiteTransaction.operation(row.text(0)), kind: kind,
            name: row.text(1),
            exchange: try row.optionalText(3).map { text throws(StorageFault) in
                try SQLiteTransaction.operation(text)
            }, basis: row.optionalInteger(4).map { Money(micros: $0, currency) },
            amount: Money(micros: row.integer(5), currency), isOwedToUs: row.integer(6) != 0,
            booked: Instant(milliseconds: row.integer(7)),
            tariff: try row.optionalText(8).map { text throws(StorageFault) in
                try SQLiteTransaction.name(text)
            }, calls: row.optionalInteger(11))
    }
}
