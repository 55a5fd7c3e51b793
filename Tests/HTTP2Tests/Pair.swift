// SPDX-License-Identifier: Apache-2.0
import Bytes
import HTTP
import HTTP2

/// A client and a server, joined in memory; time stands still unless a test moves it.
final class Pair {
    let client: HTTP2Session
    let server: HTTP2Session
    var now = MonotonicInstant(nanoseconds: 1_000_000_000)
    var clientEvents: [HTTP2Event] = []
    var serverEvents: [HTTP2Event] = []
    /// Bytes in one piece of the wire.
    var pieces: Int

    init(
        client: HTTP2Limits = HTTP2Limits(), server: HTTP2Limits = HTTP2Limits(),
        pieces: Int = .max
    ) {
        self.client = HTTP2Session(role: .client, limits: client, now: now)
        self.server = HTTP2Session(role: .server, limits: server, now: now)
        self.pieces = pieces
    }

    /// Carries everything both ways until nothing moves.
    func run() throws {
        for _ in 0..<10_000 where try step() == false { return }
        fatalError("the two never fall silent")
    }

    /// Carries what is there one time each way; `false` when nothing was.
    func step() throws -> Bool {
        let up = try carry(client, server, &clientEvents, &serverEvents)
        let down = try carry(server, client, &serverEvents, &clientEvents)
        return up + down > 0
    }

    func advance(_ duration: Duration) {
        now = now.adding(duration)
    }

    private func carry(
        _ from: HTTP2Session, _ to: HTTP2Session, _ fromEvents: inout [HTTP2Event],
        _ toEvents: inout [HTTP2Event]
    ) throws -> Int {
        var bytes: [UInt8] = []
        from.takeOutput(into: &bytes, atMost: 1 << 20, now: now)
        fromEvents += from.takeEvents()
        var rest = bytes[...]
        while !rest.isEmpty {
            try to.receive(rest.prefix(pieces), now: now)
            rest = rest.dropFirst(pieces)
        }
        toEvents += to.takeEvents()
        return bytes.count
    }

    func takeServerEvents() -> [HTTP2Event] {
        defer { serverEvents = [] }
        return serverEvents
    }

    func takeClientEvents() -> [HTTP2Event] {
        defer { clientEvents = [] }
        return clientEvents
    }
}

func request(
    _ method: HTTPMethod = .post, _ path: String = "/x", _ fields: HTTPFields = [:]
) throws -> HTTPRequestHead {
    try HTTPRequestHead(
        method: method, scheme: .https, authority: "a.example", path: path, fields: fields)
}

extension HTTP2StreamID: ExpressibleByIntegerLiteral {
    /// The number itself.
    public init(integerLiteral value: Int32) {
        self.init(value)
    }
}

func completed() -> HTTP2Closure {
    HTTP2Closure(initiator: .completion, code: .noError, isRetryable: false)
}
