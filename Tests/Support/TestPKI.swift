// SPDX-License-Identifier: Apache-2.0

package import Bytes
package import Crypto

/// An organisation with a certificate authority of its own and a certificate for its entity, made
/// in memory: `try TestOrganisation("phone.example")`.
///
/// Everything is valid from a day before `now` to 90 days after it; `now` is the start of
/// ``VirtualTime`` unless a test runs on the real clock.
package struct TestOrganisation: Sendable {
    package let entity: EntityID
    package let authority: CertificateAuthority
    /// The key of ``certificate``; tests also sign tokens with it.
    package let key: SigningKey
    package let certificate: Certificate

    /// Leaf first, as it is presented.
    package var chain: [Certificate] { [certificate] }

    /// Whom others have to trust to accept ``certificate``.
    package var anchors: TrustAnchors { TrustAnchors(certificates: [authority.certificate]) }

    private let now: Instant
    private let random: SeededRandom

    /// An organisation named `https://` + `host`, which may end in a port.
    ///
    /// - Parameters:
    ///   - dnsNames: Names beside the host; `localhost`, say.
    ///   - algorithm: Of its two keys.
    package init(
        _ host: String, dnsNames: [String] = [], algorithm: KeyAlgorithm = .p256,
        now: Instant = VirtualTime().now(), seed: UInt64 = 1
    ) throws(CertificateFault) {
        guard let entity = EntityID("https://" + host) else { throw .template }
        self.entity = entity
        self.now = now
        random = SeededRandom(seed: seed)
        authority = try CertificateAuthority.create(
            name: host + " CA", key: SigningKey.generate(algorithm),
            notBefore: now.adding(seconds: -TestOrganisation.day),
            notAfter: now.adding(seconds: 90 * TestOrganisation.day), random: random)
        key = SigningKey.generate(algorithm)
        certificate = try authority.issue(
            entity: entity, dnsNames: dnsNames, key: key.verifying,
            notBefore: now.adding(seconds: -TestOrganisation.day),
            notAfter: now.adding(seconds: 90 * TestOrganisation.day), random: random)
    }

    /// A certificate of ``authority`` for ``key`` that says something else: `change` is given what
    /// ``certificate`` says, for the tests of what must be refused.
    package func certificate(
        _ change: (inout CertificateTemplate) -> Void
    ) throws(CertificateFault) -> Certificate {
        var template = CertificateTemplate(
            commonName: entity.host, serial: CertificateTemplate.randomSerial(from: random),
            notBefore: certificate.notBefore, notAfter: certificate.notAfter)
        template.uris = certificate.uriSANs
        template.dnsNames = [entity.host]
        template.usages = [.serverAuth, .clientAuth]
        change(&template)
        return try authority.sign(template, for: key.verifying)
    }

    private static let day: Int64 = 86_400
}
