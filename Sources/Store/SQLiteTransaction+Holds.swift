// SPDX-License-Identifier: Apache-2.0
import Accounting
import Bytes

extension SQLiteTransaction {
    func insertHold(_ hold: HoldRecord) throws(StorageFault) {
        try database.run(
            "INSERT INTO hold VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
            [
                .text(hold.peer.text), .text(hold.op.text), .text(hold.side.rawValue),
                .text(hold.kind.rawValue), .optional(hold.exchange?.text),
                .text(hold.tariff.text), .text(hold.quote.text),
                .text(hold.charge.currency.code), .integer(hold.charge.micros),
                .integer(hold.commission.micros), .integer(hold.sale.micros),
                .integer(hold.placed.milliseconds), .integer(hold.postBy.milliseconds),
                .text(hold.state.rawValue), .optional(hold.resolution?.op.text),
                .optional(hold.resolution?.at.milliseconds),
                .optional(hold.resolution?.charge.micros),
                .optional(hold.resolution?.commission.micros),
                .optional(hold.resolution?.sale.micros),
            ])
    }

    func hold(_ peer: EntityID, _ op: OperationID) throws(StorageFault) -> HoldRecord? {
        try database.run(
            "SELECT * FROM hold WHERE peer=? AND op=?", [.text(peer.text), .text(op.text)],
            row: Self.hold
        ).first
    }

    func resolveHold(
        _ peer: EntityID, _ op: OperationID, _ state: HoldRecord.State,
        _ resolution: HoldResolution
    ) throws(StorageFault) -> Bool {
        try database.run(
            """
            UPDATE hold SET state=?3, res_op=?4, res_at=?5, res_charge=?6, res_commission=?7,
            res_sale=?8 WHERE peer=?1 AND op=?2 AND state='pending'
            """,
            [
                .text(peer.text), .text(op.text), .text(state.rawValue),
                .text(resolution.op.text), .integer(resolution.at.milliseconds),
                .integer(resolution.charge.micros), .integer(resolution.commission.micros),
                .integer(resolution.sale.micros),
            ]) == 1
    }

    func overdueHolds(before instant: Instant, limit: Int) throws(StorageFault) -> [HoldRecord] {
        try database.run(
            """
            SELECT * FROM hold WHERE state='pending' AND post_by<? ORDER BY post_by, peer, op
            LIMIT ?
            """, [.integer(instant.milliseconds), .integer(Int64(limit))], row: Self.hold)
    }

    func pendingHolds(
        _ peer: EntityID, _ currency: Currency
    ) throws(StorageFault) -> [HoldRecord] {
        try database.run(
            "SELECT * FROM hold WHERE state='pending' AND peer=? AND ccy=? ORDER BY op",
            [.text(peer.text), .text(currency.code)], row: Self.hold)
    }

    static func hold(_ row: borrowing Statement) throws(StorageFault) -> HoldRecord {
        guard let side = LinkSide(rawValue: row.text(2)),
            let kind = HoldRecord.Kind(rawValue: row.text(3)),
            let state = HoldRecord.State(rawValue: row.text(13))
        else { throw .corrupt("hold") }
        let currency = try currency(row.text(7))
        func money(_ column: Int32) -> Money { Money(micros: row.integer(column), currency) }
        let postBy = Instant(milliseconds: row.integer(12))
        let placed = Instant(milliseconds: row.integer(11))
        let request = HoldRequest(
            op: try operation(row.text(1)), charge: money(8), commission: money(9),
            sale: money(10), quote: try name(row.text(6)), lifeMilliseconds: postBy - placed,
            postBy: postBy)
        var hold = HoldRecord(
            peer: try entity(row.text(0)), side: side, kind: kind,
            exchange: try row.optionalText(4).map { text throws(StorageFault) in
                try operation(text)
            }, tariff: try name(row.text(5)), request: request, placed: placed)
        hold.state = state
        if let op = row.optionalText(14) {
            hold.resolution = HoldResolution(
                op: try operation(op), at: Instant(milliseconds: row.integer(15)),
                charge: money(16), commission: money(17), sale: money(18))
        }
        return hold
    }

    // MARK: Evidence

    func insertHopEvidence(_ evidence: HopEvidence) throws(StorageFault) {
        try database.run(
            "INSERT INTO hop(name, peer, post, exchange, record, ack) VALUES(?,?,?,?,?,?)",
            [
                .text(evidence.name.text), .text(evidence.peer.text),
                .text(evidence.post.text), .text(evidence.exchange.text),
                .text(evidence.record), .optional(evidence.acknowledgement),
            ])
    }

