// SPDX-License-Identifier: Apache-2.0
package import Bytes
package import HTTP
package import IO
package import TLS

/// What a load run does: to whom, how much, how fast, and what counts as an answer.
package struct LoadPlan: Sendable {
    /// When requests begin.
    package enum Pace: Sendable, Equatable {
        /// The next as soon as one of the streams is free: the server sets the pace, and what it
        /// delays is not asked.
        case closed
        /// So many a second, at even distances, whatever the server does. Times are taken from the
        /// moment at which a request was to begin, so that a wait for a free stream shows.
        case open(perSecond: Double)
    }

    /// When a run ends.
    package enum Amount: Sendable, Equatable {
        /// After so many requests.
        case requests(Int)
        /// No request begins later than this after the warm-up.
        case duration(Duration)
    }

    package var target: LoadTarget
    package var request: LoadRequest
    package var expectation = LoadExpectation()
    package var amount: Amount
    package var pace = Pace.closed
    package var connections = 1
    /// Requests at a time on each connection; 1 in HTTP/1.1.
    package var streams = 1
    /// Loops, each on a thread of its own with its share of the connections.
    package var threads = 1
    /// What is sent first and not counted.
    package var warmUp = Duration.zero
    /// From when a request was sent to the end of its answer; then it is given up. One of an open
    /// loop that waited as long for a free stream is not sent at all.
    package var timeout = LoadLimits.timeout

    package init(target: LoadTarget, request: LoadRequest, amount: Amount) {
        self.target = target
        self.request = request
        self.amount = amount
    }
}

/// Bounds of a load run, with their reasons. Beyond most of them one machine measures itself.
package enum LoadLimits {
    /// The project's own requirements speak of 1,000; ten times that is what one gateway takes.
    package static let connections = 10_000
    /// Common servers allow 100 to 250 at a time on a connection.
    package static let streams = 1_000
    /// Ten times what one core of a proxy does.
    package static let rate = 1_000_000.0
    /// Ten hours of a hundred thousand a second, below the end of HTTP/2's stream numbers for
    /// four connections or more.
    package static let requests = 4_000_000_000
    /// A day: longer is monitoring.
    package static let duration = Duration.seconds(86_400)
    /// What people call an outage.
    package static let timeout = Duration.seconds(10)
    /// An hour, which the histogram still tells apart.
    package static let longestTimeout = Duration.seconds(3_600)
    /// More loops than cores measure the scheduler.
    package static let threads = 16
    /// What a gateway takes at most.
    package static let bodyBytes = 32 << 20
    /// Of an answer that is to be looked into; a longer one counts as unexpected.
    package static let answerBytes = 1 << 20
    /// From the first packet to the peer's SETTINGS; see ``UpstreamLimits/dial``.
    package static let dial = Duration.seconds(10)
    /// Connections being made at a time by one loop: a server on the same machine needs some
    /// milliseconds for each handshake, and its listen queue has an end.
    package static let dialsAtOnce = 32
    /// Before a lost connection is made again, so that a dead server is not hammered.
    package static let redialPause = Duration.milliseconds(100)
}

/// Where requests go.
package struct LoadTarget: Sendable {
    /// The version of HTTP that is spoken.
    package enum Version: Sendable, Equatable {
        case http1
        case http2
    }

    /// What `:authority` or `host` says.
    package let authority: String
    package let scheme: HTTPScheme
    /// Tried in order for each connection.
    package let addresses: [SocketAddress]
    package let version: Version
    /// For `https`: who must answer, and what is shown to it.
    let tls: (context: TLSContext, destination: TLS.Destination)?

    /// A server in clear text. The caller has seen to it that the address is of this machine.
    package init(clear authority: String, at address: SocketAddress, _ version: Version) {
        self.authority = authority
        scheme = .http
        addresses = [address]
        self.version = version
        tls = nil
    }

    /// A server under TLS 1.3 that is to prove `destination`, with a client certificate unless
    /// `identity` is nil.
    ///
    /// - Parameter trust: Judges the server's certificate by the rules of a gateway's links, or
    ///   for a host those of servers outside the network.
    /// - Throws: ``TLSContextError`` when the identity cannot be used.
    package init(
        secure authority: String, at addresses: [SocketAddress], _ version: Version,
        as identity: TLSIdentity?, to destination: TLS.Destination, trust: PeerTrust,
        time: any TimeSource
    ) throws(TLSContextError) {
        self.authority = authority
        scheme = .https
        self.addresses = addresses
        self.version = version
        let context = try TLSContext(
            client: identity, peers: trust.verifier(time: time),
            protocols: version == .http2 ? [.h2] : [.http11])
        tls = (context, destination)
    }
}
