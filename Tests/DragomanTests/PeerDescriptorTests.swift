// SPDX-License-Identifier: Apache-2.0
import Bytes
import Crypto
import JSON
import TestSupport
import Testing

@testable import dragoman

/// Spec §6.2.
@Suite struct PeerDescriptorTests {
    private let inn: TestOrganisation
    private let now = VirtualTime().now()

    init() throws { inn = try TestOrganisation("inn.example") }

    private var descriptor: PeerDescriptor {
        PeerDescriptor(
            entity: inn.entity, name: "客栈", authorities: [inn.authority.certificate],
            key: inn.key.verifying.jwk, isKeySeparate: false, address: "gw.inn.example:8443",
            agents: ["table"], issued: now, expires: now.adding(seconds: 60))
    }

    @Test func whatIsWrittenIsRead() throws {
        let token = try descriptor.signed(with: inn.key)
        let received = try PeerDescriptor.receive(token, now: now)
        #expect(received.descriptor.node == descriptor.node)
        let groups = received.fingerprint.split(separator: " ")
        #expect(groups.count == 6 && groups.allSatisfy { $0.count == 4 })
    }

    @Test func theFingerprintIsOfTheSpecification() {
        // SHA-256 of "abc" is ba7816bf8f01cfea414140de5dae2223…
        #expect(
            PeerDescriptor.fingerprint(of: Array("abc".utf8)) == "F0BB Z3R1 SZN4 2GA0 VSET W8H3")
    }

    @Test func anotherKeyIsNotTheirs() throws {
        let token = TokenSigner.sign(
            descriptor.node, type: PeerDescriptor.type, key: .generate(.p256))
        #expect(refusal(token) == "its signature does not hold: key")
        let other = TokenSigner.sign(descriptor.node, type: "a2a-grant+jwt", key: inn.key)
        #expect(refusal(other) == "its signature does not hold: type")
        let broken = refusal("not.a.token")
        #expect(broken?.hasPrefix("this is no signed descriptor: ") == true)
    }

    @Test func itEnds() throws {
        let token = try descriptor.signed(with: inn.key)
        #expect(throws: PeerDescriptor.Fault.self) {
            try PeerDescriptor.receive(token, now: now.adding(seconds: 60))
        }
    }

    static let changes: [(String, JSONNode?, String)] = [
        ("v", "peer/2", "it is not of v peer/1"),
        ("iss", "inn.example", "\"iss\" is not an entity id"),
        ("name", "", "\"name\" has 1 to 128 characters"),
        ("iat", 4_000_000_000, "\"iat\" comes before \"exp\""),
        ("ca", [], "\"ca\" has 1 to 4 certificates"),
        ("ca", ["AAAA"], "\"ca\" holds something that is no authority's certificate"),
        ("jwk", nil, "\"jwk\" is missing"),
        ("separate", false, "\"separate\" is true or absent"),
        ("address", "gw.inn.example", "\"address\" is host:port"),
        ("agents", ["A"], "an agent's name is 1 to 64 of a-z, 0-9, - and _, and once"),
        ("agents", ["a", "a"], "an agent's name is 1 to 64 of a-z, 0-9, - and _, and once"),
        ("agents", nil, "\"agents\" has at most 64 names"),
        ("extra", 1, "it has a member that is not known: extra"),
    ]

    @Test(arguments: changes.indices)
    func everyClaimHasItsRule(_ index: Int) {
        let (name, value, rule) = Self.changes[index]
        var node = descriptor.node
        node[name] = value
        let token = TokenSigner.sign(node, type: PeerDescriptor.type, key: inn.key)
        #expect(refusal(token) == rule)
    }

    @Test func aLeafIsNoAuthority() {
        var node = descriptor.node
        node["ca"] = [.string(Base64.encode(inn.certificate.der))]
        let token = TokenSigner.sign(node, type: PeerDescriptor.type, key: inn.key)
        #expect(refusal(token) == "\"ca\" holds something that is no authority's certificate")
    }

    @Test(arguments: [
        ("a.example:1", true), ("127.0.0.1:65535", true), ("[::1]:8443", true), ("a:0", false),
        ("a.example", false), ("a_b:1", false), ("[evil]:1", false), (":1", false),
        ("a:b:1", false),
    ])
    func addresses(_ text: String, _ isGood: Bool) {
        #expect(PeerDescriptor.isAddress(text) == isGood)
    }

    private func refusal(_ token: String) -> String? {
        do {
            _ = try PeerDescriptor.receive(token, now: now)
            return nil
        } catch { return error.rule }
    }
}
