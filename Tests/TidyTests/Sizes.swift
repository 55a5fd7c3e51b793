// SPDX-License-Identifier: Apache-2.0

/// How wide a line, how long a file and a function may be. What fits on one screen can be checked
/// by reading it.
enum Sizes {
    static let columns = 100
    static let linesPerFile = 600
    static let linesPerFunction = 70

    static func wideLines(path: String, lines: [Substring]) -> [Finding] {
        lines.enumerated().filter { $0.element.count > columns }.map {
            let message = "\($0.element.count) columns, at most \(columns)"
            return Finding(path: path, line: $0.offset + 1, message: message)
        }
    }

    static func longFile(path: String, lines: [Substring]) -> [Finding] {
        let count = lines.last == "" ? lines.count - 1 : lines.count
        guard count > linesPerFile else { return [] }
        let message = "\(count) lines, at most \(linesPerFile): split it by what its parts hold"
        return [Finding(path: path, line: 1, message: message)]
    }

    static func longFunctions(in source: SwiftSource) -> [Finding] {
        functions(in: source).filter { $0.lines > linesPerFunction }.map {
            let message = "\($0.name): \($0.lines) lines, at most \(linesPerFunction)"
            return Finding(path: source.path, line: $0.line, message: message)
        }
    }

    /// Functions, initializers and subscripts that have a body, with their length in lines.
    static func functions(in source: SwiftSource) -> [(name: String, line: Int, lines: Int)] {
        let tokens = source.tokens
        return tokens.indices.compactMap { index in
            let token = tokens[index]
            guard declares(token.text),
                index == 0 || tokens[index - 1].text != ".",
                let body = body(after: index, in: tokens),
                let end = closing(of: body, in: tokens)
            else { return nil }
            let isNamed = token.text == "func" && index + 1 < tokens.count
            let name = isNamed ? tokens[index + 1].text : token.text
            return (name, token.line, tokens[end].line - token.line + 1)
        }
    }

    private static func declares(_ word: String) -> Bool {
        word == "func" || word == "init" || word == "deinit" || word == "subscript"
    }

    /// The brace that opens the body of the declaration at `index`; nil for a requirement of a
    /// protocol, which ends with its line.
    private static func body(after index: Int, in tokens: [SwiftSource.Token]) -> Int? {
        var depth = 0
        for position in tokens.indices[(index + 1)...] {
            let token = tokens[position]
            switch token.text {
            case "(", "[": depth += 1
            case ")", "]": depth -= 1
            case "{" where depth == 0: return position
            case "}" where depth == 0: return nil
            default: break
            }
            if depth < 0 { return nil }
            if depth == 0, token.startsLine, position > index + 1,
                !continuations.contains(token.text), !endsOpen(tokens[position - 1])
            {
                return nil
            }
        }
        return nil
    }

    private static let continuations: Set<String> = [
        "where", "-", "throws", "rethrows", "async", ")", "]", ">", "&", ",", "{",
    ]

    private static func endsOpen(_ token: SwiftSource.Token) -> Bool {
        [",", "&", ":", ">", "<", "where", "="].contains(token.text)
    }

    private static func closing(of open: Int, in tokens: [SwiftSource.Token]) -> Int? {
        var depth = 0
        for position in tokens.indices[open...] {
            if tokens[position].text == "{" { depth += 1 }
            if tokens[position].text == "}" { depth -= 1 }
            if depth == 0 { return position }
        }
        return nil
    }
}
