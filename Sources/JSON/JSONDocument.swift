// SPDX-License-Identifier: Apache-2.0

/// A JSON text that was found good, with the tape over it. It never changes, so any number of
/// values and threads may read it.
package final class JSONDocument: Sendable {
    /// The text, byte for byte as it was given.
    package let bytes: [UInt8]

    let tape: [UInt64]

    /// Reads `bytes` strictly by RFC 8259, and by the rules of `limits`.
    ///
    /// UTF-8 without a byte order mark, no lone surrogates, no name twice in one object after
    /// unescaping, numbers kept as they are written. Linear in the text but for objects of more
    /// than 16 members, whose names are sorted.
    /// - Throws: The fault, with its rule and place.
    package init(parsing bytes: [UInt8], limits: JSONLimits = .standard) throws(JSONFault) {
        tape = try JSONParser(limits: limits).takeTape(of: bytes)
        self.bytes = bytes
    }

    /// Reads the UTF-8 of `text`, as ``init(parsing:limits:)-([UInt8],_)`` does.
    package convenience init(
        parsing text: String, limits: JSONLimits = .standard
    ) throws(JSONFault) {
        try self.init(parsing: Array(text.utf8), limits: limits)
    }

    init(bytes: [UInt8], tape: [UInt64]) {
        self.bytes = bytes
        self.tape = tape
    }

    /// The outermost value.
    package var root: JSONValue { JSONValue(document: self, index: 0) }
}
