// SPDX-License-Identifier: Apache-2.0
import A2A
import Accounting
import Bytes
import Consent
import Gateway

extension Schema {
    /// What operators see and decide.
    static let operators = """
        CREATE TABLE refusal(
            seq INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, task TEXT, exchange TEXT,
            party TEXT NOT NULL, method TEXT NOT NULL, reason TEXT NOT NULL, rule TEXT, origin TEXT
        ) STRICT;
        CREATE INDEX refusal_task ON refusal(task) WHERE task IS NOT NULL;
        CREATE INDEX refusal_exchange ON refusal(exchange) WHERE exchange IS NOT NULL;
        CREATE TABLE suspension(
            peer TEXT PRIMARY KEY, since INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX reservation_root ON reservation(root);

        """
}

extension SQLiteTransaction {
    // MARK: Refusals

    func insert(_ refusal: RefusalRecord) throws(StorageFault) {
        try database.run(
            """
            INSERT INTO refusal(at, task, exchange, party, method, reason, rule, origin)
            VALUES(?,?,?,?,?,?,?,?)
            """,
            [
                .integer(refusal.at.milliseconds), .optional(refusal.task),
                .optional(refusal.exchange), .text(refusal.party), .text(refusal.method),
                .text(refusal.reason), .optional(refusal.rule), .optional(refusal.by),
            ])
        try database.run(
            "DELETE FROM refusal WHERE seq<=(SELECT max(seq) FROM refusal)-?",
            [.integer(Int64(RefusalRecord.kept))])
    }

    func refusals(
        task: String?, exchange: String?, limit: Int
    ) throws(StorageFault) -> [RefusalRecord] {
        try database.run(
            """
            SELECT at, task, exchange, party, method, reason, rule, origin FROM refusal
            WHERE task=?1 OR exchange=?2 ORDER BY seq DESC LIMIT ?3
            """, [.optional(task), .optional(exchange), .integer(Int64(limit))]
        ) { row in
            RefusalRecord(
                at: Instant(milliseconds: row.integer(0)), task: row.optionalText(1),
                exchange: row.optionalText(2), party: row.text(3), method: row.text(4),
                reason: row.text(5), rule: row.optionalText(6), by: row.optionalText(7))
        }.reversed()
    }

    // MARK: Explanations

    func reservations(root: String) throws(StorageFault) -> [ReservationRecord] {
        try database.run(
            composed:
                "SELECT \(Self.reservationColumns) FROM reservation WHERE root=? ORDER BY seq",
            [.text(root)], row: Self.reservation)
    }

    func tasks(_ search: TaskSearch) throws(StorageFault) -> TaskPage {
        // Ids are made in the order of time, so that the key itself gives the newest.
        let limit = max(1, min(search.limit, TaskSearch.limitMax))
        let window = "SELECT * FROM task WHERE (?1 IS NULL OR id<?1) ORDER BY id DESC LIMIT ?2"
        let scanned = [
            SQLValue.optional(search.before), .integer(Int64(TaskSearch.scanned)),
        ]
        let tasks = try database.run(
            composed: """
                SELECT \(Self.taskColumns) FROM (\(window)) WHERE (?3 IS NULL OR state=?3)
                AND (?4 IS NULL OR party=?4) ORDER BY id DESC LIMIT ?5
                """,
            scanned + [
                .optional(search.state?.rawValue), .optional(search.party),
                .integer(Int64(limit)),
            ], row: Self.task)
        if tasks.count == limit { return TaskPage(tasks: tasks, next: tasks.last?.id) }
        let last = try database.run(
            composed: "SELECT min(id), count(*) FROM (\(window))", scanned
        ) { ($0.optionalText(0), $0.integer(1)) }.first
        let isWhole = last?.1 ?? 0 < Int64(TaskSearch.scanned)
        return TaskPage(tasks: tasks, next: isWhole ? nil : last?.0)
    }

    // MARK: Peers

    func suspensions() throws(StorageFault) -> [(peer: EntityID, since: Instant)] {
        try database.run("SELECT peer, since FROM suspension ORDER BY peer") {
            row throws(StorageFault) in
            (try Self.entity(row.text(0)), Instant(milliseconds: row.integer(1)))
        }
    }

    func suspend(_ peer: EntityID, at: Instant) throws(StorageFault) {
        try database.run(
            "INSERT INTO suspension VALUES(?,?) ON CONFLICT(peer) DO NOTHING",
            [.text(peer.text), .integer(at.milliseconds)])
    }

    func resume(_ peer: EntityID) throws(StorageFault) {
        try database.run("DELETE FROM suspension WHERE peer=?", [.text(peer.text)])
    }

    // MARK: Health

    func backlog() throws(StorageFault) -> Backlog {
        var backlog = Backlog()
        let outbox = try database.run("SELECT count(*), min(since) FROM outbox") {
            ($0.integer(0), $0.optionalInteger(1))
        }.first
        backlog.outbox = Int(outbox?.0 ?? 0)
        backlog.outboxSince = (outbox?.1).map { Instant(milliseconds: $0) }
        let holds = try database.number("SELECT count(*) FROM hold WHERE state='pending'")
        backlog.pendingHolds = Int(holds ?? 0)
        let asks = try database.number(
            "SELECT count(*) FROM task WHERE state='TASK_STATE_AUTH_REQUIRED'")
        backlog.openAsks = Int(asks ?? 0)
        return backlog
    }

    func probe(at: Instant) throws(StorageFault) {
        try database.run(
            "INSERT OR REPLACE INTO meta VALUES('probe', ?)",
            [.blob(Array(String(at.milliseconds).utf8))])
    }
}
