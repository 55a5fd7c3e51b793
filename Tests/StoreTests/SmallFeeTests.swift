// SPDX-License-Identifier: Apache-2.0
import A2A
import Accounting
import Bytes
import Consent
import Gateway
import JSON
import Store
import TestSupport
import Testing

/// Questions that bind nobody, on links whose tariffs have a fee: drawn on blocks across three
/// gateways.
@Suite struct SmallFeeTests {
    /// H–S has a fee of 0.10, S–V of 0.20; a block is ten and five of them.
    private func network(
        block: String = "1.00", renewing ppm: Int64 = 500_000,
        _ terms: @escaping (inout JSONNode) -> Void = { _ in }
    ) async throws -> Network {
        let network = try Network(isBinding: false) { node in
            node["block"] = [
                "amt": .string(block), "max_s": 3600, "renew_ppm": .int(ppm),
            ]
            terms(&node)
        }
        network.restaurant.plainAnswer = .message
        try await network.open()
        return network
    }

    private func lines(
        at company: Organisation, with peer: Organisation
    ) async throws -> [(line: StatementLine, evidence: Evidence)] {
        let other = peer.entity
        return try await company.journal.read { tx in
            try tx.statementLines(
                other, .cny, from: Instant(seconds: 0), to: Instant(seconds: 4_000_000_000))
        }
    }

    private func blocks(at company: Organisation) async throws -> [HoldRecord] {
        try await company.journal.read { try $0.pendingBlocks() }
    }

    /// Lets every block come to its end.
    private func finish(_ network: Network) async throws {
        network.time.advance(seconds: 3575)
        for _ in 0..<3 { await network.housekeeping() }
        for company in network.companies {
            #expect(try await company.pendingHolds() == 0)
            #expect(try await company.findings().isEmpty)
        }
    }

    @Test func questionsAreDrawnOnOneBlockPerLink() async throws {
        let network = try await network(block: "10.00")
        for _ in 0..<3 {
            let answer = try await network.say("What is near?")
            #expect(answer["message"]?["parts"] != nil)
            let ours = answer["message"]?["metadata"]?[ExtensionURI.accounting.rawValue]
            #expect(ours == nil, "the client did not activate us")
        }
        #expect(network.restaurant.heard.count == 3)
        // One block each, and no hold of any single question.
        #expect(try await network.phone.pendingHolds() == 1)
        #expect(try await network.app.pendingHolds() == 2)
        #expect(try await network.executor.pendingHolds() == 1)
        #expect(try await blocks(at: network.executor).first?.charge.text == "10.00")
        #expect(try await network.app.balance(with: network.phone) == "0.00")

        try await finish(network)
        #expect(try await network.phone.balance(with: network.app) == "0.30")
        #expect(try await network.app.balance(with: network.phone) == "0.30")
        #expect(try await network.app.balance(with: network.executor) == "0.60")
        #expect(try await network.executor.balance(with: network.app) == "0.60")
        // One line for all of them, signed by both.
        let own = try await lines(at: network.executor, with: network.app)
        #expect(own.map(\.line.calls) == [3] && own.map(\.evidence) == [.countersigned])
        #expect(own.map(\.line.exchange) == [nil])
        let theirs = try await lines(at: network.app, with: network.executor)
        #expect(theirs.map(\.line.calls) == [3] && theirs.map(\.line.isOwedToUs) == [false])
    }

    @Test(arguments: [
        (Restaurant.Plain.completed, "0.20"), (.failed, "0.00"), (.working, "0.00"),
        (.refusal, "0.00"),
    ])
    func onlyAnEndWithAFeeIsBilled(answer: Restaurant.Plain, owed: String) async throws {
        let network = try await network()
        network.restaurant.plainAnswer = answer
        _ = try? await network.say("What is near?")
        try await finish(network)
        #expect(try await network.app.balance(with: network.executor) == owed)
    }

    @Test func aTaskIsBilledWhenItEnds() async throws {
        let network = try await network()
        network.restaurant.plainAnswer = .working
        let answer = try await network.say("What is near?")
        network.restaurant.plainAnswer = .completed
        let id = try #require(answer["task"]?["id"]?.string)
        for _ in 0..<2 {
            let task = try await network.getTask(id, at: network.phone, as: Network.user)
            #expect(task["status"]?["state"]?.string == "TASK_STATE_COMPLETED")
        }
        try await finish(network)
        #expect(try await network.app.balance(with: network.executor) == "0.20")
        #expect(try await network.phone.balance(with: network.app) == "0.10")
    }

