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
        #expect(certificate.publicKey == key.verifying)
        #expect(certificate.publicKeyThumbprint == key.verifying.thumbprint)
    }
}
