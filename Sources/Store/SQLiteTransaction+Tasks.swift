// SPDX-License-Identifier: Apache-2.0
import A2A
import Bytes
import Gateway
import JSON

extension SQLiteTransaction {
    func insert(_ task: TaskRecord) throws(StorageFault) {
        try database.run(
            "INSERT INTO task VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
            [
                .text(task.id), .text(task.contextID), .text(task.owner.party),
                .text(task.owner.user), .text(task.agent), .text(task.route),
                .text(task.upstreamTaskID), .optional(task.upstreamContextID),
                .text(task.exchange), .integer(task.created.milliseconds),
                .integer(task.updated.milliseconds), .text(task.state.rawValue),
                .optional(task.snapshot), .optional(task.undertaking?.node.bytes),
                .optional(task.certificate), .integer(task.revision),
                .optional(task.due?.milliseconds), .optional(task.question),
            ])
    }

    func update(_ task: TaskRecord) throws(StorageFault) -> TaskRecord? {
        let changed = try database.run(
            """
            UPDATE task SET updated=?, state=?, snapshot=?, undertaking=?, due=?, question=?,
            revision=revision+1 WHERE id=? AND revision=?
            """,
            [
                .integer(task.updated.milliseconds), .text(task.state.rawValue),
                .optional(task.snapshot), .optional(task.undertaking?.node.bytes),
                .optional(task.due?.milliseconds), .optional(task.question), .text(task.id),
                .integer(task.revision),
            ])
        if changed == 0 { return nil }
        var written = task
        written.revision += 1
        return written
    }

    func task(id: String) throws(StorageFault) -> TaskRecord? {
        try database.run(
            composed: "SELECT \(Self.taskColumns) FROM task WHERE id=?", [.text(id)], row: Self.task
        ).first
    }

    func task(
        route: String, agent: String, upstreamTaskID: String
    ) throws(StorageFault) -> TaskRecord? {
        try database.run(
            composed:
                "SELECT \(Self.taskColumns) FROM task WHERE route=? AND agent=? AND upstream=?",
            [.text(route), .text(agent), .text(upstreamTaskID)], row: Self.task
        ).first
    }

    func tasks(
        owner: Owner, agent: String, contextID: String?, state: TaskState?,
        after: (updated: Instant, id: String)?, limit: Int
    ) throws(StorageFault) -> [TaskRecord] {
        // ?N IS NULL lets one statement serve every combination of filters.
        try database.run(
            composed: """
                SELECT \(Self.taskColumns) FROM task WHERE party=?1 AND user=?2 AND agent=?3
                AND (?4 IS NULL OR context=?4) AND (?5 IS NULL OR state=?5)
                AND (?6 IS NULL OR updated<?6 OR (updated=?6 AND id>?7))
                ORDER BY updated DESC, id LIMIT ?8
                """,
            [
                .text(owner.party), .text(owner.user), .text(agent), .optional(contextID),
                .optional(state?.rawValue), .optional(after?.updated.milliseconds),
                .optional(after?.id), .integer(Int64(limit)),
            ], row: Self.task)
    }

    func taskCount(
        owner: Owner, agent: String, contextID: String?, state: TaskState?
    ) throws(StorageFault) -> Int {
        let count = try database.number(
            """
            SELECT count(*) FROM task WHERE party=?1 AND user=?2 AND agent=?3
            AND (?4 IS NULL OR context=?4) AND (?5 IS NULL OR state=?5)
            """,
            [
                .text(owner.party), .text(owner.user), .text(agent), .optional(contextID),
                .optional(state?.rawValue),
            ])
        return Int(count ?? 0)
    }

    func tasks(exchange: String) throws(StorageFault) -> [TaskRecord] {
        try database.run(
            composed: "SELECT \(Self.taskColumns) FROM task WHERE exchange=? ORDER BY created, id",
            [.text(exchange)], row: Self.task)
    }

    func tasksDue(at now: Instant, limit: Int) throws(StorageFault) -> [TaskRecord] {
        try database.run(
            composed: """
                SELECT \(Self.taskColumns) FROM task WHERE due<=? ORDER BY due, id LIMIT ?
                """, [.integer(now.milliseconds), .integer(Int64(limit))], row: Self.task)
    }

    func tasksAsking(party: String, limit: Int) throws(StorageFault) -> [TaskRecord] {
        try database.run(
            composed: """
                SELECT \(Self.taskColumns) FROM task WHERE party=? AND question IS NOT NULL
                ORDER BY due DESC, id LIMIT ?
                """, [.text(party), .integer(Int64(limit))], row: Self.task)
    }

    func task(question nonce: String) throws(StorageFault) -> TaskRecord? {
        try database.run(
            composed: "SELECT \(Self.taskColumns) FROM task WHERE question=?", [.text(nonce)],
            row: Self.task
        ).first
    }

