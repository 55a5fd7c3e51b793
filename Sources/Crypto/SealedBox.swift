// SPDX-License-Identifier: Apache-2.0
package import Bytes
internal import COpenSSL

/// What one party alone can read: HPKE in base mode (RFC 9180) with DHKEM(X25519, HKDF-SHA256),
/// HKDF-SHA256 and AES-128-GCM, one message per sealing.
package enum SealedBox {
    /// Bytes of a public or secret key.
    package static let keyBytes = 32
    /// Bytes by which a sealed message is longer than what is in it: the ephemeral key and the tag.
    package static let overhead = keyBytes + AESGCM.tagBytes

    /// Seals `plain` so that only the holder of the key opens it, and only under the same `info`.
    ///
    /// - Parameters:
    ///   - publicKey: An X25519 key.
    ///   - info: What the message is about; both sides know it, and it does not travel.
    /// - Returns: The ephemeral public key and the ciphertext; `nil` where `publicKey` is none.
    package static func seal(
        _ plain: [UInt8], to publicKey: [UInt8], info: [UInt8], random: some RandomBytes
    ) -> [UInt8]? {
        seal(plain, to: publicKey, info: info, additional: [], from: OpeningKey(random: random))
    }

    /// As above from a given ephemeral key, which is used once, and with data beside the message.
    static func seal(
        _ plain: [UInt8], to publicKey: [UInt8], info: [UInt8], additional: [UInt8],
        from ephemeral: OpeningKey
    ) -> [UInt8]? {
        guard let shared = ephemeral.agree(with: publicKey) else { return nil }
        let context = Context(
            shared: shared, ephemeral: ephemeral.publicKey, receiver: publicKey, info: info)
        guard
            let box = AESGCM.seal(
                plain, key: context.key, nonce: context.nonce, additional: additional)
        else { return nil }
        return ephemeral.publicKey + box
    }

    /// Opens what was sealed to `key` under `info`; `nil` where it was not, or was changed.
    package static func open(_ sealed: [UInt8], with key: OpeningKey, info: [UInt8]) -> [UInt8]? {
        open(sealed, with: key, info: info, additional: [])
    }

    static func open(
        _ sealed: [UInt8], with key: OpeningKey, info: [UInt8], additional: [UInt8]
    ) -> [UInt8]? {
        guard sealed.count >= overhead else { return nil }
        let ephemeral = Array(sealed.prefix(keyBytes))
        guard let shared = key.agree(with: ephemeral) else { return nil }
        let context = Context(
            shared: shared, ephemeral: ephemeral, receiver: key.publicKey, info: info)
        return AESGCM.open(
            Array(sealed.dropFirst(keyBytes)), key: context.key, nonce: context.nonce,
            additional: additional)
    }

    /// Key and nonce of the only message (RFC 9180 §4.1 and §5.1, mode 0).
    private struct Context {
        let key: [UInt8]
        let nonce: [UInt8]

        init(shared: [UInt8], ephemeral: [UInt8], receiver: [UInt8], info: [UInt8]) {
            let kem = LabeledKDF(suite: Array("KEM".utf8) + [0, 0x20])
            let secret = kem.expand(
                kem.extract(salt: [], "eae_prk", shared), "shared_secret", ephemeral + receiver,
                32)
            let hpke = LabeledKDF(suite: Array("HPKE".utf8) + [0, 0x20, 0, 1, 0, 1])
            let schedule =
                [0] + hpke.extract(salt: [], "psk_id_hash", [])
                + hpke.extract(salt: [], "info_hash", info)
            let start = hpke.extract(salt: secret, "secret", [])
            key = hpke.expand(start, "key", schedule, AESGCM.keyBytes)
            nonce = hpke.expand(start, "base_nonce", schedule, AESGCM.nonceBytes)
        }
    }
}

