// SPDX-License-Identifier: Apache-2.0
import Bytes
internal import COpenSSL

/// SHA-2 digests (FIPS 180-4) and HMAC (RFC 2104), all in one piece and all in memory.
///
/// The algorithms are fetched from OpenSSL once per process: a fetch per call costs half as much
/// again as hashing a token.
package enum Digest {
    /// SHA-256 of `bytes`; 32 bytes.
    package static func sha256(_ bytes: [UInt8]) -> [UInt8] {
        Algorithm.sha256.hash(bytes)
    }

    /// SHA-256 of the concatenation of `parts`, without building it; 32 bytes.
    package static func sha256(parts: [[UInt8]]) -> [UInt8] {
        Algorithm.sha256.hash(parts: parts)
    }

    /// SHA-384 of `bytes`; 48 bytes.
    package static func sha384(_ bytes: [UInt8]) -> [UInt8] {
        Algorithm.sha384.hash(bytes)
    }

    /// SHA-512 of `bytes`; 64 bytes.
    package static func sha512(_ bytes: [UInt8]) -> [UInt8] {
        Algorithm.sha512.hash(bytes)
    }

    /// HMAC-SHA-256 of `bytes` under `key` of any length; 32 bytes.
    package static func hmacSHA256(key: [UInt8], _ bytes: [UInt8]) -> [UInt8] {
        Algorithm.sha256.hmac(key: key, bytes)
    }
}

/// One fetched digest algorithm. Never freed: it lives as long as the process.
@safe private struct Algorithm: Sendable {
    static let sha256 = Algorithm("SHA256", size: 32)
    static let sha384 = Algorithm("SHA384", size: 48)
    static let sha512 = Algorithm("SHA512", size: 64)

    /// An `EVP_MD`, which is immutable once fetched.
    nonisolated(unsafe) private let method: OpaquePointer
    private let size: Int

    private init(_ name: String, size: Int) {
        guard let method = unsafe EVP_MD_fetch(nil, name, nil) else {
            fatalError("OpenSSL offers no \(name)")
        }
        unsafe self.method = method
        self.size = size
    }

    func hash(_ bytes: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: size)
        let result = unsafe EVP_Digest(bytes, bytes.count, &digest, nil, method, nil)
        invariant(result == 1, "EVP_Digest failed")
        return digest
    }

    func hash(parts: [[UInt8]]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: size)
        let context = unsafe EVP_MD_CTX_new()
        var succeeded = unsafe EVP_DigestInit_ex2(context, method, nil) == 1
        for part in parts where succeeded {
            succeeded = unsafe EVP_DigestUpdate(context, part, part.count) == 1
        }
        succeeded = unsafe succeeded && EVP_DigestFinal_ex(context, &digest, nil) == 1
        unsafe EVP_MD_CTX_free(context)
        invariant(succeeded, "EVP_DigestUpdate failed")
        return digest
    }

    func hmac(key: [UInt8], _ bytes: [UInt8]) -> [UInt8] {
        var code = [UInt8](repeating: 0, count: size)
        let result = unsafe HMAC(
            method, key, Int32(key.count), bytes, bytes.count, &code, nil)
        invariant(unsafe result != nil, "HMAC failed")
        return code
    }
}
