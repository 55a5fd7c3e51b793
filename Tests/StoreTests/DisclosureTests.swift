// SPDX-License-Identifier: Apache-2.0
import A2A
import Bytes
import Consent
import Crypto
import Gateway
import JSON
import Store
import TestSupport
import Testing

/// The user's telephone number reaches the restaurant's agent and nobody else (Spec §4.15).
@Suite struct DisclosureTests {
    private let telephone = Network.telephone["phone.number"] ?? ""

    private func nonce(_ network: Network) async throws -> String {
        try #require(try await network.asks().first?["nonce"]?.string)
    }

    @Test func theAgentIsToldAndNobodyElse() async throws {
        let network = try Network()
        try await network.open()
        var passed: [String] = []
        network.tamper = { call throws(UpstreamFailure) in
            passed.append(String(decoding: call.params, as: UTF8.self))
            return call
        }
        let asked = try await network.say("A table")
        let ask = try #require(try await network.asks().first)
        #expect(ask["data"]?.array?.map(\.string) == ["phone.number"])
        let done = try await network.decide(try await nonce(network), approves: true)
        #expect(done["state"]?.string == "TASK_STATE_COMPLETED")
        await network.housekeeping()
        #expect(network.restaurant.told == [Network.telephone])
        #expect(!passed.isEmpty && passed.allSatisfy { !$0.contains(telephone) })
        let id = try #require(asked["task"]?["id"]?.string)
        let task = try await network.getTask(id, at: network.phone, as: Network.user)
        #expect(!String(decoding: Array(task.raw), as: UTF8.self).contains(telephone))
        for company in [network.phone, network.app, network.executor] {
            let digits = Array(telephone.utf8)
            for file in ["", "-wal"] {
                let bytes = try Files.bytes("\(network.folder.path)/\(company.name).db\(file)")
                #expect(!bytes.contains(digits), "\(company.name)\(file)")
            }
        }
    }

    /// The secret key goes with the end of the task, so that what was recorded opens no more.
    @Test func theKeyIsGoneAtTheEnd() async throws {
        let network = try Network()
        try await network.open()
        _ = try await network.say("A table")
        let tasks = {
            try await network.executor.journal.read {
                try $0.tasksDue(at: Instant(seconds: 4_000_000_000), limit: 9)
            }
        }
        let task = try #require(try await tasks().first)
        #expect(task.undertaking?.opening != nil)
        _ = try await network.decide(try await nonce(network), approves: true)
        let id = task.id
        let ended = try await network.executor.journal.read { try $0.task(id: id) }
        #expect(ended?.state == .completed)
        #expect(ended?.undertaking?.opening == nil)
    }

