// SPDX-License-Identifier: Apache-2.0
import Bytes
import Crypto
import TestSupport
import Testing

@Suite struct CertificateAuthorityTests {
    @Test func whatCannotBeIssuedIsRefused() throws {
        let test = try TestAuthority()
        let key = SigningKey.generate(.p256).verifying
        let entity = try #require(EntityID(TestAuthority.entity))
        func issue(
            _ names: [String] = [], from start: Int64 = 0, to end: Int64 = 60
        ) throws -> Certificate {
            try test.root.issue(
                entity: entity, dnsNames: names, key: key,
                notBefore: TestAuthority.now.adding(seconds: start),
                notAfter: TestAuthority.now.adding(seconds: end), random: test.random)
        }
        _ = try issue(["*.seller.example", "localhost", "10.0.0.1"])
        let names = [
            "", "a b", "A.example", "x.example.", "a,URI:https://evil.example", "a/b",
            "user@a.example", "a.example:443", "*", "a.*.example", "ü.example", "a\0b",
        ]
        for name in names {
            #expect(throws: CertificateFault.template, "\(name)") { try issue([name]) }
        }
        #expect(throws: CertificateFault.template) { try issue(to: 366 * 86_400) }
        #expect(throws: CertificateFault.template) { try issue(from: 61) }
    }

    @Test func anAuthorityHasAName() {
        let random = SeededRandom(seed: 3)
        for name in ["", String(repeating: "x", count: 65)] {
            #expect(throws: CertificateFault.template) {
                try CertificateAuthority.create(
                    name: name, key: .generate(.p256), notBefore: TestAuthority.now,
                    notAfter: TestAuthority.now.adding(seconds: 60), random: random)
            }
        }
    }

    @Test func anAuthorityComesBackFromItsPEM() throws {
        let root = try TestAuthority().root
        let again = try CertificateAuthority(
            certificatePEM: root.certificate.pem, keyPEM: root.key.pem)
        #expect(again.certificate == root.certificate)
        #expect(again.key.verifying == root.key.verifying)
        let other = SigningKey.generate(.p256)
        #expect(throws: CertificateFault.authority) {
            try CertificateAuthority(certificatePEM: root.certificate.pem, keyPEM: other.pem)
        }
        #expect(throws: CertificateFault.authority) {
            try CertificateAuthority(certificatePEM: root.certificate.pem, keyPEM: "")
        }
        #expect(throws: CertificateFault.encoding) {
            try CertificateAuthority(certificatePEM: root.key.pem, keyPEM: root.key.pem)
        }
        let key = SigningKey.generate(.p256)
        let leaf = try TestAuthority().leaf(key: key)
        #expect(throws: CertificateFault.authority) {
            try CertificateAuthority(certificate: leaf, key: key)
        }
    }

    @Test func serialsAreRandomAndPositive() throws {
        let random = SeededRandom(seed: 4)
        let serials = (0..<200).map { _ in CertificateTemplate.randomSerial(from: random) }
        #expect(Set(serials).count == 200)
        #expect(serials.allSatisfy { $0.count == 16 && $0[0] & 0xC0 == 0x40 })
    }

    @Test(
        .enabled("the openssl command is absent") { OpenSSLCommand.isPresent },
        arguments: [KeyAlgorithm.p256, .ed25519])
    func anotherReaderAgrees(algorithm: KeyAlgorithm) throws {
        let test = try TestAuthority(algorithm)
        let middle = try test.root.createIntermediate(
            name: "Intermediate", key: .generate(algorithm), notBefore: TestAuthority.now,
            notAfter: TestAuthority.now.adding(seconds: 86_400), random: test.random)
        let key = SigningKey.generate(algorithm)
        let leaf = try middle.issue(
            entity: try #require(EntityID("https://agent.seller.example:8443")),
            dnsNames: ["localhost"], key: key.verifying, notBefore: TestAuthority.now,
            notAfter: TestAuthority.now.adding(seconds: 3600), random: test.random)
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let root = try folder.write(test.root.certificate.pem, to: "root.pem")
        let between = try folder.write(middle.certificate.pem, to: "middle.pem")
        let file = try folder.write(leaf.pem, to: "leaf.pem")
        let keyFile = try folder.write(key.pem, to: "key.pem")
        let time = "\(TestAuthority.now.seconds + 1)"
        for purpose in ["sslserver", "sslclient"] {
            #expect(
                OpenSSLCommand.run([
                    "verify", "-x509_strict", "-auth_level", "2", "-purpose", purpose, "-attime",
                    time, "-verify_hostname", "agent.seller.example", "-CAfile", root,
                    "-untrusted", between, file,
                ]) == 0)
        }
        #expect(
            OpenSSLCommand.run([
                "verify", "-x509_strict", "-attime", time, "-CAfile", root, file,
            ]) != 0)
        #expect(OpenSSLCommand.run(["pkey", "-in", keyFile, "-noout", "-check"]) == 0)
    }
}
