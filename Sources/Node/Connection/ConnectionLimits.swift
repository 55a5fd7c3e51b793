// SPDX-License-Identifier: Apache-2.0
package import HTTP2

/// What one connection, and all of them together, may cost this gateway, with the reason of each
/// number. A limit of HTTP/2 itself is in ``HTTP2Limits``.
package struct ConnectionLimits: Sendable {
    // Deadlines.

    /// From the accepted socket to the end of the TLS handshake; two round trips need far less.
    package var handshake = Duration.seconds(5)
    /// From the first byte of an HTTP/1.1 request to the end of its head. Progress does not extend
    /// it: a head that trickles in is how sockets are held open for nothing.
    package var headers = Duration.seconds(10)
    /// The time in which ``progressBytes`` of an HTTP/1.1 request body must come, and in which a
    /// socket that is full must take something.
    package var progress = Duration.seconds(10)
    package var progressBytes = 1 << 10
    /// An HTTP/1.1 connection without a request. Longer than what clients keep one for, so that
    /// it is usually they who close.
    package var idle = Duration.seconds(60)
    /// An HTTP/2 connection without a stream. A handshake costs as much as 300 requests.
    package var idleHTTP2 = Duration.seconds(300)
    /// Silence on a stream of events after which a comment is sent, before proxies and clients take
    /// the stream for dead (60 s is common).
    package var keepAlive = Duration.seconds(15)
    /// How long a connection that we have ended is read on, so that a reset does not destroy our
    /// last bytes on their way; and how much.
    package var linger = Duration.seconds(2)
    package var lingerBytes = 1 << 20
    /// Within this time a drained connection has ended, whatever still runs on it.
    package var drain = Duration.seconds(10)
    /// Longest wait for the answer to the PING that measures a round trip while draining.
    package var roundTrip = Duration.seconds(1)

    // Memory.

    /// Bytes that wait for a full socket: above it nothing more is read from that connection.
    package var outputBytes = 256 << 10
    /// Bytes of one HTTP/1.1 answer that wait: above the first its source is held up, below the
    /// second it goes on. For HTTP/2 the same is among its own limits.
    package var highWater = 64 << 10
    package var lowWater = 16 << 10
    /// Bytes read or written for one connection before the others get their turn.
    package var turnBytes = 256 << 10
    /// Largest request body from a peer, from this side, and where only metrics are read.
    package var peerBodyBytes = 8 << 20
    package var localBodyBytes = 32 << 20
    package var observeBodyBytes = 4 << 10
    /// Request bodies held for one connection and for one worker: a request whose body would pass
    /// it is answered 503. The first is four times the largest body, the second what a small
    /// machine can spare.
    package var connectionBodyBytes = 128 << 20
    package var workerBodyBytes = 256 << 20
    /// Whole answers that are read from next hops or written to clients, in all and for one
    /// identity. The first is what a small machine can spare, the second eight of the largest;
    /// from half of either on, new requests are answered 503.
    package var answerBytes = 256 << 20
    package var identityAnswerBytes = 64 << 20
    /// Connections of one listener; more are told 503, or closed where that would cost a handshake.
    package var connections = 10_000

    // HTTP/2.

    package var http2 = HTTP2Limits()
    /// The weighted sum of oddities of one certificate identity over all its connections: twice
    /// what one connection may show, since honest peers have few.
    package var identityGlitches = HTTP2Rate(burst: 2_000, perSecond: 66)
    /// How many connections' worth of each rate in ``HTTP2Limits`` an identity has: what a
    /// gateway with two loops dials.
    package var identityShare = 4
    /// How long an identity over such a limit is refused; long enough to make a flood pointless,
    /// and short enough for a peer that was mended.
    package var identityRefusal = Duration.seconds(60)

    package init() {}

    /// The limits as the configuration has them.
    package init(_ configured: Configuration.Limits) {
        http2 = configured.http2
        peerBodyBytes = Int(configured.peerBodyBytes)
        localBodyBytes = Int(configured.localBodyBytes)
        connections = Int(configured.connections)
        answerBytes = Int(configured.answerBytes)
        identityAnswerBytes = Int(configured.identityAnswerBytes)
        drain = .seconds(configured.drainSeconds)
    }

    /// Largest request body at a listener.
    func bodyBytes(at kind: ListenerSettings.Kind) -> Int {
        switch kind {
        case .link: peerBodyBytes
        case .local: localBodyBytes
        case .observe, .control: observeBodyBytes
        }
    }
}
