// SPDX-License-Identifier: Apache-2.0
import Bytes
import Consent
import HTTP2
import IO
import TLS

/// One accepted connection: who is on the other end, which HTTP it speaks, and when it must end.
///
/// Under TLS the handshake decides both (ALPN). In clear text, which is this machine's own side,
/// the first bytes do: the preface of HTTP/2 (RFC 9113 §3.3) or a request of HTTP/1.1.
final class InboundConnection: ChannelOwner {
    private let serving: Serving
    private let channel: Channel
    private var conversation: (any Conversation)?
    private var certificateEnd: CertificateEnd?
    private var isDraining = false
    /// The peer that TLS has verified.
    private(set) var peer: Presenter?

    /// What came before it was clear which HTTP is spoken.
    private var opening: [UInt8] = []
    private var openingDeadline: MonotonicInstant?
    private var certificateDeadline: MonotonicInstant?
    private lazy var alarm = Alarm(on: serving.loop) { [weak self] in self?.deadlineCame() }

    init(_ serving: Serving, _ channel: Channel) {
        self.serving = serving
        self.channel = channel
        channel.owner = self
    }

    func start() {
        serving.opened(self)
        channel.start()
    }

    // MARK: Ending

    /// Ends after the requests that are under way.
    func drain() {
        guard !isDraining else { return }
        isDraining = true
        if let conversation {
            conversation.drain()
        } else if opening.isEmpty, channel.state == .open {
            channel.close()
        }
        arm()
    }

    /// Ends now; answers that are not written are lost.
    func cut() {
        if let conversation { conversation.cut() } else { channel.abort() }
    }

    /// Closes the socket, whatever is in it.
    func abort() { channel.abort() }

    /// Ends a connection whose peer is not believed any more.
    func leave(unlessKnownTo trust: TrustMaterial) {
        guard let peer, !trust.knows(peer.entity) else { return }
        serving.parts.counters.refused(.identity)
        cut()
    }

    /// Ends a connection of an identity that is refused, after its requests.
    func refuse(_ entity: EntityID) {
        if peer?.entity == entity { drain() }
    }

    // MARK: The channel

    func channelOpened() {
        if let identity = channel.peer {
            guard let entity = identity.entity,
                !serving.parts.meters.refuses(entity, now: serving.loop.now)
            else {
                serving.parts.counters.refused(.identity)
                return channel.abort()
            }
            peer = Presenter(
                entity: entity, certificate: identity.thumbprint,
                key: identity.publicKeyThumbprint)
        }
        if channel.isSecure {
            let own = serving.parts.trust.current.notAfter
            let now = serving.parts.time.now()
            certificateEnd = CertificateEnd(
                min(own, channel.peer?.notAfter ?? own), drain: serving.limits.drain, now: now)
            lookAtCertificates()
            if channel.state == .open { begin(isHTTP2: channel.applicationProtocol == .h2) }
        } else {
            openingDeadline = serving.loop.now.adding(serving.limits.headers)
        }
        arm()
    }

    func channelReceived(_ bytes: ArraySlice<UInt8>) {
        if let conversation {
            conversation.receive(bytes)
        } else {
            opening += bytes
            recognise()
        }
        arm()
    }

    func channelFill(_ output: inout [UInt8], atMost limit: Int) {
        conversation?.fill(&output, atMost: limit)
        arm()
    }

    func channelBlocked() { conversation?.blocked() }

    func channelPeerFinished() {
        if let conversation { conversation.peerFinished() } else { channel.close() }
    }

    func channelClosed(_ end: ChannelEnd) {
        count(end)
        alarm.cancel()
        let ended = conversation.take()
        ended?.end()
        serving.closed(self)
    }

    // MARK: The version of HTTP

    /// Decides as soon as the bytes differ from the preface, or are all of it.
    private func recognise() {
        if opening.count < Self.preface.count, Self.preface.starts(with: opening) { return }
        begin(isHTTP2: opening.starts(with: Self.preface))
        let bytes = opening
        opening = []
        conversation?.receive(bytes[...])
    }

    private func begin(isHTTP2: Bool) {
        openingDeadline = nil
        conversation =
            isHTTP2
            ? InboundHTTP2(serving, channel, peer: peer)
            : InboundHTTP1(serving, channel, peer: peer)
        channel.wantsToSend()
        if isDraining { conversation?.drain() }
    }

    private static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    // MARK: Deadlines

    private func arm() {
        guard channel.state != .closed else { return }
        for deadline in [conversation?.nextDeadline, openingDeadline, certificateDeadline] {
            alarm.set(deadline)
        }
    }

    private func deadlineCame() {
        let now = serving.loop.now
        if let openingDeadline, openingDeadline <= now {
            serving.parts.counters.refused(.headers)
            return channel.abort()
        }
        if let certificateDeadline, certificateDeadline <= now { lookAtCertificates() }
        conversation?.expire(now: now)
        arm()
    }

    private func lookAtCertificates() {
        switch certificateEnd?.verdict(serving.parts.time) {
        case .goOn(let next): certificateDeadline = next
        case .drain(let end):
            certificateDeadline = end
            drain()
        case .cut:
            certificateDeadline = nil
            serving.parts.counters.refused(.certificate)
            cut()
        case nil: break
        }
    }

    private func count(_ end: ChannelEnd) {
        let counters = serving.parts.counters
        switch end {
        case .tls: counters.refused(.tls)
        case .lateHandshake: counters.refused(.handshake)
        case .lateWrite: counters.refused(.write)
        case .closed, .aborted, .finished, .system: return
        }
        guard conversation == nil else { return }
        serving.parts.refusals?.note(
            .init(listener: serving.settings.name, reason: OutboundHTTP2.text(end)))
    }
}
