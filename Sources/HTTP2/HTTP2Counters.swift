// SPDX-License-Identifier: Apache-2.0

/// What happened on one connection, for metrics and for the limits.
package struct HTTP2Counters: Sendable, Equatable {
    /// Nothing happened yet.
    package init() {}

    /// Streams that the peer (server) or we (client) opened.
    package var streams: UInt64 = 0
    /// Streams over the announced number, which were refused.
    package var refusedStreams: UInt64 = 0
    package var receivedResets: UInt64 = 0
    /// Of those, before the response began.
    package var earlyResets: UInt64 = 0
    /// RST_STREAM that the peer made us send.
    package var sentResets: UInt64 = 0
    package var emptyData: UInt64 = 0
    package var priorities: UInt64 = 0
    /// PINGs but for the answers to ours.
    package var pings: UInt64 = 0
    /// SETTINGS beyond those with which each side greets the other.
    package var settings: UInt64 = 0
    package var settingsEntries: UInt64 = 0
    package var windowUpdates: UInt64 = 0
    package var continuations: UInt64 = 0
    /// Octets of the largest header block, before HPACK is undone.
    package var largestHeaderBlock: UInt64 = 0
    /// Header lists over the limit.
    package var oversizedHeaderLists: UInt64 = 0
    package var invalidFrames: UInt64 = 0
    package var unknownFrames: UInt64 = 0
    package var interimResponses: UInt64 = 0
    /// The most frames that ever waited to be sent.
    package var mostOutboundFrames: UInt64 = 0
    /// Times that the library found too many unread acknowledgements.
    package var controlFloods: UInt64 = 0
    /// The weighted sum of ``HTTP2Glitch``.
    package var glitches: UInt64 = 0
    /// Requests that the session answered itself.
    package var rejectedRequests: UInt64 = 0
    /// Streams reset because their peer read, or wrote, too slowly.
    package var stalledWrites: UInt64 = 0
    package var stalledReads: UInt64 = 0
    /// DATA frames held back because the window was opened by a few bytes.
    package var smallWritesHeld: UInt64 = 0
    package var dataFramesSent: UInt64 = 0
    package var dataFramesReceived: UInt64 = 0

    /// The figure that stands behind a limit.
    package func figure(of abuse: HTTP2Abuse) -> UInt64 {
        switch abuse {
        case .receivedResets: receivedResets
        case .earlyResets: earlyResets
        case .sentResets: sentResets
        case .emptyData: emptyData
        case .priorities: priorities
        case .pings: pings
        case .settings: settings
        case .settingsEntries: settingsEntries
        case .windowUpdates: windowUpdates
        case .continuations: continuations
        case .headerBlock: largestHeaderBlock
        case .headerList: oversizedHeaderLists
        case .invalidFrames: invalidFrames
        case .unknownFrames: unknownFrames
        case .interimResponses: interimResponses
        case .outboundFrames: mostOutboundFrames
        case .outboundControlFrames: controlFloods
        case .glitches: glitches
        }
    }
}