    @Test func theNextBlockIsOpenedAheadOfNeed() async throws {
        let network = try await network()
        for _ in 0..<17 { _ = try await network.say("What is near?") }
        // The executor's block holds five draws and is followed when two were given out.
        let open = try await blocks(at: network.executor).count
        #expect(open > 4)
        network.time.advance(seconds: 6)
        await network.housekeeping()
        #expect(try await blocks(at: network.executor).count == 1)
        let lines = try await lines(at: network.executor, with: network.app)
        #expect(lines.count == open - 1)
        try await finish(network)
        #expect(try await network.app.balance(with: network.executor) == "3.40")
        #expect(try await network.executor.balance(with: network.app) == "3.40")
        #expect(try await network.phone.balance(with: network.app) == "1.70")
    }

    /// A block of one or two fees is to be followed before the callee has heard of it; its draws
    /// are taken all the same, each at the first attempt.
    @Test func aBlockOfOneFeeIsEnough() async throws {
        let network = try await network(block: "0.20")
        for _ in 0..<5 { _ = try await network.say("What is near?") }
        #expect(network.restaurant.heard.count == 5)
        #expect(network.trace.filter { $0 == "H SendMessage" }.count == 5)
        #expect(network.trace.filter { $0 == "S SendMessage" }.count == 5)
        try await finish(network)
        #expect(try await network.app.balance(with: network.executor) == "1.00")
        #expect(try await network.executor.balance(with: network.app) == "1.00")
        #expect(try await network.phone.balance(with: network.app) == "0.50")
    }

