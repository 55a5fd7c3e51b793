// SPDX-License-Identifier: Apache-2.0
import Bytes
import Crypto
import HTTP
import HTTP2
import IO
import TLS

/// A connection to a peer: HTTP/2 under mutual TLS, many calls at a time.
final class OutboundHTTP2: ChannelOwner, OutboundCarrier {
    let entity: EntityID
    private let channel: Channel
    private let session: HTTP2Session
    private let parts: WorkerParts
    private var report: HTTP2Report
    /// Told when calls may fit that did not before, and when the connection is over.
    var onChange: (() -> Void)?

    private var exchanges: [HTTP2StreamID: OutboundExchange] = [:]
    private let opening = Settlement<Void, OutboundFailure>()
    private(set) var identity: PeerIdentity?
    private var certificateEnd: CertificateEnd?
    private var certificateDeadline: MonotonicInstant?
    private var isEnding = false
    private(set) var isOver = false
    private var lastHeard: MonotonicInstant
    private var pingSent = false
    private var idleSince: MonotonicInstant?
    private lazy var alarm = Alarm(on: channel.loop) { [weak self] in self?.deadlineCame() }

    init(_ channel: Channel, to entity: EntityID, parts: WorkerParts) {
        self.entity = entity
        self.channel = channel
        self.parts = parts
        report = HTTP2Report(parts, on: channel.loop)
        let now = channel.loop.now
        lastHeard = now
        idleSince = now
        session = HTTP2Session(role: .client, limits: parts.limits.http2, now: now)
        channel.owner = self
    }

    /// Finishes the handshake and waits for the peer's SETTINGS: only then is it certain that the
    /// peer has accepted our certificate, since TLS 1.3 lets a client speak before it knows.
    func open() async throws(OutboundFailure) {
        channel.start()
        try await opening.value()
    }

    // MARK: Calls

    /// Calls that it takes now.
    var room: Int { isUsable ? session.availableStreams : 0 }

    /// Whether new calls may begin here, now or later.
    var isUsable: Bool { !isOver && !isEnding && !session.isGoingAway }

    /// Sends a request; `refused` when it does not fit, and nothing was sent.
    func send(_ request: OutboundRequest) throws(OutboundFailure) -> OutboundExchange {
        guard isUsable else { throw .refused("the connection is ending") }
        let id: HTTP2StreamID
        do {
            id = try session.submitRequest(request.head, isLast: request.body.isEmpty)
        } catch {
            throw .refused("\(error)")
        }
        if !request.body.isEmpty {
            _ = session.write(request.body, on: id)
            session.finish(id)
        }
        let exchange = OutboundExchange(self)
        exchange.number = id.number
        if exchanges.isEmpty { lastHeard = channel.loop.now }
        exchanges[id] = exchange
        idleSince = nil
        channel.wantsToSend()
        return exchange
    }

    func exchange(_ exchange: OutboundExchange, consumed count: Int) {
        session.consume(count, on: HTTP2StreamID(exchange.number))
        channel.wantsToSend()
    }

    func exchangeCancelled(_ exchange: OutboundExchange) {
        let id = HTTP2StreamID(exchange.number)
        session.abandon(id)
        session.reset(id, .cancel)
        channel.wantsToSend()
    }

    /// Takes no new calls and ends after the last one.
    func drain() {
        isEnding = true
        if exchanges.isEmpty { cut() }
    }

    /// Ends now.
    func cut() {
        isEnding = true
        session.terminate(.noError)
        work()
    }

    // MARK: The channel

    func channelOpened() {
        guard let peer = channel.peer, peer.entity == entity else { return channel.abort() }
        identity = peer
        let own = parts.trust.current.notAfter
        certificateEnd = CertificateEnd(
            min(own, peer.notAfter), drain: parts.limits.drain, now: parts.time.now())
        lookAtCertificates()
        channel.wantsToSend()
        arm()
    }

    func channelReceived(_ bytes: ArraySlice<UInt8>) {
        lastHeard = channel.loop.now
        pingSent = false
        try? session.receive(bytes, now: channel.loop.now)
        work()
    }

