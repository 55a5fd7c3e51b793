// SPDX-License-Identifier: Apache-2.0

/// The rules beyond the grammar that some limits ask for, checked over a finished tape so that
/// the parser stays one loop for everyone.
enum JSONProfile {
    /// Refuses the first token, in the order of the text, that breaks a rule of `limits`.
    static func check(
        _ tape: [UInt64], _ text: Span<UInt8>, _ limits: JSONLimits
    ) throws(JSONFault) {
        var index = 0
        while index < tape.count {
            let token = tape.token(index)
            switch token.kind {
            case .null:
                if !limits.allowsNull {
                    throw JSONFault(.nullRefused, at: token.offset, in: text)
                }
            case .true, .false:
                break
            case .integer, .decimal:
                if limits.requiresSafeIntegers, !isSafeInteger(token, text) {
                    throw JSONFault(.unsafeInteger, at: token.offset, in: text)
                }
            case .string, .escapedString:
                try checkString(token, text, limits)
            case .array, .object:
                if token.length > limits.count {
                    throw JSONFault(.tooMany, at: token.offset, in: text)
                }
                index += 1
            }
            index += 1
        }
    }

    private static func isSafeInteger(_ token: JSONToken, _ text: Span<UInt8>) -> Bool {
        guard token.kind == .integer, text[token.offset] != UInt8(ascii: "-"),
            let value = JSONNumber.integer(text, token.offset, token.length)
        else { return false }
        return value <= 1 << 53 - 1
    }

    private static func checkString(
        _ token: JSONToken, _ text: Span<UInt8>, _ limits: JSONLimits
    ) throws(JSONFault) {
        var scalars = JSONScalars(token)
        var size = 0
        var at = scalars.at
        while let scalar = scalars.next(text) {
            if !limits.allowsControlCharacters, scalar < 0x20 || 0x7F...0x9F ~= scalar {
                throw JSONFault(.controlCharacter, at: at, in: text)
            }
            size += JSONScalars.width(scalar)
            if size > limits.stringBytes {
                throw JSONFault(.stringTooLong, at: token.offset - 1, in: text)
            }
            at = scalars.at
        }
    }
}
