// SPDX-License-Identifier: Apache-2.0
package import Bytes
internal import COpenSSL

/// Whether a chain of certificates leads from a peer to a trust anchor, by RFC 5280 §6 as OpenSSL
/// does it in its strict mode and by the rules beyond it of
/// `Spec/signatures.md` §4.
package enum CertificatePath {
    /// What the owner of the leaf is in the handshake.
    package enum Purpose: Hashable, Sendable { case client, server }

    /// The most authorities between leaf and anchor. Two are usual; each costs a signature.
    package static let maximumIntermediates = 4

    /// Verifies `chain` as of `now` and gives the path that was found, leaf first, anchor last.
    ///
    /// First come the rules for the leaf alone, then the path, then its keys, then the host, so
    /// that a chain with several faults always gets the same one. Names other than SANs are never
    /// looked at; a wildcard is good for one whole label. A leaf with a pinned key is a path by
    /// itself.
    ///
    /// - Parameters:
    ///   - chain: As presented: the leaf, then issuers in any order, the anchor optionally.
    ///   - host: The DNS name or IPv4 address that was dialled; nil on a server.
    /// - Throws: ``CertificateFault``.
    package static func verify(
        chain: [Certificate], anchors: TrustAnchors, purpose: Purpose, host: String?,
        at now: Instant
    ) throws(CertificateFault) -> [Certificate] {
        guard let leaf = chain.first else { throw .emptyChain }
        guard chain.count <= maximumIntermediates + 2 else { throw .chainTooLong }
        try leaf.checkLeaf(for: purpose)
        let path =
            if let key = leaf.publicKeyThumbprint, anchors.pinnedKeys.contains(key) {
                try pinned(leaf, at: now)
            } else {
                try build(chain, anchors, purpose, at: now)
            }
        for certificate in path where !certificate.hasAllowedKey { throw .keyAlgorithm }
        if let host, !leaf.isFor(host: host) { throw .host }
        return path
    }

    /// Who the owner of a verified leaf is: its one URI.
    ///
    /// - Throws: ``CertificateFault/identity`` for no URI, several, or one that is neither an
    ///   entity id nor a SPIFFE id.
    package static func identity(
        of leaf: Certificate
    ) throws(CertificateFault) -> CertificateIdentity {
        guard leaf.uriSANs.count == 1, let identity = CertificateIdentity(uri: leaf.uriSANs[0])
        else { throw .identity }
        return identity
    }

    private static func pinned(
        _ leaf: Certificate, at now: Instant
    ) throws(CertificateFault) -> [Certificate] {
        guard now.seconds >= leaf.notBefore.seconds else { throw .notYetValid }
        guard now.seconds < leaf.notAfter.seconds else { throw .expired }
        return [leaf]
    }

    private static func build(
        _ chain: [Certificate], _ anchors: TrustAnchors, _ purpose: Purpose, at now: Instant
    ) throws(CertificateFault) -> [Certificate] {
        ERR_clear_error()
        let presented = unsafe OPENSSL_sk_new_null()
        let context = unsafe X509_STORE_CTX_new()
        defer {
            unsafe X509_STORE_CTX_free(context)
            unsafe OPENSSL_sk_free(presented)
            ERR_clear_error()
        }
        for certificate in chain.dropFirst() {
            guard unsafe OPENSSL_sk_push(presented, UnsafeRawPointer(certificate.raw)) > 0 else {
                throw .internal
            }
        }
        guard unsafe X509_STORE_CTX_init(context, anchors.store, chain[0].raw, presented) == 1,
            unsafe X509_STORE_CTX_set_purpose(context, purpose.code) == 1,
            let parameters = unsafe X509_STORE_CTX_get0_param(context),
            unsafe X509_VERIFY_PARAM_set_flags(parameters, UInt(X509_V_FLAG_X509_STRICT)) == 1
        else { throw .internal }
        unsafe X509_VERIFY_PARAM_set_depth(parameters, Int32(maximumIntermediates))
        unsafe X509_VERIFY_PARAM_set_auth_level(parameters, 2)
        unsafe X509_VERIFY_PARAM_set_time(parameters, time_t(now.seconds))
        guard unsafe X509_verify_cert(context) == 1 else {
            throw CertificateFault(verification: unsafe X509_STORE_CTX_get_error(context))
        }
        let known = chain + anchors.certificates
        let found = unsafe X509_STORE_CTX_get0_chain(context)
        return unsafe (0..<OPENSSL_sk_num(found)).compactMap { index in
            let raw = unsafe OpaquePointer(OPENSSL_sk_value(found, index))
            return known.first { unsafe $0.raw == raw }
        }
    }
}

extension CertificatePath.Purpose {
    fileprivate var code: Int32 {
        switch self {
        case .client: X509_PURPOSE_SSL_CLIENT
        case .server: X509_PURPOSE_SSL_SERVER
        }
    }
}
