// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// Changes to a document's text that leave every other byte as it was: how ids in a message are
/// rewritten without encoding the rest of it again.
package struct JSONSplice: Sendable {
    private struct Edit: Sendable {
        var range: Range<Int>
        var replacement: [UInt8]

        func stands(before other: Edit) -> Bool {
            (range.lowerBound, range.upperBound) < (other.range.lowerBound, other.range.upperBound)
        }
    }

    private let document: JSONDocument
    private let whole: Range<Int>
    private var edits: [Edit] = []
    /// The places before the braces of objects that were empty and got members.
    private var filled: [Int] = []

    /// No changes to `document` yet.
    package init(_ document: JSONDocument) {
        self.document = document
        whole = 0..<document.bytes.count
    }

    /// No changes yet to the part of a document that is `value`.
    package init(within value: JSONValue) {
        document = value.document
        whole = value.range
    }

    /// Whether ``applied()`` gives the document's own bytes.
    package var isEmpty: Bool { edits.isEmpty }

    /// Puts JSON text in the place of a value of the document. It is not checked.
    package mutating func replace(_ value: JSONValue, with text: [UInt8]) {
        invariant(value.document === document, "a splice changes values of its own document")
        edits.append(Edit(range: value.range, replacement: text))
    }

    /// Puts a tree in the place of a value of the document.
    package mutating func replace(_ value: JSONValue, with node: JSONNode) {
        replace(value, with: node.bytes)
    }

    /// Puts bytes in the place of a range of the document's bytes.
    package mutating func replace(_ range: Range<Int>, with text: [UInt8]) {
        edits.append(Edit(range: range, replacement: text))
    }

    /// Adds a member at the end of an object of the document, which must not have that name.
    package mutating func add(_ name: String, _ node: JSONNode, to object: JSONValue) {
        invariant(object.document === document, "a splice changes values of its own document")
        invariant(object.kind == .object, "only an object takes members")
        let place = object.range.upperBound - 1
        let isFirst = object.count == 0 && !filled.contains(place)
        if isFirst { filled.append(place) }
        var writer = JSONWriter(capacity: name.utf8.count + 64, isContinuing: !isFirst)
        writer.name(name)
        writer.node(node)
        edits.append(Edit(range: place..<place, replacement: writer.bytes))
    }

    /// By place; what was asked for at one place stays in order.
    private static func ordered(_ edits: [Edit]) -> [Edit] {
        guard edits.count <= fewEdits else {
            return edits.enumerated().sorted { a, b in
                a.element.stands(before: b.element)
                    || a.offset < b.offset && !b.element.stands(before: a.element)
            }.map(\.element)
        }
        var ordered = edits
        for index in ordered.indices.dropFirst() {
            var at = index
            while at > 0, ordered[at].stands(before: ordered[at - 1]) {
                ordered.swapAt(at, at - 1)
                at -= 1
            }
        }
        return ordered
    }

    /// So many are put in order by insertion.
    private static let fewEdits = 16

    /// The text with all changes made, in one pass: of the document, or of the value it is within.
    /// Changes must not overlap. What is put in at one place keeps the order in which it was asked
    /// for, and stands before what replaces the bytes from there on.
    package func applied() -> [UInt8] {
        let ordered = Self.ordered(edits)
        let growth = edits.reduce(0) { $0 + $1.replacement.count - $1.range.count }
        var result: [UInt8] = []
        result.reserveCapacity(whole.count + max(growth, 0))
        var at = whole.lowerBound
        for edit in ordered {
            invariant(edit.range.lowerBound >= at, "changes to a document do not overlap")
            result.append(contentsOf: document.bytes[at..<edit.range.lowerBound])
            result.append(contentsOf: edit.replacement)
            at = edit.range.upperBound
        }
        invariant(at <= whole.upperBound, "changes lie within the value")
        result.append(contentsOf: document.bytes[at..<whole.upperBound])
        return result
    }
}
