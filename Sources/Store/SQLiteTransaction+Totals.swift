// SPDX-License-Identifier: Apache-2.0
import Accounting
import Bytes

extension SQLiteTransaction {
    func insertUserTotal(_ total: UserTotal) throws(StorageFault) {
        try database.run(
            """
            INSERT INTO total(name, exchange, record, key, ccy, paid, consented, booked)
            VALUES(?,?,?,?,?,?,?,?)
            """,
            [
                .text(total.name.text), .text(total.exchange.text), .text(total.record),
                .blob(total.key), .text(total.paid.currency.code),
                .integer(total.paid.micros), .integer(total.consented.micros),
                .integer(total.booked.milliseconds),
            ])
    }

    /// One exchange ends before its period can be closed, so its totals lie together.
    func userTotals(of exchange: OperationID) throws(StorageFault) -> [UserTotal] {
        func find(_ source: Database) throws(StorageFault) -> [UserTotal]? {
            let found = try source.run(
                "SELECT * FROM total WHERE exchange=? ORDER BY seq", [.text(exchange.text)],
                row: Self.total)
            return found.isEmpty ? nil : found
        }
        if let found = try find(database) { return found }
        return try firstClosed(exchange, find) ?? []
    }

    func userTotals(
        after name: HashName?, limit: Int
    ) throws(StorageFault) -> [UserTotal] {
        try database.run(
            "SELECT * FROM total WHERE name>? ORDER BY name LIMIT ?",
            [.text(name?.text ?? ""), .integer(Int64(limit))], row: Self.total)
    }

    private static func total(
        _ row: borrowing PreparedStatement
    ) throws(StorageFault) -> UserTotal {
        let currency = try currency(row.text(5))
        return UserTotal(
            exchange: try operation(row.text(2)), name: try name(row.text(1)),
            record: row.text(3), key: row.blob(4),
            paid: Money(micros: row.integer(6), currency),
            consented: Money(micros: row.integer(7), currency),
            booked: Instant(milliseconds: row.integer(8)))
    }
}
