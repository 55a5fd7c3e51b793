// SPDX-License-Identifier: Apache-2.0
import Bytes
import Crypto
import TestSupport

/// A certificate authority for one test, and the certificates it can be talked into.
struct TestAuthority {
    static let now = Instant(seconds: 1_795_219_200)
    static let entity = "https://agent.seller.example"

    let root: CertificateAuthority
    let random: SeededRandom

    init(_ algorithm: KeyAlgorithm = .p256, seed: UInt64 = 1) throws {
        random = SeededRandom(seed: seed)
        root = try CertificateAuthority.create(
            name: "Test CA", key: .generate(algorithm), notBefore: Self.now.adding(seconds: -3600),
            notAfter: Self.now.adding(seconds: 365 * 86_400), random: random)
    }

    var anchors: TrustAnchors { TrustAnchors(certificates: [root.certificate]) }

    /// What `issue` makes, to be changed by a test.
    func template() -> CertificateTemplate {
        var template = CertificateTemplate(
            commonName: "agent.seller.example",
            serial: CertificateTemplate.randomSerial(from: random),
            notBefore: Self.now.adding(seconds: -60), notAfter: Self.now.adding(seconds: 86_400))
        template.uris = [Self.entity]
        template.dnsNames = ["agent.seller.example"]
        template.usages = [.serverAuth, .clientAuth]
        return template
    }

    /// A leaf whose template `change` has spoilt.
    func leaf(
        key: SigningKey = .generate(.p256), _ change: (inout CertificateTemplate) -> Void = { _ in }
    ) throws -> Certificate {
        var template = template()
        change(&template)
        return try root.sign(template, for: key.verifying)
    }

    func intermediate(
        of authority: CertificateAuthority? = nil, name: String = "Intermediate"
    ) throws -> CertificateAuthority {
        try (authority ?? root).createIntermediate(
            name: name, key: .generate(.p256), notBefore: Self.now.adding(seconds: -60),
            notAfter: Self.now.adding(seconds: 86_400), random: random)
    }
}

/// The fault of a verification, nil when it succeeds.
func fault(
    _ chain: [Certificate], _ anchors: TrustAnchors,
    purpose: CertificatePath.Purpose = .server, host: String? = nil,
    at now: Instant = TestAuthority.now
) -> CertificateFault? {
    do throws(CertificateFault) {
        let path = try CertificatePath.verify(
            chain: chain, anchors: anchors, purpose: purpose, host: host, at: now)
        return path.first == chain.first ? nil : .internal
    } catch {
        return error
    }
}
