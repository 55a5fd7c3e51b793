// SPDX-License-Identifier: Apache-2.0

/// Why an amount of money could not be read, made or converted.
package enum MoneyFault: String, Error, CaseIterable, Sendable {
    /// The text is not the one canonical spelling of an amount.
    case syntax
    /// The two amounts are of different currencies, or the code is none of ISO 4217.
    case currency
    /// The result does not fit into 64 bits of micros. Nothing wraps.
    case overflow
    /// The amount is no whole number of minor units, and whole minor units are asked for.
    case fraction
    /// An amount below zero where only zero and above have a meaning.
    case negative
}

/// An amount in micros, millionths of the major unit, of one currency.
///
/// One scale for every ledger amount: fees of a fraction of a cent add up exactly, and what a user
/// pays or a bank moves is a whole number of minor units (``minorUnits()``).
/// - SeeAlso: Spec §5.2.1.
package struct Money: Hashable, Sendable, CustomStringConvertible {
    /// Millionths of the major unit. Below zero only in computed balances.
    package let micros: Int64
    /// Of which currency.
    package let currency: Currency

    /// Decimal places of a micro.
    package static let fractionDigits = 6

    /// One of these members.
    package init(micros: Int64, _ currency: Currency) {
        self.micros = micros
        self.currency = currency
    }

    /// Nothing, of `currency`.
    package static func zero(_ currency: Currency) -> Money { Money(micros: 0, currency) }

    /// `minorUnits` whole minor units, as tokens and payment rails count: 32 800 is CNY 328.00.
    /// - Throws: ``MoneyFault/overflow``.
    package init(minorUnits: Int64, _ currency: Currency) throws(MoneyFault) {
        let (micros, overflow) = minorUnits.multipliedReportingOverflow(
            by: currency.microsPerMinorUnit)
        if overflow { throw .overflow }
        self.init(micros: micros, currency)
    }

    /// The amount in whole minor units.
    /// - Throws: ``MoneyFault/fraction`` when there is less than a minor unit left over.
    package func minorUnits() throws(MoneyFault) -> Int64 {
        let (units, rest) = micros.quotientAndRemainder(dividingBy: currency.microsPerMinorUnit)
        if rest != 0 { throw .fraction }
        return units
    }

    /// The whole minor units of the amount, towards zero, and what is left over: what a statement
    /// asks to be paid, and what it carries into the next period.
    package var swept: (payable: Money, residue: Money) {
        let rest = micros % currency.microsPerMinorUnit
        return (Money(micros: micros - rest, currency), Money(micros: rest, currency))
    }

    /// The sum.
    /// - Throws: ``MoneyFault/currency`` or ``MoneyFault/overflow``.
    package func adding(_ other: Money) throws(MoneyFault) -> Money {
        if other.currency != currency { throw .currency }
        let (sum, overflow) = micros.addingReportingOverflow(other.micros)
        if overflow { throw .overflow }
        return Money(micros: sum, currency)
    }

    /// The difference, which may be below zero.
    /// - Throws: ``MoneyFault/currency`` or ``MoneyFault/overflow``.
    package func subtracting(_ other: Money) throws(MoneyFault) -> Money {
        if other.currency != currency { throw .currency }
        let (difference, overflow) = micros.subtractingReportingOverflow(other.micros)
        if overflow { throw .overflow }
        return Money(micros: difference, currency)
    }

    /// Whether this is no more than `limit`, in the same currency.
    package func isAtMost(_ limit: Money) -> Bool {
        currency == limit.currency && micros <= limit.micros
    }

    /// For people and logs: `CNY 328.00`.
    package var description: String { currency.code + " " + text }
}

// MARK: - Canonical text

extension Money {
    /// Reads the one canonical spelling of an amount of `currency`.
    ///
    /// Major units, at least the currency's and at most six decimal places, no zero at the end
    /// beyond the currency's places, no sign, no leading zero, no exponent, ASCII digits only.
    /// Any other spelling is refused: two texts of one amount would be two signatures of it.
    /// - Throws: ``MoneyFault/syntax``, or ``MoneyFault/overflow`` beyond 64 bits of micros.
    package init(text: some StringProtocol, _ currency: Currency) throws(MoneyFault) {
        try self.init(digits: Array(String(text).utf8), currency)
    }

    /// Not generic: other modules would call it unspecialised, which costs ten times as much.
    private init(digits text: [UInt8], _ currency: Currency) throws(MoneyFault) {
        let parts = text.split(separator: 0x2E, omittingEmptySubsequences: false)
        guard parts.count <= 2, text.count <= 20 else { throw .syntax }
        let integer = Array(parts[0])
        let fraction = parts.count == 2 ? Array(parts[1]) : []
        guard (1...13).contains(integer.count), integer.count == 1 || integer[0] != 0x30,
            (integer + fraction).allSatisfy({ (0x30...0x39).contains($0) }),
            parts.count == 1 || !fraction.isEmpty,
            (currency.exponent...Money.fractionDigits).contains(fraction.count),
            fraction.count == currency.exponent || fraction.last != 0x30
        else { throw .syntax }
        var micros: Int128 = 0
        for digit in integer + fraction { micros = micros * 10 + Int128(digit - 0x30) }
        for _ in fraction.count..<Money.fractionDigits { micros *= 10 }
        guard let narrow = Int64(exactly: micros) else { throw .overflow }
        self.init(micros: narrow, currency)
    }

    /// The canonical text, without the currency: `328.00`, `0.0137`. A computed balance below zero
    /// gets a minus sign, which no reader accepts.
    package var text: String {
        let (major, rest) = micros.magnitude.quotientAndRemainder(dividingBy: 1_000_000)
        var fraction = String(rest)
        fraction = String(repeating: "0", count: Money.fractionDigits - fraction.count) + fraction
        while fraction.count > currency.exponent, fraction.last == "0" { fraction.removeLast() }
        return (micros < 0 ? "-" : "") + String(major) + (fraction.isEmpty ? "" : "." + fraction)
    }
}
