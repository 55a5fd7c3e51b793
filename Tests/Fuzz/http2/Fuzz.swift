// SPDX-License-Identifier: Apache-2.0

import Bytes
import HTTP
import HTTP2

/// What must hold for any bytes at all; libFuzzer looks for bytes for which it does not.
///
/// The first octet says how the rest is cut, and whether a server or a client reads it.
@c(LLVMFuzzerTestOneInput)
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    guard let mode = bytes.first else { return 0 }
    let cut = mode & 1 == 0 ? count : Int(mode >> 2) + 1
    let owner = Owner(role: mode & 2 == 0 ? .server : .client)
    var rest = bytes.dropFirst()
    while !rest.isEmpty, owner.receive(rest.prefix(cut)) { rest = rest.dropFirst(cut) }
    owner.end()
    return 0
}

/// An owner that answers every request with its body, and checks what it is told.
private final class Owner {
    let session: HTTP2Session
    var now = MonotonicInstant(nanoseconds: 1)
    var open: Set<HTTP2StreamID> = []
    var closed: Set<HTTP2StreamID> = []
    var ended: Set<HTTP2StreamID> = []

    init(role: HTTP2Session.Role) {
        session = HTTP2Session(role: role, now: now)
        if role == .server {
            _ = receive(Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)[...])
        } else if let head = try? HTTPRequestHead(
            method: .post, scheme: .https, authority: "a.example", path: "/")
        {
            for _ in 0..<3 {
                guard let id = try? session.submitRequest(head, isLast: false) else { continue }
                open.insert(id)
                _ = session.write([UInt8](repeating: 65, count: 70_000), on: id)
                session.finish(id, trailers: ["x": "y"])
            }
        }
        send()
    }

    func receive(_ bytes: ArraySlice<UInt8>) -> Bool {
        now = now.adding(.milliseconds(50))
        do throws(HTTP2Error) {
            try session.receive(bytes, now: now)
            work()
            try session.expire(now: now)
        } catch {
            invariant(session.isFinished && session.failure == error, "a fault without an end")
            work()
        }
        send()
        invariant(session.openStreams <= session.limits.concurrentStreams, "too many streams")
        invariant(
            session.nextDeadline.map { $0 > now } ?? true, "a deadline was left behind")
        return !session.isFinished
    }

    func end() {
        session.connectionLost()
        work()
        invariant(open.isEmpty, "a stream was forgotten")
    }

    private func send() {
        var output: [UInt8] = []
        repeat {
            output.removeAll()
            session.takeOutput(into: &output, atMost: 10_000, now: now)
            invariant(output.count <= 10_000, "more output than wanted")
            work()
        } while !output.isEmpty
    }

    private func work() {
        for event in session.takeEvents() {
            switch event {
            case .request(let id, _, let isLast):
                invariant(open.insert(id).inserted, "a stream began twice")
                invariant(!closed.contains(id), "a stream came back")
                try? session.submitResponse(HTTPResponseHead(status: 200), on: id, isLast: false)
                if isLast { finish(id) }
            case .response(let id, _, _):
                invariant(open.contains(id), "a response to nothing")
            case .data(let id, let bytes):
                invariant(open.contains(id) && !ended.contains(id), "data out of turn")
                session.consume(bytes.count, on: id)
                if session.role == .server { _ = session.write(bytes, on: id) }
            case .end(let id, _):
                invariant(open.contains(id), "an end of nothing")
                finish(id)
            case .closed(let id, _):
                invariant(open.remove(id) != nil, "an end that is none")
                closed.insert(id)
            case .rejected(let id, _):
                invariant(!open.contains(id), "a rejected request was announced")
            case .writable, .settings, .goAway, .pong:
                break
            }
        }
    }

    private func finish(_ id: HTTP2StreamID) {
        invariant(ended.insert(id).inserted, "a message ended twice")
        if session.role == .server { session.finish(id, trailers: ["x": "y"]) }
    }
}
