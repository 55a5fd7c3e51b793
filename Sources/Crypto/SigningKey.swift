// SPDX-License-Identifier: Apache-2.0
import Bytes
internal import COpenSSL
package import JSON

/// A private key, P-256 or Ed25519. It signs from any thread and has no description; only ``pem``
/// gives it away, for a file that its owner alone can read.
package final class SigningKey: Sendable {
    /// The public part.
    package let verifying: VerifyingKey
    /// What it signs with.
    package var algorithm: KeyAlgorithm { verifying.algorithm }

    /// For the certificate builder.
    let handle: KeyHandle

    /// A fresh key from OpenSSL's generator.
    package static func generate(_ algorithm: KeyAlgorithm) -> SigningKey {
        let name = algorithm == .p256 ? "EC" : "ED25519"
        let context = unsafe EVP_PKEY_CTX_new_from_name(nil, name, nil)
        defer { unsafe EVP_PKEY_CTX_free(context) }
        var raw: OpaquePointer?
        var ok = unsafe EVP_PKEY_keygen_init(context) == 1
        if algorithm == .p256 {
            ok = unsafe ok && EVP_PKEY_CTX_set_group_name(context, "P-256") == 1
        }
        ok = unsafe ok && EVP_PKEY_generate(context, &raw) == 1
        guard ok, let raw = unsafe raw,
            let key = unsafe try? SigningKey(KeyHandle(owning: raw))
        else { fatalError("OpenSSL made no \(name) key") }
        return key
    }

    /// Reads PKCS#8 (`PRIVATE KEY`) or SEC1 (`EC PRIVATE KEY`) from PEM text.
    ///
    /// - Throws: ``KeyError``: no such block or several, a passphrase, another kind of key.
    package convenience init(pem: String) throws(KeyError) {
        if !PEM.decode(pem, label: "ENCRYPTED PRIVATE KEY").isEmpty
            || pem.contains("Proc-Type: 4,ENCRYPTED")
        {
            throw .encrypted
        }
        let blocks =
            PEM.decode(pem, label: "PRIVATE KEY") + PEM.decode(pem, label: "EC PRIVATE KEY")
        guard blocks.count == 1, let der = blocks[0] else {
            throw .malformed("one PEM block with a private key is needed")
        }
        try self.init(der: der)
    }

    /// Reads PKCS#8 or SEC1 in DER.
    ///
    /// - Throws: ``KeyError``.
    package convenience init(der: [UInt8]) throws(KeyError) {
        let raw = unsafe DER.decode(
            der, { unsafe d2i_AutoPrivateKey(nil, $0, $1) }, free: { unsafe EVP_PKEY_free($0) })
        guard let raw = unsafe raw else { throw .malformed("not a private key in DER") }
        try unsafe self.init(KeyHandle(owning: raw))
    }

    /// Reads a private JWK: exactly `kty`, `crv`, `x`, for EC `y`, and `d` (RFC 7518 §6.2.2,
    /// RFC 8037 §2).
    ///
    /// - Throws: ``KeyError``; `mismatch` when `d` is not the secret of that public key.
    package convenience init(privateJWK value: JSONValue) throws(KeyError) {
        guard let secret = value["d"]?.string.flatMap({ Base64URL.decode($0) }),
            secret.count == 32
        else { throw .malformed("d is 32 bytes in base64url") }
        let jwk = try JWK(privateKey: value)
        guard let x = Base64URL.decode(jwk.x), let y = Base64URL.decode(jwk.y ?? "") else {
            throw .malformed("a coordinate is not base64url")
        }
        let handle =
            switch jwk.algorithm {
            case .p256: KeyHandle(p256Point: [4] + x + y, scalar: secret)
            case .ed25519: KeyHandle(ed25519Private: secret)
            }
        guard let handle else { throw .mismatch }
        try self.init(handle)
        guard verifying.jwk == jwk else { throw .mismatch }
    }

    private init(_ handle: KeyHandle) throws(KeyError) {
        let jwk = try handle.jwk()
        guard handle.isConsistentPair else { throw .mismatch }
        self.handle = handle
        self.verifying = try VerifyingKey(jwk: jwk)
    }

    /// The signature of `message`: r ‖ s for P-256, or Ed25519; always 64 bytes.
    package func sign(_ message: [UInt8]) -> [UInt8] {
        let context = unsafe EVP_MD_CTX_new()
        defer { unsafe EVP_MD_CTX_free(context) }
        let digest = algorithm == .p256 ? "SHA256" : nil
        var signature = [UInt8](repeating: 0, count: 80)
        var count = signature.count
        let ok =
            unsafe EVP_DigestSignInit_ex(
                context, nil, digest, nil, nil, handle.raw, nil) == 1
            && EVP_DigestSign(context, &signature, &count, message, message.count) == 1
        invariant(ok, "signing failed")
        signature.removeSubrange(count...)
        guard algorithm == .p256 else { return signature }
        guard let raw = ECDSASignature.raw(der: signature) else {
            fatalError("OpenSSL made a signature that it cannot read")
        }
        return raw
    }

    /// PKCS#8 in PEM, in the clear.
    package var pem: String { PEM.encode(pkcs8, label: "PRIVATE KEY") }

    /// PKCS#8 in DER, in the clear.
    package var pkcs8: [UInt8] {
        let info = unsafe EVP_PKEY2PKCS8(handle.raw)
        defer { unsafe PKCS8_PRIV_KEY_INFO_free(info) }
        return unsafe DER.encode { unsafe i2d_PKCS8_PRIV_KEY_INFO(info, $0) }
    }
}

extension KeyHandle {
    /// Whether the private scalar yields the public point.
    fileprivate var isConsistentPair: Bool {
        guard unsafe EVP_PKEY_get_base_id(raw) == EVP_PKEY_EC else { return true }
        let context = unsafe EVP_PKEY_CTX_new_from_pkey(nil, raw, nil)
        defer {
            unsafe EVP_PKEY_CTX_free(context)
            ERR_clear_error()
        }
        return unsafe EVP_PKEY_pairwise_check(context) == 1
    }
}
