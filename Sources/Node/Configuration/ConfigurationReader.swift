// SPDX-License-Identifier: Apache-2.0
import Bytes
import JSON

/// Collects the faults of one file while its members are read.
final class ConfigurationReader {
    private let text: [UInt8]
    private let root: JSONValue?
    private(set) var faults: [ConfigurationFault] = []

    /// - Parameter text: The file's bytes; comments may already be blanks, since they keep their
    ///   length.
    init(_ text: [UInt8], _ root: JSONValue?) {
        self.text = text
        self.root = root
    }

    /// Notes a fault at `value`.
    func fault(_ value: JSONValue, _ path: String, _ rule: String, _ mend: String = "") {
        let place = position(value.range.lowerBound)
        faults.append(
            ConfigurationFault(
                line: place.line, column: place.column, path: path,
                pointer: root.flatMap { pointer(value.range.lowerBound, in: $0) } ?? "", rule: rule,
                mend: mend))
    }

    /// The JSON Pointer (RFC 6901) of the value that begins at `offset`.
    private func pointer(_ offset: Int, in value: JSONValue) -> String? {
        if value.range.lowerBound == offset { return "" }
        guard value.range.contains(offset) else { return nil }
        for member in value.members {
            guard let rest = pointer(offset, in: member.value) else { continue }
            let name = member.name.replacing("~", with: "~0").replacing("/", with: "~1")
            return "/\(name)\(rest)"
        }
        for (index, element) in value.elements.enumerated() {
            if let rest = pointer(offset, in: element) { return "/\(index)\(rest)" }
        }
        return nil
    }

    private func position(_ offset: Int) -> (line: Int, column: Int) {
        var line = 1
        var column = 1
        for byte in text.prefix(offset) {
            if byte == 0x0A {
                line += 1
                column = 1
            } else if byte & 0xC0 != 0x80 {
                column += 1
            }
        }
        return (line, column)
    }
}

/// One object of the configuration: each member is asked for by name, and one that nobody asked for
/// is a fault, so that a misspelt member is never silently ignored.
struct ConfigurationObject {
    let value: JSONValue
    let path: String
    let reader: ConfigurationReader
    private var known: [String] = []

    /// - Parameter value: An object, or anything else, which is a fault.
    init(_ value: JSONValue, _ path: String, _ reader: ConfigurationReader) {
        self.value = value
        self.path = path
        self.reader = reader
        if value.kind != .object { reader.fault(value, path, "must be an object") }
    }

    /// The path of a member.
    func place(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }

    /// The member called `name`, if it is there.
    mutating func member(_ name: String) -> JSONValue? {
        known.append(name)
        return value[name]
    }

    /// Notes that `name` is missing.
    func missing(_ name: String, _ mend: String) {
        reader.fault(value, path, "\"\(name)\" is missing", mend)
    }

    /// A string; a missing one is a fault when `mend` says what to write.
    mutating func string(_ name: String, required mend: String? = nil) -> String? {
        guard let member = member(name) else {
            if let mend { missing(name, mend) }
            return nil
        }
        guard let text = member.string, !text.isEmpty else {
            reader.fault(member, place(name), "must be a string that is not empty", mend ?? "")
            return nil
        }
        return text
    }

    /// An integer within `range`.
    mutating func integer(_ name: String, _ range: ClosedRange<Int64>) -> Int64? {
        guard let member = member(name) else { return nil }
        guard let number = member.int, range.contains(number) else {
            reader.fault(
                member, place(name),
                "must be an integer from \(range.lowerBound) to \(range.upperBound)")
            return nil
        }
        return number
    }

    /// A truth value.
    mutating func bool(_ name: String) -> Bool? {
        guard let member = member(name) else { return nil }
        guard let value = member.bool else {
            reader.fault(member, place(name), "must be true or false")
            return nil
        }
        return value
    }

