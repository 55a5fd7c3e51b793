// SPDX-License-Identifier: Apache-2.0
import JSON

/// Adds to a configuration file that people write too: every byte that is there stays, comments and
/// all.
enum ConfigurationEdit {
    /// The file with `element` added at the end of the array that is the root's member `name`, or
    /// with that member, an array of one, where it is missing.
    ///
    /// - Parameter text: A file that ``Configuration`` reads.
    /// - Returns: nil where there is no such place.
    static func append(_ element: JSONNode, to name: String, in text: [UInt8]) -> [UInt8]? {
        // Comments become blanks of the same length, so that places are those of the file.
        guard let document = try? JSONDocument(parsing: JSONComments.strip(text)),
            document.root.kind == .object
        else { return nil }
        let root = document.root
        guard let array = root[name] else {
            let member = "\"\(name)\": " + pretty(.array([element]), indent: 4)
            let last = root.members.reduce(nil as JSONValue?) { $1.value }
            return insert(member, at: 4, before: root, behind: last, in: text)
        }
        guard array.kind == .array else { return nil }
        let last = array.elements.reduce(nil as JSONValue?) { $1 }
        return insert(pretty(element, indent: 8), at: 8, before: array, behind: last, in: text)
    }

    /// Puts `item` before the bracket that ends `whole`, on lines of its own, behind whatever
    /// comments stand there; the comma goes right behind the last value.
    private static func insert(
        _ item: String, at indent: Int, before whole: JSONValue, behind last: JSONValue?,
        in text: [UInt8]
    ) -> [UInt8] {
        let bracket = whole.range.upperBound - 1
        var place = bracket
        while isSpace(text[place - 1]) { place -= 1 }
        let blank = String(repeating: " ", count: indent)
        var result: [UInt8] = []
        let comma = last?.range.upperBound ?? place
        result += text[..<comma]
        if last != nil { result.append(UInt8(ascii: ",")) }
        result += text[comma..<place] + Array("\n\(blank)\(item)".utf8)
        if !text[place..<bracket].contains(UInt8(ascii: "\n")) {
            result += Array("\n\(blank.dropLast(4))".utf8)
        }
        return result + text[place...]
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D
    }

    /// JSON as people write it: members on lines of their own, arrays of plain values on one.
    static func pretty(_ node: JSONNode, indent: Int) -> String {
        let blank = String(repeating: " ", count: indent + 4)
        let end = "\n" + blank.dropLast(4)
        switch node {
        case .object(let members) where !members.isEmpty:
            let lines = members.map {
                "\(blank)\(JSONNode.string($0.name).text): \(pretty($0.value, indent: indent + 4))"
            }
            return "{\n" + lines.joined(separator: ",\n") + end + "}"
        case .array(let elements) where elements.contains { $0.members != nil || $0.array != nil }:
            let lines = elements.map { blank + pretty($0, indent: indent + 4) }
            return "[\n" + lines.joined(separator: ",\n") + end + "]"
        case .array(let elements) where !elements.isEmpty:
            return "[ " + elements.map(\.text).joined(separator: ", ") + " ]"
        default:
            return node.text
        }
    }
}
