// SPDX-License-Identifier: Apache-2.0
import Bytes
import HTTP2
import TestSupport
import Testing

/// What the connections of one identity may do together, and how their counters are added up.
@Suite struct AllowanceTests {
    private static let start = MonotonicInstant(nanoseconds: 1_000_000_000)

    private static func allowance(
        _ limits: HTTP2Limits = HTTP2Limits(), share: Int = 4,
        glitches: HTTP2Rate = HTTP2Rate(burst: 2_000, perSecond: 66)
    ) -> HTTP2Allowance {
        HTTP2Allowance(limits, share: share, glitches: glitches, now: start)
    }

    /// Twenty connections of one certificate, each below every limit of its own.
    @Test func aFloodSpreadOverConnectionsPassesTheIdentitysLimit() {
        var allowance = Self.allowance()
        var passed: HTTP2Abuse?
        var connections = 0
        while passed == nil, connections < 20 {
            let victim = Victim()
            for number in 0..<40 {
                let stream = Int32(number) * 2 + 1
                victim.receive(Frames.request(stream, end: false) + Frames.reset(stream))
            }
            #expect(victim.error == nil)
            passed = allowance.take(victim.session.counters, now: Self.start)
            connections += 1
        }
        // Four connections' worth of 50, forty at a time.
        #expect(passed == .earlyResets && connections == 6)
    }

    /// An attack that has no weight, and is cut each time, is not repeated for ever either.
    @Test func beingCutCounts() {
        var allowance = Self.allowance()
        var connections = 0
        while connections < 100 {
            connections += 1
            let victim = Victim()
            for _ in 0..<101 { victim.receive(Frames.windowUpdate(0, 1)) }
            #expect(victim.error == .abuse(.windowUpdates))
            if allowance.take(victim.session.counters, now: Self.start) == .glitches { break }
        }
        #expect(connections == 21)
    }

    /// A gateway that starts again opens all its connections in one moment.
    @Test func honestGreetingsAreNoOddity() {
        var allowance = Self.allowance()
        for _ in 0..<10_000 {
            let victim = Victim()
            #expect(victim.session.counters.glitches == 0)
            guard allowance.take(victim.session.counters, now: Self.start) == nil else {
                Issue.record("refused")
                return
            }
        }
    }

    @Test(arguments: HTTP2Allowance.kinds)
    func everyRateIsForgivenOverTime(_ kind: HTTP2Abuse) {
        var limits = HTTP2Limits()
        let rate = HTTP2Rate(burst: 10, perSecond: 2)
        limits.receivedResets = rate
        limits.earlyResets = rate
        limits.sentResets = rate
        limits.priorities = rate
        limits.pings = rate
        limits.settings = rate
        limits.invalidFrames = rate
        limits.unknownFrames = rate
        var allowance = Self.allowance(limits, share: 1, glitches: rate)
        var now = Self.start
        func take(_ count: UInt64) -> HTTP2Abuse? {
            allowance.take(Self.counters(kind, count), now: now)
        }
        #expect(take(10) == nil)
        #expect(take(1) == kind)
        now = now.adding(.milliseconds(500))
        #expect(take(1) == nil && take(1) == kind)
        now = now.adding(.seconds(1_000_000))
        #expect(take(10) == nil && take(1) == kind)
    }

    @Test func countersAddUpAndGiveTheirDifference() {
        let victim = Victim()
        victim.receive(Frames.ping() + Frames.priority(1) + Frames.request(1))
        let earlier = victim.session.counters
        victim.receive(Frames.ping() + Frames.ping() + Frames.headers(3, Frames.head()))
        let later = victim.session.counters
        let news = later.since(earlier)
        #expect(news.pings == 2 && news.priorities == 0 && news.streams == 1)
        #expect(news.glitches == 2 && news.largestHeaderBlock == later.largestHeaderBlock)
        var sum = earlier
        sum += news
        #expect(sum == later)
        #expect(later.events.first { $0.name == "pings" }?.count == 3)
        // Each figure that only grows has its name, and no two share one.
        #expect(Set(later.events.map(\.name)).count == later.events.count)
    }

    private static func counters(_ kind: HTTP2Abuse, _ count: UInt64) -> HTTP2Counters {
        var counters = HTTP2Counters()
        switch kind {
        case .receivedResets: counters.receivedResets = count
        case .earlyResets: counters.earlyResets = count
        case .sentResets: counters.sentResets = count
        case .priorities: counters.priorities = count
        case .pings: counters.pings = count
        case .settings: counters.settings = count
        case .invalidFrames: counters.invalidFrames = count
        case .unknownFrames: counters.unknownFrames = count
        default: counters.glitches = count
        }
        return counters
    }
}