/// The secret half of an X25519 key pair (RFC 7748). It has no description.
package struct OpeningKey: Sendable {
    /// The 32 secret bytes.
    package let secret: [UInt8]
    /// What others seal to.
    package let publicKey: [UInt8]
    private let handle: KeyHandle

    /// A fresh key.
    package init(random: some RandomBytes) {
        guard let key = OpeningKey(secret: random.bytes(SealedBox.keyBytes)) else {
            fatalError("OpenSSL made no X25519 key")
        }
        self = key
    }

    /// The key of these 32 bytes; `nil` for another count.
    package init?(secret: [UInt8]) {
        guard secret.count == SealedBox.keyBytes,
            let raw = unsafe EVP_PKEY_new_raw_private_key(
                EVP_PKEY_X25519, nil, secret, secret.count)
        else { return nil }
        handle = unsafe KeyHandle(owning: raw)
        var bytes = [UInt8](repeating: 0, count: SealedBox.keyBytes)
        var count = bytes.count
        guard unsafe EVP_PKEY_get_raw_public_key(handle.raw, &bytes, &count) == 1 else {
            return nil
        }
        self.secret = secret
        publicKey = bytes
    }

    /// The shared point; `nil` where the other key is none or of small order.
    fileprivate func agree(with other: [UInt8]) -> [UInt8]? {
        guard other.count == SealedBox.keyBytes,
            let raw = unsafe EVP_PKEY_new_raw_public_key(
                EVP_PKEY_X25519, nil, other, other.count)
        else { return nil }
        let peer = unsafe KeyHandle(owning: raw)
        let context = unsafe EVP_PKEY_CTX_new(handle.raw, nil)
        defer { unsafe EVP_PKEY_CTX_free(context) }
        var shared = [UInt8](repeating: 0, count: SealedBox.keyBytes)
        var count = shared.count
        guard unsafe EVP_PKEY_derive_init(context) == 1,
            unsafe EVP_PKEY_derive_set_peer(context, peer.raw) == 1,
            unsafe EVP_PKEY_derive(context, &shared, &count) == 1, count == shared.count
        else {
            ERR_clear_error()
            return nil
        }
        return shared
    }
}

/// HKDF-SHA256 with the labels of RFC 9180 §4.
private struct LabeledKDF {
    let suite: [UInt8]

    func extract(salt: [UInt8], _ label: String, _ input: [UInt8]) -> [UInt8] {
        // RFC 5869 §2.2: no salt is a salt of zeros.
        let key = salt.isEmpty ? [UInt8](repeating: 0, count: 32) : salt
        return Digest.hmacSHA256(key: key, Self.version + suite + Array(label.utf8) + input)
    }

    /// At most 32 bytes, so that one block suffices.
    func expand(_ key: [UInt8], _ label: String, _ info: [UInt8], _ count: Int) -> [UInt8] {
        invariant(count <= 32, "one block of HKDF")
        let length = [UInt8(count >> 8), UInt8(count & 0xFF)]
        let block = length + Self.version + suite + Array(label.utf8) + info + [1]
        return Array(Digest.hmacSHA256(key: key, block).prefix(count))
    }

    private static let version = Array("HPKE-v1".utf8)
}

/// AES-128-GCM with a nonce of 96 bits and a tag of 128.
private enum AESGCM {
    static let keyBytes = 16
    static let nonceBytes = 12
    static let tagBytes = 16

    static func seal(
        _ plain: [UInt8], key: [UInt8], nonce: [UInt8], additional: [UInt8]
    ) -> [UInt8]? {
        let context = unsafe EVP_CIPHER_CTX_new()
        defer { unsafe EVP_CIPHER_CTX_free(context) }
        var out = [UInt8](repeating: 0, count: plain.count + 16)
        var tag = [UInt8](repeating: 0, count: tagBytes)
        var (count, last): (Int32, Int32) = (0, 0)
        var ok = unsafe EVP_EncryptInit_ex(context, EVP_aes_128_gcm(), nil, key, nonce) == 1
        if !additional.isEmpty {
            ok =
                unsafe ok
                && EVP_EncryptUpdate(context, nil, &count, additional, Int32(additional.count))
                    == 1
        }
        ok = unsafe ok && EVP_EncryptUpdate(context, &out, &count, plain, Int32(plain.count)) == 1
        ok = unsafe ok && EVP_EncryptFinal_ex(context, &tag, &last) == 1
        ok =
            unsafe ok
            && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, Int32(tagBytes), &tag) == 1
        return ok ? Array(out.prefix(Int(count))) + tag : nil
    }

    static func open(
        _ box: [UInt8], key: [UInt8], nonce: [UInt8], additional: [UInt8]
    ) -> [UInt8]? {
        guard box.count >= tagBytes else { return nil }
        let text = Array(box.dropLast(tagBytes))
        var tag = Array(box.suffix(tagBytes))
        let context = unsafe EVP_CIPHER_CTX_new()
        defer { unsafe EVP_CIPHER_CTX_free(context) }
        var out = [UInt8](repeating: 0, count: text.count + 16)
        var end = [UInt8](repeating: 0, count: 16)
        var (count, last): (Int32, Int32) = (0, 0)
        var ok = unsafe EVP_DecryptInit_ex(context, EVP_aes_128_gcm(), nil, key, nonce) == 1
        if !additional.isEmpty {
            ok =
                unsafe ok
                && EVP_DecryptUpdate(context, nil, &count, additional, Int32(additional.count))
                    == 1
        }
        ok = unsafe ok && EVP_DecryptUpdate(context, &out, &count, text, Int32(text.count)) == 1
        ok =
            unsafe ok
            && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, Int32(tagBytes), &tag) == 1
        ok = unsafe ok && EVP_DecryptFinal_ex(context, &end, &last) == 1
        if !ok { ERR_clear_error() }
        return ok ? Array(out.prefix(Int(count))) : nil
    }
}
