// SPDX-License-Identifier: Apache-2.0
import Accounting
import Bytes
import Crypto
import Gateway
import JSON
import TestSupport
import Testing

@testable import Node

/// What is taken, and what not, when the files of keys and certificates are read again.
@Suite struct KeyFileTests {
    private let inn: TestOrganisation
    private let app: TestOrganisation
    private let scratch: Scratch
    private let now = VirtualTime().now()

    init() throws {
        inn = try TestOrganisation("restaurant.example")
        app = try TestOrganisation("super.example", seed: 2)
        scratch = try Scratch()
        try scratch.file("cert.pem", inn.certificate.pem)
        Scratch.setMode(try scratch.file("key.pem", inn.key.pem), 0o600)
        try scratch.file("ca.pem", inn.authority.certificate.pem)
        try scratch.file("app.pem", app.authority.certificate.pem)
        let vectors = try Files.text("\(Files.repository)/Spec/vectors/accounting/tariffs.json")
        let base = try #require(try JSONDocument(parsing: vectors).root["base"]).detached()
        let tariff = try Tariff(JSONDocument(parsing: base.bytes).root).node
        func signed(_ signer: TestOrganisation) -> TariffFile.Signature {
            .init(
                token: TokenSigner.sign(tariff, type: TariffFile.type, key: signer.key),
                certificates: signer.chain.map { Base64.encode($0.der) })
        }
        let version = TariffFile.Version([.caller: signed(app), .callee: signed(inn)])
        try scratch.file(
            "tariff.json",
            String(decoding: TariffFile(versions: [version]).bytes, as: UTF8.self))
    }

    private func assembly() throws -> Assembly {
        let text = """
            {
                "entity": "https://restaurant.example",
                "identity": {"certificate": "cert.pem", "key": "key.pem"},
                "entities": [
                    {"entity": "https://super.example", "name": "App", "trust": "app.pem"},
                    {"entity": "https://restaurant.example", "name": "Inn", "trust": "ca.pem"}
                ],
                "listeners": [{"name": "peers", "kind": "link", "address": "0.0.0.0:1"}],
                "peers": [{"entity": "https://super.example", "tariff": "tariff.json"}]
            }
            """
        return try Assembly(
            parsing: Array(text.utf8), from: "\(scratch.path)/dragoman.json", now: now)
    }

    @Test func whatIsAsItWasChangesNothing() throws {
        let found = try assembly().refreshed(now: now)
        #expect(found.assembly == nil && found.taken == [] && found.refused == [])
    }

    @Test func tariffsWaitForAReload() throws {
        let inForce = try assembly()
        let tariffs = try #require(inForce.settings.parties[app.entity]?.tariffs)
        try scratch.file("tariff.json", "half a file")
        let renewed = try inn.certificate { $0.serial = [7] }
        try scratch.file("cert.pem", renewed.pem)
        let found = inForce.refreshed(now: now)
        #expect(found.taken == ["identity.certificate"] && found.refused == [])
        let settings = try #require(found.assembly).settings
        #expect(settings.certificates == [renewed])
        #expect(settings.parties[app.entity]?.tariffs?.versions == tariffs.versions)
        #expect(
            inForce.keyFiles.map(\.member) == [
                "identity.certificate", "identity.key", "entities[1].trust", "entities[0].trust",
            ])
    }

    @Test func ourOwnAuthorityChangesWithItsCertificate() throws {
        let inForce = try assembly()
        let other = try TestOrganisation("restaurant.example", seed: 3)
        try scratch.file("cert.pem", other.certificate.pem)
        try scratch.file("key.pem", other.key.pem)
        let alone = inForce.refreshed(now: now)
        #expect(alone.assembly == nil)
        #expect(alone.refused.map(\.member) == ["identity.certificate"])
        #expect(alone.refused.first?.reason == "would be refused by peers (server): untrusted")
        try scratch.file("ca.pem", other.authority.certificate.pem)
        let together = inForce.refreshed(now: now)
        #expect(together.refused == [])
        #expect(
            together.taken == ["identity.certificate", "identity.key", "entities[1].trust"])
    }

    @Test func whatHasGrownOldDoesNotKeepNewFilesOut() throws {
        let inForce = try assembly()
        let late = inn.certificate.notAfter.adding(seconds: 60)
        let newer = try TestOrganisation("super.example", now: late, seed: 4)
        try scratch.file("app.pem", newer.authority.certificate.pem)
        let found = inForce.refreshed(now: late)
        #expect(found.taken == ["entities[0].trust"] && found.refused == [])
        let again = try #require(found.assembly)
        #expect(again.settings.certificates == [inn.certificate], "ended, and still the last")
        // A certificate of our own that has ended too is no better than the one before.
        try scratch.file("cert.pem", try inn.certificate { $0.serial = [7] }.pem)
        #expect(again.refreshed(now: late).refused.first?.member == "identity.certificate")
    }

    @Test func aKeyThatEverybodyCanReadIsNotTaken() throws {
        let inForce = try assembly()
        let renewed = SigningKey.generate(.p256)
        let certificate = try inn.authority.issue(
            entity: inn.entity, dnsNames: [], key: renewed.verifying,
            notBefore: inn.certificate.notBefore, notAfter: inn.certificate.notAfter,
            random: SeededRandom(seed: 9))
        try scratch.file("cert.pem", certificate.pem)
        Scratch.setMode(try scratch.file("key.pem", renewed.pem), 0o644)
        let found = inForce.refreshed(now: now)
        #expect(found.assembly == nil)
        #expect(
            found.refused == [
                .init(
                    member: "identity.key", path: scratch.path + "/key.pem",
                    reason: "can be read by every account here")
            ])
        Scratch.setMode(scratch.path + "/key.pem", 0o600)
        #expect(inForce.refreshed(now: now).taken == ["identity.certificate", "identity.key"])
    }
}
