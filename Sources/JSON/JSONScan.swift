// SPDX-License-Identifier: Apache-2.0

/// The bytes of a text eight at a time ("SIMD within a register"). Measured here, this is within
/// 5 % of SSE2 and two hundred times faster than `SIMD16` masks, which Swift 6.3 turns to scalars.
enum JSONScan {
    /// The index of the first byte at or after `start` that a string cannot simply contain: a
    /// quote, a backslash, a control character or a byte above ASCII; the end if there is none.
    @inline(__always)
    static func plainRun(_ text: Span<UInt8>, from start: Int) -> Int {
        run(text, from: start, stopsAboveASCII: true)
    }

    /// The index of the first byte at or after `start` that must be escaped in a string.
    @inline(__always)
    static func literalRun(_ text: Span<UInt8>, from start: Int) -> Int {
        run(text, from: start, stopsAboveASCII: false)
    }

    @inline(__always)
    private static func run(
        _ text: Span<UInt8>, from start: Int, stopsAboveASCII: Bool
    ) -> Int {
        var at = start
        let bytes = unsafe text.bytes
        while at &+ 8 <= bytes.byteCount {
            let word = load(bytes, at)
            let quote = word ^ 0x2222_2222_2222_2222
            let slash = word ^ 0x5C5C_5C5C_5C5C_5C5C
            // The top bit of a byte is set where it is zero after the exclusive or, or below 0x20.
            // Borrows reach only bytes above a true hit, so the lowest one is exact.
            var hits =
                (quote &- 0x0101_0101_0101_0101) & ~quote
                | (slash &- 0x0101_0101_0101_0101) & ~slash
                | (word &- 0x2020_2020_2020_2020) & ~word
            if stopsAboveASCII { hits |= word }
            let tops = hits & 0x8080_8080_8080_8080
            if tops != 0 { return at &+ tops.trailingZeroBitCount >> 3 }
            at &+= 8
        }
        while at < text.count {
            let byte = text[at]
            if byte == 0x22 || byte == 0x5C || byte < 0x20 { break }
            if stopsAboveASCII, byte >= 0x80 { break }
            at &+= 1
        }
        return at
    }

    /// The eight bytes at `at`, the first in the lowest place.
    @inline(__always)
    static func load(_ bytes: RawSpan, _ at: Int) -> UInt64 {
        UInt64(littleEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: at, as: UInt64.self))
    }

    /// The index after the well-formed UTF-8 sequences above ASCII that begin at `start`.
    ///
    /// Chinese, Japanese and Korean are three bytes each: two such sequences are checked at once.
    @inline(__always)
    static func validRun(_ text: Span<UInt8>, from start: Int) -> Int {
        var at = start
        let bytes = unsafe text.bytes
        while at &+ 8 <= bytes.byteCount {
            let word = load(bytes, at)
            // 1110xxxx 10xxxxxx 10xxxxxx, twice; leads E0 and ED need a closer look.
            guard word & 0x0000_C0C0_F0C0_C0F0 == 0x0000_8080_E080_80E0,
                word & 0x0F != 0, word & 0x0F != 0x0D,
                word & 0x0F00_0000 != 0, word & 0x0F00_0000 != 0x0D00_0000
            else { break }
            at &+= 6
        }
        while at < text.count, text[at] >= 0x80 {
            let length = sequenceLength(text, at)
            if length == 0 { break }
            at &+= length
        }
        return at
    }

    /// The length of the well-formed UTF-8 sequence at `at`, whose first byte is above ASCII, or 0
    /// (Unicode, table 3-7: no overlong forms, no surrogates, nothing above U+10FFFF).
    @inline(__always)
    static func sequenceLength(_ text: Span<UInt8>, _ at: Int) -> Int {
        func isTrail(_ index: Int) -> Bool { index < text.count && text[index] & 0xC0 == 0x80 }
        func second(_ range: ClosedRange<UInt8>) -> Bool {
            at &+ 1 < text.count && range ~= text[at &+ 1]
        }
        switch text[at] {
        case 0xC2...0xDF: return isTrail(at &+ 1) ? 2 : 0
        case 0xE0: return second(0xA0...0xBF) && isTrail(at &+ 2) ? 3 : 0
        case 0xED: return second(0x80...0x9F) && isTrail(at &+ 2) ? 3 : 0
        case 0xE1...0xEF: return isTrail(at &+ 1) && isTrail(at &+ 2) ? 3 : 0
        case 0xF0: return second(0x90...0xBF) && isTrail(at &+ 2) && isTrail(at &+ 3) ? 4 : 0
        case 0xF1...0xF3:
            return isTrail(at &+ 1) && isTrail(at &+ 2) && isTrail(at &+ 3) ? 4 : 0
        case 0xF4: return second(0x80...0x8F) && isTrail(at &+ 2) && isTrail(at &+ 3) ? 4 : 0
        default: return 0
        }
    }

    /// The value of four hexadecimal digits at `at`, or nil.
    @inline(__always)
    static func fourHexDigits(_ text: Span<UInt8>, _ at: Int) -> UInt32? {
        guard at &+ 4 <= text.count else { return nil }
        var value: UInt32 = 0
        for index in at..<at &+ 4 {
            let digit: UInt8
            switch text[index] {
            case 0x30...0x39: digit = text[index] &- 0x30
            case 0x41...0x46: digit = text[index] &- 0x37
            case 0x61...0x66: digit = text[index] &- 0x57
            default: return nil
            }
            value = value << 4 | UInt32(digit)
        }
        return value
    }
}