    @Test func blocksStayWithinTheCredit() async throws {
        let network = try await network(renewing: 1_000_000) { node in
            node["credit"] = ["up_owes": "1.50", "down_owes": "1.50", "warn_ppm": 800_000]
        }
        for _ in 0..<5 { _ = try await network.say("What is near?") }
        let error = await #expect(throws: A2AError.self) {
            try await network.say("What is near?")
        }
        #expect(error?.reason == "ACCT_CREDIT_EXCEEDED")
        #expect(network.restaurant.heard.count == 5)
        // What was billed stays owed: another whole block does not fit any more.
        network.time.advance(seconds: 6)
        await network.housekeeping()
        #expect(try await network.app.balance(with: network.executor) == "1.00")
        await #expect(throws: A2AError.self) { try await network.say("What is near?") }
        try await finish(network)
        #expect(try await network.phone.balance(with: network.app) == "0.50")
    }

    @Test(arguments: [(502, "0.40"), (503, "0.00")])
    func workBehindABrokenAnswerIsAdmitted(status: Int, owed: String) async throws {
        let network = try await network(block: "10.00")
        _ = try await network.say("What is near?")
        network.swallowed = .status(status, retryAfter: nil)
        await #expect(throws: A2AError.self) { try await network.say("What is near?") }
        network.time.advance(seconds: 3575)
        for _ in 0..<3 { await network.housekeeping() }
        // Of 503 the caller knows that nothing began: it refuses a post that bills it, as a lie.
        #expect(try await network.app.balance(with: network.executor) == owed)
    }

    @Test func anOrderlyRestartForgetsNothing() async throws {
        let network = try await network(block: "10.00")
        for _ in 0..<3 { _ = try await network.say("What is near?") }
        for company in network.companies {
            try await company.restart(isOrderly: true, at: network.time)
        }
        for _ in 0..<2 { _ = try await network.say("What is near?") }
        #expect(try await blocks(at: network.executor).count == 1)
        try await finish(network)
        #expect(try await network.app.balance(with: network.executor) == "1.00")
        #expect(try await network.phone.balance(with: network.app) == "0.50")
    }

    @Test func aCalleeThatCrashesBillsWhatItWroteDown() async throws {
        let network = try await network(block: "10.00")
        for _ in 0..<3 { _ = try await network.say("What is near?") }
        await network.housekeeping()
        for _ in 0..<2 { _ = try await network.say("What is near?") }
        try await network.executor.restart(isOrderly: false, at: network.time)
        _ = try await network.say("What is near?")
        #expect(try await blocks(at: network.executor).count == 1)
        try await finish(network)
        #expect(try await network.app.balance(with: network.executor) == "0.80")
        #expect(try await network.phone.balance(with: network.app) == "0.60")
    }

    @Test func aCallerThatCrashesOpensAnotherBlock() async throws {
        let network = try await network(block: "10.00")
        for _ in 0..<3 { _ = try await network.say("What is near?") }
        try await network.app.restart(isOrderly: false, at: network.time)
        for _ in 0..<2 { _ = try await network.say("What is near?") }
        #expect(try await blocks(at: network.executor).count == 2)
        try await finish(network)
        // Towards the executor it admits what that one billed; towards the phone maker it forgot.
        #expect(try await network.app.balance(with: network.executor) == "1.00")
        #expect(try await network.phone.balance(with: network.app) == "0.20")
    }

    @Test func aTaskUnderWayIsBilledAfterARestart() async throws {
        let network = try await network(block: "10.00")
        network.restaurant.plainAnswer = .working
        let answer = try await network.say("What is near?")
        await network.housekeeping()
        for company in network.companies {
            try await company.restart(isOrderly: false, at: network.time)
        }
        network.restaurant.plainAnswer = .completed
        let id = try #require(answer["task"]?["id"]?.string)
        _ = try await network.getTask(id, at: network.phone, as: Network.user)
        try await finish(network)
        #expect(try await network.app.balance(with: network.executor) == "0.20")
        #expect(try await network.phone.balance(with: network.app) == "0.10")
    }

    @Test func anotherVersionNeedsAnotherBlock() async throws {
        let network = try await network(block: "10.00")
        _ = try await network.say("What is near?")
        let change = network.time.now().adding(seconds: 60)
        for (company, peer) in [
            (network.app, network.executor), (network.executor, network.app),
        ] {
            let settings = company.gateway.settings
            let versions = try #require(settings.parties[peer.entity]?.tariffs)
            let later = try network.maker.next(versions, from: change, fee: "0.30")
            company.gateway.reload(settings.replacing(later, with: peer.entity))
            try await company.gateway.openBooks()
        }
        _ = try await network.say("What is near?")
        network.time.advance(seconds: 61)
        for company in [network.app, network.executor] {
            try await company.gateway.openBooks()
        }
        for _ in 0..<2 { _ = try await network.say("What is near?") }
        let open = try await blocks(at: network.executor)
        #expect(Set(open.map(\.tariff)).count == 2)
        network.time.advance(seconds: 6)
        await network.housekeeping()
        try await finish(network)
        #expect(try await network.app.balance(with: network.executor) == "1.00")
        #expect(try await network.executor.balance(with: network.app) == "1.00")
    }

    @Test func nobodyWorksForFreeBecauseATariffEnded() async throws {
        var end: Instant?
        let network = try await network { node in
            let to = end ?? Instant(seconds: 1_795_219_200 + 60)
            end = to
            node["to"] = .string(to.rfc3339)
        }
        _ = try await network.say("What is near?")
        network.time.advance(seconds: 61)
        let error = await #expect(throws: A2AError.self) {
            try await network.say("What is near?")
        }
        #expect(error?.reason == "ACCT_TARIFF_UNKNOWN")
        #expect(network.restaurant.heard.count == 1)
    }

    @Test(arguments: [Restaurant.Plain.message, .completed])
    func withoutBlocksEveryFeeHasItsHold(answer: Restaurant.Plain) async throws {
        let network = try Network(isBinding: false)
        network.restaurant.plainAnswer = answer
        try await network.open()
        for _ in 0..<2 { _ = try await network.say("What is near?") }
        await network.housekeeping()
        await network.housekeeping()
        for company in network.companies {
            #expect(try await company.pendingHolds() == 0)
            #expect(try await company.findings().isEmpty)
        }
        #expect(try await network.app.balance(with: network.executor) == "0.40")
        let lines = try await lines(at: network.executor, with: network.app)
        #expect(lines.map(\.evidence) == [.countersigned, .countersigned])
        #expect(lines.allSatisfy { $0.line.calls == nil && $0.line.exchange != nil })
    }
}

extension GatewaySettings {
    /// The same with other tariffs on the link with `peer`.
    func replacing(_ tariffs: TariffVersions, with peer: EntityID) -> GatewaySettings {
        var parties = parties
        if let party = parties[peer] {
            parties[peer] = Party(
                entity: party.entity, name: party.name, trust: party.trust, key: party.key,
                tariffs: tariffs, isPeer: party.isPeer)
        }
        return GatewaySettings(
            entity: entity, signingKey: signingKey, certificates: certificates, agents: agents,
            parties: parties, anchors: anchors, templates: templates, limits: limits,
            confirmationKey: confirmationKey)
    }
}
