// SPDX-License-Identifier: Apache-2.0
import A2A
import Accounting
import Bytes
import Gateway
import JSON
import Store
import TestSupport
import Testing

/// The story of Spec: a deposit of CNY 328.00 booked across three gateways.
@Suite struct BookingTests {
    @Test func bookingIsAskedConfirmedPerformedAndBookedAtEveryHop() async throws {
        let network = try Network()
        try await network.open()
        let asked = try await network.say("A table for a client dinner tomorrow night")
        let task = try #require(asked["task"])
        #expect(task["status"]?["state"]?.string == "TASK_STATE_AUTH_REQUIRED")
        #expect(task["status"]?["message"]?["metadata"] == nil, "the client did not activate us")
        #expect(network.restaurant.commits == 0)

        let asks = try await network.asks()
        let ask = try #require(asks.first)
        let rows = ask["rows"]?.array?.map { $0["text"]?.string ?? "" } ?? []
        #expect(rows.contains("CNY 328.00"))
        #expect(rows.contains { $0.contains("商务套餐定金") })
        #expect(rows.contains { $0.hasPrefix("phone.number → v.example") })

        let done = try await network.decide(try #require(ask["nonce"]?.string), approves: true)
        #expect(done["state"]?.string == "TASK_STATE_COMPLETED")
        #expect(network.restaurant.commits == 1)
        await network.housekeeping()

        // S owes V the fee and is owed the commission: 15.00 − 0.20. H: 1.80 − 0.10.
        #expect(try await network.executor.balance(with: network.app) == "14.80")
        #expect(try await network.app.balance(with: network.executor) == "14.80")
        #expect(try await network.app.balance(with: network.phone) == "1.70")
        #expect(try await network.phone.balance(with: network.app) == "1.70")
        for company in [network.phone, network.app, network.executor] {
            #expect(try await company.findings().isEmpty)
            #expect(try await company.pendingHolds() == 0)
        }
        try await expectCountersigned(network)
    }

    private func expectCountersigned(_ network: Network) async throws {
        let (callee, caller) = (network.app.entity, network.executor.entity)
        let lines = try await network.app.journal.read { tx in
            try tx.statementLines(
                caller, .cny, from: Instant(seconds: 0), to: Instant(seconds: 4_000_000_000))
        }
        #expect(lines.count == 2)
        let own = try await network.executor.journal.read { tx in
            try tx.statementLines(
                callee, .cny, from: Instant(seconds: 0), to: Instant(seconds: 4_000_000_000))
        }
        #expect(own.allSatisfy { $0.evidence == .countersigned })
    }

    @Test func aNoChangesNothingAndReleasesEveryHold() async throws {
        let network = try Network()
        try await network.open()
        _ = try await network.say("A table")
        let ask = try #require(try await network.asks().first)
        let answer = try await network.decide(try #require(ask["nonce"]?.string), approves: false)
        #expect(answer["state"]?.string == "TASK_STATE_REJECTED")
        await network.housekeeping()
        #expect(network.restaurant.commits == 0)
        #expect(network.restaurant.canceled.count == 1)
        for company in [network.phone, network.app, network.executor] {
            #expect(try await company.pendingHolds() == 0)
            #expect(try await company.findings().isEmpty)
        }
        #expect(try await network.app.balance(with: network.phone) == "0.00")
    }

    @Test func anOfferBeyondTheGrantIsRefusedAndNothingStaysHeld() async throws {
        let network = try Network()
        try await network.open()
        network.restaurant.price = "500.01"
        let error = await #expect(throws: A2AError.self) { try await network.say("A table") }
        #expect(error?.reason == "consent_limit")
        await network.housekeeping()
        await network.housekeeping()
        for company in [network.phone, network.app, network.executor] {
            #expect(try await company.pendingHolds() == 0)
            #expect(try await company.findings().isEmpty)
        }
    }

    @Test func anAnswerThatWasLostIsTakenFromTheAgentsTask() async throws {
        let network = try Network()
        try await network.open()
        network.restaurant.losesAnswer = true
        let asked = try await network.say("A table")
        let ask = try #require(try await network.asks().first)
        _ = try? await network.decide(try #require(ask["nonce"]?.string), approves: true)
        for _ in 0..<6 {
            network.time.advance(seconds: 10)
            await network.housekeeping()
        }
        let id = try #require(asked["task"]?["id"]?.string)
        let task = try await network.getTask(id, at: network.phone, as: Network.user)
        #expect(task["status"]?["state"]?.string == "TASK_STATE_COMPLETED")
        #expect(network.restaurant.commits == 1)
        #expect(try await network.app.balance(with: network.executor) == "14.80")
        #expect(try await network.phone.balance(with: network.app) == "1.70")
        for company in [network.phone, network.app, network.executor] {
            #expect(try await company.pendingHolds() == 0)
        }
    }

    /// Only a gateway may tell its agent to act (Spec §3.3).
    @Test(arguments: ["commit", "draft", "outcome"])
    func nobodyElseSpeaksAsTheGateway(type: String) async throws {
        let network = try Network()
        try await network.open()
        let asked = try await network.say("A table")
        let id = try #require(asked["task"]?["id"]?.string)
        let key = "01a1fb67-1800-722b-8b86-8955b796804d"
        let part: JSONNode = [
            "data": [
                "ref": "Q-r-1-328.00", "key": .string(key), "consent": "x",
                "total": ["value": "328.00", "currency": "CNY"],
            ],
            "metadata": .object([.init(ExtensionURI.parts.rawValue, ["type": .string(type)])]),
        ]
        let params: JSONNode = [
            "message": [
                "messageId": "m2", "role": "ROLE_USER", "taskId": .string(id),
                "parts": .array([part]),
            ]
        ]
        let operation = try Operation(
            method: "SendMessage", params: JSONDocument(parsing: params.bytes).root)
        let peer = Caller(party: .peer(network.app.presenter))
        for (caller, company) in [(Network.user, network.phone), (peer, network.executor)] {
            let error = await #expect(throws: A2AError.self) {
                try await network.run(operation, as: caller, at: company, agent: "dining")
            }
            #expect(error?.code == .invalidParams)
        }
        #expect(network.restaurant.commits == 0)
    }

    @Test func aDraftOfAnActionThatNoSkillCommitsIsNoOffer() async throws {
        let network = try Network()
        try await network.open()
        network.restaurant.action = "order.cancel"
        await #expect(throws: A2AError.self) { try await network.say("A table") }
        #expect(try await network.asks().isEmpty)
    }

    @Test func silenceIsANo() async throws {
        let network = try Network()
        try await network.open()
        let asked = try await network.say("A table")
        network.time.advance(seconds: 181)
        await network.housekeeping()
        network.time.advance(seconds: 31)
        await network.housekeeping()
        await network.housekeeping()
        let id = try #require(asked["task"]?["id"]?.string)
        let task = try await network.getTask(id, at: network.phone, as: Network.user)
        #expect(task["status"]?["state"]?.string == "TASK_STATE_FAILED")
        #expect(network.restaurant.commits == 0)
        #expect(network.restaurant.canceled.count == 1)
        for company in [network.phone, network.app, network.executor] {
            #expect(try await company.pendingHolds() == 0)
        }
    }

    @Test func anAgentThatChargesMoreIsNotPaid() async throws {
        let network = try Network()
        try await network.open()
        network.restaurant.charged = "329.00"
        _ = try await network.say("A table")
        let ask = try #require(try await network.asks().first)
        await #expect(throws: A2AError.self) {
            try await network.decide(try #require(ask["nonce"]?.string), approves: true)
        }
        await network.housekeeping()
        for company in [network.phone, network.app, network.executor] {
            #expect(try await company.pendingHolds() == 0)
            #expect(try await company.findings().isEmpty)
        }
        #expect(try await network.app.balance(with: network.executor) == "0.00")
    }

    @Test func theAgentNeverSeesGrantsOrBooks() async throws {
        let network = try Network()
        try await network.open()
        _ = try await network.say("A table")
        let ask = try #require(try await network.asks().first)
        _ = try await network.decide(try #require(ask["nonce"]?.string), approves: true)
        for text in network.restaurant.heard {
            #expect(!text.contains(ExtensionURI.consent.rawValue))
            #expect(!text.contains(ExtensionURI.accounting.rawValue))
        }
    }

    @Test func anotherUsersTaskDoesNotExist() async throws {
        let network = try Network()
        try await network.open()
        let asked = try await network.say("A table")
        let id = try #require(asked["task"]?["id"]?.string)
        let other = Caller(party: .local(listener: "phone", principal: "wang"))
        let foreign = await #expect(throws: A2AError.self) {
            try await network.getTask(id, at: network.phone, as: other)
        }
        let absent = await #expect(throws: A2AError.self) {
            try await network.getTask("no-such-task", at: network.phone, as: other)
        }
        #expect(foreign == absent)
    }
}
