// SPDX-License-Identifier: Apache-2.0
import Bytes
internal import COpenSSL

/// What OpenSSL leaves out when it takes 32 bytes as an Ed25519 public key: whether they are the
/// canonical encoding of a point (RFC 8032 §5.1.3), and of one that can stand for somebody.
enum EdwardsPoint {
    /// Whether `encoded`, 32 bytes little-endian, is a canonical point of large order.
    ///
    /// Under a point of small order one signature fits many messages, so such a key proves
    /// nothing about its holder.
    static func isUsable(_ encoded: [UInt8]) -> Bool {
        guard encoded.count == 32 else { return false }
        var y = encoded
        y[31] &= 0x7f
        return isBelowPrime(y) && !smallOrders.contains(y) && isOnCurve(y)
    }

    /// The y coordinates of the eight points whose order divides 8; the sign bit is left out.
    private static let smallOrders: Set<[UInt8]> = [
        [0] + [UInt8](repeating: 0, count: 31),
        [1] + [UInt8](repeating: 0, count: 31),
        [0xec] + [UInt8](repeating: 0xff, count: 30) + [0x7f],
        [
            0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef,
            0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88,
            0x6d, 0x53, 0xfc, 0x05,
        ],
        [
            0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10,
            0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77,
            0x92, 0xac, 0x03, 0x7a,
        ],
    ]

    /// p = 2^255 − 19, little-endian.
    private static let prime: [UInt8] = [0xed] + [UInt8](repeating: 0xff, count: 30) + [0x7f]

    private static func isBelowPrime(_ y: [UInt8]) -> Bool {
        y.reversed().lexicographicallyPrecedes(prime.reversed())
    }

    /// d of the curve −x² + y² = 1 + d·x²·y², big-endian.
    private static let d: [UInt8] = [
        0x52, 0x03, 0x6c, 0xee, 0x2b, 0x6f, 0xfe, 0x73, 0x8c, 0xc7, 0x40, 0x79, 0x77, 0x79, 0xe8,
        0x98, 0x00, 0x70, 0x0a, 0x4d, 0x41, 0x41, 0xd8, 0xab, 0x75, 0xeb, 0x4d, 0xca, 0x13, 0x59,
        0x78, 0xa3,
    ]

    /// Whether some x satisfies x² = (y² − 1) / (d·y² + 1). The denominator is never zero, and a
    /// quotient is a square exactly when the product is, so Euler's criterion decides.
    private static func isOnCurve(_ y: [UInt8]) -> Bool {
        let context = unsafe BN_CTX_new()
        unsafe BN_CTX_start(context)
        defer {
            unsafe BN_CTX_end(context)
            unsafe BN_CTX_free(context)
        }
        let p = unsafe BN_CTX_get(context)
        let square = unsafe BN_CTX_get(context)
        let u = unsafe BN_CTX_get(context)
        let v = unsafe BN_CTX_get(context)
        let exponent = unsafe BN_CTX_get(context)
        guard unsafe exponent != nil else { fatalError("BN_CTX_get failed") }
        var ok = unsafe BN_lebin2bn(prime, 32, p) != nil && BN_lebin2bn(y, 32, square) != nil
        ok = unsafe ok && BN_mod_sqr(square, square, p, context) == 1
        ok = unsafe ok && BN_copy(u, square) != nil && BN_sub_word(u, 1) == 1
        ok = unsafe ok && BN_bin2bn(d, 32, v) != nil && BN_mod_mul(v, v, square, p, context) == 1
        ok = unsafe ok && BN_add_word(v, 1) == 1 && BN_mod_mul(u, u, v, p, context) == 1
        ok = unsafe ok && BN_rshift1(exponent, p) == 1
        ok = unsafe ok && BN_mod_exp(u, u, exponent, p, context) == 1
        invariant(ok, "arithmetic on the curve failed")
        return unsafe BN_is_zero(u) == 1 || BN_is_one(u) == 1
    }
}
