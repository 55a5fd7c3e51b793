// SPDX-License-Identifier: Apache-2.0
internal import COpenSSL
package import Crypto

/// What we show: a certificate chain and the key of its leaf, read and matched once.
///
/// A new certificate is a new identity in a new ``TLSContext``; sessions that already run keep the
/// one they began with. The key's text is not kept.
package final class TLSIdentity: Sendable {
    /// Leaf first, without the root.
    package let chain: [Certificate]
    let certificates: [CertificateHandle]
    let key: PrivateKeyHandle

    /// Reads a PEM chain, leaf first, and an unencrypted PEM private key.
    package init(certificates chainText: String, key keyText: String) throws(TLSContextError) {
        do { chain = try Certificate.chain(pem: chainText) } catch { throw .badCertificates }
        certificates = chain.compactMap { CertificateHandle(der: $0.der) }
        guard !chain.isEmpty, certificates.count == chain.count else { throw .badCertificates }
        guard let key = PrivateKeyHandle(pem: keyText) else { throw .badKey }
        self.key = key
        guard key.belongs(to: certificates[0]) else { throw .keyMismatch }
    }

    /// The same from values, for keys that were made here.
    package convenience init(chain: [Certificate], key: SigningKey) throws(TLSContextError) {
        try self.init(certificates: chain.map(\.pem).joined(), key: key.pem)
    }
}

/// Why a context could not be made. These are mistakes in the configuration.
package enum TLSContextError: Error, Equatable, Sendable {
    /// The text is not a sequence of PEM certificates.
    case badCertificates
    /// The text is not an unencrypted PEM private key.
    case badKey
    /// The key is not that of the first certificate.
    case keyMismatch
    /// OpenSSL refuses a value, in its words; among them keys below its security level 2.
    case refused(reason: String)
}

/// An `X509`, never changed after it is read; using it from many threads is allowed.
@safe final class CertificateHandle: Sendable {
    nonisolated(unsafe) let raw: OpaquePointer

    init?(der: [UInt8]) {
        let parsed = unsafe der.withUnsafeBufferPointer { bytes in
            var cursor = bytes.baseAddress
            return unsafe d2i_X509(nil, &cursor, bytes.count)
        }
        guard let parsed = unsafe parsed else {
            ERR_clear_error()
            return nil
        }
        unsafe raw = parsed
    }

    deinit { unsafe X509_free(raw) }
}

/// An `EVP_PKEY` with its private part, never changed after it is read.
@safe final class PrivateKeyHandle: Sendable {
    nonisolated(unsafe) let raw: OpaquePointer

    init?(pem: String) {
        var bytes = Array(pem.utf8)
        defer {
            unsafe bytes.withUnsafeMutableBytes { unsafe OPENSSL_cleanse($0.baseAddress, $0.count) }
            ERR_clear_error()
        }
        let parsed = unsafe bytes.withUnsafeBytes { text -> OpaquePointer? in
            let bio = unsafe BIO_new_mem_buf(text.baseAddress, Int32(clamping: text.count))
            defer { unsafe BIO_free(bio) }
            // Without a callback OpenSSL would ask for a passphrase on the terminal.
            return unsafe PEM_read_bio_PrivateKey(bio, nil, { _, _, _, _ in -1 }, nil)
        }
        guard let parsed = unsafe parsed else { return nil }
        unsafe raw = parsed
    }

    deinit { unsafe EVP_PKEY_free(raw) }

    func belongs(to certificate: CertificateHandle) -> Bool {
        defer { ERR_clear_error() }
        return unsafe X509_check_private_key(certificate.raw, raw) == 1
    }
}
