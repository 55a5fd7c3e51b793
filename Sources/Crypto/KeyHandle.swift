// SPDX-License-Identifier: Apache-2.0
import Bytes
internal import COpenSSL

/// An `EVP_PKEY`, freed exactly once. Immutable after it is made, so signing and verifying with it
/// from several threads is safe; OpenSSL counts references and guards its caches itself.
@safe final class KeyHandle: Sendable {
    nonisolated(unsafe) let raw: OpaquePointer

    /// Takes over one reference to `raw`.
    init(owning raw: OpaquePointer) {
        unsafe self.raw = raw
    }

    deinit { unsafe EVP_PKEY_free(raw) }

    /// A P-256 key from `04 || x || y` and, for a private key, its 32-byte scalar. Nil when the
    /// point is not on the curve.
    convenience init?(p256Point point: [UInt8], scalar: [UInt8]? = nil) {
        guard point.count == 65, scalar.map({ $0.count == 32 }) ?? true else { return nil }
        ERR_clear_error()
        guard let raw = unsafe dg_p256_key(point, scalar) else {
            ERR_clear_error()
            return nil
        }
        unsafe self.init(owning: raw)
    }

    /// An Ed25519 public key of 32 bytes.
    convenience init?(ed25519Public bytes: [UInt8]) {
        guard
            let raw = unsafe EVP_PKEY_new_raw_public_key(
                EVP_PKEY_ED25519, nil, bytes, bytes.count)
        else { return nil }
        unsafe self.init(owning: raw)
    }

    /// An Ed25519 private key, the 32-byte seed of RFC 8032.
    convenience init?(ed25519Private seed: [UInt8]) {
        guard
            let raw = unsafe EVP_PKEY_new_raw_private_key(
                EVP_PKEY_ED25519, nil, seed, seed.count)
        else { return nil }
        unsafe self.init(owning: raw)
    }

    /// The public part as a JWK; nil when the key is neither P-256 nor Ed25519.
    func jwk() throws(KeyError) -> JWK {
        switch unsafe EVP_PKEY_get_base_id(raw) {
        case EVP_PKEY_EC where groupName == "prime256v1":
            guard let x = coordinate(OSSL_PKEY_PARAM_EC_PUB_X),
                let y = coordinate(OSSL_PKEY_PARAM_EC_PUB_Y)
            else { throw .malformed("no public point") }
            return try JWK(algorithm: .p256, x: x, y: y)
        case EVP_PKEY_ED25519:
            var bytes = [UInt8](repeating: 0, count: 32)
            var count = bytes.count
            guard unsafe EVP_PKEY_get_raw_public_key(raw, &bytes, &count) == 1, count == 32 else {
                throw .malformed("no public key")
            }
            return try JWK(algorithm: .ed25519, x: bytes, y: nil)
        default: throw .unsupported
        }
    }

    /// OpenSSL's name of an elliptic curve; empty for other keys.
    var groupName: String {
        var name = [CChar](repeating: 0, count: 80)
        var length = 0
        guard unsafe EVP_PKEY_get_group_name(raw, &name, name.count, &length) == 1 else {
            ERR_clear_error()
            return ""
        }
        return String(decoding: name.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private func coordinate(_ parameter: String) -> [UInt8]? {
        var number: OpaquePointer?
        guard unsafe EVP_PKEY_get_bn_param(raw, parameter, &number) == 1 else {
            ERR_clear_error()
            return nil
        }
        defer { unsafe BN_free(number) }
        var bytes = [UInt8](repeating: 0, count: 32)
        return unsafe BN_bn2binpad(number, &bytes, 32) == 32 ? bytes : nil
    }
}
