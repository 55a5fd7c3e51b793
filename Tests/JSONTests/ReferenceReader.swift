// SPDX-License-Identifier: Apache-2.0

/// A second reader, as near to the words of RFC 8259 as code can be and with no thought of speed,
/// to compare verdicts with. Depth 64, unique names, valid UTF-8, no lone surrogates.
struct ReferenceReader {
    private var rest: Substring.UnicodeScalarView
    private var depth = 0

    static func accepts(_ bytes: [UInt8]) -> Bool {
        guard let text = String(validating: bytes, as: UTF8.self) else { return false }
        var reader = ReferenceReader(rest: text[...].unicodeScalars)
        reader.space()
        guard reader.value() else { return false }
        reader.space()
        return reader.rest.isEmpty
    }

    private mutating func space() {
        while let first = rest.first, [0x20, 0x09, 0x0A, 0x0D].contains(first.value) {
            rest.removeFirst()
        }
    }

    private mutating func take(_ word: String) -> Bool {
        guard rest.starts(with: word.unicodeScalars) else { return false }
        rest.removeFirst(word.unicodeScalars.count)
        return true
    }

    private mutating func value() -> Bool {
        if take("null") || take("true") || take("false") { return true }
        if take("[") { return array() }
        if take("{") { return object() }
        if rest.first == "\"" { return string() != nil }
        return number()
    }

    private mutating func array() -> Bool {
        depth += 1
        defer { depth -= 1 }
        guard depth <= 64 else { return false }
        space()
        if take("]") { return true }
        while true {
            space()
            guard value() else { return false }
            space()
            if take("]") { return true }
            guard take(",") else { return false }
        }
    }

    private mutating func object() -> Bool {
        depth += 1
        defer { depth -= 1 }
        guard depth <= 64 else { return false }
        var names = Set<[UInt32]>()
        space()
        if take("}") { return true }
        while true {
            space()
            guard let name = string(), names.insert(name).inserted else { return false }
            space()
            guard take(":") else { return false }
            space()
            guard value() else { return false }
            space()
            if take("}") { return true }
            guard take(",") else { return false }
        }
    }

    /// The UTF-16 code units of a string, in which a surrogate may only stand in a pair.
    private mutating func string() -> [UInt32]? {
        guard take("\"") else { return nil }
        var units: [UInt16] = []
        while let scalar = rest.popFirst() {
            if scalar == "\"" {
                let isPaired = String(validating: units, as: UTF16.self) != nil
                return isPaired ? units.map(UInt32.init) : nil
            }
            guard scalar.value >= 0x20 else { return nil }
            guard scalar == "\\" else {
                units += Array(String(scalar).utf16)
                continue
            }
            guard let letter = rest.popFirst() else { return nil }
            switch letter {
            case "\"", "\\", "/": units.append(UInt16(letter.value))
            case "b": units.append(8)
            case "f": units.append(12)
            case "n": units.append(10)
            case "r": units.append(13)
            case "t": units.append(9)
            case "u":
                let digits = rest.prefix(4)
                guard digits.count == 4, digits.allSatisfy({ $0.properties.isASCIIHexDigit }),
                    let unit = UInt16(String(digits), radix: 16)
                else { return nil }
                rest.removeFirst(4)
                units.append(unit)
            default: return nil
            }
        }
        return nil
    }

    private mutating func number() -> Bool {
        _ = take("-")
        if !take("0") { guard digits() > 0 else { return false } }
        if take(".") { guard digits() > 0 else { return false } }
        if take("e") || take("E") {
            _ = take("+") || take("-")
            guard digits() > 0 else { return false }
        }
        return true
    }

    private mutating func digits() -> Int {
        let run = rest.prefix { "0"..."9" ~= $0 }
        rest.removeFirst(run.count)
        return run.count
    }
}
