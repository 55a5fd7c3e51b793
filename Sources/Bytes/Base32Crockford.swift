// SPDX-License-Identifier: Apache-2.0

/// Crockford's base 32 of a 16-byte number, as ULIDs and our operation ids write it: 26 digits,
/// most significant first, so that texts sort as the bytes do.
package enum Base32Crockford {
    /// The 26 upper-case digits of `sixteen`, which must hold 16 bytes.
    package static func encode(_ sixteen: [UInt8]) -> String {
        invariant(sixteen.count == 16, "an id has 16 bytes")
        let alphabet = alphabet
        var text = [UInt8](repeating: 0, count: 26)
        // From the end: bits that do not fill a digit yet wait in `rest`.
        var rest: UInt32 = 0
        var bits = 0
        var place = 26
        for index in stride(from: 15, through: 0, by: -1) {
            rest |= UInt32(sixteen[index]) << UInt32(bits)
            bits += 8
            while bits >= 5 {
                place -= 1
                text[place] = alphabet[Int(rest & 31)]
                rest >>= 5
                bits -= 5
            }
        }
        text[0] = alphabet[Int(rest)]
        return String(decoding: text, as: UTF8.self)
    }

    /// The 16 bytes of 26 upper-case digits, or nil: lower case, the look-alikes I, L, O and U,
    /// hyphens and a value over 128 bits are refused, so that an id has one text.
    package static func decode(_ text: some StringProtocol) -> [UInt8]? {
        decode(Array(String(text).utf8))
    }

    /// Not generic: other modules would call it unspecialised, which costs ten times as much.
    private static func decode(_ digits: [UInt8]) -> [UInt8]? {
        guard digits.count == 26, values[Int(digits[0])] <= 7 else { return nil }
        var value: UInt128 = 0
        for digit in digits {
            let index = values[Int(digit)]
            guard index < 32 else { return nil }
            value = value << 5 | UInt128(index)
        }
        return (0..<16).map { UInt8(truncatingIfNeeded: value >> UInt128(120 - 8 * $0)) }
    }

    private static let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)

    /// The value of each byte as a digit, 255 for those that are none.
    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 255, count: 256)
        for (value, digit) in alphabet.enumerated() { values[Int(digit)] = UInt8(value) }
        return values
    }()
}
