// SPDX-License-Identifier: Apache-2.0
import Bytes
import HTTP
import HTTP2
import TestSupport
import Testing

/// One attack for every limit: it is served up to the limit, cut behind it, told why, and counted.
@Suite struct AbuseTests {
    /// Each attack's unit, sent until it is cut; the figure at the cut is the limit and one.
    struct Flood: Sendable, CustomTestStringConvertible {
        let abuse: HTTP2Abuse
        let figure: UInt64
        let unit: @Sendable (Int) -> [UInt8]
        var before: [UInt8] = []
        var testDescription: String { abuse.rawValue }
    }

    static let floods: [Flood] = [
        // Each opens and resets a stream that is answered at once, so none of them is early.
        Flood(
            abuse: .receivedResets, figure: 101,
            unit: { Frames.reset(Int32($0 % 50) * 2 + 1) },
            before: (0..<50).flatMap { Frames.request($0 * 2 + 1, end: false) }),
        Flood(
            abuse: .earlyResets, figure: 51,
            unit: {
                Frames.request(Int32($0) * 2 + 1, end: false) + Frames.reset(Int32($0) * 2 + 1)
            }
        ),
        // A window that overflows is the stream's fault only (MadeYouReset).
        Flood(
            abuse: .sentResets, figure: 101,
            unit: {
                let stream = Int32($0) * 2 + 1
                return Frames.request(stream, end: false)
                    + Frames.windowUpdate(stream, 0x7FFF_FFFF)
            }),
        Flood(
            abuse: .emptyData, figure: 11, unit: { _ in Frames.data(1) },
            before: Frames.request(1, end: false)),
        Flood(abuse: .priorities, figure: 101, unit: { _ in Frames.priority(1) }),
        Flood(abuse: .settings, figure: 11, unit: { _ in Frames.settings([]) }),
        Flood(abuse: .pings, figure: 21, unit: { _ in Frames.ping() }),
        Flood(abuse: .windowUpdates, figure: 101, unit: { _ in Frames.windowUpdate(0, 1) }),
        Flood(
            abuse: .continuations, figure: 65,
            unit: { _ in Frames.continuation(1, [], last: false) },
            before: Frames.headers(1, Frames.head(), whole: false)),
        Flood(abuse: .unknownFrames, figure: 101, unit: { _ in Frames.frame(0xFA, [1, 2, 3]) }),
    ]

    @Test(arguments: floods)
    func isServedToTheLimitAndCutBehindIt(_ flood: Flood) {
        var limits = HTTP2Limits()
        limits.glitches = HTTP2Rate(burst: 1_000_000, perSecond: 0)
        limits.invalidFrames = limits.glitches
        let victim = Victim(limits)
        victim.receive(flood.before)
        if flood.abuse == .receivedResets { answerAll(victim) }
        var sent = 0
        while victim.error == nil, sent < 1_000 {
            victim.receive(flood.unit(sent))
            sent += 1
        }
        #expect(victim.error == .abuse(flood.abuse))
        #expect(victim.goAway == .enhanceYourCalm)
        #expect(victim.session.counters.figure(of: flood.abuse) == flood.figure)
        #expect(victim.session.failure == .abuse(flood.abuse))
        #expect(victim.session.isFinished && !victim.session.wantsOutput)
        #expect(victim.session.openStreams == 0)
    }

    /// The same flood at half the pace that is forgiven goes on for ever.
    @Test(
        arguments: floods.filter {
            ![.emptyData, .windowUpdates, .continuations].contains($0.abuse)
        })
    func isForgivenOverTime(_ flood: Flood) {
        var limits = HTTP2Limits()
        limits.glitches = HTTP2Rate(burst: 1_000_000, perSecond: 0)
        limits.invalidFrames = limits.glitches
        let victim = Victim(limits)
        victim.receive(flood.before)
        if flood.abuse == .receivedResets { answerAll(victim) }
        for number in 0..<300 {
            victim.advance(.seconds(2))
            victim.receive(flood.unit(number))
        }
        #expect(victim.error == nil)
    }

    @Test func settingsWithTooManyEntries() {
        let victim = Victim()
        victim.receive(Frames.settings(Array(repeating: (4, 65_535), count: 32)))
        #expect(victim.error == nil)
        victim.receive(Frames.settings(Array(repeating: (4, 65_535), count: 33)))
        #expect(victim.error == .abuse(.settingsEntries))
        #expect(victim.session.counters.settingsEntries == 65)
    }

