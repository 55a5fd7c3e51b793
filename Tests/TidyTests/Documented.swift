// SPDX-License-Identifier: Apache-2.0

/// What other modules may use says what it is: a declaration that is `package` or `public` has a
/// documentation comment above it.
///
/// Three kinds need none: witnesses of the standard library's protocols, stored properties (their
/// type's comment and their name say it, or the author adds a line), and initializers that do
/// nothing but store their arguments.
enum Documented {
    static func findings(in source: SwiftSource) -> [Finding] {
        let tokens = source.tokens
        return tokens.indices.compactMap { index in
            guard tokens[index].text == "package" || tokens[index].text == "public",
                tokens[index].startsLine || isAttribute(before: index, in: tokens),
                let declaration = declaration(after: index, in: tokens),
                !isWitness(declaration.name, keyword: declaration.keyword),
                !isStored(index, declaration.keyword, in: tokens),
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
                let name = position + 1 < tokens.count ? tokens[position + 1].text : ""
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
        default: false
        }
    }

    private static let witnesses: Set<String> = [
        "==", "<", "hash", "description", "debugDescription", "next", "makeIterator", "Iterator",
        "Element", "Index", "startIndex", "endIndex", "rawValue", "errorDescription",
        "testDescription", "unownedExecutor", "makeAsyncIterator", "AsyncIterator",
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
