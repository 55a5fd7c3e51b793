// SPDX-License-Identifier: Apache-2.0
import Bytes
internal import COpenSSL

/// HMAC-SHA-256 (RFC 2104) under a key that is used again and again: the two blocks that depend on
/// the key alone are hashed once.
@safe package final class MessageCoder: Sendable {
    /// The digest of the inner block so far; never changed after `init`, each code is made in a
    /// copy.
    nonisolated(unsafe) private let inner: OpaquePointer
    /// The digest of the outer block so far; never changed either.
    nonisolated(unsafe) private let outer: OpaquePointer

    /// - Parameter key: Of any length.
    package init(key: [UInt8]) {
        var block = key.count > Self.blockSize ? Digest.sha256(key) : key
        block += [UInt8](repeating: 0, count: Self.blockSize - block.count)
        unsafe inner = Self.begin(block.map { $0 ^ 0x36 })
        unsafe outer = Self.begin(block.map { $0 ^ 0x5C })
    }

    deinit {
        unsafe EVP_MD_CTX_free(inner)
        unsafe EVP_MD_CTX_free(outer)
    }

    /// The code of `message`; 32 bytes.
    package func code(of message: [UInt8]) -> [UInt8] {
        var code = [UInt8](repeating: 0, count: 32)
        let context = unsafe EVP_MD_CTX_new()
        let succeeded =
            unsafe EVP_MD_CTX_copy_ex(context, inner) == 1
            && EVP_DigestUpdate(context, message, message.count) == 1
            && EVP_DigestFinal_ex(context, &code, nil) == 1
            && EVP_MD_CTX_copy_ex(context, outer) == 1
            && EVP_DigestUpdate(context, code, code.count) == 1
            && EVP_DigestFinal_ex(context, &code, nil) == 1
        unsafe EVP_MD_CTX_free(context)
        invariant(succeeded, "HMAC failed")
        return code
    }

    private static func begin(_ block: [UInt8]) -> OpaquePointer {
        guard let context = unsafe EVP_MD_CTX_new(),
            unsafe EVP_DigestInit_ex2(context, EVP_sha256(), nil) == 1,
            unsafe EVP_DigestUpdate(context, block, block.count) == 1
        else { fatalError("OpenSSL offers no SHA-256") }
        return unsafe context
    }

    private static let blockSize = 64
}
