// SPDX-License-Identifier: Apache-2.0
package import Bytes
import CNghttp2
import HTTP

extension HTTP2Session {
    /// When ``expire(now:)`` has something to do at the latest; `nil` while nothing is due. It may
    /// change with every call, and costs next to nothing to ask.
    package var nextDeadline: MonotonicInstant? {
        guard !isDead else { return nil }
        let header = scanner.unfinishedSince?.adding(limits.headers)
        let all = [prefaceDeadline, settingsDeadline, header, nextSweep, nextSmallWrite]
        return all.compactMap { $0 }.min()
    }

    /// Acts on what is late: resets streams without progress, lets small writes go, and ends a
    /// connection whose peer is silent where it must speak.
    /// - Throws: ``HTTP2Error/late(_:)``; the connection is over.
    package func expire(now: MonotonicInstant) throws(HTTP2Error) {
        guard !isDead else { return }
        clock = max(clock, now)
        if let prefaceDeadline, prefaceDeadline <= clock { verdict = .late(.preface) }
        if let settingsDeadline, settingsDeadline <= clock { verdict = .late(.settingsAck) }
        if let since = scanner.unfinishedSince, since.adding(limits.headers) <= clock {
            verdict = .late(prefaceDeadline == nil ? .headers : .preface)
        }
        try act()
        if let nextSmallWrite, nextSmallWrite <= clock { resumeSmallWrites() }
        if let nextSweep, nextSweep <= clock { sweep() }
        try act()
    }

    /// Looks at the progress of each stream, once a second.
    private func sweep() {
        nextSweep = streams.isEmpty ? nil : clock.adding(Self.sweepInterval)
        // While the owner holds half of the connection's window, it is the owner who is slow.
        let held = streams.values.reduce(0) { $0 + $1.unconsumed } + lingering.values.reduce(0, +)
        let mayRead = held < limits.connectionWindow / 2
        for stream in streams.values where stream.resetBy == nil {
            if isWriteStalled(stream) {
                counters.stalledWrites += 1
                note(.lateStream)
                resetBySession(stream, .cancel)
            } else if isReadStalled(stream, mayRead) {
                counters.stalledReads += 1
                note(.lateStream)
                resetBySession(stream, .cancel)
            }
        }
    }

    private func isWriteStalled(_ stream: HTTP2Stream) -> Bool {
        guard !stream.body.isEmpty else {
            stream.writeMark = nil
            return false
        }
        guard let mark = stream.writeMark,
            stream.body.taken - mark.taken < limits.progressBytes
        else {
            stream.writeMark = (clock, stream.body.taken)
            return false
        }
        return mark.since.adding(limits.writeProgress) <= clock
    }

    private func isReadStalled(_ stream: HTTP2Stream, _ mayRead: Bool) -> Bool {
        // A client waits for its server as long as its owner's own deadline allows.
        let isDue = role == .server && mayRead && !stream.peerEnded
        guard isDue, stream.unconsumed < limits.streamWindow / 2 else {
            stream.readMark = nil
            return false
        }
        guard let mark = stream.readMark,
            stream.received - mark.received < limits.progressBytes
        else {
            stream.readMark = (clock, stream.received)
            return false
        }
        return mark.since.adding(limits.readProgress) <= clock
    }

    static let sweepInterval = Duration.seconds(1)
}
