// SPDX-License-Identifier: Apache-2.0

import Bytes
package import JSON

/// What is wrong with an accounting object, and where.
package struct FormatFault: Error, Equatable, Sendable, CustomStringConvertible {
    /// The rule that was broken.
    package enum Rule: String, CaseIterable, Sendable {
        /// Not the kind of value that belongs here.
        case kind
        /// A required member is absent.
        case missing
        /// A member that this version does not know. Refused: a term that one side ignores is a
        /// term the two sides do not share.
        case unknown
        /// The text is not of the required form, or none of the words that may stand here.
        case text
        /// Not an integer, or outside its range.
        case range
        /// An amount that is not canonical text of the right currency.
        case amount
        /// Two members that contradict each other.
        case conflict
        /// Longer than allowed.
        case size
    }

    /// Member names joined by dots, as `hold.charge.amt`; empty for the object itself.
    package let path: String
    /// The rule that was broken.
    package let rule: Rule

    /// One of these members.
    package init(_ rule: Rule, at path: String) {
        self.rule = rule
        self.path = path
    }

    package var description: String { "\(path.isEmpty ? "object" : path): \(rule.rawValue)" }
}

/// Reads one JSON object strictly: each member is asked for by name, and `finish` refuses those
/// that nobody asked for.
struct ObjectReader {
    let path: String
    private let value: JSONValue
    private var asked: [String] = []

    init(_ value: JSONValue, at path: String = "") throws(FormatFault) {
        guard value.kind == .object else { throw FormatFault(.kind, at: path) }
        self.value = value
        self.path = path
    }

    /// Refuses members that were not read.
    func finish() throws(FormatFault) {
        for member in value.members where !asked.contains(member.name) {
            throw FormatFault(.unknown, at: place(member.name))
        }
    }

    func place(_ name: String) -> String { path.isEmpty ? name : path + "." + name }

    func fault(_ rule: FormatFault.Rule, _ name: String) -> FormatFault {
        FormatFault(rule, at: place(name))
    }

    mutating func optional(_ name: String) -> JSONValue? {
        asked.append(name)
        return value[name]
    }

    mutating func required(_ name: String) throws(FormatFault) -> JSONValue {
        guard let member = optional(name) else { throw fault(.missing, name) }
        return member
    }

    mutating func object(_ name: String) throws(FormatFault) -> ObjectReader {
        try ObjectReader(try required(name), at: place(name))
    }

    mutating func optionalObject(_ name: String) throws(FormatFault) -> ObjectReader? {
        guard let member = optional(name) else { return nil }
        return try ObjectReader(member, at: place(name))
    }

    /// The members of an array of at most `most`, each with its place.
    mutating func array(
        _ name: String, atMost most: Int
    ) throws(FormatFault) -> [(value: JSONValue, path: String)] {
        let member = try required(name)
        guard member.kind == .array else { throw fault(.kind, name) }
        guard member.count <= most else { throw fault(.size, name) }
        let path = place(name)
        return member.elements.enumerated().map { ($0.element, "\(path).\($0.offset)") }
    }
}

// MARK: - Texts and numbers

extension ObjectReader {
    /// A string of 1 to `most` bytes.
    mutating func string(_ name: String, atMost most: Int = 256) throws(FormatFault) -> String {
        guard let text = try required(name).string else { throw fault(.kind, name) }
        guard !text.isEmpty else { throw fault(.text, name) }
        guard text.utf8.count <= most else { throw fault(.size, name) }
        return text
    }

    mutating func optionalString(
        _ name: String, atMost most: Int = 256
    ) throws(FormatFault) -> String? {
        optional(name) == nil ? nil : try string(name, atMost: most)
    }

    /// The constant that says what the object is.
    mutating func version(_ expected: String) throws(FormatFault) {
        guard try string("v") == expected else { throw fault(.text, "v") }
    }

    /// One of the words of a closed enumeration.
    mutating func word<Word: RawRepresentable>(
        _ name: String, _ type: Word.Type = Word.self
    ) throws(FormatFault) -> Word where Word.RawValue == String {
        guard let word = Word(rawValue: try string(name)) else { throw fault(.text, name) }
        return word
    }

    mutating func integer(
        _ name: String, _ range: ClosedRange<Int64>
    ) throws(FormatFault) -> Int64 {
        let member = try required(name)
        guard member.kind == .number else { throw fault(.kind, name) }
        guard let number = member.int, range.contains(number) else { throw fault(.range, name) }
        return number
    }

    /// An integer in digits, as a string. Metadata of A2A may pass through protobuf, whose numbers
    /// are doubles that come out as `1.77e6`.
    mutating func decimal(
        _ name: String, _ range: ClosedRange<Int64>
    ) throws(FormatFault) -> Int64 {
        let text = try string(name, atMost: 20)
        guard let number = Int64(text), String(number) == text else { throw fault(.text, name) }
        guard range.contains(number) else { throw fault(.range, name) }
        return number
    }

    mutating func entity(_ name: String) throws(FormatFault) -> EntityID {
        guard let entity = EntityID(try string(name)) else { throw fault(.text, name) }
        return entity
    }

    mutating func operation(_ name: String) throws(FormatFault) -> OperationID {
        guard let id = OperationID(try string(name)) else { throw fault(.text, name) }
        return id
    }

    mutating func optionalOperation(_ name: String) throws(FormatFault) -> OperationID? {
        optional(name) == nil ? nil : try operation(name)
    }

    mutating func hash(_ name: String) throws(FormatFault) -> HashName {
        guard let hash = HashName(try string(name)) else { throw fault(.text, name) }
        return hash
    }

    mutating func optionalHash(_ name: String) throws(FormatFault) -> HashName? {
        optional(name) == nil ? nil : try hash(name)
    }

    /// A date and time of RFC 3339, with `Z` or an offset.
    mutating func instant(_ name: String) throws(FormatFault) -> Instant {
        guard let instant = Instant(rfc3339: try string(name)) else { throw fault(.text, name) }
        return instant
    }

    mutating func optionalInstant(_ name: String) throws(FormatFault) -> Instant? {
        optional(name) == nil ? nil : try instant(name)
    }
}

// MARK: - Money

extension ObjectReader {
    mutating func currency(_ name: String) throws(FormatFault) -> Currency {
        guard let currency = Currency(try string(name)) else { throw fault(.text, name) }
        return currency
    }

    /// `{"ccy": "CNY", "amt": "328.00"}`
    mutating func money(_ name: String) throws(FormatFault) -> Money {
        var reader = try object(name)
        let currency = try reader.currency("ccy")
        let money = try reader.amount("amt", currency)
        try reader.finish()
        return money
    }

    /// The canonical text of an amount of a currency that stands elsewhere.
    mutating func amount(_ name: String, _ currency: Currency) throws(FormatFault) -> Money {
        let text = try string(name)
        do throws(MoneyFault) {
            return try Money(text: text, currency)
        } catch {
            throw fault(.amount, name)
        }
    }

    mutating func optionalAmount(
        _ name: String, _ currency: Currency
    ) throws(FormatFault) -> Money? {
        optional(name) == nil ? nil : try amount(name, currency)
    }
}

extension Money {
    /// `{"ccy": "CNY", "amt": "328.00"}`
    package var node: JSONNode {
        ["ccy": .string(currency.code), "amt": .string(text)]
    }
}
