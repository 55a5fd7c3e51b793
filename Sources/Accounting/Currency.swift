// SPDX-License-Identifier: Apache-2.0

/// A currency of ISO 4217 with its exponent: the number of decimal places of its minor unit.
///
/// Precious metals, testing codes and units of account without a minor unit are not in the table:
/// nobody settles in them. No currency is ever converted into another here.
/// - SeeAlso: Spec §5.2.1; ISO 4217 list one.
package struct Currency: Hashable, Sendable, CustomStringConvertible {
    /// Three upper-case letters.
    package let code: String
    /// Decimal places of the minor unit: 2 for CNY, 0 for JPY, 3 for KWD, 4 for CLF.
    package let exponent: Int

    /// The currency of `code`, or nil when ISO 4217 has none so written.
    package init?(_ code: some StringProtocol) {
        let code = String(code)
        guard let exponent = Currency.exponents[code] else { return nil }
        self.init(code: code, exponent: exponent)
    }

    private init(code: String, exponent: Int) {
        self.code = code
        self.exponent = exponent
    }

    /// Chinese yuan.
    package static let cny = Currency(code: "CNY", exponent: 2)

    /// Micros in one minor unit: 10 000 for CNY, 1 000 000 for JPY.
    package var microsPerMinorUnit: Int64 {
        var unit: Int64 = 1
        for _ in exponent..<Money.fractionDigits { unit *= 10 }
        return unit
    }

    package var description: String { code }

    private static let exponents: [String: Int] = {
        var table: [String: Int] = [:]
        for (exponent, codes) in codesByExponent {
            for code in codes.split(whereSeparator: { $0 == " " || $0 == "\n" }) {
                table[String(code)] = exponent
            }
        }
        return table
    }()

    private static let codesByExponent: [(exponent: Int, codes: String)] = [
        (0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"),
        (3, "BHD IQD JOD KWD LYD OMR TND"),
        (4, "CLF UYW"),
        (
            2,
            """
            AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN
            BZD CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP
            GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT
            LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN
            NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE
            SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES
            WST XCD XCG YER ZAR ZMW ZWG
            """
        ),
    ]
}
