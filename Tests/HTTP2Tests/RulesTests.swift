// SPDX-License-Identifier: Apache-2.0
import Bytes
import HTTP
import HTTP2
import TestSupport
import Testing

/// Rules of RFC 9113, and peers that are odd but honest.
@Suite struct RulesTests {
    // MARK: Rules that the library leaves out

    @Test func aLowerNumberThanBeforeEndsTheConnection() {
        let victim = Victim()
        victim.receive(Frames.request(5))
        victim.receive(Frames.request(3))
        #expect(victim.error == .violation(.protocolError))
        #expect(victim.goAway == .protocolError)
    }

    @Test(arguments: [Int32(3), 5, 7, 1_001, Int32.max])
    func numbersMayBeSkipped(first: Int32) {
        let victim = Victim()
        victim.receive(Frames.request(first))
        #expect(victim.error == nil && victim.session.openStreams == 1)
        victim.receive(Frames.request(first - 2))
        #expect(victim.goAway == .protocolError)
    }

    @Test(arguments: [
        Frames.data(1, [1]), Frames.headers(1, Frames.literal("x", "y")),
    ])
    func nothingMayFollowThePeersOwnEnd(frame: [UInt8]) throws {
        // Half closed, closed by completion, closed by its reset.
        for ending in 0..<3 {
            let victim = Victim()
            victim.receive(Frames.request(1, end: ending < 2))
            if ending == 1 {
                try victim.session.submitResponse(
                    HTTPResponseHead(status: 200), on: 1, isLast: true)
                victim.send()
            }
            if ending == 2 { victim.receive(Frames.reset(1)) }
            victim.receive(frame)
            #expect(victim.goAway == .streamClosed)
        }
    }

    @Test func lateFramesOfAStreamThatWeResetAreNoFault() {
        let victim = Victim()
        victim.receive(Frames.request(1, end: false))
        victim.session.reset(1, .cancel)
        victim.send()
        victim.receive(Frames.data(1, [1, 2, 3]))
        victim.receive(Frames.headers(1, Frames.literal("x", "y")))
        victim.receive(Frames.windowUpdate(1, 5) + Frames.reset(1))
        victim.receive(Frames.request(3))
        #expect(victim.error == nil)
        guard case .request(3, _, isLast: true) = victim.events.last else {
            Issue.record("not served")
            return
        }
    }

