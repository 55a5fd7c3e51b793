// SPDX-License-Identifier: Apache-2.0

/// A point on the wall clock, in whole milliseconds of the Unix epoch (no leap seconds).
///
/// Arithmetic saturates: an expiry of 2^53 seconds that a stranger wrote must not stop the process.
package struct Instant: Hashable, Comparable, Sendable {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    package let milliseconds: Int64

    /// The point `milliseconds` after the epoch, before it when negative.
    package init(milliseconds: Int64) { self.milliseconds = milliseconds }

    /// The start of the second `seconds` after the epoch; held at the ends of the range.
    package init(seconds: Int64) {
        milliseconds = Instant.saturating(seconds.multipliedReportingOverflow(by: 1000), seconds)
    }

    /// Whole seconds since the epoch, rounded towards the past: the `NumericDate` of RFC 7519.
    package var seconds: Int64 {
        milliseconds / 1000 - (milliseconds % 1000 < 0 ? 1 : 0)
    }

    /// The point `delta` milliseconds later.
    package func adding(milliseconds delta: Int64) -> Instant {
        Instant(
            milliseconds: Instant.saturating(milliseconds.addingReportingOverflow(delta), delta))
    }

    /// The point `delta` seconds later.
    package func adding(seconds delta: Int64) -> Instant {
        adding(milliseconds: Instant(seconds: delta).milliseconds)
    }

    /// Milliseconds from `b` to `a`.
    package static func - (a: Instant, b: Instant) -> Int64 {
        saturating(a.milliseconds.subtractingReportingOverflow(b.milliseconds), a.milliseconds)
    }

    package static func < (a: Instant, b: Instant) -> Bool { a.milliseconds < b.milliseconds }

    private static func saturating(
        _ result: (partialValue: Int64, overflow: Bool), _ sign: Int64
    ) -> Int64 {
        guard result.overflow else { return result.partialValue }
        return sign < 0 ? .min : .max
    }
}

// MARK: - RFC 3339

extension Instant {
    /// The date and time of RFC 3339 in UTC with milliseconds: `2026-11-21T01:02:03.456Z`.
    ///
    /// Years from 0000 to 9999, all that the format can say; points outside are held at its ends.
    package var rfc3339: String {
        let held = min(max(milliseconds, Instant.yearZero), Instant.lastOfYear9999)
        let (day, time) = Instant.floorDivide(held, Instant.millisecondsPerDay)
        let (year, month, dayOfMonth) = Instant.civil(day)
        var text = [UInt8](repeating: 0, count: 24)
        var at = 0
        func put(_ value: Int64, _ width: Int, _ after: Unicode.Scalar) {
            var rest = UInt32(value)
            for index in stride(from: at + width - 1, through: at, by: -1) {
                let (tens, digit) = rest.quotientAndRemainder(dividingBy: 10)
                text[index] = 0x30 + UInt8(digit)
                rest = tens
            }
            text[at + width] = UInt8(ascii: after)
            at += width + 1
        }
        put(year, 4, "-")
        put(month, 2, "-")
        put(dayOfMonth, 2, "T")
        put(time / 3_600_000, 2, ":")
        put(time / 60_000 % 60, 2, ":")
        put(time / 1000 % 60, 2, ".")
        put(time % 1000, 3, "Z")
        return String(decoding: text, as: UTF8.self)
    }

    /// Reads a date and time of RFC 3339 §5.6, with `Z` or an offset and any number of fraction
    /// digits; what is finer than a millisecond is cut off. Second 60 is the start of the next
    /// minute. Nil for anything else, as 31 April, an hour of 24 or surrounding space.
    package init?(rfc3339 text: some StringProtocol) {
        var reader = DateReader(bytes: Array(text.utf8))
        guard let year = reader.digits(4), reader.take("-"), let month = reader.digits(2),
            reader.take("-"), let day = reader.digits(2), reader.take("T") || reader.take("t"),
            let hour = reader.digits(2), reader.take(":"), let minute = reader.digits(2),
            reader.take(":"), let second = reader.digits(2), let fraction = reader.fraction(),
            let offset = reader.offset(), reader.isAtEnd,
            (1...12).contains(month), day >= 1, day <= Instant.days(inMonth: month, of: year),
            hour <= 23, minute <= 59, second <= 60
        else { return nil }
        let days = Instant.dayNumber(year, month, day)
        let time = (hour * 60 + minute - offset) * 60 + second
        self.init(milliseconds: days * Instant.millisecondsPerDay + time * 1000 + fraction)
    }

    private static let millisecondsPerDay: Int64 = 86_400_000
    private static let yearZero: Int64 = dayNumber(0, 1, 1) * millisecondsPerDay
    private static let lastOfYear9999: Int64 = dayNumber(10_000, 1, 1) * millisecondsPerDay - 1

    private static func floorDivide(_ a: Int64, _ b: Int64) -> (quotient: Int64, rest: Int64) {
        let (quotient, rest) = a.quotientAndRemainder(dividingBy: b)
        return rest < 0 ? (quotient - 1, rest + b) : (quotient, rest)
    }

    private static func days(inMonth month: Int64, of year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days from 1970-01-01 to a date of the proleptic Gregorian calendar. Years begin in March, so
    /// that the leap day is the last of its year, and 400 of them are always 146 097 days.
    private static func dayNumber(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let (era, yearOfEra) = floorDivide(month <= 2 ? year - 1 : year, 400)
        let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    /// The date of a day number: the inverse of `dayNumber`.
    private static func civil(_ day: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let (era, dayOfEra) = floorDivide(day + 719_468, 146_097)
        let leapDays = dayOfEra / 1460 - dayOfEra / 36_524 + dayOfEra / 146_096
        let yearOfEra = (dayOfEra - leapDays) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * monthFromMarch + 2) / 5 + 1)
    }
}

/// A cursor over the text of a date; each step is nil or false when the text says otherwise.
private struct DateReader {
    let bytes: [UInt8]
    var index = 0

    var isAtEnd: Bool { index == bytes.count }

    mutating func take(_ expected: Unicode.Scalar) -> Bool {
        guard index < bytes.count, bytes[index] == UInt8(ascii: expected) else { return false }
        index += 1
        return true
    }

    mutating func digits(_ count: Int) -> Int64? {
        guard index + count <= bytes.count else { return nil }
        var value: Int64 = 0
        for _ in 0..<count {
            guard let digit = digit() else { return nil }
            value = value * 10 + digit
        }
        return value
    }

    /// Milliseconds of an optional fraction: zero without one, nil for a point without digits.
    mutating func fraction() -> Int64? {
        guard take(".") else { return 0 }
        var value: Int64 = 0
        var scale: Int64 = 100
        guard let first = digit() else { return nil }
        value = first * scale
        while let next = digit() {
            scale /= 10
            value += next * scale
        }
        return value
    }

    /// Minutes east of UTC.
    mutating func offset() -> Int64? {
        if take("Z") || take("z") { return 0 }
        let sign: Int64
        if take("+") { sign = 1 } else if take("-") { sign = -1 } else { return nil }
        guard let hours = digits(2), take(":"), let minutes = digits(2), hours <= 23, minutes <= 59
        else { return nil }
        return sign * (hours * 60 + minutes)
    }

    private mutating func digit() -> Int64? {
        guard index < bytes.count, (0x30...0x39).contains(bytes[index]) else { return nil }
        index += 1
        return Int64(bytes[index - 1] - 0x30)
    }
}
