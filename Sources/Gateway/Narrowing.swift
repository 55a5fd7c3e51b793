// SPDX-License-Identifier: Apache-2.0
import Bytes
import Consent

/// What a grant allows less than the one above it, in the words of an explanation.
enum Narrowing {
    /// One short sentence per difference; empty when nothing was lost.
    static func words(_ child: Grant, under parent: Grant) -> [String] {
        var words: [String] = []
        if child.expires < parent.expires {
            words.append("\(parent.expires - child.expires) s of life")
        }
        words += delegates(child.delegates, parent.delegates)
        if child.maximumDepth < parent.maximumDepth {
            words.append("\(parent.maximumDepth - child.maximumDepth) further links")
        }
        for entry in parent.entries {
            guard let narrower = child.entry(entry.id) else {
                words.append("entry \(entry.id)")
                continue
            }
            words += Self.entry(narrower, under: entry).map { "\(entry.id): \($0)" }
        }
        return words
    }

    private static func delegates(_ child: Delegates, _ parent: Delegates) -> [String] {
        switch (child, parent) {
        case (.anyone, _): return []
        case (.named(let left), .anyone):
            return ["may pass it on to \(left.isEmpty ? "nobody" : hosts(left)) only"]
        case (.named(let left), .named(let before)):
            let gone = before.filter { !left.contains($0) }
            return gone.isEmpty ? [] : ["may not pass it on to \(hosts(gone))"]
        }
    }

    private static func entry(_ child: Entry, under parent: Entry) -> [String] {
        var words: [String] = []
        words += parent.actions.filter { !child.actions.contains($0) }
        switch (child.locations, parent.locations) {
        case (.named(let left), .anywhere): words.append("only at \(hosts(left))")
        case (.named(let left), .named(let before)):
            let gone = before.filter { !left.contains($0) }
            if !gone.isEmpty { words.append("not at \(hosts(gone))") }
        case (.anywhere, _): break
        }
        if child.confirm != parent.confirm {
            words.append("confirm \(parent.confirm.rawValue) → \(child.confirm.rawValue)")
        }
        if parent.standing, !child.standing { words.append("no standing consent") }
        if parent.identifier == nil, let bound = child.identifier { words.append("only \(bound)") }
        if parent.terms == nil, child.terms != nil { words.append("only one offer") }
        words += data(child.data, under: parent.data)
        words += limits(child.limits, under: parent.limits)
        return words
    }

    private static func data(_ child: Entry.DataScope?, under parent: Entry.DataScope?) -> [String]
    {
        guard let parent else { return [] }
        var words = parent.types.filter { !(child?.types.contains($0) ?? false) }
        if let child, child.retention < parent.retention {
            words.append("data kept \(parent.retention - child.retention) s less")
        }
        return words
    }

    private static func limits(_ child: Limits?, under parent: Limits?) -> [String] {
        guard let child else { return [] }
        var words: [String] = []
        func amount(_ name: String, _ child: Int64?, _ parent: Int64?) {
            guard let value = child, value != parent else { return }
            words.append("\(name) \(amountText(parent)) → \(amountText(value))")
        }
        func amountText(_ value: Int64?) -> String {
            value.map { Amount(value: $0, currency: child.currency).description } ?? "any"
        }
        amount("each", child.perAct, parent?.perAct)
        amount("in all", child.total, parent?.total)
        if let count = child.count, count != parent?.count {
            words.append("times \(parent?.count.map { String($0) } ?? "any") → \(count)")
        }
        if let slice = child.slice, slice != parent?.slice {
            words.append("slice \(slice.lower)–\(slice.upper)")
        }
        return words
    }

    static func hosts(_ entities: [EntityID]) -> String {
        entities.map { String($0.authority) }.joined(separator: ", ")
    }
}

extension Entry {
    /// What the entry allows, in a line.
    var words: String {
        var parts = [actions.joined(separator: " ")]
        switch locations {
        case .anywhere: parts.append("anywhere")
        case .named(let executors): parts.append("at \(Narrowing.hosts(executors))")
        }
        parts.append("confirm \(confirm.rawValue)" + (standing ? " (standing)" : ""))
        if let limits {
            func text(_ units: Int64) -> String {
                Amount(value: units, currency: limits.currency).description
            }
            if let each = limits.perAct { parts.append("≤ \(text(each)) each") }
            if let total = limits.total { parts.append("≤ \(text(total)) in all") }
            if let count = limits.count { parts.append(count == 1 ? "once" : "\(count) times") }
        }
        if !hidden.isEmpty { parts.append("limits known to the budget keeper only") }
        if let data {
            parts.append(
                "discloses \(data.types.joined(separator: " ")) (\(data.purpose), "
                    + "\(data.retention / 3600) h)")
        }
        return parts.joined(separator: ", ")
    }
}
