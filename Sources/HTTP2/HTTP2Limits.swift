// SPDX-License-Identifier: Apache-2.0

/// A burst and how fast it is forgiven: honest peers live for weeks, so nearly every limit on what
/// may happen in the life of a connection refills.
package struct HTTP2Rate: Sendable, Equatable {
    /// How much may come at once.
    package var burst: Int
    /// How much is forgiven each second.
    package var perSecond: Int

    package init(burst: Int, perSecond: Int) {
        self.burst = burst
        self.perSecond = perSecond
    }
}

/// What one HTTP/2 connection may cost us, with the reason of each number.
///
/// A limit that is passed cuts the connection with ENHANCE_YOUR_CALM, if nothing else is said; each
/// has its name in ``HTTP2Abuse`` and its figure in ``HTTP2Counters``.
package struct HTTP2Limits: Sendable {
    package init() {}

    // Resources that the peer is told of.

    /// Requests at once, as announced; what Envoy allows at an edge. One more is refused.
    package var concurrentStreams = 100
    /// Bytes of a body that may come unread, of one stream and of all; Envoy's figures at an edge.
    package var streamWindow = 64 << 10
    package var connectionWindow = 1 << 20
    /// Octets of a header list as RFC 9113 §6.5.2 counts them, and its fields, cookie crumbs and
    /// trailers included. A fifth of what common servers allow still holds every real request;
    /// fields matter apart, since one byte of HPACK makes one (CVE-2026-49975). A request over
    /// it is answered 431 the first time, cut the second.
    package var headerListSize = 32 << 10
    package var headerFields = 100
    /// A header list that many times over the limit is cut the first time: no client errs so far.
    package var headerListExcess = 4

    // Frames that cost the sender nothing.

    /// RST_STREAM received (CVE-2023-44487).
    package var receivedResets = HTTP2Rate(burst: 100, perSecond: 20)
    /// RST_STREAM received before the response began: work thrown away. Sozu's figure.
    package var earlyResets = HTTP2Rate(burst: 50, perSecond: 1)
    /// RST_STREAM that the peer made us send (CVE-2025-8671, "MadeYouReset").
    package var sentResets = HTTP2Rate(burst: 100, perSecond: 10)
    /// DATA without data and without END_STREAM, in a row (CVE-2019-9518); Helidon's figure.
    package var emptyDataInARow = 10
    /// PRIORITY and PRIORITY_UPDATE, which we ignore (CVE-2019-9513).
    package var priorities = HTTP2Rate(burst: 100, perSecond: 1)
    /// PING (CVE-2019-9512). Keep-alives need one in ten seconds.
    package var pings = HTTP2Rate(burst: 20, perSecond: 20)
    /// SETTINGS frames (CVE-2019-9515), and entries in one.
    package var settings = HTTP2Rate(burst: 10, perSecond: 10)
    package var settingsEntries = 32
    /// WINDOW_UPDATE: so many, and so many more for each DATA frame that we sent (Envoy's figure)
    /// and for each stream, because some clients enlarge the window of every stream they open.
    package var windowUpdates = 100
    package var windowUpdatesPerData = 10
    package var windowUpdatesPerStream = 2
    /// CONTINUATION frames of one header block and the octets of the whole block
    /// (CVE-2024-28182). An honest block of 32 KiB fits in three frames.
    package var continuations = 64
    package var headerBlockBytes = 64 << 10
    /// Malformed frames and messages (CVE-2019-9514), and frames of unknown type.
    package var invalidFrames = HTTP2Rate(burst: 100, perSecond: 10)
    package var unknownFrames = HTTP2Rate(burst: 100, perSecond: 10)
    /// Interim (1xx) heads before a response.
    package var interimResponses = 10
    /// The weighted sum of everything odd, ``HTTP2Glitch``.
    package var glitches = HTTP2Rate(burst: 1_000, perSecond: 33)

    // What waits for the peer to read it.

    /// Frames that wait to be sent, and among them answers to SETTINGS and PING (CVE-2019-9515).
    package var outboundFrames = 1_000
    package var outboundControlFrames = 100
    /// Bytes of one body that wait: above `high` the owner stops writing, below `low` it goes on.
    package var highWater = 64 << 10
    package var lowWater = 16 << 10
    /// A peer that opens its window by a few bytes gets frames smaller than this only each
    /// `smallWriteInterval` (CVE-2019-9511, data dribble).
    package var smallWrite = 1 << 10
    package var smallWriteInterval = Duration.milliseconds(100)

    // Deadlines.

    /// From the start until the peer's first SETTINGS.
    package var preface = Duration.seconds(5)
    /// From the first byte of a frame other than DATA, or of a header block, to its last;
    /// progress does not extend it.
    package var headers = Duration.seconds(10)
    /// From our SETTINGS to their acknowledgement.
    package var settingsAck = Duration.seconds(10)
    /// While bytes wait for a stream's window: the time in which `progressBytes` must leave
    /// (CVE-2016-1546, the zero window). The stream is reset then.
    package var writeProgress = Duration.seconds(10)
    /// While a request body is due and we have room: the time in which `progressBytes` must
    /// come. The stream is reset then.
    package var readProgress = Duration.seconds(10)
    package var progressBytes = 1 << 10
}
