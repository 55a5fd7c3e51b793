// SPDX-License-Identifier: Apache-2.0
import Bytes

/// `google.protobuf.Timestamp` and `Duration`: seconds and nanoseconds, and their JSON text.
struct ProtobufMoment: Equatable {
    var seconds: Int64
    /// 0 to 999 999 999, of a negative duration the other way round.
    var nanoseconds: Int32

    init(seconds: Int64, nanoseconds: Int32) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    /// Whether it is a time in the years 1 to 9999.
    var isTimestamp: Bool {
        (-62_135_596_800...253_402_300_799).contains(seconds)
            && (0...999_999_999).contains(nanoseconds)
    }

    /// Whether it is a duration of at most ten thousand years, with one sign.
    var isDuration: Bool {
        (-315_576_000_000...315_576_000_000).contains(seconds)
            && (-999_999_999...999_999_999).contains(nanoseconds)
            && (seconds == 0 || nanoseconds == 0 || (seconds < 0) == (nanoseconds < 0))
    }

    // MARK: Times

    /// RFC 3339 in UTC with none, three, six or nine digits of a second.
    func timestamp() -> String {
        let second = Instant(seconds: seconds).rfc3339.dropLast(5)
        return "\(second)\(Self.fraction(nanoseconds))Z"
    }

    /// Reads RFC 3339 with any offset; digits beyond the nanosecond are cut off.
    init?(timestamp text: String) {
        guard let instant = Instant(rfc3339: text) else { return nil }
        seconds = instant.seconds
        let digits = text.utf8.drop { $0 != UInt8(ascii: ".") }.dropFirst()
            .prefix { (0x30...0x39).contains($0) }
        nanoseconds = Self.nanoseconds(digits)
        guard isTimestamp else { return nil }
    }

    // MARK: Durations

    /// `1.5s`.
    func duration() -> String {
        let sign = seconds < 0 || nanoseconds < 0 ? "-" : ""
        return "\(sign)\(seconds.magnitude)\(Self.fraction(abs(nanoseconds)))s"
    }

    /// Reads such text.
    init?(duration text: String) {
        guard text.hasSuffix("s") else { return nil }
        let isNegative = text.hasPrefix("-")
        let parts = text.dropFirst(isNegative ? 1 : 0).dropLast().split(
            separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = parts.first, whole.first != "+", whole.first != "-",
            let seconds = Int64(whole)
        else { return nil }
        var nanoseconds: Int32 = 0
        if parts.count == 2 {
            let digits = parts[1].utf8
            guard !digits.isEmpty, digits.allSatisfy({ (0x30...0x39).contains($0) }) else {
                return nil
            }
            nanoseconds = Self.nanoseconds(digits)
        }
        self.init(
            seconds: isNegative ? -seconds : seconds,
            nanoseconds: isNegative ? -nanoseconds : nanoseconds)
        guard isDuration else { return nil }
    }

    // MARK: Fractions

    private static func nanoseconds(_ digits: some Collection<UInt8>) -> Int32 {
        var value: Int32 = 0
        var count = 0
        for digit in digits.prefix(9) {
            value = value * 10 + Int32(digit - 0x30)
            count += 1
        }
        while count < 9 {
            value *= 10
            count += 1
        }
        return value
    }

    private static func fraction(_ nanoseconds: Int32) -> String {
        guard nanoseconds > 0 else { return "" }
        let all = String(String(1_000_000_000 + Int64(nanoseconds)).dropFirst())
        if all.hasSuffix("000000") { return ".\(all.prefix(3))" }
        if all.hasSuffix("000") { return ".\(all.prefix(6))" }
        return "." + all
    }
}
