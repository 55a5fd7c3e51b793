// SPDX-License-Identifier: Apache-2.0
import A2A
import Accounting
import Bytes
import Consent
import Gateway
import Testing

@testable import Store

/// Tasks and the outbox at rest.
@Suite struct TaskStorageTests {
    let file: OpenFile
    let tables: SQLiteTransaction
    let now = Instant(seconds: 1_795_219_200)
    let owner = Owner(party: "https://h.example", user: "li")

    init() throws {
        file = try OpenFile()
        tables = file.transaction
    }

    private func task(
        _ id: String, owner: Owner? = nil, agent: String = "dining", at seconds: Int64 = 0,
        state: TaskState = .working, context: String = "c", exchange: String = "x"
    ) -> TaskRecord {
        TaskRecord(
            id: id, contextID: context, owner: owner ?? self.owner, agent: agent,
            route: "https://v.example", upstreamTaskID: "up-\(id)", upstreamContextID: nil,
            exchange: exchange, created: now.adding(seconds: seconds), state: state)
    }

    @Test func aTaskComesBackWhole() throws {
        var task = task("t")
        try tables.insert(task)
        #expect(try tables.task(id: "t") == task)
        let executor = try #require(EntityID("https://v.example"))
        var undertaking = Undertaking(
            chain: ["a.b.c"], root: "root", subject: "li", executor: executor)
        undertaking.stage = .committing
        undertaking.sale = Money(micros: 328_000_000, .cny)
        undertaking.draft = Array(#"{"total":"328.00"}"#.utf8)
        (task.state, task.updated) = (.authRequired, now.adding(seconds: 9))
        (task.snapshot, task.undertaking) = (Array("{}".utf8), undertaking)
        task.due = now.adding(seconds: 189)
        let written = try #require(try tables.update(task))
        task.revision = 1
        #expect(written == task)
        #expect(try tables.task(id: "t") == task)
        #expect(
            try tables.task(
                route: "https://v.example", agent: "dining", upstreamTaskID: "up-t") == task)
        #expect(
            try tables.task(
                route: "https://v.example", agent: "other", upstreamTaskID: "up-t") == nil)
        #expect(throws: StorageFault.self) { try tables.insert(task) }
        #expect(try tables.update(self.task("unknown")) == nil)
    }

    @Test func theNextHopsIDIsTakenOnce() throws {
        try tables.insert(task("t"))
        var twin = task("u")
        twin = TaskRecord(
            id: "u", contextID: "c", owner: owner, agent: "dining", route: twin.route,
            upstreamTaskID: "up-t", upstreamContextID: "uc", exchange: "x", created: now,
            state: .working)
        #expect(throws: StorageFault.self) { try tables.insert(twin) }
    }

    @Test(arguments: ["party", "user", "route", "upstream", "agent", "id"])
    func theOwnerStays(_ column: String) throws {
        try tables.insert(task("t"))
        #expect(throws: StorageFault.constraint("a task keeps its owner")) {
            try file.database.execute("UPDATE task SET \(column)='another'")
        }
    }

    @Test func listsHoldTheOwnersTasksAlone() throws {
        for index in 0..<6 { try tables.insert(task("t\(index)", at: Int64(index / 2))) }
        let wang = Owner(party: owner.party, user: "wang")
        try tables.insert(task("foreign", owner: wang))
        try tables.insert(task("other agent", agent: "taxi"))
        try tables.insert(task("asking", at: 9, state: .authRequired, context: "d"))
        func list(
            _ owner: Owner, context: String? = nil, state: TaskState? = nil,
            after: (Instant, String)? = nil, limit: Int = 10
        ) throws -> [String] {
            try tables.tasks(
                owner: owner, agent: "dining", contextID: context, state: state,
                after: after.map { (updated: $0.0, id: $0.1) }, limit: limit
            ).map(\.id)
        }
        #expect(try list(owner) == ["asking", "t4", "t5", "t2", "t3", "t0", "t1"])
        #expect(try list(wang) == ["foreign"])
        #expect(try list(Owner(party: owner.party, user: "")).isEmpty)
        #expect(try list(owner, limit: 3) == ["asking", "t4", "t5"])
        #expect(
            try list(owner, after: (now.adding(seconds: 2), "t4"), limit: 3)
                == ["t5", "t2", "t3"])
        #expect(try list(owner, context: "d") == ["asking"])
        #expect(try list(owner, state: .authRequired) == ["asking"])
        #expect(try list(owner, context: "c", state: .authRequired).isEmpty)
        #expect(
            try tables.taskCount(owner: owner, agent: "dining", contextID: nil, state: nil) == 7)
        #expect(
            try tables.taskCount(owner: wang, agent: "dining", contextID: nil, state: nil) == 1)
    }

    @Test func aWriteFromAnOlderReadingIsRefused() throws {
        try tables.insert(task("t"))
        var first = try #require(try tables.task(id: "t"))
        var second = first
        first.state = .inputRequired
        #expect(try tables.update(first)?.revision == 1)
        second.state = .canceled
        #expect(try tables.update(second) == nil)
        #expect(try tables.task(id: "t")?.state == .inputRequired)
    }

    @Test(arguments: [TaskState.completed, .failed, .canceled, .rejected])
    func aTaskEndsOnce(_ end: TaskState) throws {
        try tables.insert(task("t"))
        var ended = try #require(try tables.task(id: "t"))
        ended.state = end
        ended = try #require(try tables.update(ended))
        // The same end may be told in other words.
        ended.snapshot = Array("{}".utf8)
        ended = try #require(try tables.update(ended))
        for state in [TaskState.working, .completed, .canceled] where state != end {
            ended.state = state
            #expect(throws: StorageFault.constraint("a task ends once")) {
                try tables.update(ended)
            }
        }
    }

    // MARK: Waiting

    private func nonce(_ id: String) -> String {
        Base64URL.encode(Array((id + String(repeating: " ", count: 16)).utf8.prefix(16)))
    }

    private func asking(_ id: String, party: String, at seconds: Int64) throws -> TaskRecord {
        let executor = try #require(EntityID("https://v.example"))
        var task = task(id, owner: Owner(party: party, user: ""), state: .authRequired)
        var undertaking = Undertaking(chain: [], root: "root", subject: "s", executor: executor)
        undertaking.stage = .asked
        undertaking.ask = Ask(
            level: .each, root: "01a1fb67-1800-722b-8b86-8955b796804d", entry: "e",
            nonce: nonce(id), expires: 9, terms: "t")
        task.undertaking = undertaking
        task.due = now.adding(seconds: seconds)
        return task
    }

    /// Five thousand tasks of others that wait, with and without a question, change nothing for
    /// the one whose time is up, nor for the user who has two.
    @Test func manyWhoWaitDoNotHideAnybody() throws {
        try file.savepoint {
            for index in 0..<5000 {
                var other = try asking("o\(index)", party: "edge:a/wang", at: Int64(1000 + index))
                if index % 2 == 0 { other.undertaking = nil }
                try tables.insert(other)
            }
        }
        try tables.insert(asking("old", party: "edge:a/li", at: -5))
        try tables.insert(asking("young", party: "edge:a/li", at: 100))
        var silent = task("silent", owner: Owner(party: "edge:a/li", user: ""))
        silent.state = .authRequired
        silent.due = now.adding(seconds: -9)
        try tables.insert(silent)
        #expect(try tables.tasksDue(at: now, limit: 64).map(\.id) == ["silent", "old"])
        #expect(try tables.tasksAsking(party: "edge:a/li", limit: 9).map(\.id) == ["young", "old"])
        #expect(try tables.tasksAsking(party: "edge:a/wang", limit: 3).count == 3)
        #expect(try tables.task(question: nonce("old"))?.id == "old")
        var answered = try #require(try tables.task(id: "old"))
        answered.undertaking?.stage = .committing
        answered.due = nil
        #expect(try tables.update(answered) != nil)
        #expect(try tables.task(question: nonce("old")) == nil)
        #expect(try tables.tasksDue(at: now, limit: 64).map(\.id) == ["silent"])
    }

    @Test(arguments: [
        ("SELECT id FROM task WHERE due<=1 ORDER BY due, id LIMIT 9", "task_due"),
        (
            "SELECT id FROM task WHERE party='p' AND question IS NOT NULL ORDER BY due DESC, id",
            "task_asking"
        ),
        ("SELECT id FROM task WHERE question='n'", "task_question"),
    ])
    func whoWaitsIsFoundByAnIndex(_ sql: String, _ index: String) throws {
        let plan = try file.database.run(composed: "EXPLAIN QUERY PLAN \(sql)") { $0.text(3) }
        #expect(plan.count == 1 && plan[0].contains(" \(index) "), "\(plan)")
    }

    @Test func aNonceIsOneQuestion() throws {
        try tables.insert(asking("a", party: "edge:a/li", at: 1))
        var twin = try asking("b", party: "edge:a/li", at: 1)
        twin.undertaking?.ask?.nonce = nonce("a")
        #expect(throws: StorageFault.self) { try tables.insert(twin) }
    }

    @Test func anExchangeHasItsTasks() throws {
        try tables.insert(task("b", at: 1, exchange: "e"))
        try tables.insert(task("a", at: 2, exchange: "e"))
        try tables.insert(task("c", exchange: "f"))
        #expect(try tables.tasks(exchange: "e").map(\.id) == ["b", "a"])
    }

    // MARK: The outbox

    @Test func dutiesComeBackWhole() throws {
        let peer = try #require(EntityID("https://v.example"))
        let body = Array(#"{ "op":"1", "x":[1,2.50] }"#.utf8)
        let items: [OutboxItem] = [
            .post(peer: peer, op: "1", body: body), .void(peer: peer, op: "1", body: body),
            .receipt(keeper: peer, path: "/consent/v1/receipts", body: body),
            .commit(task: "t"), .follow(task: "t"), .cancel(task: "t"),
        ]
        for item in items { try tables.enqueue(item, due: now) }
        for item in items { try tables.enqueue(item, due: now.adding(seconds: -9)) }
        let rows = try tables.outboxDue(at: now, limit: 10)
        #expect(rows.map(\.item) == items)
        #expect(rows.allSatisfy { $0.due == now && $0.tries == 0 })
        #expect(rows.map(\.sequence) == rows.map(\.sequence).sorted())
    }

    @Test func dutiesWaitAndGo() throws {
        #expect(try tables.outboxNextDue() == nil)
        try tables.enqueue(.follow(task: "a"), due: now)
        try tables.enqueue(.follow(task: "b"), due: now.adding(seconds: 5))
        #expect(try tables.outboxNextDue() == now)
        #expect(try tables.outboxDue(at: now, limit: 10).map(\.item) == [.follow(task: "a")])
        let first = try #require(try tables.outboxDue(at: now, limit: 10).first)
        try tables.postpone(first, until: now.adding(seconds: 7))
        #expect(try tables.outboxDue(at: now, limit: 10).isEmpty)
        #expect(try tables.outboxNextDue() == now.adding(seconds: 5))
        let later = try tables.outboxDue(at: now.adding(seconds: 7), limit: 10)
        #expect(later.map(\.item) == [.follow(task: "a"), .follow(task: "b")])
        #expect(later.map(\.tries) == [1, 0])
        #expect(try tables.outboxDue(at: now.adding(seconds: 7), limit: 1).count == 1)
        try tables.remove(outbox: .follow(task: "a"))
        try tables.enqueue(.follow(task: "a"), due: now)
        let again = try #require(try tables.outboxDue(at: now, limit: 1).first)
        #expect(again.sequence > first.sequence, "numbers never come twice")
    }
}
