// SPDX-License-Identifier: Apache-2.0

import Accounting
import JSON
import TestSupport
import Testing

/// Amounts, rates and rounding against `Spec/vectors/accounting`.
@Suite struct MoneyVectorTests {
    @Test func amountsHaveOneText() throws {
        let vectors = try SpecVectors.json("accounting", "amounts.json")
        for vector in try elements(vectors, "valid") {
            let currency = try currency(vector)
            let text = try string(vector, "text")
            let money = try Money(text: text, currency)
            #expect("\(money.micros)" == (try string(vector, "micros")), "\(text)")
            #expect(money.text == text)
        }
        for vector in try elements(vectors, "invalid") {
            let text = try string(vector, "text")
            let currency = try currency(vector)
            let fault = try #require(MoneyFault(rawValue: string(vector, "error")))
            #expect(throws: fault, "\(text)") { try Money(text: text, currency) }
        }
        for name in try elements(vectors, "not_currencies") {
            #expect(Currency(try #require(name.string)) == nil)
        }
    }

    @Test func minorUnitsAreExactOrRefused() throws {
        let vectors = try SpecVectors.json("accounting", "amounts.json")
        for vector in try elements(vectors, "minor_units") {
            let currency = try currency(vector)
            let money = try Money(text: try string(vector, "text"), currency)
            if let units = vector["units"]?.int {
                #expect(try money.minorUnits() == units)
                #expect(try Money(minorUnits: units, currency) == money)
            } else {
                #expect(throws: MoneyFault.fraction) { try money.minorUnits() }
            }
        }
        for vector in try elements(vectors, "swept") {
            let money = try Money(text: try string(vector, "text"), try currency(vector))
            #expect(money.swept.payable.text == (try string(vector, "payable")))
            #expect(money.swept.residue.text == (try string(vector, "residue")))
            let debt = Money(micros: -money.micros, money.currency)
            #expect(debt.swept.payable.micros == -money.swept.payable.micros)
        }
        #expect(throws: MoneyFault.overflow) { try Money(minorUnits: .max, .cny) }
    }

    @Test func ratesAreExact() throws {
        let vectors = try SpecVectors.json("accounting", "rates.json")
        for vector in try elements(vectors, "valid") {
            let text = try #require(vector[0]?.string)
            let rate = try #require(PartsPerMillion(text: text), "\(text)")
            #expect(rate.value == vector[1]?.int)
            #expect(rate.percent == vector[2]?.string)
            #expect(PartsPerMillion(text: rate.percent) == rate)
        }
        for vector in try elements(vectors, "invalid") {
            let text = try #require(vector.string)
            #expect(PartsPerMillion(text: text) == nil, "\(text)")
        }
    }

    @Test func percentagesRoundOnce() throws {
        let vectors = try SpecVectors.json("accounting", "rounding.json")
        for vector in try elements(vectors, "pct") {
            let base = try cny(string(vector, "base"))
            let rate = try #require(vector["ppm"]?.int.flatMap { PartsPerMillion($0) })
            let (quantum, mode) = try rounding(vector)
            if let error = vector["error"]?.string {
                #expect(throws: try #require(MoneyFault(rawValue: error))) {
                    try pct(base, rate, quantum: quantum, mode: mode)
                }
                continue
            }
            let result = try pct(base, rate, quantum: quantum, mode: mode)
            #expect(result.text == (try string(vector, "result")), "\(vector.rawText)")
        }
    }

    @Test func feesHaveFloorAndCap() throws {
        let vectors = try SpecVectors.json("accounting", "rounding.json")
        for vector in try elements(vectors, "fee") {
            let (quantum, mode) = try rounding(vector)
            let rule = FeeRule(
                rate: try #require(vector["ppm"]?.int.flatMap { PartsPerMillion($0) }),
                fixed: try cny(string(vector, "fixed")), floor: try cny(string(vector, "floor")),
                cap: try vector["cap"]?.string.map { try cny($0) }, quantum: quantum, mode: mode)
            let fee = try rule.fee(cny(string(vector, "base")))
            #expect(fee.text == (try string(vector, "result")), "\(vector.rawText)")
        }
    }

    @Test func potsAreDividedWithoutRest() throws {
        let vectors = try SpecVectors.json("accounting", "rounding.json")
        for vector in try elements(vectors, "allocate") {
            let pot = try cny(string(vector, "pot"))
            let quantum = try #require(Quantum(rawValue: try string(vector, "quantum")))
            let divide = {
                if let weights = vector["weights"] {
                    return try allocate(
                        pot, weights: weights.elements.compactMap(\.int), quantum: quantum)
                }
                let shares = try #require(vector["ppm"]).elements.map { share in
                    share.int.flatMap { PartsPerMillion($0) }.map { Share.rate($0) } ?? .rest
                }
                return try allocate(pot, shares: shares, quantum: quantum)
            }
            if let error = vector["error"]?.string {
                let fault = try #require(AllocationFault(rawValue: error))
                #expect(throws: fault, "\(vector.rawText)") { try divide() }
                continue
            }
            let parts = try divide().map(\.text)
            #expect(try parts == elements(vector, "parts").compactMap(\.string))
        }
    }

    private func rounding(_ vector: JSONValue) throws -> (Quantum, RoundingMode) {
        (
            try #require(Quantum(rawValue: try string(vector, "quantum"))),
            try #require(RoundingMode(rawValue: try string(vector, "round")))
        )
    }

    private func currency(_ vector: JSONValue) throws -> Currency {
        try #require(Currency(try string(vector, "ccy")))
    }
}
