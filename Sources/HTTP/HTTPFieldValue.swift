// SPDX-License-Identifier: Apache-2.0

/// The value of a field: no control character but the tab, no space at either end, valid UTF-8.
///
/// RFC 9110 §5.5 also allows bytes of no known encoding; they are refused here, because a text
/// that two hops decode differently is how a value slips past the check of one of them.
package struct HTTPFieldValue: Hashable, Sendable, CustomStringConvertible {
    /// The value as it goes on the wire.
    package let text: String

    /// Takes the text as it is.
    /// - Throws: ``HTTPFault/fieldValue`` if it holds CR, LF, NUL or another control character,
    ///   or begins or ends with a space or tab.
    package init(_ text: String) throws(HTTPFault) {
        guard Self.isValid(text.utf8Span.span) else { throw .fieldValue }
        self.text = text
    }

    /// A decimal number.
    package init(_ number: Int) {
        text = String(number)
    }

    /// Takes the bytes of a value without the space around it.
    /// - Throws: ``HTTPFault/fieldValue`` or ``HTTPFault/encoding``.
    package init(bytes: Span<UInt8>) throws(HTTPFault) {
        guard Self.isValid(bytes) else { throw .fieldValue }
        guard let utf8 = try? UTF8Span(validating: bytes) else { throw .encoding }
        text = String(copying: utf8)
    }

    package var description: String { text }

    private static func isValid(_ bytes: Span<UInt8>) -> Bool {
        guard !bytes.isEmpty else { return true }
        for index in bytes.indices {
            guard HTTPCharacters.isFieldContent(bytes[index]) else { return false }
        }
        return !isSpace(bytes[0]) && !isSpace(bytes[bytes.count - 1])
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09
    }
}

extension HTTPFieldValue: ExpressibleByStringLiteral {
    /// A value written in the source; one that is not valid is our own mistake.
    package init(stringLiteral text: String) {
        precondition(Self.isValid(text.utf8Span.span), "not a field value")
        self.text = text
    }
}
