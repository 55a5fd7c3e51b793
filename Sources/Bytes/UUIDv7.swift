// SPDX-License-Identifier: Apache-2.0

/// A universally unique identifier; those made here are version 7 of RFC 9562, so that they sort by
/// the time they were made.
package struct UUIDv7: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The 16 bytes, in network order.
    package let bytes: [UInt8]

    /// A new identifier: 48 bits of milliseconds, then 74 bits of `random`.
    ///
    /// Points before 1970 and after the year 10889 are held at the ends of those 48 bits.
    package init(at instant: Instant, random: some RandomBytes) {
        let time = UInt64(min(max(instant.milliseconds, 0), 1 << 48 - 1))
        let chance = random.bytes(10)
        invariant(chance.count == 10, "a source of randomness gave too few or too many bytes")
        var bytes = [UInt8](repeating: 0, count: 16)
        for index in 0..<6 {
            bytes[index] = UInt8(truncatingIfNeeded: time >> UInt64(40 - 8 * index))
        }
        for index in 0..<10 { bytes[6 + index] = chance[index] }
        bytes[6] = bytes[6] & 0x0F | 0x70
        bytes[8] = bytes[8] & 0x3F | 0x80
        self.bytes = bytes
    }

    /// The identifier written as `text`, of any version, or nil unless ``UUID/isCanonical(_:)``.
    package init?(_ canonical: some StringProtocol) {
        let digits = String(decoding: canonical.utf8.filter { $0 != 0x2D }, as: UTF8.self)
        guard UUID.isCanonical(canonical), let bytes = Hex.decode(digits) else { return nil }
        self.bytes = bytes
    }

    /// The identifier of 16 bytes, or nil for another number of them.
    package init?(bytes: [UInt8]) {
        guard bytes.count == 16 else { return nil }
        self.bytes = bytes
    }

    /// The canonical text: 36 characters in lower case, `019a9f00-0000-7000-8000-000000000001`.
    package var text: String {
        var text = [UInt8](repeating: 0x2D, count: 36)
        var at = 0
        for index in 0..<16 {
            if index == 4 || index == 6 || index == 8 || index == 10 { at += 1 }
            text[at] = UUIDv7.digit(bytes[index] >> 4)
            text[at + 1] = UUIDv7.digit(bytes[index] & 15)
            at += 2
        }
        return String(decoding: text, as: UTF8.self)
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? 0x30 + value : 0x57 + value
    }

    /// The same identifier in 26 digits of ``Base32Crockford``, as accounting writes it.
    package var base32: String { Base32Crockford.encode(bytes) }

    /// The version field: 7 for those made here.
    package var version: Int { Int(bytes[6] >> 4) }

    /// When a version 7 identifier was made, by its maker's clock; meaningless for other versions.
    package var instant: Instant {
        Instant(milliseconds: bytes[..<6].reduce(0) { $0 << 8 | Int64($1) })
    }

    package var description: String { text }

    package static func < (a: UUIDv7, b: UUIDv7) -> Bool {
        a.bytes.lexicographicallyPrecedes(b.bytes)
    }
}

/// The text form that every version of identifier shares (RFC 9562 §4).
package enum UUID {
    /// Whether `text` is 8-4-4-4-12 hexadecimal digits in lower case. RFC 9562 lets readers accept
    /// upper case; we do not, because ids are compared as text.
    package static func isCanonical(_ text: some StringProtocol) -> Bool {
        var count = 0
        for character in text.utf8 {
            switch count {
            case 8, 13, 18, 23: guard character == 0x2D else { return false }
            case 36...: return false
            default:
                guard (0x30...0x39).contains(character) || (0x61...0x66).contains(character)
                else { return false }
            }
            count += 1
        }
        return count == 36
    }
}
