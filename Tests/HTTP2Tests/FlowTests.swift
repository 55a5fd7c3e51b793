// SPDX-License-Identifier: Apache-2.0
import Bytes
import HTTP
import HTTP2
import TestSupport
import Testing

@Suite struct FlowTests {
    /// A reader that never consumes gets one window and no more, however much is written; what is
    /// consumed lets exactly that much follow.
    @Test func anUnreadBodyStopsAtTheWindow() throws {
        let pair = Pair()
        let id = try open(pair)
        try pair.server.submitResponse(HTTPResponseHead(status: 200), on: id, isLast: false)
        let chunk = [UInt8](repeating: 7, count: 16 << 10)
        for _ in 0..<16 { _ = pair.server.write(chunk, on: id) }
        try pair.run()
        let window = pair.client.limits.streamWindow
        #expect(bytes(pair.takeClientEvents()) == window)
        #expect(pair.server.pendingBytes(on: id) == 16 * chunk.count - window)
        pair.client.consume(window, on: id)
        try pair.run()
        #expect(bytes(pair.takeClientEvents()) == window)
    }

    /// The writer hears when to stop and when to go on, and keeps no more than its high water and
    /// one chunk although the reader takes all day: memory is bounded at every moment.
    @Test func aSlowReaderBoundsTheWritersMemory() throws {
        let pair = Pair()
        let id = try open(pair)
        try pair.server.submitResponse(HTTPResponseHead(status: 200), on: id, isLast: false)
        let total = 4 << 20
        let chunk = [UInt8](repeating: 7, count: 10_000)
        var written = 0
        var read = 0
        var mayWrite = true
        var most = 0
        while read < total {
            while mayWrite, written < total {
                let backlog = pair.server.write(Array(chunk.prefix(total - written)), on: id)
                written += min(chunk.count, total - written)
                mayWrite = backlog == .room
            }
            if written == total { mayWrite = false }
            most = max(most, pair.server.pendingBytes(on: id))
            try pair.run()
            if pair.takeServerEvents().contains(.writable(id)) { mayWrite = true }
            let count = bytes(pair.takeClientEvents())
            #expect(count > 0, "the stream stands still")
            if count == 0 { break }
            pair.client.consume(count, on: id)
            read += count
        }
        #expect(read == total)
        #expect(most <= pair.server.limits.highWater + chunk.count)
    }

    /// Many streams together are held by the connection's window.
    @Test func allStreamsTogetherStopAtTheConnectionsWindow() throws {
        let pair = Pair()
        let body = [UInt8](repeating: 7, count: 64 << 10)
        for _ in 0..<20 {
            let id = try pair.client.submitRequest(try request(), isLast: false)
            _ = pair.client.write(body, on: id)
            pair.client.finish(id)
        }
        try pair.run()
        #expect(bytes(pair.takeServerEvents()) == pair.server.limits.connectionWindow)
    }

    /// A body that its owner abandons gives all its window back, so the connection lives on.
    @Test func abandonedBodiesFreeTheWindow() throws {
        let pair = Pair()
        let body = [UInt8](repeating: 7, count: 64 << 10)
        for _ in 0..<40 {
            let id = try pair.client.submitRequest(try request(), isLast: false)
            _ = pair.client.write(body, on: id)
            pair.client.finish(id)
            try pair.run()
            pair.server.abandon(id)
            try pair.server.submitResponse(HTTPResponseHead(status: 413), on: id, isLast: true)
            try pair.run()
        }
        let answers = pair.takeClientEvents().filter {
            if case .closed(_, completed()) = $0 { true } else { false }
        }
        #expect(answers.count == 40)
    }

    /// What an owner still holds of a stream that ended in order counts on.
    @Test func unreadBytesOfEndedStreamsCountOn() throws {
        let pair = Pair()
        let body = [UInt8](repeating: 7, count: 60_000)
        var ids: [HTTP2StreamID] = []
        func exchange() throws {
            let id = try open(pair)
            ids.append(id)
            try pair.server.submitResponse(HTTPResponseHead(status: 200), on: id, isLast: false)
            _ = pair.server.write(body, on: id)
            pair.server.finish(id)
            try pair.run()
        }
        for _ in 0..<17 { try exchange() }
        let room = pair.client.limits.connectionWindow - 17 * body.count
        try exchange()
        #expect(pair.server.pendingBytes(on: try #require(ids.last)) == body.count - room)
        for id in ids.prefix(10) { pair.client.consume(body.count, on: id) }
        try pair.run()
        #expect(pair.server.openStreams == 0)
    }

    /// The session resets a stream while bytes of it still wait for the owner: the owner may
    /// consume them all the same.
    @Test func bytesOfAStreamThatWasResetMayBeConsumed() {
        let victim = Victim()
        victim.receive(
            Frames.request(1, end: false) + Frames.data(1, [1, 2, 3])
                + Frames.headers(1, (0..<101).flatMap { _ in Frames.literal("x", "y") }))
        #expect(victim.events.contains(.data(1, [1, 2, 3])))
        victim.session.consume(3, on: 1)
        victim.session.abandon(1)
        #expect(victim.error == nil)
    }

    /// A response that is complete before its abandoned request resets it with NO_ERROR.
    @Test func anEarlyResponseStopsTheRequest() throws {
        let pair = Pair()
        let id = try pair.client.submitRequest(try request(), isLast: false)
        _ = pair.client.write([UInt8](repeating: 7, count: 200_000), on: id)
        try pair.run()
        pair.server.abandon(id)
        try pair.server.submitResponse(HTTPResponseHead(status: 413), on: id, isLast: true)
        try pair.run()
        let events = pair.takeClientEvents()
        #expect(
            events.contains(.response(id, HTTPResponseHead(status: 413), isLast: true)))
        #expect(
            events.last
                == .closed(
                    id,
                    HTTP2Closure(initiator: .peer, code: .noError, isRetryable: false)))
        #expect(pair.client.write([1], on: id) == .gone)
        #expect(pair.server.counters.sentResets == 0)
    }

    /// A stream that always has something to send does not starve a later one.
    @Test func streamsShareTheLine() throws {
        let pair = Pair()
        let first = try open(pair)
        let second = try open(pair)
        for id in [first, second] {
            try pair.server.submitResponse(HTTPResponseHead(status: 200), on: id, isLast: false)
            _ = pair.server.write([UInt8](repeating: 7, count: 60_000), on: id)
        }
        var output: [UInt8] = []
        pair.server.takeOutput(into: &output, atMost: 50_000, now: pair.now)
        #expect(pair.server.pendingBytes(on: first) < 60_000)
        #expect(pair.server.pendingBytes(on: second) < 60_000)
    }

    private func open(_ pair: Pair) throws -> HTTP2StreamID {
        let id = try pair.client.submitRequest(try request(.get), isLast: true)
        try pair.run()
        return id
    }

    private func bytes(_ events: [HTTP2Event]) -> Int {
        events.reduce(0) { sum, event in
            if case .data(_, let bytes) = event { sum + bytes.count } else { sum }
        }
    }
}
