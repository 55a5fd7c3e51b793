// SPDX-License-Identifier: Apache-2.0
import A2A
import Bytes
import Consent
import Gateway
import JSON
import Store
import TestSupport
import Testing

/// Tasks that wait for somebody end when nobody comes, however many others wait.
@Suite struct WaitingTests {
    /// Inserts tasks of other users that wait, of which every other one has no question.
    private func crowd(_ count: Int, at company: Organisation, until due: Instant) async throws {
        let now = due.adding(seconds: -60)
        let executor = try #require(EntityID("https://v.example"))
        try await company.journal.write { tx in
            for index in 0..<count {
                var task = TaskRecord(
                    id: "crowd-\(index)", contextID: "c",
                    owner: Owner(party: "edge:phone/u\(index)", user: ""), agent: "dining",
                    route: "https://s.example", upstreamTaskID: "up-\(index)",
                    upstreamContextID: nil, exchange: "x", created: now, state: .authRequired)
                task.due = due
                if index % 2 == 0 {
                    var undertaking = Undertaking(
                        chain: [], root: "r", subject: "s", executor: executor)
                    undertaking.stage = .asked
                    undertaking.ask = Ask(
                        level: .each, root: "01a1fb67-1800-722b-8b86-8955b796804d", entry: "e",
                        nonce: Base64URL.encode(Array("nonce-\(10_000 + index)-----".utf8)),
                        expires: due.seconds, terms: "t")
                    task.undertaking = undertaking
                }
                try tx.insert(task)
            }
        }
    }

    @Test func aQuestionIsFoundAmongThousands() async throws {
        let network = try Network()
        try await network.open()
        _ = try await network.say("A table")
        try await crowd(3000, at: network.phone, until: network.time.now().adding(seconds: 900))
        let asks = try await network.asks()
        #expect(asks.count == 1)
        let done = try await network.decide(
            try #require(asks.first?["nonce"]?.string), approves: true)
        #expect(done["state"]?.string == "TASK_STATE_COMPLETED")
    }

    @Test func anothersQuestionIsNotAnswered() async throws {
        let network = try Network()
        try await network.open()
        _ = try await network.say("A table")
        let nonce = try #require(try await network.asks().first?["nonce"]?.string)
        let other = ConsentDesk(gateway: network.phone.gateway, principal: "wang")
        #expect(try await other.asks(language: "en")["asks"]?.array?.isEmpty == true)
        let error = await #expect(throws: A2AError.self) {
            try await other.decide(
                nonce: nonce, .yes(data: Network.telephone), methods: ["hwk"], language: "en")
        }
        #expect(error?.code == .taskNotFound)
    }

    /// One round ends thousands, those whose agent is not configured any more among them aside.
    @Test func thousandsEndInOneRound() async throws {
        let network = try Network()
        try await network.open()
        let due = network.time.now().adding(seconds: 60)
        try await crowd(2000, at: network.phone, until: due)
        let stray = TaskRecord(
            id: "stray", contextID: "c", owner: Owner(party: "edge:phone/li", user: ""),
            agent: "gone", route: "local", upstreamTaskID: "up", upstreamContextID: nil,
            exchange: "x", created: network.time.now(), state: .authRequired)
        try await network.phone.journal.write { tx in
            for index in 0..<100 {
                var task = TaskRecord(
                    id: "stray-\(index)", contextID: "c", owner: stray.owner, agent: "gone",
                    route: "local", upstreamTaskID: "up-\(index)", upstreamContextID: nil,
                    exchange: "x", created: stray.created, state: .authRequired)
                task.due = due.adding(seconds: -30)
                try tx.insert(task)
            }
        }
        network.time.advance(seconds: 61)
        await network.housekeeping()
        let left = try await network.phone.journal.read { tx in
            try tx.tasksDue(at: Instant(seconds: 4_000_000_000), limit: 5000)
        }
        #expect(left.count == 100 && left.allSatisfy { $0.agent == "gone" })
        let ended = try await network.phone.journal.read { try $0.task(id: "crowd-1") }
        #expect(ended?.state == .failed)
    }

    /// A draft without a grant asks nobody, and ends all the same.
    @Test func aTaskWithoutAQuestionEndsToo() async throws {
        let network = try Network()
        try await network.open()
        let local = Caller(party: .local(listener: "phone", principal: "guest"))
        let params: JSONNode = [
            "message": [
                "messageId": "m", "role": "ROLE_USER", "parts": [["text": "A table"]],
            ]
        ]
        let operation = try Operation(
            method: "SendMessage", params: JSONDocument(parsing: params.bytes).root)
        let asked = try await network.run(
            operation, as: local, at: network.executor, agent: "dining")
        let id = try #require(asked["task"]?["id"]?.string)
        func state() async throws -> String? {
            try await network.getTask(id, at: network.executor, as: local)["status"]?["state"]?
                .string
        }
        #expect(try await state() == "TASK_STATE_AUTH_REQUIRED")
        network.time.advance(seconds: 179)
        await network.housekeeping()
        #expect(try await state() == "TASK_STATE_AUTH_REQUIRED")
        network.time.advance(seconds: 2)
        await network.housekeeping()
        #expect(try await state() == "TASK_STATE_FAILED")
        await network.housekeeping()
        #expect(network.restaurant.canceled == ["r-1"])
    }

    /// The agent hears of an end also when it was away.
    @Test func theAgentIsToldOfAnEndUntilItHears() async throws {
        let network = try Network()
        try await network.open()
        _ = try await network.say("A table")
        network.restaurant.isAway = true
        network.time.advance(seconds: 181)
        for _ in 0..<3 { await network.housekeeping() }
        #expect(network.restaurant.canceled.isEmpty)
        network.restaurant.isAway = false
        network.time.advance(seconds: 60)
        await network.housekeeping()
        #expect(network.restaurant.canceled == ["r-1"])
    }

    /// Two executors, or one twice, cannot put two questions under one nonce: the user's yes to
    /// one would be a yes to the other.
    @Test func aNonceThatIsOpenIsNotTakenAgain() async throws {
        let network = try Network()
        try await network.open()
        _ = try await network.say("A table")
        let nonce = try #require(try await network.asks().first?["nonce"]?.string)
        network.askTamper = nonce
        let error = await #expect(throws: A2AError.self) { try await network.say("Another") }
        #expect(error?.code == .invalidAgentResponse)
        #expect(try await network.asks().count == 1)
    }
}
