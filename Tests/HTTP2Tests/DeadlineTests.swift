// SPDX-License-Identifier: Apache-2.0
import Bytes
import HTTP
import HTTP2
import TestSupport
import Testing

@Suite struct DeadlineTests {
    @Test func aSilentPeerHasFiveSeconds() throws {
        let victim = Victim(greeted: false)
        victim.send()
        #expect(victim.session.nextDeadline == victim.now.adding(.seconds(5)))
        victim.advance(.milliseconds(4_999))
        victim.expire()
        #expect(victim.error == nil)
        victim.advance(.milliseconds(1))
        victim.expire()
        #expect(victim.error == .late(.preface) && victim.goAway == .enhanceYourCalm)
    }

    @Test func halfAPrefaceIsNoPreface() {
        let victim = Victim(greeted: false)
        for octet in Frames.preface.dropLast() {
            victim.receive([octet])
            victim.advance(.milliseconds(200))
        }
        victim.advance(.milliseconds(400))
        victim.expire()
        #expect(victim.error == .late(.preface))
    }

    @Test func settingsMustBeAcknowledged() {
        let victim = Victim(greeted: false)
        victim.receive(Frames.hello)
        #expect(victim.session.nextDeadline == victim.now.adding(.seconds(10)))
        victim.advance(.seconds(10))
        victim.expire()
        #expect(victim.error == .late(.settingsAck) && victim.goAway == .settingsTimeout)
        #expect(victim.session.nextDeadline == nil)
    }

    /// One octet every quarter of a second is progress and does not help.
    @Test func headersHaveTenSecondsInAll() {
        let victim = Victim()
        let frame = Frames.headers(1, Frames.head())
        for octet in frame.prefix(40) {
            victim.receive([octet])
            victim.advance(.milliseconds(250))
            victim.expire()
        }
        #expect(victim.error == .late(.headers))
    }

    @Test func aHeaderBlockWithoutEndHasTenSecondsToo() {
        let victim = Victim()
        victim.receive(Frames.headers(1, Frames.head(), whole: false))
        victim.advance(.seconds(9))
        victim.receive(Frames.continuation(1, [], last: false))
        victim.expire()
        #expect(victim.error == nil)
        victim.advance(.seconds(1))
        victim.expire()
        #expect(victim.error == .late(.headers))
    }

    @Test func aSlowDataFrameIsNotAHeader() {
        let victim = Victim()
        victim.receive(Frames.request(1, end: false))
        let frame = Frames.data(1, [UInt8](repeating: 1, count: 16_000))
        for start in stride(from: 0, to: frame.count, by: 400) {
            victim.receive(Array(frame[start..<min(start + 400, frame.count)]))
            victim.advance(.seconds(2))
            victim.expire()
        }
        #expect(victim.error == nil && victim.session.openStreams == 1)
    }

    /// A client that opens no window gets its stream reset, and only that.
    @Test func zeroWindowIsResetAfterTenSeconds() throws {
        let victim = Victim()
        victim.receive(Frames.settings([(4, 0)]))
        victim.receive(Frames.request(1))
        victim.receive(Frames.request(3))
        for id: HTTP2StreamID in [1, 3] {
            try victim.session.submitResponse(
                HTTPResponseHead(status: 200), on: id, isLast: false)
        }
        // The second has nothing to send: an idle stream of events may wait for ever.
        _ = victim.session.write([1, 2, 3], on: 1)
        victim.send()
        run(victim, seconds: 9)
        #expect(victim.session.openStreams == 2)
        run(victim, seconds: 3)
        #expect(victim.resets(of: 1) == [.cancel] && victim.resets(of: 3) == [])
        let closure = HTTP2Closure(initiator: .session, code: .cancel, isRetryable: false)
        #expect(victim.events.last == .closed(1, closure))
        #expect(victim.session.counters.stalledWrites == 1)
        run(victim, seconds: 100)
        #expect(victim.session.openStreams == 1 && victim.error == nil)
    }

    /// A window that is opened by an octet at a time is too little progress.
    @Test func dribbledWindowIsNoProgress() throws {
        let victim = Victim()
        victim.receive(Frames.settings([(4, 0)]))
        victim.receive(Frames.request(1))
        try victim.session.submitResponse(HTTPResponseHead(status: 200), on: 1, isLast: false)
        _ = victim.session.write([UInt8](repeating: 1, count: 5_000), on: 1)
        for _ in 0..<12 {
            victim.receive(Frames.windowUpdate(1, 1))
            run(victim, seconds: 1)
        }
        #expect(victim.resets(of: 1) == [.cancel])
    }

    /// Small windows make few small frames, not many: at once, then one in 100 ms.
    @Test func smallWritesWaitForTheTick() throws {
        let victim = Victim()
        victim.receive(Frames.settings([(4, 1)]))
        victim.receive(Frames.request(1))
        try victim.session.submitResponse(HTTPResponseHead(status: 200), on: 1, isLast: false)
        _ = victim.session.write([UInt8](repeating: 1, count: 5_000), on: 1)
        victim.send()
        #expect(dataSizes(victim) == [1])
        for _ in 0..<20 { victim.receive(Frames.windowUpdate(1, 1)) }
        #expect(dataSizes(victim) == [1])
        #expect(victim.session.counters.smallWritesHeld > 0)
        #expect(victim.session.nextDeadline == victim.now.adding(.milliseconds(100)))
        victim.advance(.milliseconds(100))
        victim.expire()
        #expect(dataSizes(victim) == [1, 20])
        // A window worth a frame is used at once.
        victim.receive(Frames.windowUpdate(1, 2_000))
        #expect(dataSizes(victim) == [1, 20, 2_000])
    }

    @Test func aBodyThatDoesNotComeIsReset() {
        let victim = Victim()
        victim.receive(Frames.request(1, end: false))
        run(victim, seconds: 9)
        #expect(victim.session.openStreams == 1)
        run(victim, seconds: 3)
        #expect(victim.resets(of: 1) == [.cancel])
        #expect(victim.session.counters.stalledReads == 1)
    }

    /// When the owner does not read, the client is not late.
    @Test func anUnreadBodyIsNotTheClientsFault() {
        let victim = Victim()
        victim.receive(Frames.request(1, end: false))
        for _ in 0..<4 {
            victim.receive(Frames.data(1, [UInt8](repeating: 1, count: 16_000)))
        }
        run(victim, seconds: 60)
        #expect(victim.session.openStreams == 1)
    }

    /// Nor when the bodies of other streams fill the connection's window.
    @Test func aFullConnectionIsNotTheClientsFault() {
        let victim = Victim()
        for number in 0..<10 {
            let stream = Int32(number) * 2 + 1
            victim.receive(Frames.request(stream, end: false))
            for _ in 0..<4 {
                victim.receive(Frames.data(stream, [UInt8](repeating: 1, count: 16_000)))
            }
        }
        victim.receive(Frames.request(21, end: false))
        run(victim, seconds: 60)
        #expect(victim.session.openStreams == 11)
    }

    @Test func nothingIsDueOnAnIdleConnection() {
        let victim = Victim()
        #expect(victim.session.nextDeadline == nil)
    }

    private func run(_ victim: Victim, seconds: Int) {
        for _ in 0..<seconds {
            victim.advance(.seconds(1))
            victim.expire()
        }
    }

    private func dataSizes(_ victim: Victim) -> [Int] {
        victim.sent.filter { $0.type == 0 }.map(\.payload.count)
    }
}
