// SPDX-License-Identifier: Apache-2.0
import A2A
import Accounting
import Bytes
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
        try tables.update(task)
        #expect(try tables.task(id: "t") == task)
        #expect(
            try tables.task(
                route: "https://v.example", agent: "dining", upstreamTaskID: "up-t") == task)
        #expect(
            try tables.task(
                route: "https://v.example", agent: "other", upstreamTaskID: "up-t") == nil)
        #expect(throws: StorageFault.self) { try tables.insert(task) }
        #expect(throws: StorageFault.self) { try tables.update(self.task("unknown")) }
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
        #expect(try tables.tasksAsking(limit: 5).map(\.id) == ["asking"])
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
            .commit(task: "t"), .follow(task: "t"),
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