    /// An entity id.
    mutating func entity(_ name: String) -> EntityID? {
        let mend = "Write https://host or https://host:port, in lower case, without a path"
        guard let text = string(name, required: mend) else { return nil }
        guard let entity = EntityID(text) else {
            reader.fault(value[name] ?? value, place(name), "is not an entity id", mend)
            return nil
        }
        return entity
    }

    /// One of the cases of an enumeration, by its raw value.
    mutating func word<Word: RawRepresentable & CaseIterable>(
        _ name: String, _ type: Word.Type, required: Bool
    ) -> Word? where Word.RawValue == String {
        let words = Word.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
        guard let text = string(name, required: required ? "Write one of \(words)" : nil) else {
            return nil
        }
        guard let word = Word.allCases.first(where: { $0.rawValue == text }) else {
            reader.fault(
                value[name] ?? value, place(name), "is unknown", "Write one of \(words)")
            return nil
        }
        return word
    }

    /// An array of objects, each read by `read`; a missing array is empty.
    mutating func objects<Element>(
        _ name: String, _ read: (inout ConfigurationObject) -> Element?
    ) -> [Element] {
        guard let member = member(name) else { return [] }
        guard member.kind == .array else {
            reader.fault(member, place(name), "must be an array of objects")
            return []
        }
        var found: [Element] = []
        for (index, item) in member.elements.enumerated() {
            var object = ConfigurationObject(item, "\(place(name))[\(index)]", reader)
            if let element = read(&object) { found.append(element) }
            object.finish()
        }
        return found
    }

    /// One object, read by `read`.
    mutating func object<Element>(
        _ name: String, _ read: (inout ConfigurationObject) -> Element?
    ) -> Element? {
        guard let member = member(name) else { return nil }
        var object = ConfigurationObject(member, place(name), reader)
        defer { object.finish() }
        return read(&object)
    }

    /// An array of strings; a missing one is `nil`.
    mutating func strings(_ name: String) -> [String]? {
        guard let member = member(name) else { return nil }
        guard member.kind == .array else {
            reader.fault(member, place(name), "must be an array of strings")
            return nil
        }
        var found: [String] = []
        for (index, item) in member.elements.enumerated() {
            guard let text = item.string, !text.isEmpty else {
                reader.fault(item, "\(place(name))[\(index)]", "must be a string")
                continue
            }
            found.append(text)
        }
        return found
    }

    /// Notes what `rule` finds wrong with the address called `name`.
    func check(_ name: String, _ rule: () throws(AddressRule) -> Void) {
        do {
            try rule()
        } catch {
            reader.fault(value[name] ?? value, place(name), error.rule, error.mend)
        }
    }

    /// Checks a name under which callers are known in the journal and in logs.
    ///
    /// There `listener/name` is one text, so a slash would make two callers of one; control
    /// characters would make a name look like another.
    func checkName(_ name: String, _ text: String?) {
        guard let text else { return }
        let isPlain = text.unicodeScalars.allSatisfy { scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate,
                .unassigned:
                false
            default: scalar != "/"
            }
        }
        guard !isPlain || text.unicodeScalars.count > Self.nameMax else { return }
        reader.fault(
            value[name] ?? value, place(name),
            isPlain
                ? "must not be longer than \(Self.nameMax) characters"
                : "must not hold a slash or a control character",
            "Write a plain name, as \"apps\"")
    }

    /// Longest name of a listener or of a caller, in Unicode scalars; it stands in every line of
    /// the log.
    static let nameMax = 64

    /// Refuses what nobody asked for.
    func finish() {
        guard value.kind == .object else { return }
        for member in value.members where !known.contains(member.name) {
            let near = NearestName.find(member.name, among: known)
            reader.fault(
                member.value, place(member.name), "is not a member of this object",
                near.map { "Did you mean \"\($0)\"?" }
                    ?? "Known members: " + known.joined(separator: ", "))
        }
    }
}