    @Test func headerBlockWithTooManyOctets() {
        let victim = Victim()
        // A size update of the table, which adds no field, fills the block.
        let padding = [UInt8](repeating: 0x20, count: 16_000)
        victim.receive(Frames.headers(1, padding, whole: false))
        for _ in 0..<3 { victim.receive(Frames.continuation(1, padding, last: false)) }
        #expect(victim.error == nil)
        victim.receive(Frames.continuation(1, padding, last: false))
        #expect(victim.error == .abuse(.headerBlock))
        #expect(victim.session.counters.largestHeaderBlock == 80_000)
    }

    @Test func headerListOverTheLimitIsAnswered431ThenCut() {
        let victim = Victim()
        let fields = (0..<98).map { _ in ("x", "y") }
        victim.receive(Frames.request(1, fields))
        #expect(victim.events.last == .rejected(1, .headerListTooLarge))
        let answer = victim.sent.first { $0.type == 1 && $0.stream == 1 }
        #expect(answer?.payload.isEmpty == false && answer?.flags == 5)
        #expect(victim.error == nil && victim.session.counters.oversizedHeaderLists == 1)
        // The connection still serves.
        victim.receive(Frames.request(3, Array(fields.prefix(96))))
        guard case .request(3, _, isLast: true) = victim.events.last else {
            Issue.record("not served")
            return
        }
        victim.receive(Frames.request(5, fields))
        #expect(victim.error == .abuse(.headerList))
        #expect(victim.goAway == .enhanceYourCalm)
    }

    @Test func cookieCrumbsAreFieldsToo() {
        let victim = Victim()
        victim.receive(Frames.request(1, (0..<97).map { _ in ("cookie", "a=1") }))
        #expect(victim.events.last == .rejected(1, .headerListTooLarge))
    }

    @Test func trailersAreCountedToo() {
        let victim = Victim()
        victim.receive(Frames.request(1, end: false))
        let trailers = (0..<101).flatMap { _ in Frames.literal("x", "y") }
        victim.receive(Frames.headers(1, trailers))
        #expect(victim.resets(of: 1).count == 1)
        #expect(victim.session.counters.oversizedHeaderLists == 1)
        victim.receive(Frames.request(3, end: false))
        victim.receive(Frames.headers(3, trailers))
        #expect(victim.error == .abuse(.headerList))
    }

    /// One octet of HPACK makes a field of 4 KiB (CVE-2026-49975): cut while it is decoded, and
    /// nothing was kept of it.
    @Test func hpackBombIsCutTheFirstTime() {
        let victim = Victim()
        let value = String(repeating: "a", count: 4_000)
        let bomb = [UInt8](repeating: 0x80 | 62, count: 16_000)
        victim.receive(Frames.headers(1, Frames.head() + Frames.indexed("x", value)))
        victim.receive(Frames.headers(3, Frames.head() + bomb))
        #expect(victim.error == .abuse(.headerList))
        #expect(victim.goAway == .enhanceYourCalm)
    }

    @Test func invalidFrames() {
        var limits = HTTP2Limits()
        limits.glitches = HTTP2Rate(burst: 1_000_000, perSecond: 0)
        limits.sentResets = HTTP2Rate(burst: 1_000, perSecond: 0)
        let victim = Victim(limits)
        var stream: Int32 = 1
        while victim.error == nil, stream < 2_000 {
            victim.receive(Frames.request(stream, [("connection", "close")]))
            stream += 2
        }
        #expect(victim.error == .abuse(.invalidFrames))
        #expect(victim.session.counters.invalidFrames == 101)
    }

