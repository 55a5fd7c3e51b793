// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// A JSON value that is being made: a tree of its own, with members in the order they were added.
package enum JSONNode: Sendable, Equatable {
    case null
    case bool(Bool)
    /// A number as its text, which must be one by RFC 8259 §6.
    case number(String)
    case string(String)
    case array([JSONNode])
    /// Names are unique when the tree is canonicalised; nothing checks it before.
    case object([Member])
    /// JSON text of one value, written as it is.
    case raw([UInt8])

    /// One member of an object.
    package struct Member: Sendable, Equatable {
        package var name: String
        package var value: JSONNode

        /// A member of this name and value.
        package init(_ name: String, _ value: JSONNode) {
            self.name = name
            self.value = value
        }

        /// A member of this name and value.
        package init(name: String, value: JSONNode) { self.init(name, value) }
    }

    /// An integer in digits.
    package static func int(_ value: some BinaryInteger) -> JSONNode { .number(String(value)) }

    /// The compact text.
    package var bytes: [UInt8] {
        var writer = JSONWriter()
        writer.node(self)
        return writer.bytes
    }

    /// The compact text.
    package var text: String { String(decoding: bytes, as: UTF8.self) }
}

// MARK: - Reading, as JSONValue reads; text under `raw` is not looked into

extension JSONNode {
    /// Whether this is `null`.
    package var isNull: Bool { self == .null }

    /// The truth value, or nil for other kinds.
    package var bool: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    /// The string, or nil for other kinds.
    package var string: String? {
        if case .string(let value) = self { value } else { nil }
    }

    /// The number's text, or nil for other kinds.
    package var numberText: String? {
        if case .number(let text) = self { text } else { nil }
    }

    /// The value of a number written in digits with an optional minus sign that fits, or nil.
    package var int: Int64? {
        guard let text = numberText, text.first != "+" else { return nil }
        return Int64(text)
    }

    /// The double nearest to a number, or nil for other kinds and where that is infinite.
    package var double: Double? { numberText.flatMap { JSONNumber.double($0) } }

    /// The elements of an array, or nil for other kinds.
    package var array: [JSONNode]? {
        if case .array(let elements) = self { elements } else { nil }
    }

    /// The members of an object, or nil for other kinds.
    package var members: [Member]? {
        if case .object(let members) = self { members } else { nil }
    }

    /// The value of the first member of this name; nil when there is none or this is no object.
    ///
    /// Setting replaces the member in its place or adds it at the end; setting nil removes it. Only
    /// an object can be set into.
    package subscript(_ name: String) -> JSONNode? {
        get { members?.first { $0.name == name }?.value }
        set {
            guard case .object(var members) = self else {
                invariant(newValue == nil, "only an object has members to set")
                return
            }
            self = .null
            let place = members.firstIndex { $0.name == name }
            switch (place, newValue) {
            case (let place?, let value?): members[place].value = value
            case (let place?, nil): members.remove(at: place)
            case (nil, let value?): members.append(Member(name, value))
            case (nil, nil): break
            }
            self = .object(members)
        }
    }
}

// MARK: - Literals

extension JSONNode: ExpressibleByStringLiteral, ExpressibleByStringInterpolation,
    ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral,
    ExpressibleByDictionaryLiteral
{
    package init(stringLiteral value: String) { self = .string(value) }
    package init(integerLiteral value: Int64) { self = .int(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(arrayLiteral elements: JSONNode...) { self = .array(elements) }
    /// Members in the order they are written.
    package init(dictionaryLiteral members: (String, JSONNode)...) {
        self = .object(members.map { Member($0.0, $0.1) })
    }
}