    func channelFill(_ output: inout [UInt8], atMost limit: Int) {
        session.takeOutput(into: &output, atMost: limit, now: channel.loop.now)
        work()
    }

    func channelPeerFinished() {
        session.connectionLost()
        work()
    }

    func channelClosed(_ end: ChannelEnd) {
        isOver = true
        alarm.cancel()
        session.connectionLost()
        report.end(session, of: identity?.entity)
        opening.settle(.failure(.refused(Self.text(end))))
        for event in session.takeEvents() { take(event) }
        for exchange in exchanges.values { exchange.fail(.lost(Self.text(end))) }
        exchanges = [:]
        let told = onChange.take()
        told?()
    }

    /// The reason in words that may stand in a log.
    static func text(_ end: ChannelEnd) -> String {
        switch end {
        case .closed, .aborted: "the connection was ended"
        case .finished: "the peer closed the connection"
        case .lateHandshake: "the handshake was not done in time"
        case .lateWrite: "the peer took nothing in time"
        case .system(let error): error.description
        case .tls(.peerRejected(let fault)): "its certificate is refused: \(fault.rawValue)"
        case .tls(.alert(let alert)): "it refused us: \(alert)"
        case .tls(let error): "TLS failed: \(error)"
        }
    }

    // MARK: Events

    private func work() {
        for event in session.takeEvents() { take(event) }
        if !report.tell(session, of: identity?.entity), !session.isFinished {
            parts.counters.refused(.glitches)
            session.terminate(.enhanceYourCalm)
            for event in session.takeEvents() { take(event) }
        }
        if session.isFinished || exchanges.isEmpty && !isUsable {
            session.terminate(.noError)
            channel.close()
        }
        if session.wantsOutput { channel.wantsToSend() }
        arm()
    }

    private func take(_ event: HTTP2Event) {
        switch event {
        case .response(let id, let head, let isLast):
            exchanges[id]?.receive(head)
            if isLast { exchanges[id]?.receiveEnd() }
        case .data(let id, let bytes):
            if let exchange = exchanges[id] {
                exchange.receive(bytes)
            } else {
                session.consume(bytes.count, on: id)
            }
        case .end(let id, _): exchanges[id]?.receiveEnd()
        case .closed(let id, let closure): close(id, closure)
        case .settings:
            opening.settle(.success(()))
            onChange?()
        case .goAway: onChange?()
        case .request, .rejected, .writable, .pong: break
        }
    }

    private func close(_ id: HTTP2StreamID, _ closure: HTTP2Closure) {
        guard let exchange = exchanges.removeValue(forKey: id) else { return }
        let text = "the stream was ended with code \(closure.code.rawValue)"
        exchange.fail(closure.isRetryable ? .refused(text) : .lost(text))
        if exchanges.isEmpty { idleSince = channel.loop.now }
        onChange?()
    }

    // MARK: Deadlines

    private var silenceDeadline: MonotonicInstant? {
        guard !exchanges.isEmpty, identity != nil else { return nil }
        let limits = parts.upstream
        return lastHeard.adding(pingSent ? limits.silence + limits.pong : limits.silence)
    }

    private func arm() {
        guard !isOver else { return }
        let idle = idleSince?.adding(parts.upstream.idle)
        for deadline in [session.nextDeadline, silenceDeadline, idle, certificateDeadline] {
            alarm.set(deadline)
        }
    }

    private func deadlineCame() {
        let now = channel.loop.now
        try? session.expire(now: now)
        if let silenceDeadline, silenceDeadline <= now {
            if pingSent {
                return channel.abort(.lateWrite)
            }
            pingSent = true
            session.ping(now.nanoseconds)
        }
        if let idleSince, idleSince.adding(parts.upstream.idle) <= now { drain() }
        if let certificateDeadline, certificateDeadline <= now { lookAtCertificates() }
        work()
    }

    private func lookAtCertificates() {
        switch certificateEnd?.verdict(parts.time) {
        case .goOn(let next): certificateDeadline = next
        case .drain(let end):
            certificateDeadline = end
            drain()
        case .cut:
            certificateDeadline = nil
            cut()
        case nil: break
        }
    }
}
