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

/// What `dragoman explain` says of the booking, at each of the three gateways.
@Suite struct ExplanationTests {
    /// A booking that went through, and the exchange that all three know it by.
    private func booked() async throws -> (Network, String) {
        let network = try Network()
        try await network.open()
        let asked = try await network.say("A table for a client dinner tomorrow night")
        let id = try #require(asked["task"]?["id"]?.string)
        let ask = try #require(try await network.asks().first)
        _ = try await network.decide(try #require(ask["nonce"]?.string), approves: true)
        await network.housekeeping()
        let explanation = try #require(
            try await Explanation.of(id, at: network.phone.gateway), "a task's id is enough")
        return (network, try #require(explanation.exchange))
    }

    @Test func everyHopTellsWhoAskedAndWhatWasGranted() async throws {
        let (network, exchange) = try await booked()
        let middle = try #require(try await Explanation.of(exchange, at: network.app.gateway))
        let task = try #require(middle.tasks.first)
        #expect(task.asker == network.phone.entity)
        #expect(task.record.certificate == "certificate-of-H")
        #expect(task.next == network.executor.entity)
        let consent = try #require(task.consent)
        #expect(consent.check == .verified)
        #expect(consent.links.map(\.grant.holder) == [network.phone.entity, network.app.entity])
        #expect(consent.links[0].lost.isEmpty)
        #expect(consent.links[1].lost.contains("may not pass it on to s.example"))
        #expect(consent.offer?.check == .verified)
        #expect(consent.offer?.rows.contains { $0.text == "CNY 328.00" } ?? false)
        #expect(consent.answer?.check == .verified)
        #expect(consent.answer?.decision == "approve")
        #expect(consent.answer?.amount == "CNY 328.00")
        #expect(consent.act?.check == .verified)
        #expect(consent.act?.holder == network.app.entity.text)
        #expect(consent.receipt?.check == .verified)
        #expect(consent.receipt?.captured == "CNY 328.00")
    }

    @Test func theKeeperTellsTheReservationAndTheExecutorTheOneItWasShown() async throws {
        let (network, exchange) = try await booked()
        let keeper = try #require(try await Explanation.of(exchange, at: network.phone.gateway))
        let own = try #require(keeper.tasks.first?.consent?.reservations.first)
        #expect(own.state == "captured")
        #expect(own.amount == "CNY 328.00")
        let executor = try #require(
            try await Explanation.of(exchange, at: network.executor.gateway))
        let shown = try #require(executor.tasks.first?.consent?.reservations.first)
        #expect(shown.check == .verified)
        #expect(shown.keeper == "https://h.example/consent/ledger")
    }

    @Test func theBooksOfEachHopComeOutToTheFen() async throws {
        let (network, exchange) = try await booked()
        func result(_ company: Organisation) async throws -> String? {
            try await Explanation.of(exchange, at: company.gateway)?.result?.text
        }
        #expect(try await result(network.phone) == "1.70")
        #expect(try await result(network.app) == "13.10")
        #expect(try await result(network.executor) == "-14.80")
        let seller = try #require(try await Explanation.of(exchange, at: network.executor.gateway))
        #expect(seller.proceeds?.text == "313.20")
        let middle = try #require(try await Explanation.of(exchange, at: network.app.gateway))
        #expect(middle.proceeds == nil, "whoever passes a task on sells nothing")
        #expect(middle.holds.filter { $0.state == .extended }.count == 2)
        #expect(middle.holds.filter { $0.state == .posted }.count == 2)
        #expect(middle.records.count == 2)
        #expect(middle.records.allSatisfy { $0.check == .verified && $0.level == .countersigned })
        let own = try #require(middle.records.first { $0.issuer == network.app.entity })
        let theirs = try #require(middle.records.first { $0.issuer == network.executor.entity })
        #expect(own.links == [theirs.name])
    }