    /// The same towards a server, whose streams are those of our requests.
    @Test(arguments: [
        Frames.data(1, [1], end: true), Frames.headers(1, Frames.literal(":status", "200")),
    ])
    func nothingMayFollowTheServersOwnEnd(frame: [UInt8]) throws {
        let endings = [
            Frames.headers(1, Frames.literal(":status", "200")),
            Frames.headers(1, Frames.literal(":status", "200"), end: false)
                + Frames.data(1, [1], end: true),
            Frames.headers(1, Frames.literal(":status", "200"), end: false) + Frames.reset(1),
        ]
        for ending in endings {
            let (client, _) = try clientWithRequest()
            try client.receive(Frames.settings([]) + ending, now: Self.start)
            #expect(throws: HTTP2Error.violation(.streamClosed)) {
                try client.receive(frame, now: Self.start)
            }
        }
    }

    @Test func lateFramesOfARequestThatWeCancelledAreNoFault() throws {
        let (client, id) = try clientWithRequest()
        try client.receive(Frames.settings([]), now: Self.start)
        client.reset(id, .cancel)
        var output: [UInt8] = []
        client.takeOutput(into: &output, atMost: 1 << 20, now: Self.start)
        let late = Frames.headers(1, Frames.literal(":status", "200"), end: false)
        try client.receive(late + Frames.data(1, [1], end: true), now: Self.start)
        #expect(!client.isFinished)
    }

    /// A server that announced that it has no priorities must still know a broken one.
    @Test(arguments: [1, 4, 10, 13])
    func brokenPrioritiesEndTheConnection(pieces: Int) {
        let onItself = Frames.frame(2, stream: 3, [0x80, 0, 0, 3, 16])
        for (frame, code) in [
            (Frames.priority(0), HTTP2ErrorCode.protocolError), (onItself, .protocolError),
            (Frames.frame(2, stream: 3, [0, 0, 0, 1]), .frameSizeError),
            (Frames.frame(2, stream: 3, [0, 0, 0, 1, 16]), nil),
        ] as [([UInt8], HTTP2ErrorCode?)] {
            let victim = Victim()
            victim.receive(Frames.request(3, end: false))
            for start in stride(from: 0, to: frame.count, by: pieces) {
                victim.receive(Array(frame[start..<min(start + pieces, frame.count)]))
            }
            victim.receive(Frames.request(5))
            if let code {
                // The wrong length is a fault of the stream alone.
                #expect(victim.goAway == code || victim.resets(of: 3) == [code])
            } else {
                #expect(victim.error == nil && victim.session.openStreams == 2)
            }
        }
    }

    @Test(arguments: ["b.example", "a.example:1", "a.example."])
    func hostMustBeTheAuthority(host: String) {
        let victim = Victim()
        victim.receive(Frames.request(1, [("host", host)]))
        expectRejected(victim, .hostMismatch, status: "400")
    }

    @Test func hostMayRepeatTheAuthority() {
        let victim = Victim()
        victim.receive(Frames.request(1, [("host", "A.example")]))
        guard case .request(1, let head, _) = victim.events.last else {
            Issue.record("not served")
            return
        }
        #expect(head.authority == "a.example" && head.fields.isEmpty)
    }

    @Test(arguments: [
        ("GET", "https", "u:p@a.example", "/", HTTP2Rejection.userinfo, "400"),
        ("GET", "https", "a.example:x", "/", .authority, "400"),
        ("GET", "ftp", "a.example", "/", .scheme, "400"),
        ("GET", "https", "a.example", "/a#b", .path, "400"),
        ("GET", "https", "a.example", "/a\\b", .path, "400"),
        ("CONNECT", "", "a.example:443", "", .tunnel, "501"),
    ])
    func answersItself(
        method: String, scheme: String, authority: String, path: String, rule: HTTP2Rejection,
        status: String
    ) {
        let victim = Victim()
        let pseudo = [
            (":method", method), (":scheme", scheme), (":authority", authority), (":path", path),
        ].filter { !$0.1.isEmpty }
        let block = pseudo.flatMap { Frames.literal($0.0, $0.1) }
        victim.receive(Frames.headers(1, block, end: method != "CONNECT"))
        expectRejected(victim, rule, status: status)
    }

    @Test func fieldsThatAreNoTextAreRefused() {
        let victim = Victim()
        let field: [UInt8] = [0] + Frames.string([0x78]) + Frames.string([0x61, 0xFF])
        victim.receive(Frames.headers(1, Frames.head() + field))
        expectRejected(victim, .malformed, status: "400")
    }

    // MARK: Rules that the library keeps, so that a change of it is noticed

    @Test(arguments: [
        [("x", "a\r\nb: c")], [("x", "a\0")], [("X", "a")], [("connection", "close")],
        [("transfer-encoding", "chunked")], [("te", "gzip")], [("content-length", "x")],
        [("content-length", "5")], [("", "a")], [("x y", "a")], [(":path", "/b")],
        [("x", " a")], [("host", "")], [("host", "a.example"), ("host", "a.example")],
        [("content-length", "0"), ("content-length", "0")],
    ])
    func malformedRequestsAreReset(fields: [(String, String)]) {
        let victim = Victim()
        victim.receive(Frames.request(1, fields))
        #expect(victim.resets(of: 1) == [.protocolError])
        #expect(victim.events == [.settings])
        #expect(victim.session.counters.invalidFrames == 1)
        #expect(victim.session.openStreams == 0)
    }

    @Test func moreBodyThanDeclaredIsReset() {
        let victim = Victim()
        victim.receive(Frames.request(1, end: false, [("content-length", "2")]))
        victim.receive(Frames.data(1, [1, 2, 3], end: true))
        #expect(victim.resets(of: 1) == [.protocolError])
        let closure = HTTP2Closure(
            initiator: .session, code: .protocolError, isRetryable: false)
        #expect(victim.events.last == .closed(1, closure))
    }

    @Test(arguments: [
        ("data on stream 0", Frames.data(0, [1]), HTTP2ErrorCode.protocolError),
        ("data on an idle stream", Frames.data(1, [1]), .protocolError),
        ("even stream", Frames.request(2), .protocolError),
        ("settings of 5 octets", Frames.frame(4, [0, 0, 0, 0, 0]), .frameSizeError),
        ("settings ack with octets", Frames.frame(4, flags: 1, [0]), .frameSizeError),
        ("ping of 7 octets", Frames.frame(6, [1, 2, 3, 4, 5, 6, 7]), .frameSizeError),
        ("ping on a stream", Frames.frame(6, stream: 1, Array(1...8)), .protocolError),
        ("window of 0", Frames.windowUpdate(0, 0), .protocolError),
        ("window too large", Frames.windowUpdate(0, 0x7FFF_FFFF), .flowControlError),
        ("reset of an idle stream", Frames.reset(1), .protocolError),
        ("continuation alone", Frames.continuation(1, [], last: true), .protocolError),
        ("push to a server", Frames.frame(5, flags: 4, stream: 1, [0, 0, 0, 2]), .protocolError),
        ("broken compression", Frames.headers(1, [0x80 | 70]), .compressionError),
        (
            "too large a frame", Frames.frame(0, stream: 1, [UInt8](repeating: 0, count: 16_385)),
            .frameSizeError
        ),
        (
            "ping inside a header block",
            Frames.headers(1, Frames.head(), whole: false) + Frames.ping(), .protocolError
        ),
        ("initial window too large", Frames.settings([(4, 0x8000_0000)]), .flowControlError),
        ("push setting of 2", Frames.settings([(2, 2)]), .protocolError),
    ])
    func violationsEndTheConnection(name: String, bytes: [UInt8], code: HTTP2ErrorCode) {
        let victim = Victim()
        victim.receive(bytes)
        #expect(victim.goAway == code, "\(name)")
        #expect(victim.session.isFinished && victim.error == .violation(code), "\(name)")
    }

    @Test func somethingElseThanThePreface() {
        let victim = Victim(greeted: false)
        victim.receive(Array("GET / HTTP/1.1\r\nhost: a.example\r\n\r\n".utf8))
        #expect(victim.error == .violation(.protocolError))
        // Even then our first frame is SETTINGS.
        #expect(victim.sent.map(\.type) == [4, 7])
    }

    // MARK: Odd but honest

    /// The defect of libnghttp2 1.52: the nine octets of a CONTINUATION's head in nine pieces.
    @Test(arguments: [1, 2, 5, 9])
    func dribbledContinuationIsServed(pieces: Int) {
        let victim = Victim()
        let block = Frames.head("GET", [("x", "y"), ("cookie", "a=1"), ("cookie", "b=2")])
        var bytes = Frames.headers(1, Array(block.prefix(10)), whole: false)
        for (number, octet) in block.dropFirst(10).prefix(40).enumerated() {
            bytes += Frames.continuation(1, [octet], last: number == 999)
        }
        bytes += Frames.continuation(1, Array(block.dropFirst(50)), last: true)
        for start in stride(from: 0, to: bytes.count, by: pieces) {
            victim.receive(Array(bytes[start..<min(start + pieces, bytes.count)]))
        }
        #expect(victim.error == nil)
        guard case .request(1, let head, isLast: true) = victim.events.last else {
            Issue.record("not served")
            return
        }
        #expect(head.fields == ["x": "y", "cookie": "a=1; b=2"])
    }

    /// What we asked for is no oddity, and what we did not ask for is one.
    @Test func answersToOurPingsAreNotCounted() {
        let victim = Victim()
        let pong = Frames.frame(6, flags: 1, [0, 0, 0, 0, 0, 0, 0, 7])
        for _ in 0..<100 {
            victim.session.ping(7)
            victim.receive(pong)
        }
        #expect(victim.error == nil && victim.session.counters.pings == 0)
        #expect(victim.events.suffix(100).allSatisfy { $0 == .pong(7) })
        for _ in 0..<21 { victim.receive(pong) }
        #expect(victim.error == .abuse(.pings))
    }

    @Test func unknownFramesAndPaddingAreHarmless() {
        let victim = Victim()
        victim.receive(Frames.frame(0xB, [1]) + Frames.frame(0xBB, stream: 7, [2]))
        victim.receive(Frames.request(1, end: false))
        victim.receive(Frames.frame(0, flags: 8, stream: 1, [3, 65, 66, 0, 0, 0]))
        victim.receive(Frames.data(1, [], end: true))
        #expect(victim.error == nil)
        #expect(
            victim.events.suffix(2) == [.data(1, [65, 66]), .end(1, trailers: [:])])
        #expect(victim.session.counters.unknownFrames == 2)
        #expect(victim.session.counters.emptyData == 0)
    }

    /// A client that enlarges the window of every stream it opens, for a long time.
    @Test func aWindowUpdateForEachStreamIsHonest() throws {
        let victim = Victim()
        for number in 0..<500 {
            let stream = Int32(number) * 2 + 1
            victim.receive(Frames.request(stream) + Frames.windowUpdate(stream, 1 << 20))
            try victim.session.submitResponse(
                HTTPResponseHead(status: 204), on: HTTP2StreamID(stream), isLast: true)
            victim.send()
        }
        #expect(victim.error == nil)
    }

    @Test func clientsRefuseBrokenResponses() throws {
        let broken = [
            Frames.literal(":status", "200") + Frames.literal("connection", "close"),
            Frames.literal(":status", "abc"),
            Frames.literal("x", "y"),
            Frames.literal(":status", "200")
                + (0..<101).flatMap { _ in Frames.literal("x", "y") },
        ]
        for block in broken {
            let (client, id) = try clientWithRequest()
            try client.receive(
                Frames.settings([]) + Frames.headers(1, block), now: Self.start)
            var output: [UInt8] = []
            client.takeOutput(into: &output, atMost: 1 << 20, now: Self.start)
            let closure = HTTP2Closure(
                initiator: .session, code: .protocolError, isRetryable: false)
            #expect(client.takeEvents().last == .closed(id, closure))
        }
    }

    private static let start = MonotonicInstant(nanoseconds: 1)

    /// A client whose one request is on its way.
    private func clientWithRequest() throws -> (HTTP2Session, HTTP2StreamID) {
        let client = HTTP2Session(role: .client, now: Self.start)
        let id = try client.submitRequest(try request(), isLast: true)
        var output: [UInt8] = []
        client.takeOutput(into: &output, atMost: 1 << 20, now: Self.start)
        return (client, id)
    }

    private func expectRejected(_ victim: Victim, _ rule: HTTP2Rejection, status: String) {
        #expect(victim.events.contains(.rejected(1, rule)))
        #expect(rule.status == Int(status))
        let answer = victim.sent.first { $0.type == 1 && $0.stream == 1 }
        #expect(answer?.flags == 5)
        #expect(victim.error == nil)
        #expect(victim.session.openStreams == 0)
        #expect(victim.session.counters.rejectedRequests == 1)
        for case .request in victim.events { Issue.record("the owner saw it") }
    }
}
