// SPDX-License-Identifier: Apache-2.0
internal import COpenSSL

/// The two spellings of a P-256 signature: r ‖ s, 64 bytes big-endian, which JOSE uses (RFC 7518
/// §3.4), and the DER sequence that OpenSSL takes and gives.
enum ECDSASignature {
    /// DER of `raw`. Nil unless there are 64 bytes and neither r nor s is zero; that both are
    /// below the order of the group is checked when the signature is verified.
    static func der(raw: [UInt8]) -> [UInt8]? {
        guard raw.count == 64, raw[..<32].contains(where: { $0 != 0 }),
            raw[32...].contains(where: { $0 != 0 })
        else { return nil }
        let body = integer(raw[..<32]) + integer(raw[32...])
        return [0x30, UInt8(body.count)] + body
    }

    /// The shortest DER INTEGER of an unsigned big-endian number.
    private static func integer(_ number: ArraySlice<UInt8>) -> [UInt8] {
        var digits = Array(number.drop { $0 == 0 })
        if digits[0] >= 0x80 { digits.insert(0, at: 0) }
        return [0x02, UInt8(digits.count)] + digits
    }

    /// r ‖ s of a DER signature that OpenSSL has just made.
    static func raw(der: [UInt8]) -> [UInt8]? {
        let signature = unsafe DER.decode(
            der, { unsafe d2i_ECDSA_SIG(nil, $0, $1) }, free: { unsafe ECDSA_SIG_free($0) })
        guard let signature = unsafe signature else { return nil }
        defer { unsafe ECDSA_SIG_free(signature) }
        var r = [UInt8](repeating: 0, count: 32)
        var s = r
        guard unsafe BN_bn2binpad(ECDSA_SIG_get0_r(signature), &r, 32) == 32,
            unsafe BN_bn2binpad(ECDSA_SIG_get0_s(signature), &s, 32) == 32
        else { return nil }
        return r + s
    }
}
