// SPDX-License-Identifier: Apache-2.0
import Bytes
import HTTP
import HTTP2

/// Frames made by hand, as an attacker makes them.
enum Frames {
    static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
    static let hello = preface + settings([])
    static let ack = frame(4, flags: 1)

    static func frame(
        _ type: UInt8, flags: UInt8 = 0, stream: Int32 = 0, _ payload: [UInt8] = []
    ) -> [UInt8] {
        number(payload.count, bytes: 3) + [type, flags] + number(Int(stream), bytes: 4) + payload
    }

    static func data(_ stream: Int32, _ payload: [UInt8] = [], end: Bool = false) -> [UInt8] {
        frame(0, flags: end ? 1 : 0, stream: stream, payload)
    }

    static func headers(
        _ stream: Int32, _ block: [UInt8], end: Bool = true, whole: Bool = true
    ) -> [UInt8] {
        frame(1, flags: (end ? 1 : 0) | (whole ? 4 : 0), stream: stream, block)
    }

    static func continuation(_ stream: Int32, _ block: [UInt8], last: Bool) -> [UInt8] {
        frame(9, flags: last ? 4 : 0, stream: stream, block)
    }

    static func priority(_ stream: Int32) -> [UInt8] {
        frame(2, stream: stream, [0, 0, 0, 0, 16])
    }

    static func reset(_ stream: Int32, _ code: Int = 8) -> [UInt8] {
        frame(3, stream: stream, number(code, bytes: 4))
    }

    static func settings(_ entries: [(Int, Int)]) -> [UInt8] {
        frame(4, entries.flatMap { number($0.0, bytes: 2) + number($0.1, bytes: 4) })
    }

    static func ping() -> [UInt8] {
        frame(6, [1, 2, 3, 4, 5, 6, 7, 8])
    }

    static func windowUpdate(_ stream: Int32, _ increment: Int) -> [UInt8] {
        frame(8, stream: stream, number(increment, bytes: 4))
    }

    /// A complete GET or POST.
    static func request(
        _ stream: Int32, end: Bool = true, _ fields: [(String, String)] = []
    ) -> [UInt8] {
        headers(stream, head(end ? "GET" : "POST", fields), end: end)
    }

    static func head(_ method: String = "GET", _ fields: [(String, String)] = []) -> [UInt8] {
        let pseudo = [
            (":method", method), (":scheme", "https"), (":authority", "a.example"),
            (":path", "/"),
        ]
        return (pseudo + fields).flatMap { literal($0.0, $0.1) }
    }

    /// A field without indexing (RFC 7541 §6.2.2), not Huffman coded.
    static func literal(_ name: String, _ value: String) -> [UInt8] {
        [0] + string(Array(name.utf8)) + string(Array(value.utf8))
    }

    /// A field that enters the dynamic table, whose first index is 62.
    static func indexed(_ name: String, _ value: String) -> [UInt8] {
        [0x40] + string(Array(name.utf8)) + string(Array(value.utf8))
    }

    static func string(_ bytes: [UInt8]) -> [UInt8] {
        guard bytes.count >= 127 else { return [UInt8(bytes.count)] + bytes }
        var length: [UInt8] = [127]
        var rest = bytes.count - 127
        while rest >= 128 {
            length.append(UInt8(rest % 128) | 0x80)
            rest /= 128
        }
        return length + [UInt8(rest)] + bytes
    }

    static func number(_ value: Int, bytes: Int) -> [UInt8] {
        (0..<bytes).reversed().map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
    }
}

/// What a session sent, taken apart.
struct SentFrame: Equatable {
    let type: UInt8
    let flags: UInt8
    let stream: Int32
    let payload: [UInt8]

    /// The error code of RST_STREAM or GOAWAY.
    var code: HTTP2ErrorCode? {
        guard type == 3 || type == 7, payload.count >= 4 else { return nil }
        let bytes = type == 3 ? payload[0..<4] : payload[4..<8]
        return HTTP2ErrorCode(rawValue: bytes.reduce(0) { $0 << 8 | UInt32($1) })
    }

    static func all(_ bytes: [UInt8]) -> [SentFrame] {
        var frames: [SentFrame] = []
        var rest = bytes[...]
        while rest.count >= 9 {
            let head = Array(rest.prefix(9))
            let length = Int(head[0]) << 16 | Int(head[1]) << 8 | Int(head[2])
            let stream = head[5...8].reduce(Int32(0)) { $0 << 8 | Int32($1) }
            frames.append(
                SentFrame(
                    type: head[3], flags: head[4], stream: stream,
                    payload: Array(rest.dropFirst(9).prefix(length))))
            rest = rest.dropFirst(9 + length)
        }
        return frames
    }
}

/// A server and what a peer of hand-made frames sees of it.
final class Victim {
    let session: HTTP2Session
    var now = MonotonicInstant(nanoseconds: 1_000_000_000)
    var events: [HTTP2Event] = []
    var sent: [SentFrame] = []
    var error: HTTP2Error?

    init(_ limits: HTTP2Limits = HTTP2Limits(), greeted: Bool = true) {
        session = HTTP2Session(role: .server, limits: limits, now: now)
        if greeted {
            receive(Frames.hello)
            receive(Frames.ack)
        }
    }

    /// Gives the bytes to the session, unless it is over; it sends at once what it has to say.
    func receive(_ bytes: [UInt8], answers: Bool = true) {
        guard error == nil else { return }
        do throws(HTTP2Error) {
            try session.receive(bytes, now: now)
        } catch {
            self.error = error
        }
        events += session.takeEvents()
        if answers || error != nil { send() }
    }

    func send() {
        var output: [UInt8] = []
        session.takeOutput(into: &output, atMost: 1 << 20, now: now)
        events += session.takeEvents()
        sent += SentFrame.all(output)
        if error == nil, session.isFinished { error = session.failure }
    }

    func expire() {
        do throws(HTTP2Error) {
            try session.expire(now: now)
        } catch {
            self.error = error
        }
        events += session.takeEvents()
        send()
    }

    func advance(_ duration: Duration) {
        now = now.adding(duration)
    }

    /// The code of the GOAWAY that ended it.
    var goAway: HTTP2ErrorCode? { sent.last { $0.type == 7 }?.code }

    func resets(of stream: Int32) -> [HTTP2ErrorCode] {
        sent.filter { $0.type == 3 && $0.stream == stream }.compactMap(\.code)
    }
}
