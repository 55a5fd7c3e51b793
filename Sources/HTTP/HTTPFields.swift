// SPDX-License-Identifier: Apache-2.0

/// The fields of a head or the trailers, in the order of the wire; a name may occur again.
///
/// Names and values were validated when they were made, so fields can be written as they are:
/// there is no way to put a line break into them.
package struct HTTPFields: Sendable, Equatable {
    /// One field line.
    package struct Field: Sendable, Equatable {
        package let name: HTTPFieldName
        package let value: HTTPFieldValue

        package init(name: HTTPFieldName, value: HTTPFieldValue) {
            self.name = name
            self.value = value
        }
    }

    private var lines: [Field] = []
    /// Room for the fields of a usual head, made at once.
    private static let usualCount = 8

    package init() {}

    /// How many lines there are.
    package var count: Int { lines.count }

    package var isEmpty: Bool { lines.isEmpty }

    /// What RFC 9113 §6.5.2 counts: octets of names and values plus 32 for each field.
    package var listSize: Int {
        lines.reduce(0) { $0 + $1.name.text.utf8.count + $1.value.text.utf8.count + 32 }
    }

    /// The value of the first line of that name.
    package subscript(name: HTTPFieldName) -> String? {
        lines.first { $0.name == name }?.value.text
    }

    /// The values of all lines of that name, in order.
    package func all(_ name: HTTPFieldName) -> [String] {
        lines.compactMap { $0.name == name ? $0.value.text : nil }
    }

    /// Whether there is a line of that name.
    package func contains(_ name: HTTPFieldName) -> Bool {
        lines.contains { $0.name == name }
    }

    /// The members of a comma-separated list over all lines of that name, without the space
    /// around them and without empty ones (RFC 9110 §5.6.1). Not for values with quoted commas.
    package func list(_ name: HTTPFieldName) -> [Substring] {
        lines.lazy.filter { $0.name == name }.flatMap { line in
            line.value.text.split(separator: ",").map(Self.trimmed).filter { !$0.isEmpty }
        }
    }

    /// Adds a line at the end.
    package mutating func append(_ name: HTTPFieldName, _ value: HTTPFieldValue) {
        if lines.isEmpty { lines.reserveCapacity(Self.usualCount) }
        lines.append(Field(name: name, value: value))
    }

    /// Adds a line at the end, of a value that comes from elsewhere.
    /// - Throws: ``HTTPFault/fieldValue``; nothing is added then.
    package mutating func append(_ name: HTTPFieldName, text: String) throws(HTTPFault) {
        append(name, try HTTPFieldValue(text))
    }

    /// Replaces all lines of that name by one at the end.
    package mutating func set(_ name: HTTPFieldName, _ value: HTTPFieldValue) {
        remove(name)
        append(name, value)
    }

    /// Takes all lines of that name away.
    package mutating func remove(_ name: HTTPFieldName) {
        guard contains(name) else { return }
        lines.removeAll { $0.name == name }
    }

    /// Adds the lines of `other` at the end.
    package mutating func append(contentsOf other: HTTPFields) {
        lines.append(contentsOf: other.lines)
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var rest = text
        while rest.first == " " || rest.first == "\t" { rest.removeFirst() }
        while rest.last == " " || rest.last == "\t" { rest.removeLast() }
        return rest
    }
}

extension HTTPFields: Sequence {
    package func makeIterator() -> IndexingIterator<[Field]> { lines.makeIterator() }
}

extension HTTPFields: ExpressibleByDictionaryLiteral {
    package init(dictionaryLiteral elements: (HTTPFieldName, HTTPFieldValue)...) {
        lines = elements.map { Field(name: $0.0, value: $0.1) }
    }
}

extension HTTPFields {
    /// Fields that concern one connection only and never cross a hop (RFC 9110 §7.6.1): the well
    /// known ones and those that `connection` names.
    package var withoutHopByHop: HTTPFields {
        guard lines.contains(where: { $0.name.isHopByHop }) else { return self }
        let named = Set(list(.connection).map { HTTPCharacters.lowered($0) })
        var kept = HTTPFields()
        kept.lines = lines.filter { !$0.name.isHopByHop && !named.contains($0.name.text) }
        return kept
    }
}
