// SPDX-License-Identifier: Apache-2.0
import Bytes
import HTTP
import HTTP2
import TestSupport

extension SentFrame {
    /// The error code of RST_STREAM or GOAWAY.
    var code: HTTP2ErrorCode? { reason.map(HTTP2ErrorCode.init) }
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
