// SPDX-License-Identifier: Apache-2.0
import Bytes
import Consent
import JSON

extension SQLiteTransaction {
    // MARK: Acts

    func act(holder: EntityID, hash: String) throws(StorageFault) -> ActRecord? {
        try database.run(
            composed: "SELECT \(Self.actColumns) FROM act WHERE holder=? AND hash=?",
            [.text(holder.text), .text(hash)], row: Self.act
        ).first
    }

    func act(holder: EntityID, id: String) throws(StorageFault) -> ActRecord? {
        try database.run(
            composed: "SELECT \(Self.actColumns) FROM act WHERE holder=? AND id=?",
            [.text(holder.text), .text(id)], row: Self.act
        ).first
    }

    func put(_ act: ActRecord) throws(StorageFault) {
        try database.run(
            """
            INSERT INTO act VALUES(?1,?2,?3,?4,?5,?6,?7) ON CONFLICT(holder, id)
            DO UPDATE SET hash=?3, root=?4, committed=?5, retained=?6, result=?7
            """,
            [
                .text(act.holder.text), .text(act.id), .text(act.hash), .text(act.root),
                .integer(act.committed), .integer(act.retained), .optional(act.result),
            ])
    }

    private static let actColumns = "holder, id, hash, root, committed, retained, result"

    private static func act(_ row: borrowing PreparedStatement) throws(StorageFault) -> ActRecord {
        ActRecord(
            holder: try entity(row.text(0)), id: row.text(1), hash: row.text(2),
            root: row.text(3), committed: row.integer(4), retained: row.integer(5),
            result: row.optionalBlob(6))
    }

    /// An entity id that this program stored.
    static func entity(_ text: String) throws(StorageFault) -> EntityID {
        guard let entity = EntityID(text) else { throw .corrupt("an entity id") }
        return entity
    }

    // MARK: Questions and answers

    func ask(nonce: String) throws(StorageFault) -> AskRecord? {
        try database.run(
            "SELECT nonce,root,entry,terms,expires,retained,closed FROM ask WHERE nonce=?",
            [.text(nonce)]
        ) { row in
            AskRecord(
                nonce: row.text(0), root: row.text(1), entry: row.text(2), terms: row.text(3),
                expires: row.integer(4), retained: row.integer(5),
                isClosed: row.integer(6) != 0)
        }.first
    }

    func put(_ ask: AskRecord) throws(StorageFault) {
        try database.run(
            "INSERT OR REPLACE INTO ask VALUES(?,?,?,?,?,?,?)",
            [
                .text(ask.nonce), .text(ask.root), .text(ask.entry), .text(ask.terms),
                .integer(ask.expires), .integer(ask.retained), .integer(ask.isClosed ? 1 : 0),
            ])
    }

    func isUsed(_ confirmation: UsedConfirmation.Key) throws(StorageFault) -> Bool {
        try !database.run(
            "SELECT 1 FROM used_confirmation WHERE issuer=? AND id=?",
            [.text(confirmation.issuer.text), .text(confirmation.id)]
        ) { _ in true }.isEmpty
    }

    func put(_ confirmation: UsedConfirmation) throws(StorageFault) {
        try database.run(
            "INSERT OR REPLACE INTO used_confirmation VALUES(?,?,?)",
            [
                .text(confirmation.key.issuer.text), .text(confirmation.key.id),
                .integer(confirmation.retained),
            ])
    }

    // MARK: Counters

    func slices(root: String, entry: String) throws(StorageFault) -> [SliceUse] {
        try database.run(
            """
            SELECT root, entry, lower, upper, act, retained FROM slice
            WHERE root=? AND entry=? ORDER BY lower
            """,
            [.text(root), .text(entry)]
        ) { row in
            SliceUse(
                root: row.text(0), entry: row.text(1), lower: row.integer(2),
                upper: row.integer(3), act: row.text(4), retained: row.integer(5))
        }
    }

    func put(_ slice: SliceUse) throws(StorageFault) {
        try database.run(
            "INSERT OR REPLACE INTO slice VALUES(?,?,?,?,?,?)",
            [
                .text(slice.root), .text(slice.entry), .integer(slice.lower),
                .integer(slice.upper), .text(slice.act), .integer(slice.retained),
            ])
    }

    func counter(_ key: CounterKey) throws(StorageFault) -> Counter {
        try database.run(
            """
            SELECT spent, uses, retained FROM counter
            WHERE book=? AND root=? AND link=? AND entry=?
            """,
            [.text(key.book.rawValue), .text(key.root), .text(key.link), .text(key.entry)]
        ) { row in
            Counter(spent: row.integer(0), uses: row.integer(1), retained: row.integer(2))
        }.first ?? .zero
    }

