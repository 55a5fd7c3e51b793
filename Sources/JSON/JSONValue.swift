// SPDX-License-Identifier: Apache-2.0

/// A place in a document: the value that starts at one token. Copying it copies no JSON.
package struct JSONValue: Sendable {
    /// The kinds of RFC 8259 §3.
    package enum Kind: Sendable, Equatable { case null, bool, number, string, array, object }

    let document: JSONDocument
    let index: Int

    var token: JSONToken { document.tape.token(index) }

    /// What this value is.
    package var kind: Kind {
        switch token.kind {
        case .null: .null
        case .true, .false: .bool
        case .integer, .decimal: .number
        case .string, .escapedString: .string
        case .array: .array
        case .object: .object
        }
    }

    /// Whether this is `null`.
    package var isNull: Bool { token.kind == .null }

    /// The truth value, or nil for other kinds.
    package var bool: Bool? {
        switch token.kind {
        case .true: true
        case .false: false
        default: nil
        }
    }

    /// The string after unescaping, or nil for other kinds.
    package var string: String? { token.isString ? JSONValue.text(token, document.bytes) : nil }

    /// The number exactly as it is written, or nil for other kinds.
    package var numberText: String? { kind == .number ? rawText : nil }

    /// The value of a number written as digits with an optional minus sign that fits; nil for
    /// everything else, `1.0` and `1e3` included. `-0` is 0.
    package var int: Int64? {
        let token = token
        guard token.kind == .integer else { return nil }
        let bytes = document.bytes
        return JSONNumber.integer(bytes.span, token.offset, token.length)
    }

    /// The double nearest to a number, or nil for other kinds and where that is infinite.
    package var double: Double? { numberText.flatMap { JSONNumber.double($0) } }

    /// How many elements or members this value has; 0 for scalars.
    package var count: Int { token.isContainer ? token.length : 0 }

    /// Whether this is a string of exactly this text after unescaping. Allocates nothing.
    package func string(equals other: String) -> Bool {
        let bytes = document.bytes
        return token.isString && JSONValue.matches(token, bytes.span, other.utf8.span)
    }

    /// The value of the member of this name; nil when there is none or this is no object.
    /// One comparison per member before it, and no allocation.
    package subscript(_ name: String) -> JSONValue? {
        let tape = document.tape
        guard token.kind == .object else { return nil }
        let bytes = document.bytes
        let text = bytes.span
        let wanted = name.utf8.span
        var at = index + 2
        for _ in 0..<token.length {
            let name = tape.token(at)
            // Its length alone tells most names apart; escapes would change it.
            let mayMatch =
                name.length == wanted.count || name.rawKind != JSONToken.Kind.string.rawValue
            if mayMatch, JSONValue.matches(name, text, wanted) {
                return JSONValue(document: document, index: at + 1)
            }
            at = tape.tokenAfter(at + 1)
        }
        return nil
    }

    /// The element at this place; nil when there is none or this is no array. One step per element
    /// before it: to visit all, use ``elements``.
    package subscript(_ position: Int) -> JSONValue? {
        guard token.kind == .array, position >= 0, position < token.length else { return nil }
        var at = index + 2
        for _ in 0..<position { at = document.tape.tokenAfter(at) }
        return JSONValue(document: document, index: at)
    }

    /// The elements of an array; empty for other kinds.
    package var elements: JSONElements { JSONElements(of: self) }

    /// The members of an object in the order of the text; empty for other kinds.
    package var members: JSONMembers { JSONMembers(of: self) }

    /// Where this value stands in ``JSONDocument/bytes``, quotes and brackets included.
    package var range: Range<Int> { document.tape.sourceRange(index) }

    /// This value exactly as it is written.
    package var raw: ArraySlice<UInt8> { document.bytes[range] }

    /// This value exactly as it is written.
    package var rawText: String { String(decoding: raw, as: UTF8.self) }

    /// A tree of its own with the same value; numbers keep their text.
    package func detached() -> JSONNode {
        switch kind {
        case .null: return .null
        case .bool: return .bool(bool ?? false)
        case .number: return .number(rawText)
        case .string: return .string(string ?? "")
        case .array: return .array(elements.map { $0.detached() })
        case .object: return .object(members.map { JSONNode.Member($0.name, $0.value.detached()) })
        }
    }

    static func text(_ token: JSONToken, _ bytes: [UInt8]) -> String {
        if token.kind == .escapedString {
            return String(decoding: JSONScalars.unescaped(token, bytes.span), as: UTF8.self)
        }
        return String(decoding: bytes[token.offset..<token.offset + token.length], as: UTF8.self)
    }

    /// Whether the string of `token`, after unescaping, is the UTF-8 `wanted`.
    static func matches(
        _ token: JSONToken, _ text: Span<UInt8>, _ wanted: Span<UInt8>
    ) -> Bool {
        if token.rawKind == JSONToken.Kind.string.rawValue {
            guard token.length == wanted.count else { return false }
            let start = token.offset
            for index in 0..<wanted.count where text[start &+ index] != wanted[index] {
                return false
            }
            return true
        }
        var scalars = JSONScalars(token)
        var at = 0
        while let scalar = scalars.next(text) {
            let width = JSONScalars.width(scalar)
            guard at + width <= wanted.count else { return false }
            for index in 0..<width {
                guard wanted[at + index] == JSONScalars.byte(index, of: scalar, width) else {
                    return false
                }
            }
            at += width
        }
        return at == wanted.count
    }
}

/// The elements of an array, first to last.
package struct JSONElements: Sequence, IteratorProtocol, Sendable {
    private let document: JSONDocument
    private var index: Int
    private var left: Int

    fileprivate init(of value: JSONValue) {
        document = value.document
        index = value.index + 2
        left = value.kind == .array ? value.count : 0
    }

    /// The next element, or nil after the last.
    package mutating func next() -> JSONValue? {
        guard left > 0 else { return nil }
        left -= 1
        defer { index = document.tape.tokenAfter(index) }
        return JSONValue(document: document, index: index)
    }

    package var underestimatedCount: Int { left }
}

/// The members of an object, in the order of the text.
package struct JSONMembers: Sequence, IteratorProtocol, Sendable {
    private let document: JSONDocument
    private var index: Int
    private var left: Int

    fileprivate init(of value: JSONValue) {
        document = value.document
        index = value.index + 2
        left = value.kind == .object ? value.count : 0
    }

    /// The next member, its name unescaped, or nil after the last.
    package mutating func next() -> (name: String, value: JSONValue)? {
        guard left > 0 else { return nil }
        left -= 1
        let name = JSONValue.text(document.tape.token(index), document.bytes)
        let value = JSONValue(document: document, index: index + 1)
        index = document.tape.tokenAfter(index + 1)
        return (name, value)
    }

    package var underestimatedCount: Int { left }
}
