// SPDX-License-Identifier: Apache-2.0
import A2A
import Consent
import JSON

/// An aware agent's offer, read from its typed part (Spec §3.2): exactly, or not at all.
struct Draft: Sendable, Equatable {
    let reference: String
    let action: String
    let items: [Terms.Item]
    let total: Terms.Total
    let cancel: String?
    let data: [Terms.Disclosure]

    /// Why an agent's typed part is refused: the member and the rule it breaks.
    struct Fault: Error, Equatable {
        let member: String
        let rule: String

        init(_ member: String, _ rule: String) {
            self.member = member
            self.rule = rule
        }
    }

    /// Longest name that an agent may give to an offer or an order, in characters.
    static let referenceMax = 128
    /// Most kinds of personal data in one offer.
    static let dataMax = 8

    /// The types of the parts between a gateway and its own agent (Spec §3).
    static let partTypes: Set<String> = ["draft", "commit", "outcome"]

    /// Reads the part's data.
    ///
    /// - Parameter executor: The recipient of what is disclosed: this organisation.
    init(_ value: JSONValue, executor: String) throws(Fault) {
        try Self.closed(value, "draft", ["ref", "action", "items", "total", "cancel", "data"])
        reference = try Self.reference(value["ref"], "ref")
        guard let action = value["action"]?.string, !action.isEmpty else {
            throw Fault("action", "is required")
        }
        self.action = action
        let totalValue = value["total"]
        try Self.closed(totalValue, "total", ["value", "currency", "kind"])
        guard let code = totalValue?["currency"]?.string, let currency = Currency(code) else {
            throw Fault("total.currency", "is not a currency of ISO 4217")
        }
        let kind: Terms.Total.Kind
        switch totalValue?["kind"]?.string {
        case nil, "exact": kind = .exact
        case "max": kind = .max
        default: throw Fault("total.kind", "is neither exact nor max")
        }
        total = Terms.Total(
            amount: Amount(
                value: try Self.units(totalValue?["value"], "total.value", currency),
                currency: currency), kind: kind)
        items = try Self.items(value["items"], currency)
        if let text = value["cancel"] {
            guard let cancel = text.string else { throw Fault("cancel", "must be a string") }
            self.cancel = cancel
        } else {
            cancel = nil
        }
        data = try Self.data(value["data"], recipient: executor)
    }

    private static func items(
        _ value: JSONValue?, _ currency: Currency
    ) throws(Fault) -> [Terms.Item] {
        guard let value, value.kind == .array, value.count > 0,
            value.count <= Terms.maximumItems
        else { throw Fault("items", "must be 1 to \(Terms.maximumItems) items") }
        var items: [Terms.Item] = []
        for item in value.elements {
            let place = "items[\(items.count)]"
            try closed(item, place, ["id", "title", "qty", "unit"])
            guard let id = item["id"]?.string, !id.isEmpty, id.utf8.count <= 64 else {
                throw Fault("\(place).id", "must be 1 to 64 characters")
            }
            guard let title = item["title"]?.string, !title.isEmpty else {
                throw Fault("\(place).title", "is required")
            }
            let quantity = try integer(item["qty"], "\(place).qty")
            if quantity < 1 { throw Fault("\(place).qty", "must be at least 1") }
            items.append(
                Terms.Item(
                    id: id, title: title, quantity: quantity,
                    unit: try units(item["unit"], "\(place).unit", currency)))
        }
        return items
    }

    private static func data(
        _ value: JSONValue?, recipient: String
    ) throws(Fault) -> [Terms.Disclosure] {
        guard let value else { return [] }
        guard value.kind == .array, value.count <= dataMax else {
            throw Fault("data", "must be at most \(dataMax) kinds")
        }
        var data: [Terms.Disclosure] = []
        for item in value.elements {
            let place = "data[\(data.count)]"
            try closed(item, place, ["type", "purpose", "retention"])
            guard let type = item["type"]?.string, !type.isEmpty else {
                throw Fault("\(place).type", "is required")
            }
            data.append(
                Terms.Disclosure(
                    type: type, recipient: recipient,
                    purpose: item["purpose"]?.string ?? "fulfil-order",
                    retention: try item["retention"].map { value throws(Fault) in
                        try integer(value, "\(place).retention")
                    }))
        }
        return data
    }

