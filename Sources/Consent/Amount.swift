// SPDX-License-Identifier: Apache-2.0
package import JSON

/// A currency of ISO 4217 by its upper-case code. Its exponent says how many decimals the minor
/// unit has; a code that is not in the table is refused, because its integers mean nothing.
package struct Currency: Hashable, Sendable, CustomStringConvertible {
    /// The three letters.
    package let code: String
    /// Decimals of the minor unit, 0 to 4.
    package let exponent: Int

    /// The currency of a code in upper case; nil when it is not in the table.
    package init?(_ code: some StringProtocol) {
        let code = String(code)
        guard let exponent = Self.exponents[code] else { return nil }
        self.code = code
        self.exponent = exponent
    }

    package var description: String { code }

    /// Active codes of ISO 4217 (2024) that stand for money; funds and metals are left out.
    private static let exponents: [String: Int] = {
        var table: [String: Int] = [:]
        let byExponent: [(Int, String)] = [
            (0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"),
            (
                2,
                """
                AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN \
                BWP BYN BZD CAD CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD \
                FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR \
                KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN \
                MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD \
                SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD \
                TZS UAH USD UYU UZS VED VES WST XCD YER ZAR ZMW ZWG
                """
            ),
            (3, "BHD IQD JOD KWD LYD OMR TND"),
        ]
        for (exponent, codes) in byExponent {
            for code in codes.split(separator: " ") { table[String(code)] = exponent }
        }
        return table
    }()
}

/// Money in tokens: an integer count of the currency's minor unit, 0 to 2^53−1.
package struct Amount: Hashable, Sendable, CustomStringConvertible {
    /// Minor units.
    package let value: Int64
    /// ISO 4217.
    package let currency: Currency

    /// An amount in minor units.
    package init(value: Int64, currency: Currency) {
        self.value = value
        self.currency = currency
    }

    /// `CNY 23.00`, `JPY 2300`, `KWD 2.300`: the code, a space, exactly the exponent's decimals.
    package var description: String {
        guard currency.exponent > 0 else { return "\(currency.code) \(value)" }
        let digits = String(value)
        let zeros = String(repeating: "0", count: max(0, currency.exponent + 1 - digits.count))
        let padded = zeros + digits
        return "\(currency.code) \(padded.dropLast(currency.exponent))"
            + ".\(padded.suffix(currency.exponent))"
    }

    /// `{"value":…,"currency":…}`.
    package var node: JSONNode {
        ["value": .int(value), "currency": .string(currency.code)]
    }

    /// Reads exactly `{value, currency}`.
    init(_ value: JSONValue, _ rule: String) throws(Refusal) {
        let object = try ClosedObject(
            value, rule, required: ["value", "currency"], unknown: .malformed)
        self.value = try object.integer("value")
        currency = try object.currency("currency")
    }
}
