// SPDX-License-Identifier: Apache-2.0
import Accounting
import Bytes
import Crypto
import JSON
import Node
import TestSupport
import Testing

/// Spec §6.3: a file of tariffs holds only if both have signed the same.
@Suite struct TariffFileTests {
    private let caller: TestOrganisation
    private let callee: TestOrganisation
    private let now = VirtualTime().now()

    init() throws {
        caller = try TestOrganisation("super.example")
        callee = try TestOrganisation("restaurant.example", seed: 2)
    }

    /// The tariff of the vectors, version 1.
    private func payload(version: Int64 = 1, previous: String? = nil) throws -> JSONNode {
        let vectors = try Files.text("\(Files.repository)/Spec/vectors/accounting/tariffs.json")
        let base = try #require(try JSONDocument(parsing: vectors).root["base"])
        var node = base.detached()
        node["ver"] = .int(version)
        node["prev"] = previous.map { .string($0) }
        if version > 1 { node["from"] = .string("2026-12-0\(version)T00:00:00Z") }
        return try Tariff(JSONDocument(parsing: node.bytes).root).node
    }

    private func signed(
        _ node: JSONNode, by signer: TestOrganisation, key: SigningKey? = nil,
        type: String = TariffFile.type
    ) -> TariffFile.Signature {
        let token = TokenSigner.sign(node, type: type, key: key ?? signer.key)
        let certificates = signer.chain.map { Base64.encode($0.der) }
        return .init(token: token, certificates: certificates)
    }

    /// What the restaurant believes.
    private func signatories(keys: [EntityID: VerifyingKey] = [:]) -> Signatories {
        Signatories(
            entity: callee.entity, key: callee.key.verifying,
            trust: [caller.entity: caller.anchors], keys: keys)
    }

    private func verify(_ file: TariffFile, at instant: Instant? = nil) throws -> TariffVersions {
        try TariffFile(parsing: file.bytes).verified(by: signatories(), now: instant ?? now)
    }

    private func both() throws -> TariffFile.Version {
        let node = try payload()
        return .init([.caller: signed(node, by: caller), .callee: signed(node, by: callee)])
    }

    @Test func bothSignaturesMakeATariff() throws {
        let version = try both()
        let versions = try verify(TariffFile(versions: [version]))
        let pinned = try #require(versions.versions.first)
        #expect(pinned.tariff.caller == caller.entity)
        let token = try UnverifiedToken(compact: #require(version.signatures[.caller]).token)
        #expect(pinned.name.text == token.nameHash, "named by what the caller signed")
        #expect(pinned.tokens.count == 2)
    }

    @Test func theNameIsTheSameOnBothSides() throws {
        let file = TariffFile(versions: [try both()])
        let other = Signatories(
            entity: caller.entity, key: caller.key.verifying,
            trust: [callee.entity: callee.anchors], keys: [:])
        let there = try file.verified(by: other, now: now)
        #expect(try verify(file).versions == there.versions)
    }

    @Test func aTariffOutlivesTheCertificates() throws {
        let file = TariffFile(versions: [try both()])
        _ = try verify(file, at: now.adding(seconds: 89 * 86_400))
        let leaf = try caller.certificate { $0.notAfter = now.adding(seconds: 60) }
        var version = try both()
        version.signatures[.caller] = try .init(
            token: #require(version.signatures[.caller]).token,
            certificates: [Base64.encode(leaf.der)])
        _ = try verify(TariffFile(versions: [version]), at: now.adding(seconds: 3600))
    }

    @Test func aProposalIsNoTariff() throws {
        let file = TariffFile(versions: [.init([.caller: signed(try payload(), by: caller)])])
        #expect(file.versions[0].name == nil)
        #expect(
            refusal(file) == "https://restaurant.example has not signed version 1")
    }

    @Test func theTwoSignTheSame() throws {
        var other = try payload()
        other["dispute_d"] = 31
        let file = TariffFile(versions: [
            .init([
                .caller: signed(try payload(), by: caller), .callee: signed(other, by: callee),
            ])
        ])
        #expect(refusal(file) == "the two have signed different tariffs")
    }

    @Test func aRivalSignsForNobody() throws {
        let rival = try TestOrganisation("super.example", seed: 9)
        var version = try both()
        version.signatures[.caller] = signed(try payload(), by: rival)
        #expect(
            refusal(TariffFile(versions: [version]))
                == "the certificates beside the signature of https://super.example: untrusted")
        version.signatures[.caller] = signed(try payload(), by: caller, key: rival.key)
        #expect(
            refusal(TariffFile(versions: [version]))
                == "the signature of https://super.example does not hold: key")
        version.signatures[.caller] = signed(try payload(), by: callee)
        #expect(refusal(TariffFile(versions: [version])) != nil, "one's own, in the other's place")
    }

    @Test func anotherTypeOfTokenIsNoSignature() throws {
        var version = try both()
        version.signatures[.caller] = signed(try payload(), by: caller, type: "a2a-quote+jwt")
        #expect(
            refusal(TariffFile(versions: [version]))
                == "the signature of https://super.example does not hold: type")
    }

    @Test func aStrangersTariffIsUnknown() throws {
        let nobody = Signatories(
            entity: callee.entity, key: callee.key.verifying, trust: [:], keys: [:])
        #expect(throws: TariffFileFault.self) {
            try TariffFile(versions: [try both()]).verified(by: nobody, now: now)
        }
        let known = Signatories(
            entity: callee.entity, key: callee.key.verifying, trust: [:],
            keys: [caller.entity: caller.key.verifying])
        _ = try TariffFile(versions: [try both()]).verified(by: known, now: now)
    }

    @Test func versionsFollowUponEachOther() throws {
        let first = try both()
        let name = try #require(first.name)
        let node = try payload(version: 2, previous: name.text)
        let second = TariffFile.Version([
            .caller: signed(node, by: caller), .callee: signed(node, by: callee),
        ])
        #expect(try verify(TariffFile(versions: [first, second])).versions.count == 2)
        let strange = String(repeating: "A", count: 43)
        let broken = try payload(version: 2, previous: strange)
        let third = TariffFile.Version([
            .caller: signed(broken, by: caller), .callee: signed(broken, by: callee),
        ])
        #expect(
            refusal(TariffFile(versions: [first, third]))
                == "the versions do not follow upon each other: succession")
    }

    @Test(arguments: [
        "{}", "[]", #"{"v":"tariffs/2","versions":[]}"#, #"{"v":"tariffs/1","versions":[]}"#,
        #"{"v":"tariffs/1","versions":[{}]}"#,
        #"{"v":"tariffs/1","versions":[{"left":{"jws":"","cert":[]}}]}"#,
        #"{"v":"tariffs/1","versions":[{"up":{"jws":"","cert":[],"x":1}}]}"#,
        #"{"v":"tariffs/1","versions":[{"up":{"jws":"a.b.c","cert":[1]}}]}"#,
        #"{"v":"tariffs/1","versions":[{"up":{"jws":"a.b.c","cert":[]}}],"x":1}"#,
    ])
    func formIsClosed(_ text: String) {
        #expect(throws: TariffFileFault.self) { try TariffFile(parsing: Array(text.utf8)) }
    }

    private func refusal(_ file: TariffFile) -> String? {
        do {
            _ = try verify(file)
            return nil
        } catch let fault as TariffFileFault {
            return fault.description
        } catch {
            return "\(error)"
        }
    }
}
