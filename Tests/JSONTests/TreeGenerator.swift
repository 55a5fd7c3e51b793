// SPDX-License-Identifier: Apache-2.0

import JSON
import TestSupport

/// Random trees, and texts near to valid ones.
struct TreeGenerator {
    var random: SeededRandom

    init(seed: UInt64) { random = SeededRandom(seed: seed) }

    /// A tree with every kind of value, at most `depth` levels, whose objects have unique names.
    mutating func tree(depth: Int) -> JSONNode {
        let kinds = depth == 0 ? 5 : 8
        switch Int.random(in: 0..<kinds, using: &random) {
        case 0: return .null
        case 1: return .bool(Bool.random(using: &random))
        case 2:
            return .int(
                Int64(bitPattern: random.next()) >> Int64.random(in: 0...63, using: &random))
        case 3: return .number(decimal())
        case 4: return .string(string())
        case 5:
            return .array(
                (0..<Int.random(in: 0...5, using: &random)).map { _ in
                    tree(depth: depth - 1)
                })
        default:
            var names = Set<String>()
            for _ in 0..<Int.random(in: 0...20, using: &random) { names.insert(string()) }
            return .object(
                names.sorted().shuffled(using: &random).map { .init($0, tree(depth: depth - 1)) })
        }
    }

    /// A number with a fraction, an exponent or both, always finite.
    private mutating func decimal() -> String {
        var text = Bool.random(using: &random) ? "-" : ""
        text += String(random.next() >> UInt64.random(in: 0...63, using: &random))
        if Bool.random(using: &random) {
            text += "." + String(random.next() >> UInt64.random(in: 0...63, using: &random))
        }
        if Bool.random(using: &random) {
            text += ["e", "E", "e+", "E-"].randomElement(using: &random) ?? "e"
            text += String(Int.random(in: 0...280, using: &random))
        }
        return text
    }

    /// Up to 12 scalars from all planes, control characters and quotes among them.
    mutating func string() -> String {
        var text = String.UnicodeScalarView()
        for _ in 0..<Int.random(in: 0...12, using: &random) {
            let limits: [UInt32] = [0x20, 0x80, 0x80, 0x800, 0xD800, 0x10000, 0x110000]
            let limit = limits.randomElement(using: &random) ?? 0x80
            if let scalar = Unicode.Scalar(UInt32.random(in: 0..<limit, using: &random)) {
                text.append(scalar)
            }
            if Int.random(in: 0..<8, using: &random) == 0 {
                text.append(contentsOf: "\"\\/".unicodeScalars)
            }
        }
        return String(text)
    }

    /// The text of `tree` with random white space and random escapes: another spelling of the
    /// same value.
    mutating func spelling(of tree: JSONNode) -> [UInt8] {
        var text = space()
        switch tree {
        case .string(let value): text += quoted(value)
        case .array(let elements):
            text += "["
            for (index, element) in elements.enumerated() {
                if index > 0 { text += "," }
                text += String(decoding: spelling(of: element), as: UTF8.self)
            }
            text += space() + "]"
        case .object(let members):
            text += "{"
            for (index, member) in members.enumerated() {
                if index > 0 { text += "," }
                text += space() + quoted(member.name) + space() + ":"
                text += String(decoding: spelling(of: member.value), as: UTF8.self)
            }
            text += space() + "}"
        default: text += tree.text
        }
        return Array((text + space()).utf8)
    }

    private mutating func space() -> String {
        [" ", "\n", "\t", "\r", "", "", "", ""].randomElement(using: &random) ?? ""
    }

    private mutating func quoted(_ value: String) -> String {
        var text = "\""
        for unit in value.utf16 {
            let isSurrogate = 0xD800...0xDFFF ~= unit
            if isSurrogate || unit < 0x20 || unit == 0x22 || unit == 0x5C
                || Int.random(in: 0..<4, using: &random) == 0
            {
                var hex = String(unit, radix: 16, uppercase: Bool.random(using: &random))
                while hex.utf8.count < 4 { hex = "0" + hex }
                text += "\\u" + hex
            } else if let scalar = Unicode.Scalar(unit) {
                text.unicodeScalars.append(scalar)
            }
        }
        return text + "\""
    }

    /// `text` with a few bytes changed, put in, taken out or doubled.
    mutating func mutation(of text: [UInt8]) -> [UInt8] {
        var text = text
        for _ in 0..<Int.random(in: 1...3, using: &random) where !text.isEmpty {
            let place = Int.random(in: text.indices, using: &random)
            let structure = Array("{}[],:\"\\-+.eE0123456789tfnu \n\u{01}".utf8)
            let byte =
                Int.random(in: 0..<4, using: &random) == 0
                ? UInt8.random(in: 0...255, using: &random)
                : structure.randomElement(using: &random) ?? 0x20
            switch Int.random(in: 0..<4, using: &random) {
            case 0: text[place] = byte
            case 1: text.insert(byte, at: place)
            case 2: text.remove(at: place)
            default:
                let end = min(text.count, place + Int.random(in: 1...8, using: &random))
                text.insert(contentsOf: text[place..<end], at: place)
            }
        }
        return text
    }
}