    static let taskColumns = """
        id, context, party, user, agent, route, upstream, upstream_context, exchange, created,
        updated, state, snapshot, undertaking, certificate, revision, due
        """

    static func task(_ row: borrowing PreparedStatement) throws(StorageFault) -> TaskRecord {
        guard let state = TaskState(rawValue: row.text(11)) else {
            throw .corrupt("task.state")
        }
        var task = TaskRecord(
            id: row.text(0), contextID: row.text(1),
            owner: Owner(party: row.text(2), user: row.text(3)), agent: row.text(4),
            route: row.text(5), upstreamTaskID: row.text(6),
            upstreamContextID: row.optionalText(7), exchange: row.text(8),
            created: Instant(milliseconds: row.integer(9)), state: state)
        task.updated = Instant(milliseconds: row.integer(10))
        task.snapshot = row.optionalBlob(12)
        if let stored = row.optionalBlob(13) {
            task.undertaking = try Undertaking(Self.parsed(stored, "task.undertaking"))
        }
        task.certificate = row.optionalText(14)
        task.revision = row.integer(15)
        task.due = row.optionalInteger(16).map { Instant(milliseconds: $0) }
        return task
    }

    /// JSON that this program stored.
    static func parsed(_ bytes: [UInt8], _ place: String) throws(StorageFault) -> JSONValue {
        do {
            return try JSONDocument(parsing: bytes).root
        } catch {
            throw .corrupt(place)
        }
    }
}

// MARK: - The outbox

extension SQLiteTransaction {
    func enqueue(_ item: OutboxItem, due: Instant) throws(StorageFault) {
        try database.run(
            """
            INSERT INTO outbox(key, item, due, tries, since) VALUES(?1,?2,?3,0,?3)
            ON CONFLICT(key) DO NOTHING
            """,
            [.text(item.key), .blob(item.node.bytes), .integer(due.milliseconds)])
    }

    func outboxDue(at now: Instant, limit: Int) throws(StorageFault) -> [OutboxRow] {
        try database.run(
            "SELECT seq, item, due, tries FROM outbox WHERE due<=? ORDER BY seq LIMIT ?",
            [.integer(now.milliseconds), .integer(Int64(limit))]
        ) { row throws(StorageFault) in
            OutboxRow(
                sequence: row.integer(0),
                item: try OutboxItem(Self.parsed(row.blob(1), "outbox.item")),
                due: Instant(milliseconds: row.integer(2)), tries: Int(row.integer(3)))
        }
    }

    func outboxNextDue() throws(StorageFault) -> Instant? {
        try database.run("SELECT due FROM outbox ORDER BY due LIMIT 1") {
            Instant(milliseconds: $0.integer(0))
        }.first
    }

    func postpone(_ row: OutboxRow, until due: Instant) throws(StorageFault) {
        try database.run(
            "UPDATE outbox SET due=?, tries=tries+1 WHERE seq=?",
            [.integer(due.milliseconds), .integer(row.sequence)])
    }

    func remove(outbox item: OutboxItem) throws(StorageFault) {
        try database.run("DELETE FROM outbox WHERE key=?", [.text(item.key)])
    }
}

extension OutboxItem {
    /// The stored form.
    fileprivate var node: JSONNode {
        switch self {
        case .post(let peer, let op, let body):
            ["kind": "post", "peer": .string(peer.text), "op": .string(op), "body": .raw(body)]
        case .void(let peer, let op, let body):
            ["kind": "void", "peer": .string(peer.text), "op": .string(op), "body": .raw(body)]
        case .receipt(let keeper, let path, let body):
            [
                "kind": "receipt", "peer": .string(keeper.text), "path": .string(path),
                "body": .raw(body),
            ]
        case .commit(let task): ["kind": "commit", "task": .string(task)]
        case .follow(let task): ["kind": "follow", "task": .string(task)]
        case .cancel(let task): ["kind": "cancel", "task": .string(task)]
        }
    }

    fileprivate init(_ value: JSONValue) throws(StorageFault) {
        let peer = value["peer"]?.string.flatMap { EntityID($0) }
        let body = value["body"].map { Array($0.raw) }
        switch (value["kind"]?.string, peer, body) {
        case ("post", let peer?, let body?):
            self = .post(peer: peer, op: value["op"]?.string ?? "", body: body)
        case ("void", let peer?, let body?):
            self = .void(peer: peer, op: value["op"]?.string ?? "", body: body)
        case ("receipt", let peer?, let body?):
            self = .receipt(keeper: peer, path: value["path"]?.string ?? "", body: body)
        case ("commit", _, _): self = .commit(task: value["task"]?.string ?? "")
        case ("follow", _, _): self = .follow(task: value["task"]?.string ?? "")
        case ("cancel", _, _): self = .cancel(task: value["task"]?.string ?? "")
        default: throw .corrupt("outbox.item")
        }
    }
}
