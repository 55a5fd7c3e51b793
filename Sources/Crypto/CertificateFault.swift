// SPDX-License-Identifier: Apache-2.0
internal import COpenSSL

/// Why a certificate, or the path from it to an anchor, was refused: one rule, by its name in
/// answers and vectors. Nothing of the certificate's contents is ever in it.
package enum CertificateFault: String, Error, CaseIterable, Sendable {
    // What one certificate is
    /// Not one X.509 certificate in DER, or not PEM of such.
    case encoding
    /// Not version 3.
    case version
    /// The serial number is not positive or is longer than 20 octets (RFC 5280 §4.1.2.2).
    case serial
    /// A key other than P-256, P-384, Ed25519 or RSA of at least 2048 bits.
    case keyAlgorithm = "key-algorithm"
    /// A certificate authority presents itself as a peer.
    case leafIsAuthority = "leaf-is-authority"
    /// Name constraints where nothing can be constrained.
    case leafNameConstraints = "leaf-name-constraints"
    /// No extended key usage, one beside server and client authentication, or not this one.
    case extendedKeyUsage = "extended-key-usage"
    /// No subject alternative name, or one that is not what its type says.
    case subjectAltName = "subject-alt-name"
    /// Not exactly one URI among the names, or one that is neither an entity id nor a SPIFFE id.
    case identity

    // What the path is
    /// No certificate at all.
    case emptyChain = "empty-chain"
    /// More certificates than ``CertificatePath/maximumIntermediates`` allows.
    case chainTooLong = "chain-too-long"
    /// No path leads to a trust anchor.
    case untrusted
    /// A signature in the path does not hold.
    case signature
    /// Signed or keyed with something too weak, or not as its algorithm field says.
    case weakAlgorithm = "weak-algorithm"
    /// Before a certificate's notBefore.
    case notYetValid = "not-yet-valid"
    /// At a certificate's notAfter or later.
    case expired
    /// An issuer in the path may not issue: no authority, no such key usage, or too deep.
    case issuer
    /// A certificate in the path may not be used for this purpose.
    case purpose
    /// A name that an issuer's name constraints do not permit.
    case nameConstraints = "name-constraints"
    /// An extension that is missing, malformed, unknown and critical, or against RFC 5280.
    case extensions
    /// The certificate is not for the host that was dialled.
    case host

    // What is to be issued
    /// A name or time that no certificate can carry, or a validity beyond the issuer's.
    case template
    /// A key and a certificate that do not belong together, or an issuer that is none.
    case authority

    /// Memory ran out, or OpenSSL was called wrongly.
    case `internal`
}

extension CertificateFault {
    /// The rule behind the code of OpenSSL's path verification.
    init(verification code: Int32) {
        self =
            switch code {
            case X509_V_ERR_CERT_NOT_YET_VALID: .notYetValid
            case X509_V_ERR_CERT_HAS_EXPIRED: .expired
            case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT,
                X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
                X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE,
                X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN,
                X509_V_ERR_CERT_UNTRUSTED, X509_V_ERR_CERT_REJECTED:
                .untrusted
            case X509_V_ERR_CERT_SIGNATURE_FAILURE,
                X509_V_ERR_UNABLE_TO_DECRYPT_CERT_SIGNATURE,
                X509_V_ERR_UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY:
                .signature
            case X509_V_ERR_EE_KEY_TOO_SMALL, X509_V_ERR_CA_KEY_TOO_SMALL,
                X509_V_ERR_CA_MD_TOO_WEAK, X509_V_ERR_SIGNATURE_ALGORITHM_MISMATCH,
                X509_V_ERR_SIGNATURE_ALGORITHM_INCONSISTENCY,
                X509_V_ERR_UNSUPPORTED_SIGNATURE_ALGORITHM,
                X509_V_ERR_EC_KEY_EXPLICIT_PARAMS:
                .weakAlgorithm
            case X509_V_ERR_CERT_CHAIN_TOO_LONG: .chainTooLong
            case X509_V_ERR_INVALID_CA, X509_V_ERR_PATH_LENGTH_EXCEEDED,
                X509_V_ERR_KEYUSAGE_NO_CERTSIGN, X509_V_ERR_INVALID_NON_CA,
                X509_V_ERR_CA_BCONS_NOT_CRITICAL, X509_V_ERR_CA_CERT_MISSING_KEY_USAGE:
                .issuer
            case X509_V_ERR_INVALID_PURPOSE: .purpose
            case X509_V_ERR_PERMITTED_VIOLATION, X509_V_ERR_EXCLUDED_VIOLATION,
                X509_V_ERR_SUBTREE_MINMAX, X509_V_ERR_UNSUPPORTED_CONSTRAINT_TYPE,
                X509_V_ERR_UNSUPPORTED_CONSTRAINT_SYNTAX, X509_V_ERR_UNSUPPORTED_NAME_SYNTAX:
                .nameConstraints
            case X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH: .host
            case X509_V_ERR_OUT_OF_MEM, X509_V_ERR_UNSPECIFIED, X509_V_ERR_INVALID_CALL,
                X509_V_ERR_STORE_LOOKUP:
                .internal
            default: .extensions
            }
    }
}
