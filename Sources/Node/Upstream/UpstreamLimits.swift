// SPDX-License-Identifier: Apache-2.0

/// What the ways out may cost, with the reason of each number.
package struct UpstreamLimits: Sendable {
    // Connections to peers.

    /// Connections to one peer on one loop. One carries a hundred calls; the second is for the
    /// moment in which the first is full or ending.
    package var peerConnections = 2
    /// From the first packet to the peer's SETTINGS: what a caller may have to wait for.
    package var dial = Duration.seconds(10)
    /// After a failed attempt: calls fail at once for so long, doubled each time up to the most, so
    /// that a dead peer costs its callers nothing and a mended one is found soon.
    package var backoff = Duration.milliseconds(250)
    package var backoffMost = Duration.seconds(30)
    /// Calls that wait for a connection; more fail at once.
    package var waiting = 1_000
    /// A connection without calls is closed; before the peer would do it.
    package var idle = Duration.seconds(240)
    /// With calls open and nothing heard for so long, the peer is asked for a sign of life, and
    /// lost when none comes within ``pong``.
    package var silence = Duration.seconds(30)
    package var pong = Duration.seconds(10)

    // Connections to local agents, one call at a time each.

    /// Connections to one address on one loop.
    package var localConnections = 64
    /// Of those, how many are kept without a call.
    package var localIdle = 8
    /// For how long: below the five seconds after which uvicorn, the server of the Python SDK,
    /// closes, since a call that crosses with that close is lost.
    package var localIdleTime = Duration.seconds(3)

    // Answers.

    /// Largest answer that is no stream.
    package var answerBytes = 8 << 20
    /// Bytes of an answer that wait to be read here; above it the agent is held up.
    package var unreadBytes = 256 << 10
    /// How long a call between gateways outside A2A, or a card, may take.
    package var shortCall = Duration.seconds(30)
    /// How long the interface of an agent's card is used before the card is asked again.
    package var interfaceAge = Duration.seconds(60)
    /// How long a card without `max-age` is used.
    package var cardAgeSeconds: Int64 = 60

    package init() {}
}
