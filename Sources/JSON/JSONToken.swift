// SPDX-License-Identifier: Apache-2.0

/// One word of the tape: kind (4 bits), length or count (28), byte offset (32).
///
/// - A scalar is one word. For a string the offset and length are those between the quotes.
/// - An array or object takes a second word: the index of the token after it (32) and the byte
///   after its bracket (32). So any subtree is stepped over at once and its source is known.
/// - An object's members follow as name, value, name, value; a name is a string token.
struct JSONToken {
    enum Kind: UInt8 {
        case null, `false`, `true`
        /// A number in digits and an optional minus sign.
        case integer
        /// A number with a fraction or an exponent.
        case decimal
        /// A string without escapes: its value is its source.
        case string
        /// A string with at least one escape.
        case escapedString
        case array, object
    }

    let word: UInt64

    @inline(__always)
    init(word: UInt64) { self.word = word }

    @inline(__always)
    init(_ kind: Kind, offset: Int, length: Int) {
        word =
            UInt64(kind.rawValue) << 60 | UInt64(truncatingIfNeeded: length) << 32
            | UInt64(truncatingIfNeeded: offset)
    }

    @inline(__always)
    var rawKind: UInt8 { UInt8(truncatingIfNeeded: word >> 60) }

    /// The kind; the words that the parser writes have no other.
    var kind: Kind { Kind(rawValue: rawKind) ?? .null }

    /// Bytes of a scalar (between the quotes of a string), or members or elements of a container.
    @inline(__always)
    var length: Int { Int(truncatingIfNeeded: word >> 32 & 0x0FFF_FFFF) }

    /// Where the value starts: after the quote of a string.
    @inline(__always)
    var offset: Int { Int(truncatingIfNeeded: word & 0xFFFF_FFFF) }

    @inline(__always)
    var isContainer: Bool { rawKind >= Kind.array.rawValue }

    @inline(__always)
    var isString: Bool {
        rawKind == Kind.string.rawValue || rawKind == Kind.escapedString.rawValue
    }

    /// The second word of a container.
    @inline(__always)
    static func extent(next: Int, end: Int) -> UInt64 {
        UInt64(truncatingIfNeeded: next) << 32 | UInt64(truncatingIfNeeded: end)
    }
}

extension [UInt64] {
    /// The token at `index`.
    @inline(__always)
    func token(_ index: Int) -> JSONToken { JSONToken(word: self[index]) }

    /// The index of the token after the value at `index`, however large the value is.
    @inline(__always)
    func tokenAfter(_ index: Int) -> Int {
        token(index).isContainer ? Int(truncatingIfNeeded: self[index + 1] >> 32) : index + 1
    }

    /// The source of the value at `index`, quotes and brackets included.
    func sourceRange(_ index: Int) -> Range<Int> {
        let token = token(index)
        if token.isContainer {
            return token.offset..<Int(truncatingIfNeeded: self[index + 1] & 0xFFFF_FFFF)
        }
        if token.isString { return token.offset - 1..<token.offset + token.length + 1 }
        return token.offset..<token.offset + token.length
    }
}
