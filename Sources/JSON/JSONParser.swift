// SPDX-License-Identifier: Apache-2.0

/// Reads texts of RFC 8259 into documents, keeping its working memory from one to the next.
///
/// A parser that is kept allocates nothing for ``check(_:)`` once it has grown, and for
/// ``parse(_:)`` only what the document itself holds. It walks the text once, without recursion.
package struct JSONParser: ~Copyable {
    /// What documents may hold.
    package let limits: JSONLimits

    private var tape: [UInt64] = []
    /// The arrays and objects around the innermost open one.
    private var outer: [Open] = []
    /// The innermost array or object whose right bracket has not been met.
    private var open = Open.none
    private var names = JSONNames()

    private struct Open {
        /// Its first word on the tape; -1 outside of all.
        var token: Int
        /// Its elements or members so far.
        var count: Int
        var isObject: Bool

        static let none = Open(token: -1, count: 0, isObject: false)
    }

    /// A parser with these limits.
    package init(limits: JSONLimits = .standard) { self.limits = limits }

    /// The document of `bytes`.
    ///
    /// - Throws: The first fault in the order of the text; a repeated name is found at the right
    ///   bracket of its object and rules of a profile after everything else.
    package mutating func parse(_ bytes: [UInt8]) throws(JSONFault) -> JSONDocument {
        try read(bytes.span)
        // A copy of exactly what is used, so that documents that are kept hold no spare memory.
        var exact: [UInt64] = []
        exact.reserveCapacity(tape.count)
        exact.append(contentsOf: tape)
        return JSONDocument(bytes: bytes, tape: exact)
    }

    /// Refuses what ``parse(_:)`` would refuse, without making a document.
    package mutating func check(_ bytes: [UInt8]) throws(JSONFault) {
        try read(bytes.span)
    }

    /// The tape of the last text, given up by a parser that is not kept.
    consuming func takeTape(of bytes: [UInt8]) throws(JSONFault) -> [UInt64] {
        tape.reserveCapacity(bytes.count / 8 + 2)
        outer.reserveCapacity(16)
        try read(bytes.span)
        return tape
    }

    private mutating func read(_ text: Span<UInt8>) throws(JSONFault) {
        tape.removeAll(keepingCapacity: true)
        outer.removeAll(keepingCapacity: true)
        open = .none
        if text.count > limits.effectiveBytes {
            throw JSONFault(.tooLarge, at: limits.effectiveBytes, in: text)
        }
        if text.count >= 3, text[0] == 0xEF, text[1] == 0xBB, text[2] == 0xBF {
            throw JSONFault(.byteOrderMark, at: 0, in: text)
        }
        try values(text)
        if limits.hasProfile { try JSONProfile.check(tape, text, limits) }
    }

    /// Reads values until the outermost one is complete and nothing but white space follows.
    private mutating func values(_ text: Span<UInt8>) throws(JSONFault) {
        var at = space(text, 0)
        while true {
            guard at < text.count else { throw JSONFault(.unexpectedEnd, at: at, in: text) }
            switch text[at] {
            case UInt8(ascii: "\""):
                at = try string(text, at)
            case UInt8(ascii: "{"):
                at = space(text, try begin(.object, text, at))
                guard at < text.count, text[at] == UInt8(ascii: "}") else {
                    at = try name(text, at)
                    continue
                }
                at = try end(text, at)
            case UInt8(ascii: "["):
                at = space(text, try begin(.array, text, at))
                guard at < text.count, text[at] == UInt8(ascii: "]") else { continue }
                at = try end(text, at)
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
                at = try number(text, at)
            case UInt8(ascii: "t"):
                at = try literal(.true, "true", text, at)
            case UInt8(ascii: "f"):
                at = try literal(.false, "false", text, at)
            case UInt8(ascii: "n"):
                at = try literal(.null, "null", text, at)
            default:
                throw JSONFault(.valueExpected, at: at, in: text)
            }
            guard let next = try afterValue(text, at) else { return }
            at = next
        }
    }

    /// Steps over what may follow a value, closing arrays and objects; where the next value must
    /// start, or nil at the end of the text.
    @inline(__always)
    private mutating func afterValue(_ text: Span<UInt8>, _ start: Int) throws(JSONFault) -> Int? {
        var at = start
        while true {
            at = space(text, at)
            if open.token < 0 {
                if at < text.count { throw JSONFault(.trailingBytes, at: at, in: text) }
                return nil
            }
            open.count &+= 1
            guard at < text.count else { throw JSONFault(.unexpectedEnd, at: at, in: text) }
            let byte = text[at]
            if byte == UInt8(ascii: ",") {
                at = space(text, at &+ 1)
                return open.isObject ? try name(text, at) : at
            }
            guard byte == (open.isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) else {
                throw JSONFault(.commaExpected, at: at, in: text)
            }
            at = try end(text, at)
        }
    }

    @inline(__always)
    private mutating func begin(
        _ kind: JSONToken.Kind, _ text: Span<UInt8>, _ at: Int
    ) throws(JSONFault) -> Int {
        if outer.count >= limits.effectiveDepth { throw JSONFault(.tooDeep, at: at, in: text) }
        outer.append(open)
        open = Open(token: tape.count, count: 0, isObject: kind == .object)
        tape.append(JSONToken(kind, offset: at, length: 0).word)
        tape.append(0)
        return at &+ 1
    }

    @inline(__always)
    private mutating func end(_ text: Span<UInt8>, _ at: Int) throws(JSONFault) -> Int {
        tape[open.token] |= UInt64(truncatingIfNeeded: open.count) &<< 32
        tape[open.token &+ 1] = JSONToken.extent(next: tape.count, end: at &+ 1)
        if open.isObject, !limits.allowsDuplicateNames,
            let repeated = names.firstRepeat(open.token &+ 2, open.count, tape, text)
        {
            throw JSONFault(.duplicateName, at: tape.token(repeated).offset &- 1, in: text)
        }
        open = outer.removeLast()
        return at &+ 1
    }

    /// Reads a member's name and colon; where its value must start.
    private mutating func name(_ text: Span<UInt8>, _ start: Int) throws(JSONFault) -> Int {
        guard start < text.count else { throw JSONFault(.unexpectedEnd, at: start, in: text) }
        guard text[start] == UInt8(ascii: "\"") else {
            throw JSONFault(.nameExpected, at: start, in: text)
        }
        let at = space(text, try string(text, start))
        guard at < text.count else { throw JSONFault(.unexpectedEnd, at: at, in: text) }
        guard text[at] == UInt8(ascii: ":") else {
            throw JSONFault(.colonExpected, at: at, in: text)
        }
        return space(text, at &+ 1)
    }

    /// Reads a string from its quote; the byte after its other quote.
    @inline(__always)
    private mutating func string(_ text: Span<UInt8>, _ start: Int) throws(JSONFault) -> Int {
        var at = start &+ 1
        var kind = JSONToken.Kind.string
        while true {
            at = JSONScan.plainRun(text, from: at)
            guard at < text.count else { throw JSONFault(.unexpectedEnd, at: at, in: text) }
            let byte = text[at]
            if byte == 0x22 { break }
            if byte >= 0x80 {
                at = JSONScan.validRun(text, from: at)
                if at < text.count, text[at] >= 0x80 {
                    throw JSONFault(.invalidUTF8, at: at, in: text)
                }
            } else if byte == 0x5C {
                at = try JSONParser.escape(text, at)
                kind = .escapedString
            } else {
                throw JSONFault(.controlCharacter, at: at, in: text)
            }
        }
        tape.append(JSONToken(kind, offset: start &+ 1, length: at &- start &- 1).word)
        return at &+ 1
    }

    /// Reads an escape from its backslash; the byte after it.
    private static func escape(_ text: Span<UInt8>, _ at: Int) throws(JSONFault) -> Int {
        guard at + 1 < text.count else { throw JSONFault(.unexpectedEnd, at: at + 1, in: text) }
        switch text[at + 1] {
        case 0x22, 0x5C, 0x2F, 0x62, 0x66, 0x6E, 0x72, 0x74: return at + 2
        case 0x75: break
        default: throw JSONFault(.invalidEscape, at: at, in: text)
        }
        guard let unit = JSONScan.fourHexDigits(text, at + 2) else {
            throw JSONFault(.invalidEscape, at: at, in: text)
        }
        guard 0xD800...0xDFFF ~= unit else { return at + 6 }
        guard unit < 0xDC00, at + 7 < text.count, text[at + 6] == 0x5C, text[at + 7] == 0x75
        else { throw JSONFault(.loneSurrogate, at: at, in: text) }
        guard let low = JSONScan.fourHexDigits(text, at + 8) else {
            throw JSONFault(.invalidEscape, at: at + 6, in: text)
        }
        guard 0xDC00...0xDFFF ~= low else { throw JSONFault(.loneSurrogate, at: at, in: text) }
        return at + 12
    }

    private mutating func number(_ text: Span<UInt8>, _ start: Int) throws(JSONFault) -> Int {
        switch JSONNumber.scan(text, start) {
        case .integer(let end):
            tape.append(JSONToken(.integer, offset: start, length: end &- start).word)
            return end
        case .decimal(let end):
            tape.append(JSONToken(.decimal, offset: start, length: end &- start).word)
            return end
        case .fault(let at):
            throw JSONFault(at < text.count ? .invalidNumber : .unexpectedEnd, at: at, in: text)
        }
    }

    private mutating func literal(
        _ kind: JSONToken.Kind, _ word: StaticString, _ text: Span<UInt8>, _ start: Int
    ) throws(JSONFault) -> Int {
        let length = word.utf8CodeUnitCount
        for index in 1..<length {
            let at = start &+ index
            guard at < text.count else { throw JSONFault(.unexpectedEnd, at: at, in: text) }
            guard unsafe word.utf8Start[index] == text[at] else {
                throw JSONFault(.valueExpected, at: start, in: text)
            }
        }
        tape.append(JSONToken(kind, offset: start, length: length).word)
        return start &+ length
    }

    @inline(__always)
    private func space(_ text: Span<UInt8>, _ start: Int) -> Int {
        var at = start
        while at < text.count {
            let byte = text[at]
            if byte > 0x20 || byte != 0x20 && byte != 0x0A && byte != 0x0D && byte != 0x09 { break }
            at &+= 1
        }
        return at
    }
}
