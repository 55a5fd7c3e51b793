// SPDX-License-Identifier: Apache-2.0
package import JSON

/// What an entry may cost: per act, in all, and how often. Integers are minor units of `currency`.
package struct Limits: Hashable, Sendable {
    /// A part of the budget cut out for one executor: `[lower, upper)` in minor units.
    package struct Slice: Hashable, Sendable {
        /// The first minor unit.
        package let lower: Int64
        /// The minor unit after the last.
        package let upper: Int64

        /// nil unless `0 ≤ lower < upper`.
        package init?(lower: Int64, upper: Int64) {
            guard lower >= 0, lower < upper else { return nil }
            self.lower = lower
            self.upper = upper
        }

        /// Whether `other` lies inside.
        package func contains(_ other: Slice) -> Bool {
            lower <= other.lower && other.upper <= upper
        }
    }

    /// ISO 4217.
    package var currency: Currency
    /// The most one act may cost.
    package var perAct: Int64?
    /// What it costs in all.
    package var total: Int64?
    /// How many acts.
    package var count: Int64?
    /// The part of the budget spent without the budget keeper.
    package var slice: Slice?

    /// Limits in one currency.
    package init(
        currency: Currency, perAct: Int64? = nil, total: Int64? = nil, count: Int64? = nil,
        slice: Slice? = nil
    ) {
        self.currency = currency
        self.perAct = perAct
        self.total = total
        self.count = count
        self.slice = slice
    }

    init(_ value: JSONValue) throws(Refusal) {
        let object = try ClosedObject(
            value, "4.limits", required: ["currency"],
            optional: ["per_act", "total", "count", "slice"])
        currency = try object.currency("currency")
        perAct = try object.optional("per_act", object.integer)
        total = try object.optional("total", object.integer)
        count = try object.optional("count", object.integer)
        slice = nil
        try require(
            perAct != nil || total != nil || count != nil, .malformed, "4.limits.empty")
        guard object.has("slice") else { return }
        let bounds = try object.elements("slice")
        guard bounds.count == 2, let lower = bounds[0].int, let upper = bounds[1].int,
            let slice = Slice(lower: lower, upper: upper)
        else { throw Refusal(.malformed, "4.limits.slice") }
        try require(
            slice.upper - slice.lower == total, .malformed, "4.limits.slice.total")
        self.slice = slice
    }

    /// The claims in documented order, to be signed.
    package var node: JSONNode {
        var members: JSONNode = ["currency": .string(currency.code)]
        if let perAct { members["per_act"] = .int(perAct) }
        if let total { members["total"] = .int(total) }
        if let count { members["count"] = .int(count) }
        if let slice { members["slice"] = [.int(slice.lower), .int(slice.upper)] }
        return members
    }

    /// Whether an act in this currency and of this value is inside `per_act` and `total`; what
    /// was spent before is the counter's business.
    func admit(_ amount: Amount, _ step: String) throws(Refusal) {
        try require(amount.currency == currency, .currency, "\(step).currency")
        if let perAct {
            try require(amount.value <= perAct, .limit, "\(step).per_act")
        }
        if let total {
            try require(amount.value <= total, .limit, "\(step).total")
        }
    }
}