    func put(_ counter: Counter, for key: CounterKey) throws(StorageFault) {
        try database.run(
            "INSERT OR REPLACE INTO counter VALUES(?,?,?,?,?,?,?)",
            [
                .text(key.book.rawValue), .text(key.root), .text(key.link), .text(key.entry),
                .integer(counter.spent), .integer(counter.uses), .integer(counter.retained),
            ])
    }

    // MARK: Reservations

    func reservation(_ request: ReservationKey) throws(StorageFault) -> ReservationRecord? {
        try database.run(
            composed: """
                SELECT \(Self.reservationColumns) FROM reservation
                WHERE chain=? AND entry=? AND act=? AND audience=? AND value=? AND currency=?
                """, Self.key(request), row: Self.reservation
        ).first
    }

    func reservations(
        act: String, audience: EntityID
    ) throws(StorageFault) -> [ReservationRecord] {
        try database.run(
            composed: """
                SELECT \(Self.reservationColumns) FROM reservation WHERE act=? AND audience=?
                ORDER BY seq
                """, [.text(act), .text(audience.text)], row: Self.reservation)
    }

    func put(_ reservation: ReservationRecord) throws(StorageFault) {
        let charges = JSONNode.array(
            reservation.charges.map { key in
                .array([
                    .string(key.book.rawValue), .string(key.root), .string(key.link),
                    .string(key.entry),
                ])
            })
        try database.run(
            """
            INSERT INTO reservation
            VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16)
            ON CONFLICT(chain, entry, act, audience, value, currency) DO UPDATE SET
            id=?7, seq=?8, root=?9, holder=?10, charges=?11, issued=?12, expires=?13,
            retained=?14, state=?15, charged=?16
            """,
            Self.key(reservation.key) + [
                .text(reservation.id), .integer(reservation.sequence), .text(reservation.root),
                .text(reservation.holder.text), .blob(charges.bytes),
                .integer(reservation.issued), .integer(reservation.expires),
                .integer(reservation.retained), .text(reservation.state.rawValue),
                .integer(reservation.charged),
            ])
    }

    func nextReservationSequence() throws(StorageFault) -> Int64 {
        let next = try database.run(
            """
            INSERT INTO sequence VALUES('reservation', 1) ON CONFLICT(name)
            DO UPDATE SET value=value+1 RETURNING value
            """
        ) { $0.integer(0) }.first
        guard let next else { throw .corrupt("sequence") }
        return next
    }

    /// A key has no NULL, so that it is unique also where there is no amount.
    private static func key(_ key: ReservationKey) -> [SQLValue] {
        [
            .text(key.chain), .text(key.entry), .text(key.act), .text(key.audience.text),
            .integer(key.value ?? -1), .text(key.currency ?? ""),
        ]
    }

    static let reservationColumns = """
        chain, entry, act, audience, value, currency, id, seq, root, holder, charges, issued,
        expires, retained, state, charged
        """

    static func reservation(
        _ row: borrowing PreparedStatement
    ) throws(StorageFault) -> ReservationRecord {
        guard let state = ReservationRecord.State(rawValue: row.text(14)) else {
            throw .corrupt("reservation.state")
        }
        let charges = try parsed(row.blob(10), "reservation.charges").elements.map {
            value throws(StorageFault) in
            guard let book = value[0]?.string.flatMap(CounterKey.Book.init(rawValue:)),
                let root = value[1]?.string, let link = value[2]?.string,
                let entry = value[3]?.string
            else { throw StorageFault.corrupt("reservation.charges") }
            return CounterKey(book: book, root: root, link: link, entry: entry)
        }
        let currency = row.text(5)
        let key = ReservationKey(
            chain: row.text(0), entry: row.text(1), act: row.text(2),
            audience: try entity(row.text(3)),
            value: row.integer(4) < 0 ? nil : row.integer(4),
            currency: currency.isEmpty ? nil : currency)
        return ReservationRecord(
            key: key, id: row.text(6), sequence: row.integer(7), root: row.text(8),
            holder: try entity(row.text(9)), charges: charges, issued: row.integer(11),
            expires: row.integer(12), retained: row.integer(13), state: state,
            charged: row.integer(15))
    }

    func removeConsentRecords(retainedBefore time: Int64) throws(StorageFault) {
        let before = [SQLValue.integer(time)]
        try database.run("DELETE FROM act WHERE retained<?", before)
        try database.run("DELETE FROM ask WHERE retained<?", before)
        try database.run("DELETE FROM used_confirmation WHERE retained<?", before)
        try database.run("DELETE FROM slice WHERE retained<?", before)
        try database.run("DELETE FROM counter WHERE retained<?", before)
        try database.run("DELETE FROM reservation WHERE retained<?", before)
    }
}
