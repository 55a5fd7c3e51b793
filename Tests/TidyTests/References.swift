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

    /// `Spec §6.3` in a text must be the number of a heading under `Spec/`.
    static func sections(path: String, lines: [Substring], known: Set<String>) -> [Finding] {
        lines.enumerated().flatMap { number, line in
            cited(in: line).filter { !known.contains($0) }.map {
                Finding(path: path, line: number + 1, message: "there is no Spec §\($0)")
            }
        }
    }

    /// Numbers cited as `Spec §n`, `Spec §n.n`, … in a line.
    static func cited(in line: Substring) -> [String] {
        var rest = line
        var numbers: [String] = []
        while let range = rest.firstRange(of: "Spec §") {
            rest = rest[range.upperBound...]
            let number = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            numbers.append(String(number.hasSuffix(".") ? number.dropLast() : number))
        }
        return numbers
    }

    /// Numbers of the headings of a Markdown text: `## 6.3 Rounding` has number `6.3`.
    static func headings(of markdown: String) -> [String] {
        markdown.split(separator: "\n").compactMap { line in
            guard line.hasPrefix("#") else { return nil }
            let title = line.drop { $0 == "#" }.drop { $0 == " " }
            let number = title.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            let trimmed = number.hasSuffix(".") ? number.dropLast() : number
            return trimmed.isEmpty ? nil : String(trimmed)
        }
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
