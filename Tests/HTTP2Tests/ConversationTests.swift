// SPDX-License-Identifier: Apache-2.0
import Bytes
import HTTP
import HTTP2
import Testing

@Suite struct ConversationTests {
    /// One request and response with bodies and trailers both ways; a piece of one byte shows
    /// that nothing depends on how the bytes are cut.
    @Test(arguments: [Int.max, 1, 2, 9, 10])
    func unary(pieces: Int) throws {
        let pair = Pair(pieces: pieces)
        let head = try request(.post, "/x?y=1", ["content-type": "application/json"])
        let id = try pair.client.submitRequest(head, isLast: false)
        #expect(pair.client.write(Array("hello".utf8), on: id) == .room)
        pair.client.finish(id, trailers: ["x-sum": "7"])
        try pair.run()
        #expect(
            joined(pair.takeServerEvents()) == [
                .settings, .request(1, head, isLast: false), .data(1, Array("hello".utf8)),
                .end(1, trailers: ["x-sum": "7"]),
            ])
        pair.server.consume(5, on: 1)
        let answer = HTTPResponseHead(status: 200, fields: ["content-type": "text/plain"])
        try pair.server.submitResponse(answer, on: 1, isLast: false)
        #expect(pair.server.write(Array("wor".utf8), on: 1) == .room)
        #expect(pair.server.write(Array("ld".utf8), on: 1) == .room)
        pair.server.finish(1, trailers: ["grpc-status": "0"])
        try pair.run()
        #expect(
            joined(pair.takeClientEvents()) == [
                .settings, .response(1, answer, isLast: false), .data(1, Array("world".utf8)),
                .end(1, trailers: ["grpc-status": "0"]), .closed(1, completed()),
            ])
        #expect(pair.takeServerEvents() == [.closed(1, completed())])
        #expect(pair.client.openStreams == 0 && pair.server.openStreams == 0)
    }

    @Test func headsWithoutBodies() throws {
        let pair = Pair()
        let head = try request(.get)
        let id = try pair.client.submitRequest(head, isLast: true)
        try pair.run()
        #expect(pair.takeServerEvents().contains(.request(id, head, isLast: true)))
        try pair.server.submitResponse(HTTPResponseHead(status: 204), on: id, isLast: true)
        try pair.run()
        #expect(
            pair.takeClientEvents().dropFirst() == [
                .response(id, HTTPResponseHead(status: 204), isLast: true),
                .closed(id, completed()),
            ])
    }

    /// No empty DATA goes before the trailers, and one empty DATA ends a body without any.
    @Test(arguments: [[:], ["grpc-status": "5"] as HTTPFields])
    func emptyBodies(trailers: HTTPFields) throws {
        let pair = Pair()
        let id = try pair.client.submitRequest(try request(.get), isLast: true)
        try pair.run()
        let head = HTTPResponseHead(status: 200)
        try pair.server.submitResponse(head, on: id, isLast: false)
        pair.server.finish(id, trailers: trailers)
        try pair.run()
        #expect(
            pair.takeClientEvents().dropFirst() == [
                .response(id, head, isLast: false), .end(id, trailers: trailers),
                .closed(id, completed()),
            ])
        #expect(pair.client.counters.emptyData == 0)
    }

    @Test func thePrefaceIsRecognized() {
        let bytes = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
        for count in 0..<24 {
            #expect(HTTP2Preface.recognize(bytes.prefix(count)) == .tooFew)
        }
        #expect(HTTP2Preface.recognize((bytes + [0])[...]) == .http2)
        #expect(HTTP2Preface.recognize(Array("POST".utf8)[...]) == .other)
    }

    @Test func interimAnswersAreSkipped() throws {
        let pair = Pair()
        let id = try pair.client.submitRequest(try request(.get), isLast: true)
        try pair.run()
        try pair.server.submitInformational(HTTPResponseHead(status: 103), on: id)
        try pair.server.submitResponse(HTTPResponseHead(status: 200), on: id, isLast: true)
        try pair.run()
        let answer = HTTP2Event.response(id, HTTPResponseHead(status: 200), isLast: true)
        #expect(pair.takeClientEvents().contains(answer))
        #expect(pair.client.counters.interimResponses == 1)
    }

    @Test func streamsBothWaysAtOnce() throws {
        let pair = Pair()
        let id = try pair.client.submitRequest(try request(), isLast: false)
        try pair.run()
        try pair.server.submitResponse(HTTPResponseHead(status: 200), on: id, isLast: false)
        for number in 0..<100 {
            let text = Array("\(number)".utf8)
            #expect(pair.client.write(text, on: id) == .room)
            try pair.run()
            #expect(pair.takeServerEvents().last == .data(id, text))
            pair.server.consume(text.count, on: id)
            #expect(pair.server.write(text, on: id) == .room)
            try pair.run()
            #expect(pair.takeClientEvents().last == .data(id, text))
            pair.client.consume(text.count, on: id)
        }
    }

    @Test func hopByHopFieldsStayAndSecretsArrive() throws {
        let pair = Pair()
        let head = try request(
            .post, "/",
            [
                "connection": "x-private", "x-private": "1", "keep-alive": "5", "te": "trailers",
                "transfer-encoding": "chunked", "authorization": "Bearer abc", "x": "y",
            ])
        _ = try pair.client.submitRequest(head, isLast: true)
        try pair.run()
        guard case .request(_, let seen, _) = pair.serverEvents.last else {
            Issue.record("no request")
            return
        }
        #expect(seen.fields == ["authorization": "Bearer abc", "x": "y", "te": "trailers"])
    }

    @Test func pingsComeBack() throws {
        let pair = Pair()
        try pair.run()
        pair.client.ping(0x0102_0304_0506_0708)
        try pair.run()
        #expect(pair.takeClientEvents().last == .pong(0x0102_0304_0506_0708))
        #expect(pair.server.counters.pings == 1)
    }

    /// Output in slices of any size is the same output.
    @Test(arguments: [1, 7, 100])
    func outputIsCutWhereTheOwnerWants(limit: Int) throws {
        let now = MonotonicInstant(nanoseconds: 1)
        func output(_ limit: Int) throws -> [UInt8] {
            let client = HTTP2Session(role: .client, now: now)
            let id = try client.submitRequest(try request(), isLast: false)
            _ = client.write([UInt8](repeating: 1, count: 20_000), on: id)
            client.finish(id)
            var all: [UInt8] = []
            while client.wantsOutput {
                var part: [UInt8] = []
                client.takeOutput(into: &part, atMost: limit, now: now)
                if part.isEmpty { break }
                #expect(part.count <= limit)
                all += part
            }
            return all
        }
        #expect(try output(limit) == output(1 << 20))
    }

    /// DATA may arrive in any number of frames.
    private func joined(_ events: [HTTP2Event]) -> [HTTP2Event] {
        var result: [HTTP2Event] = []
        for event in events {
            if case .data(let id, let bytes) = event,
                case .data(let last, let before) = result.last, id == last
            {
                result[result.count - 1] = .data(id, before + bytes)
            } else {
                result.append(event)
            }
        }
        return result
    }
}