    func hopEvidence(named name: HashName) throws(StorageFault) -> HopEvidence? {
        try database.run(
            "SELECT name, peer, post, exchange, record, ack FROM hop WHERE name=?",
            [.text(name.text)], row: Self.evidence
        ).first
    }

    func hopEvidence(
        _ peer: EntityID, post: OperationID
    ) throws(StorageFault) -> HopEvidence? {
        try database.run(
            "SELECT name, peer, post, exchange, record, ack FROM hop WHERE peer=? AND post=?",
            [.text(peer.text), .text(post.text)], row: Self.evidence
        ).first
    }

    func hopEvidence(of exchange: OperationID) throws(StorageFault) -> [HopEvidence] {
        try database.run(
            "SELECT name, peer, post, exchange, record, ack FROM hop WHERE exchange=? ORDER BY seq",
            [.text(exchange.text)], row: Self.evidence)
    }

    func acknowledgeHop(_ name: HashName, _ token: String) throws(StorageFault) -> Bool {
        try database.run(
            "UPDATE hop SET ack=? WHERE name=? AND ack IS NULL", [.text(token), .text(name.text)]
        ) == 1
    }

    private static func evidence(_ row: borrowing Statement) throws(StorageFault) -> HopEvidence {
        HopEvidence(
            peer: try entity(row.text(1)), name: try name(row.text(0)),
            post: try operation(row.text(2)), exchange: try operation(row.text(3)),
            record: row.text(4), acknowledgement: row.optionalText(5))
    }

    // MARK: Statements

    func insertStatementLine(_ line: StatementLine) throws(StorageFault) {
        try database.run(
            "INSERT INTO line VALUES(?,?,?,?,?,?,?,?,?,?,?)",
            [
                .text(line.peer.text), .text(line.op.text), .text(line.name),
                .text(line.kind.rawValue), .optional(line.exchange?.text),
                .optional(line.basis?.micros), .text(line.amount.currency.code),
                .integer(line.amount.micros), .integer(line.isOwedToUs ? 1 : 0),
                .integer(line.booked.milliseconds), .optional(line.tariff?.text),
            ])
    }

    func statementLines(
        _ peer: EntityID, _ currency: Currency, from: Instant, to: Instant
    ) throws(StorageFault) -> [(line: StatementLine, evidence: Evidence)] {
        try database.run(
            """
            SELECT l.op, l.name, l.kind, l.exchange, l.basis, l.amount, l.owed_to_us, l.booked,
            l.tariff, h.name IS NOT NULL, h.ack IS NOT NULL
            FROM line l LEFT JOIN hop h ON h.peer=l.peer AND h.post=l.op
            WHERE l.peer=? AND l.ccy=? AND l.booked>=? AND l.booked<?
            ORDER BY l.booked, l.op, l.name
            """,
            [
                .text(peer.text), .text(currency.code), .integer(from.milliseconds),
                .integer(to.milliseconds),
            ]
        ) { row throws(StorageFault) in
            guard let kind = StatementLine.Kind(rawValue: row.text(2)) else {
                throw .corrupt("line.kind")
            }
            let line = StatementLine(
                peer: peer, op: try Self.operation(row.text(0)), kind: kind, name: row.text(1),
                exchange: try row.optionalText(3).map { text throws(StorageFault) in
                    try Self.operation(text)
                }, basis: row.optionalInteger(4).map { Money(micros: $0, currency) },
                amount: Money(micros: row.integer(5), currency),
                isOwedToUs: row.integer(6) != 0,
                booked: Instant(milliseconds: row.integer(7)),
                tariff: try row.optionalText(8).map { text throws(StorageFault) in
                    try Self.name(text)
                })
            let evidence: Evidence =
                row.integer(10) != 0
                ? .countersigned : row.integer(9) != 0 ? .recorded : .unilateral
            return (line, evidence)
        }
    }

    func statementBalance(
        _ peer: EntityID, _ currency: Currency, before instant: Instant
    ) throws(StorageFault) -> Int64 {
        try database.run(
            """
            SELECT coalesce(sum(CASE owed_to_us WHEN 1 THEN amount ELSE -amount END), 0)
            FROM line WHERE peer=? AND ccy=? AND booked<?
            """, [.text(peer.text), .text(currency.code), .integer(instant.milliseconds)]
        ) { $0.integer(0) }.first ?? 0
    }
}
