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

    func holds(exchange: OperationID) throws(StorageFault) -> [HoldRecord] {
        func find(_ source: Database) throws(StorageFault) -> [HoldRecord]? {
            let found = try source.run(
                """
                SELECT * FROM hold WHERE exchange=?
                ORDER BY placed, state<>'extended', op, peer
                """,
                [.text(exchange.text)], row: Self.hold)
            return found.isEmpty ? nil : found
        }
        if let found = try find(database) { return found }
        return try firstClosed(exchange, find) ?? []
    }

    static func hold(_ row: borrowing PreparedStatement) throws(StorageFault) -> HoldRecord {
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
                .text(evidence.post.text), .optional(evidence.exchange?.text),
                .text(evidence.record), .optional(evidence.acknowledgement),
            ])
    }

    func hopEvidence(named name: HashName) throws(StorageFault) -> HopEvidence? {
        func find(_ source: Database) throws(StorageFault) -> HopEvidence? {
            try source.run(
                "SELECT name, peer, post, exchange, record, ack FROM hop WHERE name=?",
                [.text(name.text)], row: Self.evidence
            ).first
        }
        if let found = try find(database) { return found }
        return try firstClosed(nil, find)
    }

    func hopEvidence(
        _ peer: EntityID, post: OperationID
    ) throws(StorageFault) -> HopEvidence? {
        func find(_ source: Database) throws(StorageFault) -> HopEvidence? {
            try source.run(
                "SELECT name, peer, post, exchange, record, ack FROM hop WHERE peer=? AND post=?",
                [.text(peer.text), .text(post.text)], row: Self.evidence
            ).first
        }
        if let found = try find(database) { return found }
        return try firstClosed(post, find)
    }

    /// One exchange ends before its period can be closed, so its records lie together.
    func hopEvidence(of exchange: OperationID) throws(StorageFault) -> [HopEvidence] {
        func find(_ source: Database) throws(StorageFault) -> [HopEvidence]? {
            let found = try source.run(
                """
                SELECT name, peer, post, exchange, record, ack FROM hop WHERE exchange=?
                ORDER BY seq
                """, [.text(exchange.text)], row: Self.evidence)
            return found.isEmpty ? nil : found
        }
        if let found = try find(database) { return found }
        return try firstClosed(exchange, find) ?? []
    }

    func acknowledgeHop(_ name: HashName, _ token: String) throws(StorageFault) -> Bool {
        try database.run(
            "UPDATE hop SET ack=? WHERE name=? AND ack IS NULL", [.text(token), .text(name.text)]
        ) == 1
    }

    private static func evidence(
        _ row: borrowing PreparedStatement
    ) throws(StorageFault) -> HopEvidence {
        HopEvidence(
            peer: try entity(row.text(1)), name: try name(row.text(0)),
            post: try operation(row.text(2)),
            exchange: try row.optionalText(3).map { text throws(StorageFault) in
                try operation(text)
            },
            record: row.text(4), acknowledgement: row.optionalText(5))
    }
}
