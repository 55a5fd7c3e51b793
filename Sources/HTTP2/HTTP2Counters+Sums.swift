// SPDX-License-Identifier: Apache-2.0

extension HTTP2Counters {
    /// Adds what happened elsewhere, or since.
    package static func += (counters: inout HTTP2Counters, other: HTTP2Counters) {
        eachSum(&counters, other) { $0 += $1 }
        counters.largestHeaderBlock = max(counters.largestHeaderBlock, other.largestHeaderBlock)
        counters.mostOutboundFrames = max(counters.mostOutboundFrames, other.mostOutboundFrames)
    }

    /// Adds the weight of something odd.
    mutating func add(_ glitch: HTTP2Glitch) { glitches += UInt64(glitch.weight) }

    /// What happened since the same connection's counters were `earlier`; the two that are maxima
    /// stay what they are.
    package func since(_ earlier: HTTP2Counters) -> HTTP2Counters {
        var difference = self
        Self.eachSum(&difference, earlier) { $0 -= $1 }
        return difference
    }

    /// The figures that only grow and that nothing else tells, by the names that they have in
    /// metrics.
    package var events: [(name: String, count: UInt64)] {
        [
            ("streams", streams),
            ("refused-streams", refusedStreams),
            ("received-resets", receivedResets),
            ("early-resets", earlyResets),
            ("sent-resets", sentResets),
            ("empty-data", emptyData),
            ("priorities", priorities),
            ("pings", pings),
            ("settings", settings),
            ("settings-entries", settingsEntries),
            ("window-updates", windowUpdates),
            ("continuations", continuations),
            ("oversized-header-lists", oversizedHeaderLists),
            ("invalid-frames", invalidFrames),
            ("unknown-frames", unknownFrames),
            ("interim-responses", interimResponses),
            ("control-floods", controlFloods),
            ("rejected-requests", rejectedRequests),
            ("stalled-writes", stalledWrites),
            ("stalled-reads", stalledReads),
            ("small-writes-held", smallWritesHeld),
            ("data-frames-sent", dataFramesSent),
            ("data-frames-received", dataFramesReceived),
        ]
    }

    private static func eachSum(
        _ sums: inout HTTP2Counters, _ other: HTTP2Counters,
        _ change: (inout UInt64, UInt64) -> Void
    ) {
        change(&sums.streams, other.streams)
        change(&sums.refusedStreams, other.refusedStreams)
        change(&sums.receivedResets, other.receivedResets)
        change(&sums.earlyResets, other.earlyResets)
        change(&sums.sentResets, other.sentResets)
        change(&sums.emptyData, other.emptyData)
        change(&sums.priorities, other.priorities)
        change(&sums.pings, other.pings)
        change(&sums.settings, other.settings)
        change(&sums.settingsEntries, other.settingsEntries)
        change(&sums.windowUpdates, other.windowUpdates)
        change(&sums.continuations, other.continuations)
        change(&sums.oversizedHeaderLists, other.oversizedHeaderLists)
        change(&sums.invalidFrames, other.invalidFrames)
        change(&sums.unknownFrames, other.unknownFrames)
        change(&sums.interimResponses, other.interimResponses)
        change(&sums.controlFloods, other.controlFloods)
        change(&sums.glitches, other.glitches)
        change(&sums.rejectedRequests, other.rejectedRequests)
        change(&sums.stalledWrites, other.stalledWrites)
        change(&sums.stalledReads, other.stalledReads)
        change(&sums.smallWritesHeld, other.smallWritesHeld)
        change(&sums.dataFramesSent, other.dataFramesSent)
        change(&sums.dataFramesReceived, other.dataFramesReceived)
    }
}
