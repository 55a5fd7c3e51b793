// SPDX-License-Identifier: Apache-2.0

/// Calls and words that are not written here, each with what to write in their place.
enum Banned {
    struct Entry: Sendable {
        /// Swift text; a space stands for any white space, its absence for none.
        let text: String
        let instead: String
        /// Path prefixes it is banned under.
        var under = ["Sources/", "Tests/"]
        /// Path prefixes it is nevertheless fine under.
        var except: [String] = []
        /// Allowed where a comment of its own, on the lines above or behind it, says why.
        var yieldsToReason = false
    }

    static let entries: [Entry] = [
        Entry(text: "Date(", instead: "take an `Instant` from the caller"),
        Entry(
            text: "print(", instead: "write to the log, or return the text",
            under: ["Sources/"], except: ["Sources/dragoman/"]),
        Entry(
            text: "debugPrint(", instead: "write to the log, or return the text",
            under: ["Sources/"]),
        Entry(text: "try!", instead: "throw a typed error, or `invariant` what cannot fail"),
        Entry(text: "as!", instead: "`as?` and a typed error"),
        Entry(text: "DispatchQueue", instead: "run it on an IO loop or a worker thread of IO"),
        Entry(text: "DispatchSemaphore", instead: "await a continuation"),
        Entry(text: "Task.detached", instead: "`Task(executorPreference:)`"),
        Entry(
            text: "@unchecked Sendable",
            instead: "let the compiler check it, or say in a comment above why it holds",
            yieldsToReason: true),
        Entry(
            text: "nonisolated(unsafe)",
            instead: "let the compiler check it, or say in a comment above why it holds",
            yieldsToReason: true),
        Entry(
            text: "unowned(unsafe)",
            instead: "let the compiler check it, or say in a comment above why it holds",
            yieldsToReason: true),
    ]

    /// Words that mark work left undone; an issue is the place for them.
    static let unfinished = ["TODO", "FIXME", "XXX", "HACK"]

    /// Build flags that take a check away.
    static let flags = ["-Ounchecked", "-enforce-exclusivity=unchecked"]

    /// Working papers that are not part of the repository; what they settled is in `Spec/`.
    static let papers = [
        "ACCOUNTING.md", "ACCOUNTING b.", "ARCHITECTURE.md", "BOOKING", "CONSENT.md", "CONSENT b.",
        "DIALECTS.md", "DISCOVERY.md", "RELIABILITY", "STYLE.md", "SWIFT-CORE",
    ]

    /// Where the tables above and their tests spell these words out.
    static let home = "Tests/TidyTests/"

    static func findings(in source: SwiftSource, entries: [Entry] = entries) -> [Finding] {
        entries.flatMap { entry -> [Finding] in
            guard entry.under.contains(where: source.path.hasPrefix),
                !entry.except.contains(where: source.path.hasPrefix)
            else { return [] }
            return places(of: entry.text, in: source).compactMap { line in
                if entry.yieldsToReason, hasReason(at: line, in: source) { return nil }
                let message = "\(entry.text) is not used here: \(entry.instead)"
                return Finding(path: source.path, line: line, message: message)
            }
        }
    }

    /// Unfinished work and forbidden flags, in any kind of text file.
    static func words(path: String, lines: [Substring]) -> [Finding] {
        lines.enumerated().flatMap { number, line in
            let undone = unfinished.filter { hasWord($0, in: line) } + flags.filter(line.contains)
            let absent = papers.filter { line.contains($0) }
            return undone.map { "\($0): finish it, or write an issue" }.map { (number, $0) }
                + absent.map { "\($0) is not here: cite a section of Spec/" }.map { (number, $0) }
        }.map { Finding(path: path, line: $0.0 + 1, message: $0.1) }
    }

    /// Lines on which the tokens of `text` stand, spaced as in `text`.
    private static func places(of text: String, in source: SwiftSource) -> [Int] {
        let pattern = SwiftSource(path: "", text: text).tokens
        let tokens = source.tokens
        guard let first = pattern.first, tokens.count >= pattern.count else { return [] }
        return (0...tokens.count - pattern.count).compactMap { start in
            guard tokens[start].text == first.text, !isMember(start, in: tokens) else { return nil }
            let matches = pattern.indices.dropFirst().allSatisfy {
                tokens[start + $0].text == pattern[$0].text
                    && tokens[start + $0].isGlued == pattern[$0].isGlued
            }
            return matches ? tokens[start].line : nil
        }
    }

    /// `writer.print(…)` and `func print(…)` are somebody's own.
    private static func isMember(_ index: Int, in tokens: [SwiftSource.Token]) -> Bool {
        index > 0 && [".", "func"].contains(tokens[index - 1].text)
    }

    /// A comment of at least four words, behind the code of this line or ending right above it.
    private static func hasReason(at line: Int, in source: SwiftSource) -> Bool {
        var words = 0
        for comment in source.comments where comment.line == line {
            words += comment.text.split(separator: " ").count - 1
        }
        var above = line - 1
        while above >= 1 {
            let text = source.lines[above - 1].drop { $0 == " " }
            if text.hasPrefix("//") {
                words += text.split(separator: " ").count - 1
            } else if !text.hasPrefix("@") {
                break
            }
            above -= 1
        }
        return words >= 4
    }

    private static func hasWord(_ word: String, in line: Substring) -> Bool {
        line.split { !($0.isLetter || $0.isNumber || $0 == "_") }.contains { $0 == word }
    }
}
