// SPDX-License-Identifier: Apache-2.0

import Bytes

/// How what is less than a quantum is decided. Part of the signed tariff, because the two
/// customary answers to a half differ by a minor unit.
package enum RoundingMode: String, CaseIterable, Sendable {
    /// 四舍五入, the default.
    case halfUp = "half-up"
    case halfEven = "half-even"
    case down
    case up
}

/// The smallest step of a rated amount.
package enum Quantum: String, CaseIterable, Sendable {
    /// One minor unit: for orders that a payment rail splits one by one.
    case minor
    /// One micro: for what a periodic statement settles.
    case micro

    /// The step in micros.
    package func micros(_ currency: Currency) -> Int64 {
        self == .minor ? currency.microsPerMinorUnit : 1
    }
}

/// `rate` of `base`, rounded once, on the exact numerator, to a multiple of the quantum.
///
/// The result is never more than one quantum away from the exact value (half of one in the half
/// modes), is monotone in `base`, and is nothing for nothing. Throws ``MoneyFault/negative`` for a
/// base below zero, and ``MoneyFault/overflow`` when rounding up leaves 64 bits.
/// - SeeAlso: Spec §5.2.3 rule 1.
package func pct(
    _ base: Money, _ rate: PartsPerMillion, quantum: Quantum, mode: RoundingMode
) throws(MoneyFault) -> Money {
    if base.micros < 0 { throw .negative }
    let step = Int128(quantum.micros(base.currency))
    let numerator = Int128(base.micros) * Int128(rate.value)
    let steps = quotient(numerator, 1_000_000 * step, mode)
    guard let micros = Int64(exactly: steps * step) else { throw .overflow }
    return Money(micros: micros, base.currency)
}

/// `numerator / denominator`, both positive or zero, rounded to a whole number.
private func quotient(_ numerator: Int128, _ denominator: Int128, _ mode: RoundingMode) -> Int128 {
    let (down, rest) = numerator.quotientAndRemainder(dividingBy: denominator)
    let isUp =
        switch mode {
        case .down: false
        case .up: rest > 0
        case .halfUp: rest * 2 >= denominator
        case .halfEven: rest * 2 > denominator || (rest * 2 == denominator && down % 2 == 1)
        }
    return isUp ? down + 1 : down
}

/// A rate with a fixed part, a floor and a cap.
package struct FeeRule: Hashable, Sendable {
    /// The part of the base.
    package var rate: PartsPerMillion
    /// Added to the part.
    package var fixed: Money
    /// The least.
    package var floor: Money
    /// nil: without a cap.
    package var cap: Money?
    /// The step of the part.
    package var quantum: Quantum
    /// How the part is rounded.
    package var mode: RoundingMode

    /// One of these members.
    package init(
        rate: PartsPerMillion, fixed: Money, floor: Money, cap: Money?,
        quantum: Quantum = .minor, mode: RoundingMode = .halfUp
    ) {
        self.rate = rate
        self.fixed = fixed
        self.floor = floor
        self.cap = cap
        self.quantum = quantum
        self.mode = mode
    }

    /// min(cap, max(floor, pct + fixed)), nothing for nothing, and never more than `base`.
    ///
    /// In this order the fee is monotone in `base`, hence giving money back never asks for more.
    /// - Throws: ``MoneyFault``; amounts of another currency than the rule's are refused.
    /// - SeeAlso: Spec §5.2.3 rule 2.
    package func fee(_ base: Money) throws(MoneyFault) -> Money {
        for amount in [fixed, floor, cap ?? fixed] where amount.currency != base.currency {
            throw .currency
        }
        let part = try pct(base, rate, quantum: quantum, mode: mode)
        if base.micros == 0 { return part }
        var micros = max(floor.micros, try part.adding(fixed).micros)
        if let cap { micros = min(cap.micros, micros) }
        return Money(micros: min(micros, base.micros), base.currency)
    }
}

/// One party's part of a pot.
package enum Share: Hashable, Sendable {
    case rate(PartsPerMillion)
    /// What the rates leave of the whole; once at most.
    case rest
}

/// Why a pot could not be divided.
package enum AllocationFault: String, Error, CaseIterable, Sendable {
    /// No weight above zero, a weight below zero, or rates that do not make the whole.
    case weights
    /// The pot is negative or no multiple of the quantum.
    case pot
}

/// Divides `pot` by `weights`: each part rounded down, then one more step each, by largest
/// remainder, ties to the lowest index, until the parts are the pot.
///
/// Each part is within one step of its exact quota, and a weight of zero gets nothing.
/// - SeeAlso: Spec §5.2.3 rule 3.
package func allocate(
    _ pot: Money, weights: [Int64], quantum: Quantum = .minor
) throws(AllocationFault) -> [Money] {
    let step = quantum.micros(pot.currency)
    if pot.micros < 0 || pot.micros % step != 0 { throw .pot }
    if weights.contains(where: { $0 < 0 }) { throw .weights }
    let total = weights.reduce(Int128(0)) { $0 + Int128($1) }
    if total == 0 { throw .weights }
    let steps = Int128(pot.micros / step)
    var parts: [Int128] = []
    var remainders: [(index: Int, rest: Int128)] = []
    for (index, weight) in weights.enumerated() {
        let (part, rest) = (steps * Int128(weight)).quotientAndRemainder(dividingBy: total)
        parts.append(part)
        if rest > 0 { remainders.append((index, rest)) }
    }
    remainders.sort { $0.rest != $1.rest ? $0.rest > $1.rest : $0.index < $1.index }
    let left = Int(steps - parts.reduce(0, +))
    for (index, _) in remainders.prefix(left) { parts[index] += 1 }
    invariant(parts.reduce(0, +) == steps, "the parts of a pot are the pot")
    return parts.map { Money(micros: Int64($0) * step, pot.currency) }
}

/// Divides `pot` by rates of the whole, of which one may be the rest.
package func allocate(
    _ pot: Money, shares: [Share], quantum: Quantum = .minor
) throws(AllocationFault) -> [Money] {
    var left = PartsPerMillion.whole.value
    var rests = 0
    for share in shares {
        switch share {
        case .rate(let rate): left -= rate.value
        case .rest: rests += 1
        }
    }
    guard left >= 0, rests == 1 || (rests == 0 && left == 0) else { throw .weights }
    let weights = shares.map { share in
        switch share {
        case .rate(let rate): rate.value
        case .rest: left
        }
    }
    return try allocate(pot, weights: weights, quantum: quantum)
}
