// SPDX-License-Identifier: Apache-2.0
package import Bytes

/// A certificate authority of one's own: the certificate that others trust and its key.
package struct CertificateAuthority: Sendable {
    package let certificate: Certificate
    package let key: SigningKey

    /// An authority that exists already, from its two files, say.
    ///
    /// - Throws: ``CertificateFault/authority`` when the key is another's or the certificate is not
    ///   that of an authority.
    package init(certificate: Certificate, key: SigningKey) throws(CertificateFault) {
        guard certificate.publicKey == key.verifying, certificate.isAuthority else {
            throw .authority
        }
        self.certificate = certificate
        self.key = key
    }

    /// An authority that exists already, from its two PEM texts.
    ///
    /// - Throws: ``CertificateFault``: as ``Certificate/chain(pem:)``, and `authority` for a key
    ///   that cannot be read or does not belong to the first certificate.
    package init(certificatePEM: String, keyPEM: String) throws(CertificateFault) {
        let certificates = try Certificate.chain(pem: certificatePEM)
        guard let key = try? SigningKey(pem: keyPEM) else { throw .authority }
        try self.init(certificate: certificates[0], key: key)
    }

    /// A new self-signed authority. It may have one level of authorities below it.
    ///
    /// - Parameters:
    ///   - name: For people to read; 1 to 64 characters.
    ///   - random: Gives the serial number.
    /// - Throws: ``CertificateFault/template`` for a name or time that cannot stand.
    package static func create(
        name: String, key: SigningKey, notBefore: Instant, notAfter: Instant,
        random: some RandomBytes
    ) throws(CertificateFault) -> CertificateAuthority {
        let template = try authorityTemplate(
            name, pathLength: 1, notBefore, notAfter, random: random)
        let certificate = try template.signed(for: key.verifying, by: key, issuer: nil)
        return try CertificateAuthority(certificate: certificate, key: key)
    }

    /// An authority below this one, that issues leaves only.
    ///
    /// - Throws: ``CertificateFault/template``, also for a validity beyond this one's.
    package func createIntermediate(
        name: String, key: SigningKey, notBefore: Instant, notAfter: Instant,
        random: some RandomBytes
    ) throws(CertificateFault) -> CertificateAuthority {
        let template = try Self.authorityTemplate(
            name, pathLength: 0, notBefore, notAfter, random: random)
        let certificate = try sign(template, for: key.verifying)
        return try CertificateAuthority(certificate: certificate, key: key)
    }

    /// A certificate for an entity: its id as the one URI, its host and `dnsNames` as DNS names
    /// (IPv4 addresses as such), good for both sides of a link.
    ///
    /// - Parameters:
    ///   - key: The entity's public key; only it has the private one.
    ///   - notAfter: At most the authority's own.
    ///   - random: Gives the serial number.
    /// - Throws: ``CertificateFault/template``.
    package func issue(
        entity: EntityID, dnsNames: [String] = [], key: VerifyingKey, notBefore: Instant,
        notAfter: Instant, random: some RandomBytes
    ) throws(CertificateFault) -> Certificate {
        let host = entity.host
        var template = CertificateTemplate(
            commonName: host.utf8.count <= 64 ? host : "",
            serial: CertificateTemplate.randomSerial(from: random),
            notBefore: notBefore, notAfter: notAfter)
        template.uris = [entity.text]
        template.dnsNames = [host] + dnsNames.filter { $0 != host }
        template.usages = [.serverAuth, .clientAuth]
        for name in dnsNames where !Self.isDNSName(name) { throw .template }
        return try sign(template, for: key)
    }

    /// Signs what `template` says for `key`, whatever that is.
    ///
    /// - Throws: ``CertificateFault/template``, also for a validity beyond this authority's.
    package func sign(
        _ template: CertificateTemplate, for key: VerifyingKey
    ) throws(CertificateFault) -> Certificate {
        guard template.notAfter <= certificate.notAfter,
            template.notBefore <= template.notAfter
        else { throw .template }
        return try template.signed(for: key, by: self.key, issuer: certificate)
    }

    private static func authorityTemplate(
        _ name: String, pathLength: Int, _ notBefore: Instant, _ notAfter: Instant,
        random: some RandomBytes
    ) throws(CertificateFault) -> CertificateTemplate {
        guard (1...64).contains(name.unicodeScalars.count), notBefore <= notAfter else {
            throw .template
        }
        var template = CertificateTemplate(
            commonName: name, serial: CertificateTemplate.randomSerial(from: random),
            notBefore: notBefore, notAfter: notAfter)
        template.isAuthority = true
        template.pathLength = pathLength
        return template
    }

    /// A name that an entity's host could be, optionally under a wildcard label, or an address.
    private static func isDNSName(_ name: String) -> Bool {
        EntityID("https://" + (name.hasPrefix("*.") ? String(name.dropFirst(2)) : name))
            .map { $0.port == 443 && !$0.text.hasSuffix(":443") } ?? false
    }
}
