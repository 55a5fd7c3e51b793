// SPDX-License-Identifier: Apache-2.0
import Bytes
import Crypto
import TestSupport
import Testing

@Suite struct CertificatePathTests {
    @Test(arguments: [KeyAlgorithm.p256, .ed25519], [KeyAlgorithm.p256, .ed25519])
    func anIssuedCertificateIsAPath(authority: KeyAlgorithm, leaf: KeyAlgorithm) throws {
        let test = try TestAuthority(authority)
        let key = SigningKey.generate(leaf)
        let entity = try #require(EntityID("https://agent.seller.example:8443"))
        let certificate = try test.root.issue(
            entity: entity, dnsNames: ["localhost", "127.0.0.1"], key: key.verifying,
            notBefore: TestAuthority.now, notAfter: TestAuthority.now.adding(seconds: 3600),
            random: test.random)
        for purpose in [CertificatePath.Purpose.client, .server] {
            for host in ["agent.seller.example", "AGENT.seller.example", "localhost", "127.0.0.1"] {
                let path = try CertificatePath.verify(
                    chain: [certificate], anchors: test.anchors, purpose: purpose, host: host,
                    at: TestAuthority.now)
                #expect(path == [certificate, test.root.certificate])
            }
        }
        #expect(try CertificatePath.identity(of: certificate) == .entity(entity))
        #expect(certificate.uriSANs == [entity.text])
        #expect(certificate.dnsSANs == ["agent.seller.example", "localhost"])
        #expect(certificate.publicKey == key.verifying)
        #expect(certificate.publicKeyThumbprint == key.verifying.thumbprint)
        #expect(certificate.serial.utf8.count == 32)
    }

    @Test func aLongHostLeavesTheSubjectEmpty() throws {
        let test = try TestAuthority()
        let label = String(repeating: "a", count: 60)
        let entity = try #require(EntityID("https://\(label).\(label).example"))
        let certificate = try test.root.issue(
            entity: entity, key: SigningKey.generate(.p256).verifying, notBefore: TestAuthority.now,
            notAfter: TestAuthority.now.adding(seconds: 60), random: test.random)
        #expect(certificate.subject.isEmpty)
        #expect(fault([certificate], test.anchors, host: entity.host) == nil)
    }

    @Test func anIntermediateIssuesLeavesOnly() throws {
        let test = try TestAuthority()
        let middle = try test.intermediate()
        let leaf = try middle.sign(
            test.template(), for: SigningKey.generate(.p256).verifying)
        #expect(fault([leaf, middle.certificate], test.anchors) == nil)
        #expect(fault([leaf], test.anchors) == .untrusted)
        #expect(
            fault(
                [leaf, middle.certificate],
                TrustAnchors(
                    certificates: [middle.certificate])) == .untrusted)
        let below = try test.intermediate(of: middle, name: "Below")
        let tooDeep = try below.sign(test.template(), for: SigningKey.generate(.p256).verifying)
        #expect(
            fault([tooDeep, below.certificate, middle.certificate], test.anchors) == .issuer)
    }

    @Test func oneFaultAtATime() throws {
        let test = try TestAuthority()
        func check(
            _ expected: CertificateFault?, _ change: (inout CertificateTemplate) -> Void
        ) throws {
            #expect(fault([try test.leaf(change)], test.anchors) == expected)
        }
        try check(nil) { _ in }
        try check(.version) { $0.version = 1 }
        try check(.serial) { $0.serial = [0] }
        try check(.serial) { $0.serial = [0x80] + [UInt8](repeating: 1, count: 19) }
        try check(.serial) { $0.serial = [UInt8](repeating: 1, count: 21) }
        try check(nil) { $0.serial = [0x7F] + [UInt8](repeating: 1, count: 19) }
        try check(.leafIsAuthority) { $0.isAuthority = true }
        try check(.leafNameConstraints) { $0.permittedNames = ["seller.example"] }
        try check(.extendedKeyUsage) { $0.usages = [] }
        try check(.extendedKeyUsage) { $0.usages = [.clientAuth] }
        try check(.extendedKeyUsage) { $0.usages = [.serverAuth, .codeSigning] }
        try check(.extendedKeyUsage) { $0.usages = [.anyExtendedKeyUsage] }
        try check(.subjectAltName) { ($0.uris, $0.dnsNames) = ([], []) }
    }

    @Test func theFirstRuleDecides() throws {
        let test = try TestAuthority()
        let stranger = try TestAuthority(seed: 2)
        let leaf = try stranger.leaf {
            $0.usages = []
            $0.serial = [0]
        }
        #expect(fault([leaf], test.anchors, host: "other.example") == .serial)
        let expired = try stranger.leaf { $0.notAfter = TestAuthority.now.adding(seconds: -1) }
        #expect(fault([expired], test.anchors, host: "other.example") == .untrusted)
        #expect(fault([expired], stranger.anchors, host: "other.example") == .expired)
    }

    @Test func aPinnedKeyNeedsNoIssuer() throws {
        let test = try TestAuthority()
        let key = SigningKey.generate(.ed25519)
        let leaf = try test.leaf(key: key)
        let pinned = TrustAnchors(certificates: [], pinnedKeys: [key.verifying.thumbprint])
        #expect(fault([leaf], pinned) == nil)
        #expect(fault([try test.leaf()], pinned) == .untrusted)
        #expect(fault([leaf], pinned, host: "other.example") == .host)
        #expect(fault([leaf], pinned, at: leaf.notBefore) == nil)
        #expect(
            fault([leaf], pinned, at: leaf.notBefore.adding(milliseconds: -1)) == .notYetValid)
        #expect(fault([leaf], pinned, at: leaf.notAfter.adding(milliseconds: -1)) == nil)
        #expect(fault([leaf], pinned, at: leaf.notAfter) == .expired)
        let spoilt = try test.leaf(key: key) { $0.usages = [] }
        #expect(fault([spoilt], pinned) == .extendedKeyUsage)
    }

    @Test func verificationsShareTheirAnchors() async throws {
        let test = try TestAuthority()
        let leaf = try test.leaf()
        let anchors = test.anchors
        await withTaskGroup(of: CertificateFault?.self) { group in
            for _ in 0..<16 { group.addTask { fault([leaf], anchors) } }
            for await found in group { #expect(found == nil) }
        }
    }
}