    @Test func interimResponses() throws {
        let now = MonotonicInstant(nanoseconds: 1)
        let client = HTTP2Session(role: .client, now: now)
        _ = try client.submitRequest(try request(), isLast: true)
        var output: [UInt8] = []
        client.takeOutput(into: &output, atMost: 1 << 20, now: now)
        let interim = Frames.headers(1, Frames.literal(":status", "103"), end: false)
        try client.receive(Frames.settings([]), now: now)
        for _ in 0..<10 { try client.receive(interim, now: now) }
        #expect(throws: HTTP2Error.abuse(.interimResponses)) {
            try client.receive(interim, now: now)
        }
        #expect(client.counters.interimResponses == 11)
    }

    /// A peer that reads nothing while it makes us answer.
    @Test func unreadAcknowledgements() {
        var limits = HTTP2Limits()
        limits.pings = HTTP2Rate(burst: 100_000, perSecond: 0)
        limits.glitches = limits.pings
        let victim = Victim(limits)
        for _ in 0..<99 { victim.receive(Frames.ping(), answers: false) }
        #expect(victim.error == nil)
        for _ in 0..<10 { victim.receive(Frames.ping(), answers: false) }
        #expect(victim.error == .abuse(.outboundControlFrames))
        #expect(victim.session.counters.controlFloods == 1)
    }

    @Test func unreadFrames() {
        var limits = HTTP2Limits()
        limits.outboundFrames = 50
        limits.glitches = HTTP2Rate(burst: 1_000_000, perSecond: 0)
        let victim = Victim(limits)
        for number in 0..<51 {
            let stream = Int32(number) * 2 + 1
            victim.receive(
                Frames.request(stream, end: false) + Frames.windowUpdate(stream, 0x7FFF_FFFF),
                answers: false)
        }
        #expect(victim.error == .abuse(.outboundFrames))
        #expect(victim.session.counters.mostOutboundFrames == 51)
    }

    @Test func theSumOfOddities() {
        var limits = HTTP2Limits()
        limits.glitches = HTTP2Rate(burst: 50, perSecond: 1)
        let victim = Victim(limits)
        for _ in 0..<20 { victim.receive(Frames.ping()) }
        for _ in 0..<30 { victim.receive(Frames.priority(1)) }
        #expect(victim.error == nil && victim.session.counters.glitches == 50)
        victim.receive(Frames.priority(1))
        #expect(victim.error == .abuse(.glitches))
        // The one too many, and that it was cut.
        #expect(victim.session.counters.glitches == 151)
    }

    @Test func oneStreamTooManyIsRefusedNotCut() {
        let victim = Victim()
        for number in 0..<100 { victim.receive(Frames.request(Int32(number) * 2 + 1)) }
        #expect(victim.error == nil && victim.session.openStreams == 100)
        victim.receive(Frames.request(201))
        // The client had acknowledged the limit: RFC 9113 §5.1.2 lets us treat it as an error.
        #expect(victim.goAway == .protocolError || victim.resets(of: 201) == [.refusedStream])
    }

    @Test func streamsBeforeTheSettingsWereReadAreRefused() {
        let victim = Victim(greeted: false)
        victim.receive(Frames.hello)
        for number in 0..<101 { victim.receive(Frames.request(Int32(number) * 2 + 1)) }
        #expect(victim.error == nil && victim.session.openStreams == 100)
        #expect(victim.resets(of: 201) == [.refusedStream])
        #expect(victim.session.counters.refusedStreams == 1)
    }

    /// A flood in one packet is stopped inside the packet.
    @Test func aPacketIsNotServedToItsEnd() {
        let victim = Victim()
        victim.receive((0..<10_000).flatMap { _ in Frames.ping() })
        #expect(victim.error == .abuse(.pings))
        #expect(victim.session.counters.pings == 21)
        #expect(victim.sent.filter { $0.type == 6 }.count <= 20)
    }

    /// The same where only the library's callbacks see that it is enough.
    @Test func aPacketThatTheLibraryJudgesIsNotServedToItsEnd() {
        let empty = Victim()
        empty.receive(Frames.request(1, end: false))
        empty.receive((0..<1_000).flatMap { _ in Frames.data(1) })
        #expect(empty.error == .abuse(.emptyData) && empty.session.counters.emptyData == 11)
        let resets = Victim()
        var packet: [UInt8] = []
        for stream in stride(from: Int32(1), to: 181, by: 2) {
            packet += Frames.request(stream, end: false)
            packet += Frames.reset(stream)
        }
        resets.receive(packet)
        #expect(resets.error == .abuse(.earlyResets))
        #expect(resets.session.counters.earlyResets == 51)
        let invalid = Victim()
        packet = []
        for stream in stride(from: Int32(1), to: 401, by: 2) {
            packet += Frames.request(stream, [("connection", "close")])
        }
        invalid.receive(packet)
        #expect(invalid.error == .abuse(.invalidFrames) || invalid.error == .abuse(.glitches))
        #expect(invalid.session.counters.invalidFrames <= 101)
    }

    private func answerAll(_ victim: Victim) {
        for case .request(let id, _, _) in victim.events {
            try? victim.session.submitResponse(
                HTTPResponseHead(status: 200), on: id, isLast: false)
        }
        victim.send()
    }
}