    // MARK: Members

    static func closed(
        _ value: JSONValue?, _ place: String, _ names: [String]
    ) throws(Fault) {
        guard let value, value.kind == .object else { throw Fault(place, "must be an object") }
        for member in value.members where !names.contains(member.name) {
            throw Fault("\(place).\(LogName.clean(member.name))", "is not a member")
        }
    }

    static func reference(_ value: JSONValue?, _ place: String) throws(Fault) -> String {
        guard let text = value?.string, !text.isEmpty, text.utf8.count <= referenceMax,
            text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else { throw Fault(place, "must be 1 to \(referenceMax) printable ASCII characters") }
        return text
    }

    /// An integer as text; numbers of JSON arrive as doubles from half of the SDKs.
    static func integer(_ value: JSONValue?, _ place: String) throws(Fault) -> Int64 {
        guard let text = value?.string, text.utf8.count <= 15,
            text.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }), let number = Int64(text),
            String(number) == text
        else { throw Fault(place, "must be an integer as text") }
        return number
    }

    /// An amount as text, in minor units of `currency`, exactly.
    static func units(
        _ value: JSONValue?, _ place: String, _ currency: Currency
    ) throws(Fault) -> Int64 {
        guard let text = value?.string, let units = minorUnits(text, currency.exponent) else {
            throw Fault(place, "must be an amount of \(currency.code) as text, exact")
        }
        return units
    }

    static func minorUnits(_ text: String, _ exponent: Int) -> Int64? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count <= 2, let whole = parts.first, !whole.isEmpty,
            whole == "0" || whole.first != "0",
            parts.allSatisfy({ $0.utf8.allSatisfy { $0 >= 48 && $0 <= 57 } })
        else { return nil }
        let fraction = parts.count == 2 ? parts[1] : ""
        if parts.count == 2, fraction.isEmpty { return nil }
        guard fraction.utf8.count <= exponent else { return nil }
        let digits =
            String(whole) + fraction + String(repeating: "0", count: exponent - fraction.utf8.count)
        // 2^53 − 1 is the largest integer that tokens carry.
        guard digits.utf8.count <= 16, let units = Int64(digits), units < 1 << 53 else {
            return nil
        }
        return units
    }

    /// An amount in the agent's form: `328.00`.
    static func text(_ amount: Amount) -> String {
        let exponent = amount.currency.exponent
        guard exponent > 0 else { return String(amount.value) }
        var digits = String(amount.value)
        while digits.utf8.count <= exponent { digits = "0" + digits }
        return "\(digits.dropLast(exponent)).\(digits.suffix(exponent))"
    }
}

/// An aware agent's word that it has acted (Spec §3.4).
struct Outcome: Sendable, Equatable {
    let reference: String
    let order: String
    let total: Amount

    init(_ value: JSONValue) throws(Draft.Fault) {
        try Draft.closed(value, "outcome", ["ref", "order", "total"])
        reference = try Draft.reference(value["ref"], "ref")
        order = try Draft.reference(value["order"], "order")
        let total = value["total"]
        try Draft.closed(total, "total", ["value", "currency", "kind"])
        guard let code = total?["currency"]?.string, let currency = Currency(code) else {
            throw Draft.Fault("total.currency", "is not a currency of ISO 4217")
        }
        self.total = Amount(
            value: try Draft.units(total?["value"], "total.value", currency), currency: currency)
    }
}

/// A stranger's name on its way into an error.
private enum LogName {
    static func clean(_ name: String) -> String {
        String(name.prefix(32).filter { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") })
    }
}