    @Test func aRefusalIsToldWithItsRuleWhereItWasMadeAndWithItsAuthorElsewhere() async throws {
        let network = try Network()
        try await network.open()
        network.restaurant.charged = "329.00"
        let asked = try await network.say("A table")
        let id = try #require(asked["task"]?["id"]?.string)
        let ask = try #require(try await network.asks().first)
        await #expect(throws: A2AError.self) {
            try await network.decide(try #require(ask["nonce"]?.string), approves: true)
        }
        let phone = try #require(try await Explanation.of(id, at: network.phone.gateway))
        let exchange = try #require(phone.exchange)
        let executor = try #require(
            try await Explanation.of(exchange, at: network.executor.gateway))
        let made = try #require(executor.refusals.first)
        #expect(made.reason == "INVALID_AGENT_RESPONSE")
        #expect(made.rule == "outcome outcome.total is not what was agreed")
        #expect(made.by == nil)
        #expect(made.party == network.app.entity.text)
        let passedOn = try #require(phone.refusals.first)
        #expect(passedOn.by == network.app.entity.text)
        #expect(executor.text.contains("refused"))
    }

    @Test func theTextFitsOneScreenAndNamesEachStep() async throws {
        let (network, exchange) = try await booked()
        for company in [network.phone, network.app, network.executor] {
            let explanation = try #require(
                try await Explanation.of(exchange, at: company.gateway))
            let lines = explanation.text.split(separator: "\n", omittingEmptySubsequences: false)
            #expect(lines.count <= 50)
            #expect(lines.allSatisfy { $0.count <= ExplanationPage.width })
            for label in ["asked by", "route", "grant", "offer", "answer", "books", "record"] {
                #expect(lines.contains { $0.hasPrefix(label) }, "\(label) at \(company.name)")
            }
            #expect(!explanation.text.contains("NOT VERIFIED"))
        }
    }

    @Test func theJSONFormParsesAndSaysTheSame() async throws {
        let (network, exchange) = try await booked()
        let explanation = try #require(
            try await Explanation.of(exchange, at: network.app.gateway))
        let value = try JSONDocument(parsing: explanation.node.bytes).root
        #expect(value["exchange"]?.string == exchange)
        #expect(value["result"]?["amt"]?.string == "13.10")
        let consent = value["tasks"]?[0]?["consent"]
        #expect(consent?["grant"]?["verified"]?.bool == true)
        #expect(consent?["receipt"]?["captured"]?.string == "CNY 328.00")
        #expect(value["holds"]?.count == 4)
    }

    /// The phone maker's gateway with the keys of nobody else in its configuration.
    private func withoutConfiguredKeys(_ company: Organisation, _ network: Network) -> GatewayState
    {
        let settings = company.gateway.settings
        let parties = settings.parties.mapValues { party in
            Party(
                entity: party.entity, name: party.name, trust: party.trust, key: nil,
                tariffs: party.tariffs, isPeer: party.isPeer)
        }
        return GatewayState(
            settings: GatewaySettings(
                entity: settings.entity, signingKey: settings.signingKey,
                certificates: settings.certificates, agents: settings.agents, parties: parties,
                anchors: settings.anchors, templates: settings.templates, limits: settings.limits,
                confirmationKey: settings.confirmationKey),
            journal: company.journal, time: network.time, random: SeededRandom(seed: 2),
            contextKey: Array(repeating: 1, count: 32))
    }

    @Test func aRecordIsVerifiedByTheKeyThatTheGrantNames() async throws {
        let (network, exchange) = try await booked()
        let phone = withoutConfiguredKeys(network.phone, network)
        let explained = try #require(try await Explanation.of(exchange, at: phone))
        #expect(explained.records.map(\.check) == [.verified], "the grant names S's key")
        // In this network nobody sends certificates, so nothing vouches for the executor's key.
        #expect(explained.tasks.first?.consent?.receipt?.check != .verified)
        let app = withoutConfiguredKeys(network.app, network)
        let middle = try #require(try await Explanation.of(exchange, at: app))
        let theirs = try #require(
            middle.records.first { $0.issuer == network.executor.entity })
        #expect(
            theirs.check == .failed("no key is kept; it was verified when it was booked"))
    }

    @Test func claimsThatNobodyVouchesForAreNotToldAsFacts() async throws {
        let (network, exchange) = try await booked()
        let app = withoutConfiguredKeys(network.app, network)
        let trail = try #require(
            try await Explanation.of(exchange, at: app)?.tasks.first?.consent)
        #expect(trail.offer?.check == .failed("consent_untrusted"))
        #expect(trail.offer?.rows.isEmpty ?? false)
        #expect(trail.receipt?.captured == nil)
    }

    @Test func whatIsNotKnownIsNotExplained() async throws {
        let network = try Network()
        try await network.open()
        #expect(try await Explanation.of("no-such-task", at: network.app.gateway) == nil)
        let id = OperationID(at: network.time.now(), random: SeededRandom(seed: 5)).text
        #expect(try await Explanation.of(id, at: network.app.gateway) == nil)
    }
}
