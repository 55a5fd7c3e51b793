// SPDX-License-Identifier: Apache-2.0

/// A rate in millionths: 50 000 is five percent. From nothing to the whole.
/// - SeeAlso: Spec §5.2.2.
package struct PartsPerMillion: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// 0 … 1 000 000.
    package let value: Int64

    /// The whole: one million parts.
    package static let whole = PartsPerMillion(unchecked: 1_000_000)

    /// The rate of `value` millionths, or nil outside 0 … 1 000 000.
    package init?(_ value: Int64) {
        guard (0...1_000_000).contains(value) else { return nil }
        self.value = value
    }

    private init(unchecked value: Int64) { self.value = value }

    /// Reads what people write into configurations: `5 %`, `5.0%`, `0.5488 %` or `5488 ppm`.
    ///
    /// A percentage may have four decimal places, which is exactly one millionth; a finer one is
    /// refused, never rounded. One space may stand before the unit, which is required.
    package init?(text: some StringProtocol) {
        var number = String(text)
        let isPercent: Bool
        if number.hasSuffix("%") {
            number.removeLast()
            isPercent = true
        } else if number.hasSuffix("ppm") {
            number.removeLast(3)
            isPercent = false
        } else {
            return nil
        }
        if number.hasSuffix(" ") { number.removeLast() }
        let parts = number.utf8.split(separator: 0x2E, omittingEmptySubsequences: false)
        let integer = Array(parts[0])
        let fraction = parts.count == 2 ? Array(parts[1]) : []
        guard parts.count <= 2, (1...7).contains(integer.count),
            integer.count == 1 || integer[0] != 0x30,
            parts.count == 1 || (isPercent && (1...4).contains(fraction.count)),
            (integer + fraction).allSatisfy({ (0x30...0x39).contains($0) })
        else { return nil }
        var value: Int64 = 0
        for digit in integer + fraction { value = value * 10 + Int64(digit - 0x30) }
        if isPercent { for _ in fraction.count..<4 { value *= 10 } }
        self.init(value)
    }

    /// The rate as a percentage with as many decimal places as it needs: `0.5488 %`.
    package var percent: String {
        let (whole, rest) = value.quotientAndRemainder(dividingBy: 10_000)
        var fraction = String(rest)
        fraction = String(repeating: "0", count: 4 - fraction.count) + fraction
        while fraction.last == "0" { fraction.removeLast() }
        return String(whole) + (fraction.isEmpty ? "" : "." + fraction) + " %"
    }

    package var description: String { percent }

    package static func < (a: PartsPerMillion, b: PartsPerMillion) -> Bool { a.value < b.value }
}
