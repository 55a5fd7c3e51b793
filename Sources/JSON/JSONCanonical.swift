// SPDX-License-Identifier: Apache-2.0

/// The canonical form of RFC 8785: the one text over which a signature or a digest of a JSON value
/// is made, whoever wrote the value.
///
/// Names are sorted by UTF-16 code units, numbers are written as ECMAScript writes the nearest
/// double, strings carry only the escapes that they must.
package enum JSONCanonical {
    /// The canonical text of a value of a document.
    ///
    /// - Throws: `numberOutOfRange` for a number that no finite double is near to, and
    ///   `duplicateName` when the document's limits let one pass; the place is in the document.
    package static func encode(_ value: JSONValue) throws(JSONFault) -> [UInt8] {
        var encoder = CanonicalEncoder(value.document)
        let bytes = value.document.bytes
        try encoder.encode(value.index, bytes.span)
        return encoder.bytes
    }

    /// The canonical text of a tree. Text under `raw` must be JSON; the tree is written and read
    /// again, so that the rules of ``JSONLimits/standard`` hold for it.
    ///
    /// - Throws: As for a document; the place is in ``JSONNode/bytes``.
    package static func encode(_ node: JSONNode) throws(JSONFault) -> [UInt8] {
        try encode(JSONDocument(parsing: node.bytes).root)
    }
}

private struct CanonicalEncoder {
    var bytes: [UInt8] = []
    private let tape: [UInt64]
    /// The name tokens of the objects that are being sorted, innermost last.
    private var names: [Int] = []

    init(_ document: JSONDocument) {
        tape = document.tape
        bytes.reserveCapacity(document.bytes.count)
    }

    mutating func encode(_ index: Int, _ text: Span<UInt8>) throws(JSONFault) {
        let token = tape.token(index)
        switch token.kind {
        case .null, .true, .false:
            JSONWriter.append(text, token.offset..<token.offset + token.length, to: &bytes)
        case .string, .escapedString: string(token, text)
        case .integer, .decimal: try number(token, text)
        case .array: try array(index, token.length, text)
        case .object: try object(index, token.length, text)
        }
    }

    private mutating func array(
        _ index: Int, _ count: Int, _ text: Span<UInt8>
    ) throws(JSONFault) {
        bytes.append(UInt8(ascii: "["))
        var at = index + 2
        for position in 0..<count {
            if position > 0 { bytes.append(UInt8(ascii: ",")) }
            try encode(at, text)
            at = tape.tokenAfter(at)
        }
        bytes.append(UInt8(ascii: "]"))
    }

    private mutating func object(
        _ index: Int, _ count: Int, _ text: Span<UInt8>
    ) throws(JSONFault) {
        let base = names.count
        var at = index + 2
        for _ in 0..<count {
            names.append(at)
            at = tape.tokenAfter(at + 1)
        }
        names.sortInPlace(from: base) { [tape] a, b in
            JSONScalars.compare(tape.token(a), tape.token(b), text) < 0
        }
        bytes.append(UInt8(ascii: "{"))
        for position in base..<base + count {
            let name = names[position]
            if position > base {
                bytes.append(UInt8(ascii: ","))
                let before = names[position - 1]
                if JSONScalars.compare(tape.token(before), tape.token(name), text) == 0 {
                    let offset = tape.token(max(before, name)).offset - 1
                    throw JSONFault(.duplicateName, at: offset, in: text)
                }
            }
            string(tape.token(name), text)
            bytes.append(UInt8(ascii: ":"))
            try encode(name + 1, text)
        }
        bytes.append(UInt8(ascii: "}"))
        names.removeLast(count)
    }

    /// A string without escapes is canonical as it stands.
    private mutating func string(_ token: JSONToken, _ text: Span<UInt8>) {
        if token.kind == .string {
            JSONWriter.append(
                text, token.offset - 1..<token.offset + token.length + 1, to: &bytes)
        } else {
            let content = JSONScalars.unescaped(token, text)
            JSONWriter.appendQuoted(content.span, to: &bytes)
        }
    }

    /// An integer of at most 15 digits is exact in a double and canonical as it stands.
    private mutating func number(_ token: JSONToken, _ text: Span<UInt8>) throws(JSONFault) {
        let range = token.offset..<token.offset + token.length
        let isNegative = text[token.offset] == UInt8(ascii: "-")
        let isMinusZero = isNegative && text[token.offset + 1] == UInt8(ascii: "0")
        if token.kind == .integer, token.length <= (isNegative ? 16 : 15), !isMinusZero {
            JSONWriter.append(text, range, to: &bytes)
            return
        }
        var lexeme: [UInt8] = []
        JSONWriter.append(text, range, to: &lexeme)
        guard let value = JSONNumber.double(String(decoding: lexeme, as: UTF8.self)) else {
            throw JSONFault(.numberOutOfRange, at: token.offset, in: text)
        }
        JSONNumber.appendECMAScript(value, to: &bytes)
    }
}
