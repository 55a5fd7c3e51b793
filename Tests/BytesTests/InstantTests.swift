// SPDX-License-Identifier: Apache-2.0

import Bytes
import TestSupport
import Testing

@Suite struct InstantTests {
    @Test(arguments: [
        (0, "1970-01-01T00:00:00.000Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (951_782_400_000, "2000-02-29T00:00:00.000Z"),
        (1_795_222_923_456, "2026-11-21T01:02:03.456Z"),
        (-62_167_219_200_000, "0000-01-01T00:00:00.000Z"),
        (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
    ])
    func textAndBack(_ milliseconds: Int64, _ text: String) {
        #expect(Instant(milliseconds: milliseconds).rfc3339 == text)
        #expect(Instant(rfc3339: text)?.milliseconds == milliseconds)
    }

    @Test(arguments: [
        ("2026-11-21T01:02:03Z", "2026-11-21T01:02:03.000Z"),
        ("2026-11-21t01:02:03z", "2026-11-21T01:02:03.000Z"),
        ("2026-11-21T01:02:03.4Z", "2026-11-21T01:02:03.400Z"),
        ("2026-11-21T01:02:03.45678912Z", "2026-11-21T01:02:03.456Z"),
        ("2026-11-21T09:02:03+08:00", "2026-11-21T01:02:03.000Z"),
        ("2026-11-20T21:32:03-03:30", "2026-11-21T01:02:03.000Z"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000Z"),
    ])
    func otherSpellings(_ text: String, _ canonical: String) {
        #expect(Instant(rfc3339: text)?.rfc3339 == canonical)
    }

    @Test(arguments: [
        "", "2026-11-21", "2026-11-21T01:02:03", "2026-11-21 01:02:03Z", "2026-11-21T01:02Z",
        "2026-11-21T01:02:03.Z", "2026-02-29T00:00:00Z", "1900-02-29T00:00:00Z",
        "2026-04-31T00:00:00Z", "2026-00-01T00:00:00Z", "2026-13-01T00:00:00Z",
        "2026-01-00T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z",
        "2026-01-01T00:00:61Z", "2026-01-01T00:00:00+24:00", "2026-01-01T00:00:00+0800",
        " 2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z ", "+2026-01-01T00:00:00Z",
        "26-01-01T00:00:00Z", "２026-01-01T00:00:00Z",
    ])
    func refused(_ text: String) {
        #expect(Instant(rfc3339: text) == nil)
    }

    /// Every day of 800 years, counted one by one by the rule of leap years.
    @Test func everyDayIsTheDayAfterTheOneBefore() {
        var (year, month, day) = (1600, 1, 1)
        var instant = Instant(rfc3339: "1600-01-01T12:00:00Z") ?? Instant(seconds: 0)
        func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
        while year < 2400 {
            let expected = "\(year)-\(two(month))-\(two(day))T12:00:00.000Z"
            let text = instant.rfc3339
            if text != expected || Instant(rfc3339: text) != instant {
                Issue.record("\(text) should be \(expected)")
                return
            }
            let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
            let days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
            day += 1
            if day > days { (month, day) = (month + 1, 1) }
            if month > 12 { (year, month) = (year + 1, 1) }
            instant = instant.adding(seconds: 86_400)
        }
    }

    @Test func secondsRoundTowardsThePast() {
        #expect(Instant(milliseconds: 1999).seconds == 1)
        #expect(Instant(milliseconds: -1).seconds == -1)
        #expect(Instant(milliseconds: -1000).seconds == -1)
        #expect(Instant(seconds: 5).milliseconds == 5000)
    }

    @Test func arithmeticSaturates() {
        #expect(Instant(seconds: .max).milliseconds == .max)
        #expect(Instant(seconds: .min).milliseconds == .min)
        #expect(Instant(seconds: 1 << 53).adding(seconds: .max).milliseconds == .max)
        #expect(Instant(milliseconds: .min).adding(milliseconds: -1).milliseconds == .min)
        #expect(Instant(milliseconds: .max) - Instant(milliseconds: -1) == .max)
        #expect(Instant(milliseconds: .min) - Instant(milliseconds: 1) == .min)
        #expect(Instant(milliseconds: 7) - Instant(milliseconds: 9) == -2)
        #expect(Instant(milliseconds: .max).rfc3339 == "9999-12-31T23:59:59.999Z")
        #expect(Instant(milliseconds: .min).rfc3339 == "0000-01-01T00:00:00.000Z")
    }
}

@Suite struct MonotonicInstantTests {
    @Test func addsDurations() {
        let start = MonotonicInstant(nanoseconds: 1_000)
        #expect(start.adding(.seconds(2)).nanoseconds == 2_000_001_000)
        #expect(start.adding(.nanoseconds(-400)).nanoseconds == 600)
        #expect(start.adding(.seconds(-1)).nanoseconds == 0)
        #expect(start.adding(.seconds(Int64.max)).nanoseconds == .max)
        #expect(start.adding(.seconds(Int64.min)).nanoseconds == 0)
        #expect(MonotonicInstant(nanoseconds: .max).adding(.nanoseconds(1)).nanoseconds == .max)
    }

    @Test func comparesAndSubtracts() {
        let early = MonotonicInstant(nanoseconds: 5)
        let late = MonotonicInstant(nanoseconds: 12)
        #expect(early < late)
        #expect(late.duration(since: early) == .nanoseconds(7))
        #expect(early.duration(since: late) == .nanoseconds(-7))
    }
}

@Suite struct VirtualTimeTests {
    @Test func movesOnlyWhenMoved() {
        let time = VirtualTime()
        #expect(time.now().rfc3339 == "2026-11-21T00:00:00.000Z")
        time.advance(milliseconds: 1500)
        #expect(time.now().rfc3339 == "2026-11-21T00:00:01.500Z")
        #expect(time.monotonic().nanoseconds == 1_500_000_000)
        time.jump(to: Instant(seconds: 0))
        #expect(time.now().seconds == 0)
        #expect(time.monotonic().nanoseconds == 1_500_000_000)
    }
}
