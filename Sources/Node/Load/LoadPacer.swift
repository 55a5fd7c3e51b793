// SPDX-License-Identifier: Apache-2.0
import Bytes

/// One request of a load run: when it was to begin, and whether it counts.
struct LoadOrder {
    /// From 1, unlike that of any other request of the run.
    let number: Int
    /// In a closed loop when it was sent, in an open one when it should have been.
    let start: MonotonicInstant
    /// False in the warm-up.
    let isCounted: Bool
}

/// Says when the requests of one loop begin. It holds no backlog: the time of an open loop's
/// request follows from its place in the row, so what is overdue costs no memory.
struct LoadPacer {
    /// The end of the warm-up.
    let measuredFrom: MonotonicInstant
    private let begin: MonotonicInstant
    private let pace: LoadPlan.Pace
    private let timeout: Duration
    /// No request begins at or after it.
    private let end: MonotonicInstant?
    /// Requests that count and are still to come.
    private var left: Int
    private var taken = 0
    private let share: LoadShare

    init(_ plan: LoadPlan, share: LoadShare, begin: MonotonicInstant) {
        self.begin = begin
        self.share = share
        timeout = plan.timeout
        measuredFrom = begin.adding(plan.warmUp)
        switch plan.amount {
        case .requests(let count):
            left = share.part(of: count)
            end = nil
        case .duration(let duration):
            left = .max
            end = measuredFrom.adding(duration)
        }
        switch plan.pace {
        case .closed: pace = .closed
        case .open(let rate): pace = .open(perSecond: rate / Double(share.count))
        }
    }

    /// The request that may begin now, if any.
    mutating func next(_ now: MonotonicInstant) -> LoadOrder? {
        guard let start = start(now), start <= now else { return nil }
        return take(start)
    }

    /// A request of an open loop that has waited for a free stream as long as for an answer.
    mutating func nextUnsent(_ now: MonotonicInstant) -> LoadOrder? {
        guard case .open = pace, let start = start(now), start.adding(timeout) <= now else {
            return nil
        }
        return take(start)
    }

    /// When the next request begins: in a closed loop `now`; nil when no more will.
    func start(_ now: MonotonicInstant) -> MonotonicInstant? {
        let start: MonotonicInstant
        switch pace {
        case .closed: start = now
        case .open(let rate):
            // Loops take turns, so that together they keep an even distance.
            let place = Double(taken) + Double(share.index) / Double(share.count)
            start = MonotonicInstant(nanoseconds: begin.nanoseconds + UInt64(place * 1e9 / rate))
        }
        if let end, start >= end { return nil }
        return left == 0 ? nil : start
    }

    private mutating func take(_ start: MonotonicInstant) -> LoadOrder {
        let isCounted = start >= measuredFrom
        if isCounted, left != .max { left -= 1 }
        defer { taken += 1 }
        return LoadOrder(
            number: taken * share.count + share.index + 1, start: start, isCounted: isCounted)
    }
}

/// Which part of a run one of several loops does.
struct LoadShare: Sendable {
    /// From 0.
    let index: Int
    let count: Int

    /// This loop's part of a number of things.
    func part(of total: Int) -> Int {
        total / count + (index < total % count ? 1 : 0)
    }
}
