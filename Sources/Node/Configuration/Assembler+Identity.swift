// SPDX-License-Identifier: Apache-2.0
import Bytes
import Crypto

extension Assembler {
    /// What this gateway proves itself and signs with.
    struct OwnIdentity {
        let chain: [Certificate]
        let certificatesText: String
        let keyText: String
        let signingKey: SigningKey
    }

    /// Reads the certificate and the keys, and checks that they belong together and to the entity.
    func identity() -> OwnIdentity? {
        let files = configuration.identity
        let certificates = text(files.certificate, "identity.certificate")
        let chain = certificates.flatMap { self.chain($0, "identity.certificate") }
        if let leaf = chain?.first { checkLeaf(leaf) }

        // The key of the connection may be one that signs no tokens; then another one must.
        let other = files.signingKey.map { signingKey($0, "identity.signing_key") }
        let own: (key: SigningKey, text: String)?
        if other == nil {
            own = signingKey(files.key, "identity.key")
        } else {
            checkSecrecy(files.key, "identity.key")
            own = nil
        }
        guard let keyText = own?.text ?? text(files.key, "identity.key") else { return nil }
        if let leaf = chain?.first, let own, leaf.publicKey != own.key.verifying {
            faults.note(
                "identity.key", "is not the key of the certificate",
                "Name the two files that were made together")
        }
        guard let chain, let certificates, let signingKey = other.map({ $0?.key }) ?? own?.key
        else { return nil }
        return OwnIdentity(
            chain: chain, certificatesText: certificates, keyText: keyText,
            signingKey: signingKey)
    }

    /// The certificates of a PEM text.
    func chain(_ text: String, _ member: String) -> [Certificate]? {
        do { return try Certificate.chain(pem: text) } catch {
            faults.note(
                member, "holds no certificate that can be read: \(error.rawValue)",
                "It must hold PEM blocks \"CERTIFICATE\", the leaf first")
            return nil
        }
    }

    private func checkLeaf(_ leaf: Certificate) {
        let member = "identity.certificate"
        let renew = "Make one: dragoman tool pki make --entity \(configuration.entity)"
        if leaf.uriSANs != [configuration.entity.text] {
            let names = leaf.uriSANs.isEmpty ? "none" : leaf.uriSANs.joined(separator: ", ")
            faults.note(
                member,
                "must have \(configuration.entity) as its one URI name, and has \(names)", renew)
        }
        if now > leaf.notAfter { faults.note(member, "ended at \(leaf.notAfter.rfc3339)", renew) }
        if now < leaf.notBefore {
            faults.note(
                member, "begins at \(leaf.notBefore.rfc3339)", "Is this machine's clock right?")
        }
    }

    /// Where the configuration says who vouches for this gateway itself, holds its certificate to
    /// that, as its peers will.
    func checkPath(_ identity: OwnIdentity?, under trust: TrustAnchors?) {
        guard let identity, let trust, let leaf = identity.chain.first,
            (leaf.notBefore...max(leaf.notBefore, leaf.notAfter)).contains(now)
        else { return }
        for purpose in [CertificatePath.Purpose.server, .client] {
            do {
                _ = try CertificatePath.verify(
                    chain: identity.chain, anchors: trust, purpose: purpose,
                    host: purpose == .server ? configuration.entity.host : nil, at: now)
            } catch {
                faults.note(
                    "identity.certificate",
                    "would be refused by peers (\(purpose)): \(error.rawValue)",
                    "Its authority must be in the \"trust\" of this entity in \"entities\"")
                return
            }
        }
    }
}
