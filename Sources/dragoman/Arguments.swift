// SPDX-License-Identifier: Apache-2.0
import Bytes

/// The words after a command, sorted by its help page into options and operands.
struct Arguments {
    let page: HelpPage
    private(set) var operands: [String] = []
    private var values: [String: [String]] = [:]

    /// Sorts `words`. Options and operands may stand in any order; `--name=value` is
    /// `--name value`; after `--` all are operands, and `-` alone always is one.
    init(_ words: some Sequence<String>, for page: HelpPage) throws(Failure) {
        self.page = page
        var words = Array(words)[...]
        while let word = words.popFirst() {
            if word == "--" {
                operands += words
                break
            }
            guard word.hasPrefix("-"), word != "-" else {
                operands.append(word)
                continue
            }
            try take(word, &words)
        }
        guard page.operandCount.contains(operands.count) else { throw operandFailure }
        for option in page.options where option.isRequired && values[option.name] == nil {
            throw .misuse("\(option.form) is missing")
        }
    }

    private mutating func take(
        _ word: String, _ words: inout ArraySlice<String>
    ) throws(Failure) {
        let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let name = String(parts[0])
        guard let option = page.options.first(where: { $0.name == name }) else {
            let near = NearestName.find(name, among: page.options.map(\.name))
            throw .misuse(
                "there is no option \(name)" + (near.map { "; did you mean \($0)?" } ?? ""))
        }
        guard values[name] == nil || option.mayRepeat else { throw .misuse("\(name) stands twice") }
        guard let form = option.value else {
            guard parts.count == 1 else { throw .misuse("\(name) takes no value") }
            values[name] = []
            return
        }
        guard let value = parts.count == 2 ? String(parts[1]) : words.popFirst(), !value.isEmpty
        else { throw .misuse("\(name) needs a value: \(name) \(form)") }
        values[name, default: []].append(value)
    }

    private var operandFailure: Failure {
        let count = operands.count
        guard count > page.operandCount.upperBound else {
            return .misuse("\(page.operands[count]) is missing")
        }
        return .misuse("\"\(operands[page.operandCount.upperBound])\" is one word too many")
    }

    // MARK: - Reading

    /// Whether a switch was given.
    func has(_ name: String) -> Bool {
        check(name)
        return values[name] != nil
    }

    /// An option's value.
    subscript(_ name: String) -> String? {
        check(name)
        return values[name]?.last
    }

    /// The values of an option that may repeat.
    func all(_ name: String) -> [String] {
        check(name)
        return values[name] ?? []
    }

    /// The value of a required option.
    func required(_ name: String) throws(Failure) -> String {
        guard let value = self[name] else { throw .misuse("\(name) is missing") }
        return value
    }

    /// An option's value as `read` understands it.
    ///
    /// - Parameter rule: What the value must be, for the complaint: `an entity id, https://host`.
    func value<Value>(
        _ name: String, _ rule: String, _ read: (String) -> Value?
    ) throws(Failure) -> Value? {
        guard let text = self[name] else { return nil }
        guard let value = read(text) else {
            throw .misuse("\(name) must be \(rule), not \"\(text)\"")
        }
        return value
    }

    /// An entity id.
    func entity(_ name: String) throws(Failure) -> EntityID? {
        try value(name, "an entity id, https://host in lower case without a path") { EntityID($0) }
    }

    private func check(_ name: String) {
        invariant(page.options.contains { $0.name == name }, "\(name) is not on its help page")
    }
}
