// SPDX-License-Identifier: Apache-2.0

/// What one command is for and what it takes: the source of its help and of its parser, so that
/// neither can know an option that the other does not.
struct HelpPage: Sendable {
    /// As typed after `dragoman`: `["tool", "json", "check"]`.
    let words: [String]
    /// Operands in order, as `FILE`; one in brackets may be left out. Only the last may be, and
    /// `…` at its end lets it repeat.
    var operands: [String] = []
    var options: [Option] = []
    /// One sentence.
    let summary: String
    /// What else a first user must know; paragraphs.
    var details: [String] = []
    /// Command lines that work as they stand or with names changed.
    let examples: [String]

    /// An option, always in its long form.
    struct Option: Sendable {
        /// With its dashes.
        let name: String
        /// What follows it, as `DIR`; nil for a switch.
        let value: String?
        let help: String
        let isRequired: Bool
        let mayRepeat: Bool

        init(
            _ name: String, _ value: String? = nil, _ help: String, isRequired: Bool = false,
            mayRepeat: Bool = false
        ) {
            self.name = name
            self.value = value
            self.help = help
            self.isRequired = isRequired
            self.mayRepeat = mayRepeat
        }

        /// `--dir DIR`
        var form: String { value.map { "\(name) \($0)" } ?? name }
    }

    /// `tool json check`
    var name: String { words.joined(separator: " ") }

    /// Fewest and most operands.
    var operandCount: ClosedRange<Int> {
        let needed = operands.count { !$0.hasPrefix("[") }
        let isOpen = operands.last?.contains("…") ?? false
        return needed...(isOpen ? Int.max : operands.count)
    }

    /// The command line, wrapped to the width of a narrow terminal.
    var synopsis: String {
        let required = options.filter(\.isRequired).map(\.form)
        let optional = options.filter { !$0.isRequired }.map { "[\($0.form)]" }
        return Self.wrap(
            ["dragoman \(name)"] + operands + required + optional, indent: 6, width: 80)
    }

    /// The page that `--help` shows.
    var text: String {
        var text =
            synopsis + "\n\n" + Self.wrap(summary.split(separator: " "), indent: 0, width: 80)
        for paragraph in details {
            text += "\n\n" + Self.wrap(paragraph.split(separator: " "), indent: 0, width: 80)
        }
        let width = (options.map(\.form.count).max() ?? 0) + 4
        if !options.isEmpty { text += "\n\nOptions:" }
        for option in options {
            let form = "  " + option.form
            text += "\n" + form + String(repeating: " ", count: width - form.count)
            text += Self.wrap(
                option.help.split(separator: " "), indent: width, width: 96 - width)
        }
        text += "\n\n" + (examples.count == 1 ? "Example:" : "Examples:")
        for example in examples { text += "\n  " + example }
        return text
    }

    /// Words in lines of at most `width` columns, all but the first behind `indent` spaces.
    static func wrap(
        _ words: [some StringProtocol], indent: Int, width: Int
    ) -> String {
        var lines = [""]
        for word in words {
            let line = lines[lines.count - 1]
            if line.isEmpty {
                lines[lines.count - 1] = String(word)
            } else if line.count + 1 + word.count <= width {
                lines[lines.count - 1] += " " + word
            } else {
                lines.append(String(word))
            }
        }
        return lines.joined(separator: "\n" + String(repeating: " ", count: indent))
    }
}
