// SPDX-License-Identifier: Apache-2.0
import Bytes
import Consent
import HTTP
import HTTP2
import IO

/// The server's side of HTTP/2 on one connection.
final class InboundHTTP2: Conversation {
    let serving: Serving
    let peer: Presenter?
    let session: HTTP2Session
    var allowance: BodyAllowance
    private let channel: Channel
    private var report: HTTP2Report
    private var streams: [HTTP2StreamID: InboundStream] = [:]
    private var idleSince: MonotonicInstant?
    private var isDraining = false
    private var roundTripDue: MonotonicInstant?

    init(_ serving: Serving, _ channel: Channel, peer: Presenter?) {
        self.serving = serving
        self.channel = channel
        self.peer = peer
        let now = serving.loop.now
        session = HTTP2Session(role: .server, limits: serving.limits.http2, now: now)
        report = HTTP2Report(serving.parts, on: serving.loop)
        allowance = BodyAllowance(
            serving.budget, limit: serving.limits.connectionBodyBytes)
        idleSince = now
    }

    /// A stream has something to send.
    func touched() { channel.wantsToSend() }

    // MARK: Bytes

    func receive(_ bytes: ArraySlice<UInt8>) {
        // What it throws ends the session, which work() sees.
        try? session.receive(bytes, now: serving.loop.now)
        work()
    }

    /// With much waiting for a full socket, no more requests are read: each would add to it.
    func blocked() {
        if waitingBytes > serving.limits.outputBytes { channel.pauseReading() }
    }

    func fill(_ output: inout [UInt8], atMost limit: Int) {
        // Being asked means that the socket takes something again.
        channel.resumeReading()
        session.takeOutput(into: &output, atMost: limit, now: serving.loop.now)
        work()
    }

    func peerFinished() {
        session.connectionLost()
        work()
    }

    /// Bytes that would go out if the socket took them.
    private var waitingBytes: Int {
        streams.keys.reduce(channel.unsentCount) { $0 + session.pendingBytes(on: $1) }
    }

    // MARK: Events

    private func work() {
        for event in session.takeEvents() { take(event) }
        if !report.tell(session, of: peer?.entity) { cutIdentity() }
        if session.isDrained || session.isFinished { channel.close() }
        if session.wantsOutput { channel.wantsToSend() }
    }

    private func take(_ event: HTTP2Event) {
        switch event {
        case .request(let id, let head, let isLast):
            let stream = InboundStream(self, id, head)
            streams[id] = stream
            idleSince = nil
            stream.admit(isLast: isLast)
        case .data(let id, let bytes): streams[id]?.receive(bytes)
        case .end(let id, _): streams[id]?.receiveEnd()
        case .closed(let id, _):
            streams.removeValue(forKey: id)?.close()
            if streams.isEmpty { idleSince = serving.loop.now }
        case .writable(let id): streams[id]?.hasRoom()
        case .pong(Self.roundTrip): takeNoMore()
        case .rejected(_, let rejection):
            let answer = ServiceResponse(status: rejection.status, reason: rejection.rawValue)
            serving.noteRefusal(answer, of: nil, from: peer, over: InboundStream.version)
        case .response, .settings, .goAway, .pong: break
        }
    }

    /// The peer passed a limit with what it does here and on its other connections together.
    private func cutIdentity() {
        guard !session.isFinished else { return }
        serving.parts.counters.refused(.glitches)
        session.terminate(.enhanceYourCalm)
        for event in session.takeEvents() { take(event) }
    }

    // MARK: Ending

    /// Says that it ends, and a round trip later which stream is the last: requests that were on
    /// their way are still served (RFC 9113 §6.8).
    func drain() {
        guard !isDraining else { return }
        isDraining = true
        session.announceShutdown()
        session.ping(Self.roundTrip)
        roundTripDue = serving.loop.now.adding(serving.limits.roundTrip)
        work()
    }

    private func takeNoMore() {
        roundTripDue = nil
        session.goAway()
    }

    func cut() {
        session.terminate(.noError)
        work()
    }

    func end() {
        session.connectionLost()
        for event in session.takeEvents() { take(event) }
        for stream in streams.values { stream.close() }
        streams = [:]
        report.end(session, of: peer?.entity)
    }

    var nextDeadline: MonotonicInstant? {
        let idle = isDraining ? nil : idleSince?.adding(serving.limits.idleHTTP2)
        return [session.nextDeadline, roundTripDue, idle].compactMap { $0 }.min()
    }

    func expire(now: MonotonicInstant) {
        try? session.expire(now: now)
        if let roundTripDue, roundTripDue <= now { takeNoMore() }
        if let idleSince, idleSince.adding(serving.limits.idleHTTP2) <= now { drain() }
        work()
    }

    /// The number of the PING that measures a round trip.
    private static let roundTrip: UInt64 = 0x6472_6167_6F6D_616E
}
