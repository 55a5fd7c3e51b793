// SPDX-License-Identifier: Apache-2.0
import Bytes
import HTTP
import HTTP2
import Testing

@Suite struct EndingTests {
    @Test func drainServesWhatIsOpenAndNothingNew() throws {
        let pair = Pair()
        let id = try pair.client.submitRequest(try request(.get), isLast: true)
        try pair.run()
        pair.server.announceShutdown()
        try pair.run()
        #expect(pair.client.isGoingAway && !pair.server.isDrained)
        #expect(
            pair.takeClientEvents().last
                == .goAway(last: HTTP2StreamID(.max), .noError))
        #expect(throws: HTTP2SubmitError.goingAway) {
            try pair.client.submitRequest(try request(.get), isLast: true)
        }
        pair.server.goAway()
        try pair.run()
        #expect(pair.takeClientEvents() == [.goAway(last: id, .noError)])
        #expect(!pair.server.isDrained && !pair.server.isFinished)
        try pair.server.submitResponse(HTTPResponseHead(status: 200), on: id, isLast: true)
        try pair.run()
        #expect(pair.takeClientEvents().last == .closed(id, completed()))
        #expect(pair.server.isDrained && pair.server.isFinished && pair.client.isFinished)
        #expect(pair.server.failure == nil)
    }

    /// A request that crosses the last GOAWAY comes back as one that may be sent again.
    @Test func aRequestThatCrossesTheGoAwayIsRetryable() throws {
        let pair = Pair()
        try pair.run()
        let served = try pair.client.submitRequest(try request(.get), isLast: true)
        try pair.run()
        pair.server.goAway()
        let late = try pair.client.submitRequest(try request(.get), isLast: true)
        try pair.run()
        let refused = HTTP2Closure(initiator: .peer, code: .refusedStream, isRetryable: true)
        #expect(pair.takeClientEvents().contains(.closed(late, refused)))
        #expect(pair.client.openStreams == 1)
        try pair.server.submitResponse(HTTPResponseHead(status: 200), on: served, isLast: true)
        try pair.run()
        #expect(pair.client.isFinished)
    }

    @Test func resetsReachTheOtherSide() throws {
        let pair = Pair()
        let first = try pair.client.submitRequest(try request(), isLast: false)
        let second = try pair.client.submitRequest(try request(), isLast: false)
        try pair.run()
        _ = pair.takeServerEvents()
        _ = pair.takeClientEvents()
        pair.client.reset(first, .cancel)
        pair.server.reset(second, .internalError)
        try pair.run()
        #expect(
            Set(pair.takeServerEvents().compactMap(closure)) == [
                HTTP2Closure(initiator: .peer, code: .cancel, isRetryable: false),
                HTTP2Closure(initiator: .owner, code: .internalError, isRetryable: false),
            ])
        #expect(
            Set(pair.takeClientEvents().compactMap(closure)) == [
                HTTP2Closure(initiator: .owner, code: .cancel, isRetryable: false),
                HTTP2Closure(initiator: .peer, code: .internalError, isRetryable: false),
            ])
        // A reset that the owner wanted is not held against the peer.
        #expect(pair.server.counters.sentResets == 0)
        #expect(pair.server.counters.earlyResets == 1)
        #expect(throws: HTTP2SubmitError.noSuchStream) {
            try pair.server.submitResponse(HTTPResponseHead(status: 200), on: first, isLast: true)
        }
    }

    @Test func refusedStreamsAreRetryable() throws {
        let pair = Pair()
        let id = try pair.client.submitRequest(try request(), isLast: true)
        try pair.run()
        pair.server.reset(id, .refusedStream)
        try pair.run()
        let refused = HTTP2Closure(initiator: .peer, code: .refusedStream, isRetryable: true)
        #expect(pair.takeClientEvents().last == .closed(id, refused))
    }

    @Test func theClientKeepsToTheServersNumberOfStreams() throws {
        var limits = HTTP2Limits()
        limits.concurrentStreams = 3
        let pair = Pair(server: limits)
        try pair.run()
        #expect(pair.client.availableStreams == 3)
        for _ in 0..<3 { _ = try pair.client.submitRequest(try request(), isLast: true) }
        #expect(throws: HTTP2SubmitError.noCapacity) {
            try pair.client.submitRequest(try request(), isLast: true)
        }
        try pair.run()
        try pair.server.submitResponse(HTTPResponseHead(status: 200), on: 1, isLast: true)
        try pair.run()
        #expect(pair.client.availableStreams == 1)
        #expect(pair.server.counters.refusedStreams == 0)
    }

    /// nghttp2 reports nothing when a session is dropped; every stream is told nevertheless.
    @Test func aLostConnectionClosesEachStream() throws {
        let pair = Pair()
        let sent = try pair.client.submitRequest(try request(), isLast: false)
        try pair.run()
        let unsent = try pair.client.submitRequest(try request(), isLast: false)
        pair.client.connectionLost()
        pair.server.connectionLost()
        #expect(
            pair.client.takeEvents() == [
                .closed(
                    sent,
                    HTTP2Closure(initiator: .connection, code: .noError, isRetryable: false)),
                .closed(
                    unsent,
                    HTTP2Closure(initiator: .connection, code: .noError, isRetryable: true)),
            ])
        #expect(pair.server.takeEvents().count == 1)
        #expect(pair.client.isFinished && !pair.client.wantsOutput)
        #expect(throws: HTTP2Error.ended) { try pair.client.receive([0], now: pair.now) }
    }

    @Test func terminationLeavesOneGoAway() throws {
        let pair = Pair()
        let id = try pair.client.submitRequest(try request(), isLast: false)
        try pair.run()
        _ = pair.takeClientEvents()
        pair.server.terminate(.inadequateSecurity)
        try pair.run()
        let events = pair.takeClientEvents()
        #expect(events.first == .goAway(last: id, .inadequateSecurity))
        #expect(pair.server.isFinished)
    }

    private func closure(_ event: HTTP2Event) -> HTTP2Closure? {
        if case .closed(_, let closure) = event { closure } else { nil }
    }
}

extension HTTP2Closure: Hashable {
    /// Enough of it to tell closures apart in a set.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(code)
        hasher.combine(isRetryable)
    }
}
