// SPDX-License-Identifier: Apache-2.0

/// Base64url without padding (RFC 4648 §5 as RFC 7515 §2 uses it).
package enum Base64URL {
    /// The text of `bytes`: no padding, no line breaks.
    package static func encode(_ bytes: some Collection<UInt8>) -> String {
        Base64Codec.encode(Array(bytes), alphabet: Base64Codec.urlAlphabet, isPadded: false)
    }

    /// The bytes of `text`, or nil when it is not exactly what ``encode(_:)`` gives for them:
    /// padding, white space, the other alphabet and non-zero trailing bits are refused, so that
    /// no two texts mean the same bytes.
    package static func decode(_ text: some StringProtocol) -> [UInt8]? {
        decode(Array(String(text).utf8)[...])
    }

    /// As ``decode(_:)-(StringProtocol)``, for text that is bytes already.
    package static func decode(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        Base64Codec.decode(text, values: Base64Codec.urlValues, padding: .absent)
    }
}

/// Standard base64 (RFC 4648 §4).
package enum Base64 {
    /// The text of `bytes`, padded, without line breaks.
    package static func encode(_ bytes: some Collection<UInt8>) -> String {
        Base64Codec.encode(Array(bytes), alphabet: Base64Codec.standardAlphabet, isPadded: true)
    }

    /// The bytes of `text`, or nil when it is not exactly what ``encode(_:)`` gives for them.
    package static func decode(_ text: some StringProtocol) -> [UInt8]? {
        Base64Codec.decode(
            Array(String(text).utf8)[...], values: Base64Codec.standardValues, padding: .required)
    }

    /// The bytes of `text` in either alphabet, padded or not, as ProtoJSON lets a peer write a
    /// `bytes` field. Mixed alphabets are accepted; white space and non-zero trailing bits are not.
    package static func decodeLenient(_ text: some StringProtocol) -> [UInt8]? {
        Base64Codec.decode(
            Array(String(text).utf8)[...], values: Base64Codec.eitherValues, padding: .optional)
    }
}

/// What both alphabets share. Not generic: other modules would call it unspecialised, which costs
/// ten times as much.
private enum Base64Codec {
    enum Padding { case absent, required, optional }

    static let standardAlphabet = alphabet("+", "/")
    static let urlAlphabet = alphabet("-", "_")
    static let standardValues = values([standardAlphabet])
    static let urlValues = values([urlAlphabet])
    static let eitherValues = values([standardAlphabet, urlAlphabet])

    static func encode(_ bytes: [UInt8], alphabet: [UInt8], isPadded: Bool) -> String {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        var group: UInt32 = 0
        var held = 0
        for byte in bytes {
            group = group << 8 | UInt32(byte)
            held += 1
            if held == 3 {
                for shift in stride(from: 18, through: 0, by: -6) {
                    text.append(alphabet[Int(group >> shift & 63)])
                }
                (group, held) = (0, 0)
            }
        }
        if held > 0 {
            group <<= UInt32(8 * (3 - held))
            for digit in 0...held {
                text.append(alphabet[Int(group >> UInt32(18 - 6 * digit) & 63)])
            }
            if isPadded { text.append(contentsOf: repeatElement(0x3D, count: 3 - held)) }
        }
        return String(decoding: text, as: UTF8.self)
    }

    static func decode(
        _ text: ArraySlice<UInt8>, values: [UInt8], padding: Padding
    ) -> [UInt8]? {
        var digits = text
        var pads = 0
        while pads < 2, digits.last == 0x3D {
            digits.removeLast()
            pads += 1
        }
        let needed = (4 - digits.count % 4) % 4
        switch padding {
        case .absent: guard pads == 0 else { return nil }
        case .required: guard pads == needed else { return nil }
        case .optional: guard pads == 0 || pads == needed else { return nil }
        }
        guard needed != 3 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(digits.count * 3 / 4)
        var bits: UInt32 = 0
        var held: UInt32 = 0
        for digit in digits {
            let value = values[Int(digit)]
            guard value < 64 else { return nil }
            bits = bits << 6 | UInt32(value)
            held += 6
            if held >= 8 {
                held -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> held))
                bits &= 1 << held - 1
            }
        }
        return bits == 0 ? bytes : nil
    }

    private static func alphabet(_ last: Unicode.Scalar...) -> [UInt8] {
        Array(0x41...0x5A) + Array(0x61...0x7A) + Array(0x30...0x39)
            + last.map { UInt8(ascii: $0) }
    }

    private static func values(_ alphabets: [[UInt8]]) -> [UInt8] {
        var table = [UInt8](repeating: 255, count: 256)
        for alphabet in alphabets {
            for (value, digit) in alphabet.enumerated() { table[Int(digit)] = UInt8(value) }
        }
        return table
    }
}
