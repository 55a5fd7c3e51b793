// SPDX-License-Identifier: Apache-2.0

/// What other modules may use says what it is: a declaration that is `package` or `public` has a
/// documentation comment above it.
///
/// Four kinds need none: witnesses of the standard library's protocols, stored properties (their
/// type's comment and their name say it, or the author adds a line), initializers that do nothing
/// but store their arguments, and constants that are a text (`static let get = HTTPMethod("GET")`).
/// A constant that is a number has a unit and a reason, and so a comment.
enum Documented {
    static func findings(in source: SwiftSource) -> [Finding] {
        let tokens = source.tokens
        return tokens.indices.compactMap { index in
            guard tokens[index].text == "package" || tokens[index].text == "public",
                tokens[index].startsLine || isAttribute(before: index, in: tokens),
                let declaration = declaration(after: index, in: tokens),
                !isWitness(declaration.name, keyword: declaration.keyword),
                !isStored(index, declaration.keyword, in: tokens),
                !isText(index, declaration.keyword, in: tokens),
                !(declaration.keyword == "init" && onlyStores(index, in: tokens)),
                !hasComment(above: tokens[index].line, in: source)
            else { return nil }
            let message = "\(declaration.keyword) \(declaration.name) has no documentation comment"
            return Finding(path: source.path, line: tokens[index].line, message: message)
        }
    }

    /// The keyword and the name after access and other modifiers; nil for an import, an extension
    /// or anything else that declares nothing.
    private static func declaration(
        after index: Int, in tokens: [SwiftSource.Token]
    ) -> (keyword: String, name: String)? {
        var position = index + 1
        while position < tokens.count {
            let word = tokens[position].text
            let isMember =
                position + 1 < tokens.count && keywords.contains(tokens[position + 1].text)
            if keywords.contains(word), !(word == "class" && isMember) {
                let next = word == "init" ? position + 2 : position + 1
                let name = next < tokens.count ? tokens[next].text : ""
                return (word, word == "func" ? operatorName(at: position + 1, in: tokens) : name)
            }
            guard modifiers.contains(word) else { return nil }
            position += 1
        }
        return nil
    }

    /// Functions may be named by several signs, which are tokens of their own.
    private static func operatorName(at index: Int, in tokens: [SwiftSource.Token]) -> String {
        var name = ""
        for token in tokens[index...] {
            if token.text == "(" || (!name.isEmpty && !token.isGlued)
                || token.text == "<" && !name.isEmpty
            {
                break
            }
            name += token.text
        }
        return name
    }

    private static func isAttribute(before index: Int, in tokens: [SwiftSource.Token]) -> Bool {
        // `@safe package …`, `indirect package …`, `@inline(__always) package …`
        let line = tokens[index].line
        let first = tokens[..<index].lastIndex { $0.startsLine } ?? index
        return tokens[first].line == line
            && (tokens[first].text == "@" || modifiers.contains(tokens[first].text))
    }

    /// The line above the declaration and its attributes ends a documentation comment.
    private static func hasComment(above line: Int, in source: SwiftSource) -> Bool {
        var above = line - 1
        while above >= 1 {
            let text = source.lines[above - 1].drop { $0 == " " }
            if text.hasPrefix("///") { return true }
            guard text.hasPrefix("@") || text.hasPrefix("// ") else { return false }
            above -= 1
        }
        return false
    }

    /// A property of an instance without a body of its own.
    private static func isStored(
        _ index: Int, _ keyword: String, in tokens: [SwiftSource.Token]
    ) -> Bool {
        guard keyword == "let" || keyword == "var" else { return false }
        let line = tokens[index...].prefix { $0.line == tokens[index].line }
        return !line.contains { ["static", "class", "{"].contains($0.text) }
    }

    /// `static let name = "…"`, `static let name: Type = "…"` or `static let name = Type("…")`.
    private static func isText(
        _ index: Int, _ keyword: String, in tokens: [SwiftSource.Token]
    ) -> Bool {
        let line = tokens[index...].prefix { $0.line == tokens[index].line }.map(\.text)
        guard keyword == "let", let sign = line.firstIndex(of: "=") else { return false }
        let value = line[(sign + 1)...].filter { $0 != "\"" }
        return line.contains("\"") && !value.contains { $0.first?.isNumber ?? false }
            && (value.isEmpty || value.last == ")")
    }

    /// An initializer whose body is nothing but `self.name = name` or `name = name`.
    private static func onlyStores(_ index: Int, in tokens: [SwiftSource.Token]) -> Bool {
        var depth = 0
        var body = tokens[index...].drop { token in
            if token.text == "(" { depth += 1 }
            if token.text == ")" { depth -= 1 }
            return !(token.text == "{" && depth == 0)
        }.dropFirst().prefix { $0.text != "}" }.map(\.text)[...]
        while let first = body.first {
            if first == "self" { body = body.dropFirst(2) }
            guard body.count >= 3, body[body.startIndex + 1] == "=" else { return false }
            body = body.dropFirst(3)
        }
        return true
    }

    /// Requirements of the standard library's protocols are documented there.
    private static func isWitness(_ name: String, keyword: String) -> Bool {
        switch keyword {
        case "func", "var", "typealias", "struct": witnesses.contains(name)
        case "init": literals.contains(name)
        default: false
        }
    }

    private static let witnesses: Set<String> = [
        "==", "<", "hash", "description", "debugDescription", "next", "makeIterator", "Iterator",
        "Element", "Index", "startIndex", "endIndex", "rawValue", "errorDescription",
        "testDescription", "unownedExecutor", "makeAsyncIterator", "AsyncIterator", "isEmpty",
        "underestimatedCount",
    ]

    /// First labels of the initializers by which a type is written as a literal.
    private static let literals: Set<String> = [
        "stringLiteral", "integerLiteral", "booleanLiteral", "floatLiteral", "arrayLiteral",
        "dictionaryLiteral", "nilLiteral",
    ]

    private static let keywords: Set<String> = [
        "func", "var", "let", "init", "subscript", "struct", "class", "enum", "actor", "protocol",
        "typealias", "associatedtype", "macro",
    ]

    private static let modifiers: Set<String> = [
        "static", "final", "class", "mutating", "nonmutating", "nonisolated", "consuming",
        "borrowing", "indirect", "convenience", "required", "override", "lazy", "weak", "unowned",
        "private", "internal", "fileprivate", "package", "public", "distributed", "prefix",
        "postfix", "infix", "unsafe", "(", ")", "set", "sending", "async", "dynamic", "isolated",
    ]
}