    @Test(arguments: [
        [:], ["phone.number": ""], ["phone.number": "1\u{0}2"],
        ["phone.number": String(repeating: "1", count: 513)],
        ["phone.number": "1", "addr.delivery": "2"], ["addr.delivery": "2"],
    ])
    func aYesNeedsWhatIsAskedForAndNoMore(_ data: [String: String]) async throws {
        let network = try Network()
        try await network.open()
        _ = try await network.say("A table")
        let error = await #expect(throws: A2AError.self) {
            try await network.decide(try await nonce(network), approves: true, data: data)
        }
        #expect(error?.code == .invalidParams)
        for value in data.values where value.count > 2 {
            #expect(error?.message.contains(value) == false)
        }
        // The question is still open, and the right answer is taken.
        let done = try await network.decide(try await nonce(network), approves: true)
        #expect(done["state"]?.string == "TASK_STATE_COMPLETED")
    }

    @Test func aNoReleasesNothing() async throws {
        let network = try Network()
        try await network.open()
        var passed: [ConsentMetadata] = []
        network.tamper = { call throws(UpstreamFailure) in
            let root = try? JSONDocument(parsing: call.params).root
            let value = root?["message"]?["metadata"]?[ConsentMetadata.uri]
            if let metadata = value.flatMap({ try? ConsentMetadata($0) }) {
                passed.append(metadata)
            }
            return call
        }
        _ = try await network.say("A table")
        let answer = try await network.decide(try await nonce(network), approves: false)
        #expect(answer["state"]?.string == "TASK_STATE_REJECTED")
        #expect(passed.contains { $0.confirm != nil } && passed.allSatisfy { $0.disclosed == nil })
    }

    /// What the user's own gateway is given to send must be what the confirmation names.
    @Test func whatIsSentMustBeWhatWasConfirmed() async throws {
        let network = try Network()
        try await network.open()
        _ = try await network.say("A table")
        let error = await #expect(throws: A2AError.self) {
            try await network.decide(
                try await nonce(network), approves: true, released: "c29tZXRoaW5nIGVsc2U")
        }
        #expect(error?.reason == "consent_data")
        #expect(network.restaurant.commits == 0)
    }

    /// The super-app can neither keep back nor exchange what the user released, even where it
    /// could seal: the key in the terms is public.
    @Test(arguments: ["kept back", "of its own", "of another offer", "changed"])
    func theAppCannotChangeWhatWasReleased(_ way: String) async throws {
        let network = try Network()
        try await network.open()
        var changes = 0
        network.tamper = { call throws(UpstreamFailure) in
            do {
                let root = try JSONDocument(parsing: call.params).root
                guard let value = root["message"]?["metadata"]?[ConsentMetadata.uri] else {
                    return call
                }
                var metadata = try ConsentMetadata(value)
                guard metadata.act != nil, let sealed = metadata.disclosed else { return call }
                changes += 1
                switch way {
                case "kept back": metadata.disclosed = nil
                case "of another offer": metadata.disclosed = "A" + sealed.dropFirst()
                case "changed": metadata.disclosed = sealed.dropLast(4) + "AAAA"
                default:
                    let terms = try #require(try self.terms(at: network))
                    metadata.disclosed = try ReleasedData(
                        ["phone.number": "the app's own"], for: terms.terms
                    ).sealed(for: terms, random: SeededRandom(seed: 1))
                }
                let text = String(decoding: call.params, as: UTF8.self)
                let now = text.split(separator: "\"disclosed\":\"\(sealed)\"").joined(
                    separator: metadata.disclosed.map { "\"disclosed\":\"\($0)\"" }
                        ?? "\"ad\":\"order\"")
                return UpstreamCall(
                    destination: call.destination, method: call.method, params: Array(now.utf8),
                    extensions: call.extensions, traceparent: nil, onBehalfOf: nil,
                    user: call.user, timeout: call.timeout)
            } catch {
                throw .malformed("\(error)")
            }
        }
        _ = try await network.say("A table")
        let error = await #expect(throws: A2AError.self) {
            try await network.decide(try await nonce(network), approves: true)
        }
        #expect(error?.reason == "consent_data")
        #expect(changes > 0)
        #expect(network.restaurant.commits == 0)
        #expect(network.restaurant.told.isEmpty)
    }

    /// The terms of the open question, as the super-app reads them.
    private func terms(at network: Network) throws -> SignedTerms? {
        try network.lastTerms.map {
            try SignedTerms(
                verifying: $0, by: network.executor.key.verifying,
                issuer: network.executor.entity, now: network.time.now(),
                signatures: SignatureCheck())
        }
    }

    /// A commit that is sent again after a restart carries the same, also where the executor's key
    /// was replaced meanwhile.
    @Test(arguments: [false, true])
    func aCommitThatIsSentAgainTellsItAgain(isKeyReplaced: Bool) async throws {
        let network = try Network()
        try await network.open()
        _ = try await network.say("A table")
        network.restaurant.isAway = true
        _ = try? await network.decide(try await nonce(network), approves: true)
        #expect(network.restaurant.told.isEmpty)
        network.restaurant.isAway = false
        if isKeyReplaced {
            let old = network.executor.gateway.settings
            network.executor.gateway.reload(
                GatewaySettings(
                    entity: old.entity, signingKey: .generate(.ed25519),
                    certificates: old.certificates, agents: old.agents, parties: old.parties,
                    anchors: old.anchors, templates: old.templates, limits: old.limits,
                    confirmationKey: old.confirmationKey))
        }
        for _ in 0..<6 {
            network.time.advance(seconds: 10)
            await network.housekeeping()
        }
        #expect(network.restaurant.commits == 1)
        #expect(network.restaurant.told == [Network.telephone])
    }
}
