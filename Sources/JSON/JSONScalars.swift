// SPDX-License-Identifier: Apache-2.0

/// The Unicode scalar values of a string's content after unescaping, one at a time and without
/// memory of its own. The content must be one that the parser accepted.
struct JSONScalars {
    private(set) var at: Int
    private let end: Int

    /// A cursor over the content of `token`.
    @inline(__always)
    init(_ token: JSONToken) {
        at = token.offset
        end = token.offset + token.length
    }

    /// The next scalar value, or nil at the end.
    mutating func next(_ text: Span<UInt8>) -> UInt32? {
        guard at < end else { return nil }
        let byte = text[at]
        if byte == 0x5C { return escape(text) }
        if byte < 0x80 {
            at += 1
            return UInt32(byte)
        }
        return sequence(text, first: byte)
    }

    private mutating func escape(_ text: Span<UInt8>) -> UInt32 {
        let letter = text[at + 1]
        at += 2
        switch letter {
        case UInt8(ascii: "b"): return 0x08
        case UInt8(ascii: "t"): return 0x09
        case UInt8(ascii: "n"): return 0x0A
        case UInt8(ascii: "f"): return 0x0C
        case UInt8(ascii: "r"): return 0x0D
        case UInt8(ascii: "u"): break
        default: return UInt32(letter)
        }
        let high = JSONScan.fourHexDigits(text, at) ?? 0xFFFD
        at += 4
        guard 0xD800...0xDBFF ~= high else { return high }
        let low = JSONScan.fourHexDigits(text, at + 2) ?? 0xFFFD
        at += 6
        return 0x10000 + (high & 0x3FF) << 10 + low & 0x3FF
    }

    private mutating func sequence(_ text: Span<UInt8>, first: UInt8) -> UInt32 {
        func trail(_ index: Int) -> UInt32 { UInt32(text[at + index] & 0x3F) }
        let value: UInt32
        if first < 0xE0 {
            value = UInt32(first & 0x1F) << 6 | trail(1)
            at += 2
        } else if first < 0xF0 {
            value = UInt32(first & 0x0F) << 12 | trail(1) << 6 | trail(2)
            at += 3
        } else {
            value = UInt32(first & 0x07) << 18 | trail(1) << 12 | trail(2) << 6 | trail(3)
            at += 4
        }
        return value
    }

    /// How many bytes the UTF-8 of `scalar` has.
    static func width(_ scalar: UInt32) -> Int {
        scalar < 0x80 ? 1 : scalar < 0x800 ? 2 : scalar < 0x10000 ? 3 : 4
    }

    /// Byte `index` of the `width` bytes of the UTF-8 of `scalar`.
    static func byte(_ index: Int, of scalar: UInt32, _ width: Int) -> UInt8 {
        let bits = UInt8(truncatingIfNeeded: scalar >> UInt32(6 * (width - 1 - index)))
        if index > 0 { return 0x80 | bits & 0x3F }
        switch width {
        case 1: return bits
        case 2: return 0xC0 | bits
        case 3: return 0xE0 | bits
        default: return 0xF0 | bits
        }
    }

    /// The content of `token` after unescaping, as UTF-8.
    static func unescaped(_ token: JSONToken, _ text: Span<UInt8>) -> [UInt8] {
        var scalars = JSONScalars(token)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(token.length)
        while let scalar = scalars.next(text) {
            let width = width(scalar)
            for index in 0..<width { bytes.append(byte(index, of: scalar, width)) }
        }
        return bytes
    }

    /// Orders two strings after unescaping by their UTF-16 code units, as RFC 8785 §3.2.3 sorts
    /// names: negative, zero or positive.
    static func compare(_ a: JSONToken, _ b: JSONToken, _ text: Span<UInt8>) -> Int {
        if a.kind == .string, b.kind == .string { return compareLiterally(a, b, text) }
        var left = JSONScalars(a)
        var right = JSONScalars(b)
        while true {
            switch (left.next(text), right.next(text)) {
            case (nil, nil): return 0
            case (nil, _): return -1
            case (_, nil): return 1
            case (let x?, let y?):
                if x != y { return rank(x) < rank(y) ? -1 : 1 }
            }
        }
    }

    /// In UTF-16 the scalars above U+FFFF, whose code units are surrogates, stand before U+E000.
    private static func rank(_ scalar: UInt32) -> UInt32 {
        0xE000...0xFFFF ~= scalar ? scalar + 0x110000 : scalar
    }

    /// The same order for strings without escapes. UTF-8 sorts as scalars do; its lead bytes EE and
    /// EF, of U+E000 to U+FFFF, take their place after F0 to F4.
    private static func compareLiterally(
        _ a: JSONToken, _ b: JSONToken, _ text: Span<UInt8>
    ) -> Int {
        for index in 0..<min(a.length, b.length) {
            let x = text[a.offset &+ index]
            let y = text[b.offset &+ index]
            if x != y { return leadRank(x) < leadRank(y) ? -1 : 1 }
        }
        return a.length - b.length
    }

    private static func leadRank(_ byte: UInt8) -> UInt8 {
        byte & 0xFE == 0xEE ? byte | 0x10 : byte
    }
}
