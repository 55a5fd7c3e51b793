// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// Writes compact JSON text. Commas and colons come by themselves; that brackets match and that no
/// name is written twice is up to the caller.
package struct JSONWriter: Sendable {
    /// What has been written.
    package private(set) var bytes: [UInt8] = []

    /// Whether a value stands last, so that the next one or the next name needs a comma.
    private var needsComma = false

    /// An empty writer with room for `capacity` bytes.
    package init(capacity: Int = 256) { bytes.reserveCapacity(capacity) }

    /// A writer of what follows a value: it begins with a comma.
    init(capacity: Int, isContinuing: Bool) {
        bytes.reserveCapacity(capacity)
        needsComma = isContinuing
    }

    /// The left brace of an object.
    package mutating func beginObject() { begin(UInt8(ascii: "{")) }
    /// The right brace of an object.
    package mutating func endObject() { end(UInt8(ascii: "}")) }
    /// The left bracket of an array.
    package mutating func beginArray() { begin(UInt8(ascii: "[")) }
    /// The right bracket of an array.
    package mutating func endArray() { end(UInt8(ascii: "]")) }

    /// A member's name and colon; its value must follow.
    package mutating func name(_ name: String) {
        separate()
        JSONWriter.appendQuoted(name.utf8.span, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    /// A string; only `"`, `\` and control characters below U+0020 are escaped (RFC 8785 §3.2.2.2).
    package mutating func string(_ value: String) {
        separate()
        JSONWriter.appendQuoted(value.utf8.span, to: &bytes)
    }

    /// An integer in digits.
    package mutating func int(_ value: some BinaryInteger) {
        if let small = Int64(exactly: value) { return int(small) }
        separate()
        bytes.append(contentsOf: String(value).utf8)
    }

    /// An integer in digits.
    package mutating func int(_ value: Int64) {
        separate()
        if value < 0 { bytes.append(UInt8(ascii: "-")) }
        var rest = value.magnitude
        var divisor: UInt64 = 1
        while rest / divisor >= 10 { divisor *= 10 }
        while divisor > 0 {
            bytes.append(0x30 + UInt8(rest / divisor))
            rest %= divisor
            divisor /= 10
        }
    }

    /// What has been written, with a line feed after it.
    package consuming func line() -> [UInt8] {
        var line = bytes
        bytes = []
        line.append(0x0A)
        return line
    }

    /// A finite double in the fewest digits that read back as the same (ECMA-262 §6.1.6.1.20).
    package mutating func double(_ value: Double) {
        invariant(value.isFinite, "JSON has no number that is not finite")
        separate()
        JSONNumber.appendECMAScript(value, to: &bytes)
    }

    /// `true` or `false`.
    package mutating func bool(_ value: Bool) {
        separate()
        bytes.append(contentsOf: (value ? "true" : "false").utf8)
    }

    /// `null`.
    package mutating func null() {
        separate()
        bytes.append(contentsOf: "null".utf8)
    }

    /// A number exactly as `text`, which must be one by RFC 8259 §6: anything else would let its
    /// author write structure.
    package mutating func number(text: String) {
        invariant(JSONNumber.isNumber(text.utf8.span), "a JSON number is written in its grammar")
        separate()
        bytes.append(contentsOf: text.utf8)
    }

    /// One value that is JSON text already; it is not checked.
    package mutating func raw(_ text: some Sequence<UInt8>) {
        separate()
        bytes.append(contentsOf: text)
    }

    /// One value that is JSON text already; it is not checked.
    package mutating func raw(_ text: [UInt8]) {
        separate()
        bytes.append(contentsOf: text)
    }

    /// A value of a document, exactly as it is written there.
    package mutating func value(_ value: JSONValue) {
        separate()
        bytes.append(contentsOf: value.raw)
    }

    /// A tree.
    package mutating func node(_ node: JSONNode) {
        switch node {
        case .null: null()
        case .bool(let value): bool(value)
        case .number(let text): number(text: text)
        case .string(let value): string(value)
        case .raw(let text): raw(text)
        case .array(let elements):
            beginArray()
            for element in elements { self.node(element) }
            endArray()
        case .object(let members):
            beginObject()
            for member in members {
                name(member.name)
                self.node(member.value)
            }
            endObject()
        }
    }

    private mutating func begin(_ bracket: UInt8) {
        separate()
        bytes.append(bracket)
        needsComma = false
    }

    private mutating func end(_ bracket: UInt8) {
        bytes.append(bracket)
        needsComma = true
    }

    @inline(__always)
    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        needsComma = true
    }

    /// Appends `text` in quotes with the escapes of RFC 8785 §3.2.2.2.
    static func appendQuoted(_ text: Span<UInt8>, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        var at = 0
        while at < text.count {
            let end = JSONScan.literalRun(text, from: at)
            append(text, at..<end, to: &bytes)
            guard end < text.count else { break }
            appendEscape(text[end], to: &bytes)
            at = end + 1
        }
        bytes.append(UInt8(ascii: "\""))
    }

    /// Appends a run of bytes unchanged.
    @inline(__always)
    static func append(_ text: Span<UInt8>, _ range: Range<Int>, to bytes: inout [UInt8]) {
        unsafe text.extracting(range).withUnsafeBufferPointer { run in
            unsafe bytes.append(contentsOf: run)
        }
    }

    /// Appends the escape of a quote, a backslash or a control character.
    static func appendEscape(_ byte: UInt8, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\\"))
        switch byte {
        case 0x08: bytes.append(UInt8(ascii: "b"))
        case 0x09: bytes.append(UInt8(ascii: "t"))
        case 0x0A: bytes.append(UInt8(ascii: "n"))
        case 0x0C: bytes.append(UInt8(ascii: "f"))
        case 0x0D: bytes.append(UInt8(ascii: "r"))
        case ..<0x20: bytes.append(contentsOf: ("u00" + Hex.encode([byte])).utf8)
        default: bytes.append(byte)
        }
    }
}

// MARK: - Members in one call; nothing is written for nil

extension JSONWriter {
    /// A member whose value is a string.
    package mutating func member(_ name: String, _ value: String?) {
        guard let value else { return }
        self.name(name)
        string(value)
    }

    /// A member whose value is an integer.
    package mutating func member(_ name: String, _ value: Int64?) {
        guard let value else { return }
        self.name(name)
        int(value)
    }

    /// A member whose value is an integer.
    package mutating func member(_ name: String, _ value: Int?) {
        guard let value else { return }
        self.name(name)
        int(value)
    }

    /// A member whose value is a truth value.
    package mutating func member(_ name: String, _ value: Bool?) {
        guard let value else { return }
        self.name(name)
        bool(value)
    }

    /// A member whose value is copied from a document.
    package mutating func member(_ name: String, _ value: JSONValue?) {
        guard let value else { return }
        self.name(name)
        self.value(value)
    }

    /// A member whose value is a tree.
    package mutating func member(_ name: String, _ value: JSONNode?) {
        guard let value else { return }
        self.name(name)
        node(value)
    }
}
