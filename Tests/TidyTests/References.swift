// SPDX-License-Identifier: Apache-2.0

/// What the sources point at exists, and what the specification holds is used.
enum References {
    /// The first lines of a file name its licence, in a form that programs can read.
    static func licence(path: String, lines: [Substring]) -> [Finding] {
        let isNamed = lines.prefix(3).contains {
            $0.hasSuffix("SPDX-License-Identifier: Apache-2.0")
        }
        let message = "none of the first three lines is `SPDX-License-Identifier: Apache-2.0`"
        return isNamed ? [] : [Finding(path: path, line: 1, message: message)]
    }

    /// A section named in a text: `Spec §6.3`, or `Spec/accounting.md §4`, each with or without
    /// backquotes.
    struct Citation: Hashable, Sendable, CustomStringConvertible {
        /// The file under `Spec/`, or nil where the number alone names the chapter.
        let file: String?
        let number: String

        var description: String { "Spec\(file.map { "/" + $0 } ?? "") §\(number)" }
    }

    /// Every citation in a text must be the number of a heading under `Spec/`.
    static func sections(path: String, lines: [Substring], known: Set<Citation>) -> [Finding] {
        lines.enumerated().flatMap { number, line in
            cited(in: line).filter { !known.contains($0) }.map {
                Finding(path: path, line: number + 1, message: "there is no \($0)")
            }
        }
    }

    /// The citations in a line, in order. What precedes the sign must name the specification, for
    /// `RFC 9110 §4` and `A2A §3.1` are other people's sections.
    static func cited(in line: Substring) -> [Citation] {
        line.ranges(of: "§").compactMap { sign in
            let words = line[..<sign.lowerBound].split { $0 == " " || $0 == "(" }
            guard let last = words.last else { return nil }
            let name = last.filter { $0 != "`" }
            let file = name.hasPrefix("Spec/") ? String(name.dropFirst("Spec/".count)) : nil
            guard name == "Spec" || file != nil else { return nil }
            return Citation(file: file, number: number(at: line[sign.upperBound...]))
        }
    }

    /// What can be cited in a chapter: `## 6.3 Rounding` is `Spec/file.md §6.3`, and `Spec §6.3` if
    /// the chapter's title has a number, too. Other chapters count their sections by themselves.
    static func citable(file: String, markdown: String) -> [Citation] {
        let titles = markdown.split(separator: "\n").filter { $0.hasPrefix("#") }
            .map { number(at: $0.drop { $0 == "#" || $0 == " " }) }
        let numbers = titles.filter { !$0.isEmpty }
        let isChapter = titles.first.map { !$0.isEmpty } ?? false
        return numbers.map { Citation(file: file, number: $0) }
            + (isChapter ? numbers.map { Citation(file: nil, number: $0) } : [])
    }

    private static func number(at text: Substring) -> String {
        let number = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        return String(number.hasSuffix(".") ? number.dropLast() : number)
    }

    /// Targets of the relative links of a Markdown text, without fragments.
    static func links(in markdown: String) -> [String] {
        markdown.components(between: "](", and: ")").compactMap { target in
            let path = target.prefix { $0 != "#" }
            return path.isEmpty || path.contains(":") ? nil : String(path)
        }
    }

    /// Each folder under `Spec/vectors` must be named by some test: `"area"`, `"area/…"` or
    /// `vectors/area`, where the readers of vectors take their argument.
    static func unreadAreas(_ areas: [String], tests: [String]) -> [String] {
        areas.filter { area in
            let forms = ["\"\(area)\"", "\"\(area)/", "vectors/\(area)"]
            return !tests.contains { text in forms.contains { text.contains($0) } }
        }
    }
}

extension String {
    /// What stands between each `opening` and the next `closing`.
    fileprivate func components(between opening: String, and closing: String) -> [Substring] {
        ranges(of: opening).compactMap { start in
            let rest = self[start.upperBound...]
            return rest.firstRange(of: closing).map { rest[..<$0.lowerBound] }
        }
    }
}
