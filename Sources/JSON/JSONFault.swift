// SPDX-License-Identifier: Apache-2.0

/// Why a text is not a document we accept: which rule it breaks, and where. It never quotes the
/// text, so that it may be logged and answered.
package struct JSONFault: Error, Equatable, Sendable, CustomStringConvertible {
    /// The rules, each with the name that vectors and answers use.
    package enum Rule: String, CaseIterable, Sendable {
        /// A byte order mark before the text (RFC 8259 §8.1).
        case byteOrderMark = "byte-order-mark"
        /// More bytes than ``JSONLimits/bytes``.
        case tooLarge = "too-large"
        /// Deeper than ``JSONLimits/depth``.
        case tooDeep = "too-deep"
        /// More elements or members than ``JSONLimits/count``.
        case tooMany = "too-many"
        /// A string longer than ``JSONLimits/stringBytes``.
        case stringTooLong = "string-too-long"
        /// The text ends inside a value, or is empty.
        case unexpectedEnd = "unexpected-end"
        /// Something that starts no value where one must stand.
        case valueExpected = "value-expected"
        /// Something other than a string where a member name must stand.
        case nameExpected = "name-expected"
        /// No colon after a member name.
        case colonExpected = "colon-expected"
        /// Neither a comma nor the right bracket after a value.
        case commaExpected = "comma-expected"
        /// Something other than white space after the value.
        case trailingBytes = "trailing-bytes"
        /// A number outside the grammar, as `01`, `1.`, `+1` or `1e`.
        case invalidNumber = "invalid-number"
        /// A byte below 0x20 unescaped in a string, or a control character that the profile
        /// refuses.
        case controlCharacter = "control-character"
        /// A backslash followed by something that is no escape.
        case invalidEscape = "invalid-escape"
        /// A `\u` escape of one half of a surrogate pair without the other.
        case loneSurrogate = "lone-surrogate"
        /// Bytes in a string that are not UTF-8 (overlong forms and surrogates included).
        case invalidUTF8 = "invalid-utf8"
        /// A name that an earlier member of the same object has, after unescaping.
        case duplicateName = "duplicate-name"
        /// `null` where the profile has none.
        case nullRefused = "null-refused"
        /// Not an integer from 0 to 2^53−1 in digits where the profile asks for one.
        case unsafeInteger = "unsafe-integer"
        /// A number whose value no finite double has, where one is needed (RFC 8785 §3.2.2.3).
        case numberOutOfRange = "number-out-of-range"
    }

    /// The rule that the text breaks.
    package let rule: Rule
    /// Where, in bytes from 0: the first byte that cannot stand there, the start of the duplicate
    /// name, or the end of a text that is too short.
    package let offset: Int
    /// The line of the offset, from 1; lines end at LF.
    package let line: Int
    /// The column of the offset in its line, from 1, in Unicode scalars.
    package let column: Int

    /// `line 3, column 5 (byte 41): duplicate-name`.
    package var description: String {
        "line \(line), column \(column) (byte \(offset)): \(rule.rawValue)"
    }

    /// A fault at `offset` of `text`; the line and column are counted here, once.
    @inline(never)
    init(_ rule: Rule, at offset: Int, in text: Span<UInt8>) {
        var line = 1
        var column = 1
        for index in 0..<min(offset, text.count) {
            if text[index] == 0x0A {
                line += 1
                column = 1
            } else if text[index] & 0xC0 != 0x80 {
                column += 1
            }
        }
        self.rule = rule
        self.offset = offset
        self.line = line
        self.column = column
    }
}
