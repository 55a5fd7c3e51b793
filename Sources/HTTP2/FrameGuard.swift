// SPDX-License-Identifier: Apache-2.0
import Bytes

/// Counts the peer's frames and says when it is enough; also the rules about stream numbers that
/// the library leaves out, since it does not remember closed streams.
struct FrameGuard: Sendable {
    enum Verdict {
        case pass
        case odd(HTTP2Glitch)
        case cut(HTTP2Error)
    }

    private let limits: HTTP2Limits
    private let isServer: Bool
    private var resets: TokenBucket
    private var priorities: TokenBucket
    private var pings: TokenBucket
    private var settings: TokenBucket
    private var unknown: TokenBucket
    private var continuations = 0
    private var blockBytes = 0
    /// PINGs of ours that are not answered yet.
    var expectedPongs = 0
    private var wasGreeted = false
    private var wasAcknowledged = false

    /// The peer's highest stream, and the numbers below it that it never used; begins so that 1
    /// is the next.
    private var lastStream: Int32 = -1
    private var skipped: [ClosedRange<Int32>] = []
    /// The last streams that the peer itself ended, by END_STREAM or RST_STREAM.
    private var ended = [Int32](repeating: 0, count: 128)
    private var endedCount = 0

    init(limits: HTTP2Limits, isServer: Bool, now: MonotonicInstant) {
        self.limits = limits
        self.isServer = isServer
        resets = TokenBucket(limits.receivedResets, now: now)
        priorities = TokenBucket(limits.priorities, now: now)
        pings = TokenBucket(limits.pings, now: now)
        settings = TokenBucket(limits.settings, now: now)
        unknown = TokenBucket(limits.unknownFrames, now: now)
    }

    mutating func judge(
        _ head: FrameHead, counters: inout HTTP2Counters, now: MonotonicInstant
    ) -> Verdict {
        switch head.type {
        case FrameHead.data:
            counters.dataFramesReceived += 1
            return judgeStream(head)
        case FrameHead.headers, FrameHead.pushPromise:
            continuations = 0
            blockBytes = 0
            let verdict = addToBlock(head, &counters)
            if case .cut = verdict { return verdict }
            return judgeStream(head)
        case FrameHead.continuation:
            counters.continuations += 1
            continuations += 1
            guard continuations <= limits.continuations else {
                return .cut(.abuse(.continuations))
            }
            return addToBlock(head, &counters)
        case FrameHead.priority, FrameHead.priorityUpdate:
            counters.priorities += 1
            guard priorities.take(now: now) else { return .cut(.abuse(.priorities)) }
            return isLawless(head) ? .cut(.violation(.protocolError)) : .odd(.priority)
        case FrameHead.resetStream:
            counters.receivedResets += 1
            noteEnd(of: head.stream)
            return resets.take(now: now) ? .odd(.receivedReset) : .cut(.abuse(.receivedResets))
        case FrameHead.settings:
            return judgeSettings(head, &counters, now)
        case FrameHead.ping:
            if head.hasFirstFlag, expectedPongs > 0 {
                expectedPongs -= 1
                return .pass
            }
            counters.pings += 1
            return pings.take(now: now) ? .odd(.ping) : .cut(.abuse(.pings))
        case FrameHead.windowUpdate:
            counters.windowUpdates += 1
            let allowed =
                UInt64(limits.windowUpdates)
                + counters.dataFramesSent * UInt64(limits.windowUpdatesPerData)
                + counters.streams * UInt64(limits.windowUpdatesPerStream)
            return counters.windowUpdates <= allowed ? .pass : .cut(.abuse(.windowUpdates))
        case FrameHead.goAway:
            return .pass
        default:
            counters.unknownFrames += 1
            return unknown.take(now: now) ? .odd(.unknownFrame) : .cut(.abuse(.unknownFrames))
        }
    }

    private mutating func judgeSettings(
        _ head: FrameHead, _ counters: inout HTTP2Counters, _ now: MonotonicInstant
    ) -> Verdict {
        let entries = head.length / 6
        counters.settingsEntries += UInt64(entries)
        guard entries <= limits.settingsEntries else { return .cut(.abuse(.settingsEntries)) }
        guard !isGreeting(isAck: head.hasFirstFlag) else { return .pass }
        counters.settings += 1
        return settings.take(now: now) ? .odd(.settings) : .cut(.abuse(.settings))
    }

    /// Whether these SETTINGS are the first, or the first acknowledgement. They are no oddity,
    /// and an honest peer with many connections sends many.
    private mutating func isGreeting(isAck: Bool) -> Bool {
        defer { if isAck { wasAcknowledged = true } else { wasGreeted = true } }
        return isAck ? !wasAcknowledged : !wasGreeted
    }

    private mutating func addToBlock(
        _ head: FrameHead, _ counters: inout HTTP2Counters
    ) -> Verdict {
        blockBytes += head.length
        counters.largestHeaderBlock = max(counters.largestHeaderBlock, UInt64(blockBytes))
        guard blockBytes <= limits.headerBlockBytes else { return .cut(.abuse(.headerBlock)) }
        return head.type == FrameHead.continuation ? .odd(.continuation) : .pass
    }

    /// Whether a PRIORITY breaks RFC 9113 §6.3 or RFC 7540 §5.3.1. A server's library, told that
    /// there are no priorities, skips the frame without a look.
    private func isLawless(_ head: FrameHead) -> Bool {
        head.type == FrameHead.priority && (head.stream == 0 || head.dependency == head.stream)
    }

    /// RFC 9113 §5.1 and §5.1.1 for DATA and HEADERS of streams that the client opens.
    private mutating func judgeStream(_ head: FrameHead) -> Verdict {
        guard head.stream % 2 == 1 else { return .pass }
        if isServer, head.type == FrameHead.headers, head.stream > lastStream {
            if head.stream > lastStream + 2 {
                if skipped.count == Self.mostSkipped { skipped.removeFirst() }
                skipped.append((lastStream + 2)...(head.stream - 2))
            }
            lastStream = head.stream
        } else {
            // A number below the last that was never used cannot be used any more, and after
            // the peer's own end nothing may follow. What comes late for a stream that *we*
            // reset is no fault.
            if skipped.contains(where: { $0.contains(head.stream) }) {
                return .cut(.violation(.protocolError))
            }
            if ended.contains(head.stream) { return .cut(.violation(.streamClosed)) }
        }
        if head.hasFirstFlag { noteEnd(of: head.stream) }
        return .pass
    }

    private mutating func noteEnd(of stream: Int32) {
        ended[endedCount % ended.count] = stream
        endedCount += 1
    }

    private static let mostSkipped = 64
}
