// SPDX-License-Identifier: Apache-2.0
import Accounting
import Bytes

extension SQLiteTransaction {
    func pendingBlocks() throws(StorageFault) -> [HoldRecord] {
        try database.run(
            "SELECT * FROM hold WHERE state='pending' AND kind='block' ORDER BY op",
            row: Self.hold)
    }

    func blockCheckpoint(
        _ peer: EntityID, _ hold: OperationID
    ) throws(StorageFault) -> BlockCheckpoint? {
        try database.run(
            "SELECT * FROM block WHERE peer=? AND hold=?", [.text(peer.text), .text(hold.text)],
            row: Self.checkpoint
        ).first
    }

    func blockCheckpoints() throws(StorageFault) -> [BlockCheckpoint] {
        try database.run("SELECT * FROM block ORDER BY hold, peer", row: Self.checkpoint)
    }

    private static func checkpoint(
        _ row: borrowing PreparedStatement
    ) throws(StorageFault) -> BlockCheckpoint {
        BlockCheckpoint(
            peer: try entity(row.text(0)), hold: try operation(row.text(1)),
            opening: row.text(2), calls: row.integer(3),
            amount: Money(micros: row.integer(5), try currency(row.text(4))),
            highest: row.integer(6), isWhole: row.integer(7) != 0)
    }

    func saveBlockCheckpoint(_ checkpoint: BlockCheckpoint) throws(StorageFault) {
        try database.run(
            "INSERT OR REPLACE INTO block VALUES(?,?,?,?,?,?,?,?)",
            [
                .text(checkpoint.peer.text), .text(checkpoint.hold.text),
                .text(checkpoint.opening), .integer(checkpoint.calls),
                .text(checkpoint.amount.currency.code), .integer(checkpoint.amount.micros),
                .integer(checkpoint.highest), .integer(checkpoint.isWhole ? 1 : 0),
            ])
    }

    // MARK: Draws

    func saveDraw(_ draw: DrawRecord) throws(StorageFault) {
        try database.run(
            "INSERT OR REPLACE INTO draw VALUES(?,?,?,?,?,?,?)",
            [
                .text(draw.peer.text), .text(draw.block.text), .integer(draw.number),
                .text(draw.exchange.text), .optional(draw.task), .text(draw.state.rawValue),
                .integer(draw.at.milliseconds),
            ])
    }

    func draws(
        _ peer: EntityID, on block: OperationID, _ state: DrawRecord.State
    ) throws(StorageFault) -> [DrawRecord] {
        try database.run(
            """
            SELECT * FROM draw WHERE peer=? AND block=? AND state=? ORDER BY number
            """, [.text(peer.text), .text(block.text), .text(state.rawValue)], row: Self.draw)
    }

    func draws(exchange: OperationID) throws(StorageFault) -> [DrawRecord] {
        try database.run(
            "SELECT * FROM draw WHERE exchange=? ORDER BY peer, block, number",
            [.text(exchange.text)], row: Self.draw)
    }

    private static func draw(
        _ row: borrowing PreparedStatement
    ) throws(StorageFault) -> DrawRecord {
        guard let state = DrawRecord.State(rawValue: row.text(5)) else { throw .corrupt("draw") }
        return DrawRecord(
            peer: try entity(row.text(0)), block: try operation(row.text(1)),
            number: row.integer(2), exchange: try operation(row.text(3)),
            task: row.optionalText(4), state: state, at: Instant(milliseconds: row.integer(6)))
    }
}
