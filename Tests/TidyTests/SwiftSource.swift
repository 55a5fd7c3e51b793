// SPDX-License-Identifier: Apache-2.0

/// A Swift file taken apart just far enough to check rules on it: code without the contents of
/// comments and string literals, the comments alone, and the code as tokens.
///
/// Regular expression literals between bare slashes are read as code; a quotation mark in one would
/// mislead the scanner. The sources use none.
struct SwiftSource: Sendable {
    struct Token: Equatable, Sendable {
        let text: String
        let offset: Int
        /// First line is 1.
        let line: Int
        /// No white space between this token and the one before.
        let isGlued: Bool
        /// First token of its line.
        let startsLine: Bool
    }

    let path: String
    /// The lines as written, without their ends; `lines[0]` is line 1.
    let lines: [Substring]
    let tokens: [Token]
    /// Comments, each with the line it begins on.
    let comments: [(line: Int, text: String)]

    init(path: String, text: String) {
        var scanner = Scanner(Array(text.utf8))
        scanner.run()
        self.path = path
        lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        tokens = Self.tokens(of: scanner.code)
        comments = scanner.comments
    }

    /// The folder under `Sources` or `Tests`, which is the name of the target.
    var module: String? {
        let folders = path.split(separator: "/")
        return folders.count > 2 ? String(folders[1]) : nil
    }

    private static func tokens(of code: [UInt8]) -> [Token] {
        var tokens: [Token] = []
        var line = 1
        var index = 0
        var endOfLast = -1
        var startsLine = true
        while index < code.count {
            let byte = code[index]
            if byte == UInt8(ascii: "\n") {
                line += 1
                startsLine = true
            }
            guard byte > 0x20 else {
                index += 1
                continue
            }
            var end = index + 1
            if isWord(byte) {
                while end < code.count, isWord(code[end]) { end += 1 }
            }
            tokens.append(
                Token(
                    text: String(decoding: code[index..<end], as: UTF8.self), offset: index,
                    line: line, isGlued: index == endOfLast, startsLine: startsLine))
            startsLine = false
            endOfLast = end
            index = end
        }
        return tokens
    }

    static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), 0x80...:
            true
        default: false
        }
    }
}

/// Walks over Swift text and blanks what is not code, byte for byte, so that offsets stay true.
private struct Scanner {
    /// What surrounds the next byte. Code nests in strings by interpolation, and strings in code.
    private enum Context {
        case code(openParentheses: Int)
        case string(hashes: Int, isMultiline: Bool)
    }

    private let text: [UInt8]
    private var index = 0
    private var line = 1
    private var contexts: [Context] = [.code(openParentheses: 0)]
    private(set) var code: [UInt8]
    private(set) var comments: [(line: Int, text: String)] = []

    init(_ text: [UInt8]) {
        self.text = text
        code = text
    }

    mutating func run() {
        while index < text.count {
            switch contexts[contexts.count - 1] {
            case .code(let open): scanCode(openParentheses: open)
            case .string(let hashes, let isMultiline):
                scanString(hashes: hashes, isMultiline: isMultiline)
            }
        }
    }

    private mutating func scanCode(openParentheses open: Int) {
        if has("//") { return comment(until: lineEnd()) }
        if has("/*") { return comment(until: blockEnd()) }
        if let opening = stringOpening() {
            contexts.append(.string(hashes: opening.hashes, isMultiline: opening.isMultiline))
            index += opening.length
            return
        }
        switch text[index] {
        case UInt8(ascii: "("):
            contexts[contexts.count - 1] = .code(openParentheses: open + 1)
        case UInt8(ascii: ")") where open == 0 && contexts.count > 1:
            contexts.removeLast()
            code[index] = UInt8(ascii: " ")
        case UInt8(ascii: ")"):
            contexts[contexts.count - 1] = .code(openParentheses: open - 1)
        case UInt8(ascii: "\n"):
            line += 1
        default: break
        }
        index += 1
    }

    private mutating func scanString(hashes: Int, isMultiline: Bool) {
        let hash = [UInt8](repeating: UInt8(ascii: "#"), count: hashes)
        if has([UInt8(ascii: "\\")] + hash) {
            let next = index + 1 + hashes
            let isInterpolation = next < text.count && text[next] == UInt8(ascii: "(")
            if isInterpolation { contexts.append(.code(openParentheses: 0)) }
            // A line may end in a backslash inside a multi-line string; that newline stays a line.
            let skipsNewline = next < text.count && text[next] == UInt8(ascii: "\n")
            blank(until: min(skipsNewline ? next : next + 1, text.count))
            return
        }
        let quotes = [UInt8](repeating: UInt8(ascii: "\""), count: isMultiline ? 3 : 1)
        if has(quotes + hash) {
            contexts.removeLast()
            index += quotes.count + hashes
        } else if text[index] == UInt8(ascii: "\n") {
            if !isMultiline { contexts.removeLast() }
            line += 1
            index += 1
        } else {
            blank(until: index + 1)
        }
    }

    private mutating func comment(until end: Int) {
        comments.append((line, String(decoding: text[index..<end], as: UTF8.self)))
        line += text[index..<end].count { $0 == UInt8(ascii: "\n") }
        blank(until: end)
    }

    private mutating func blank(until end: Int) {
        for position in index..<end where text[position] != UInt8(ascii: "\n") {
            code[position] = UInt8(ascii: " ")
        }
        index = end
    }

    private func lineEnd() -> Int {
        text[index...].firstIndex(of: UInt8(ascii: "\n")) ?? text.count
    }

    /// Block comments nest in Swift.
    private func blockEnd() -> Int {
        var depth = 0
        var position = index
        while position + 1 < text.count {
            let pair = (text[position], text[position + 1])
            if pair == (UInt8(ascii: "/"), UInt8(ascii: "*")) {
                depth += 1
                position += 2
            } else if pair == (UInt8(ascii: "*"), UInt8(ascii: "/")) {
                depth -= 1
                position += 2
                if depth == 0 { return position }
            } else {
                position += 1
            }
        }
        return text.count
    }

    private func stringOpening() -> (length: Int, hashes: Int, isMultiline: Bool)? {
        guard text[index] == UInt8(ascii: "\"") || text[index] == UInt8(ascii: "#") else {
            return nil
        }
        let hashes = text[index...].prefix { $0 == UInt8(ascii: "#") }.count
        let quotes = text[(index + hashes)...].prefix { $0 == UInt8(ascii: "\"") }.count
        if quotes >= 3 { return (hashes + 3, hashes, true) }
        // Two quotes are an empty string: opened here, closed by the next step.
        return quotes > 0 ? (hashes + 1, hashes, false) : nil
    }

    private func has(_ literal: StaticString) -> Bool {
        let count = literal.utf8CodeUnitCount
        guard index + count <= text.count else { return false }
        return unsafe text[index..<index + count].elementsEqual(
            UnsafeBufferPointer(start: literal.utf8Start, count: count))
    }

    private func has(_ bytes: [UInt8]) -> Bool {
        index + bytes.count <= text.count
            && text[index..<index + bytes.count].elementsEqual(bytes)
    }
}
