// SPDX-License-Identifier: Apache-2.0
import A2A
import Bytes
import Gateway
import Store
import TestSupport
import Testing

/// What operators ask of a journal, over a real database.
@Suite struct OperatorTests {
    private let folder: TemporaryFolder
    private let journal: SQLiteJournal

    init() throws {
        folder = try TemporaryFolder()
        journal = try SQLiteJournal(path: "\(folder.path)/journal.db")
    }

    private func refusal(_ number: Int, task: String?) -> RefusalRecord {
        RefusalRecord(
            at: Instant(seconds: Int64(number)), task: task, exchange: "E\(number)",
            party: "https://s.example", method: "SendMessage", reason: "consent_replay",
            rule: "21.replay", by: nil)
    }

    @Test func refusalsComeBackByTaskAndByExchange() async throws {
        let (first, second) = (refusal(1, task: "t"), refusal(2, task: nil))
        let (byTask, byExchange, byNeither) = try await journal.write { tx in
            try tx.insert(first)
            try tx.insert(second)
            return (
                try tx.refusals(task: "t", exchange: nil, limit: 10),
                try tx.refusals(task: nil, exchange: "E2", limit: 10),
                try tx.refusals(task: nil, exchange: nil, limit: 10)
            )
        }
        #expect(byTask == [first])
        #expect(byExchange == [second])
        #expect(byNeither.isEmpty, "a refusal without a task is not everybody's")
    }

    @Test func onlyTheNewestRefusalsAreKept() async throws {
        let all = (0..<RefusalRecord.kept + 3).map { refusal($0, task: "t") }
        let kept = try await journal.write { tx in
            for refusal in all { try tx.insert(refusal) }
            return try tx.refusals(task: "t", exchange: nil, limit: .max)
        }
        #expect(kept.count == RefusalRecord.kept)
        #expect(kept.first == all[3])
    }

    @Test func anotherGatewaysReasonIsOneHarmlessWord() {
        func reason(_ text: String) -> String {
            RefusalRecord(
                at: Instant(seconds: 0), task: nil, exchange: nil, party: "", method: "",
                reason: text, rule: nil, by: nil
            ).reason
        }
        #expect(reason("consent_holder") == "consent_holder")
        #expect(reason("x\u{1B}[2J") == "other")
        #expect(reason(String(repeating: "a", count: 65)) == "other")
        #expect(reason("") == "other")
    }

    @Test func aSuspensionSurvivesARestartAndKeepsItsTime() async throws {
        let peer = try #require(EntityID("https://s.example"))
        try await journal.write { tx in
            try tx.suspend(peer, at: Instant(seconds: 10))
            try tx.suspend(peer, at: Instant(seconds: 20))
        }
        journal.close()
        let reopened = try SQLiteJournal(path: "\(folder.path)/journal.db")
        let rows = try await reopened.read { try $0.suspensions() }
        #expect(rows.map(\.peer) == [peer])
        #expect(rows.map(\.since) == [Instant(seconds: 10)])
        try await reopened.write { try $0.resume(peer) }
        #expect(try await reopened.read { try $0.suspensions().isEmpty })
    }

    @Test func aSuspendedPeerIsKnownToTheGatewayAfterARestart() async throws {
        let network = try Network()
        try await network.open()
        let peer = network.phone.entity
        #expect(network.app.gateway.standing.suspended(peer) == nil)
        try await network.app.gateway.suspend(peer)
        #expect(network.app.gateway.standing.suspended(peer) == network.time.now())
        let restarted = GatewayState(
            settings: network.app.gateway.settings, journal: network.app.journal,
            time: network.time, random: SeededRandom(seed: 1),
            contextKey: Array(repeating: 1, count: 32))
        try await restarted.openBooks()
        #expect(restarted.standing.suspended(peer) == network.time.now())
        try await restarted.resume(peer)
        #expect(restarted.standing.suspended(peer) == nil)
    }

    private func task(_ id: String, _ party: String, _ state: TaskState) -> TaskRecord {
        TaskRecord(
            id: id, contextID: "c", owner: Owner(party: party, user: ""), agent: "dining",
            route: TaskRecord.localRoute, upstreamTaskID: "u-\(id)", upstreamContextID: nil,
            exchange: "E", created: Instant(seconds: 0), state: state)
    }

    @Test func tasksAreSearchedNewestFirstPageByPage() async throws {
        let tasks = [
            task("1", "a", .completed), task("2", "b", .completed), task("3", "a", .failed),
            task("4", "a", .completed),
        ]
        try await journal.write { tx in for task in tasks { try tx.insert(task) } }
        var search = TaskSearch()
        search.party = "a"
        search.limit = 2
        let first = try await journal.read { [search] in try $0.tasks(search) }
        #expect(first.tasks.map(\.id) == ["4", "3"])
        search.before = first.next
        let second = try await journal.read { [search] in try $0.tasks(search) }
        #expect(second.tasks.map(\.id) == ["1"])
        #expect(second.next == nil)
        search.before = nil
        search.state = .completed
        let completed = try await journal.read { [search] in try $0.tasks(search) }
        #expect(completed.tasks.map(\.id) == ["4", "1"])
    }

    @Test func theBacklogCountsWhatWaitsAndSinceWhen() async throws {
        let peer = try #require(EntityID("https://s.example"))
        let backlog = try await journal.write { tx in
            try tx.enqueue(.commit(task: "t"), due: Instant(seconds: 5))
            try tx.enqueue(
                .void(peer: peer, op: "O", body: Array("{}".utf8)), due: Instant(seconds: 9))
            let row = try tx.outboxDue(at: Instant(seconds: 5), limit: 1).first
            if let row { try tx.postpone(row, until: Instant(seconds: 100)) }
            try tx.insert(self.task("1", "a", .authRequired))
            return try tx.backlog()
        }
        #expect(backlog.outbox == 2)
        #expect(backlog.outboxSince == Instant(seconds: 5), "putting off makes nothing younger")
        #expect(backlog.openAsks == 1)
        #expect(backlog.pendingHolds == 0)
    }
}
