// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// Memory for answers that are whole: read from a next hop to their end, and written to a client
/// that may be slow. A hundred streams of eight megabytes each, on ten thousand connections, are
/// more than any machine has, so their sum is bounded, for all and for each identity.
///
/// Counted are bytes as they arrived or will leave; parsed and rewritten they take about three
/// times as much for a moment.
package final class AnswerBudget: Sendable {
    private struct State {
        var all = 0
        var each: [String: Int] = [:]
        var refused: Int64 = 0
        var cut: Int64 = 0
    }

    private let limit: Int
    private let limitOfOne: Int
    private let state = Mutex(State())

    /// - Parameters:
    ///   - limit: Bytes of all answers together.
    ///   - limitOfOne: Bytes of the answers to one identity.
    package init(limit: Int, limitOfOne: Int) {
        self.limit = limit
        self.limitOfOne = min(limit, limitOfOne)
    }

    /// Bytes that are held now.
    package var held: Int { state.withLock { $0.all } }

    /// Whether a request of `holder` may begin: half of the memory is for new ones, the other for
    /// the answers of those that have begun, which are dearer to lose.
    func admits(_ holder: String) -> Bool {
        state.withLock { state in
            if state.all < limit / 2, state.each[holder, default: 0] < limitOfOne / 2 {
                return true
            }
            state.refused += 1
            return false
        }
    }

    /// Takes `count` bytes more if there are so many.
    fileprivate func take(_ count: Int, for holder: String) -> Bool {
        state.withLock { state in
            let own = state.each[holder, default: 0]
            guard state.all + count <= limit, own + count <= limitOfOne else {
                state.cut += 1
                return false
            }
            state.all += count
            state.each[holder] = own + count
            return true
        }
    }

    /// Adds what is there already, or gives back.
    fileprivate func add(_ count: Int, for holder: String) {
        state.withLock { state in
            state.all += count
            let own = state.each[holder, default: 0] + count
            // Names of those who hold nothing are not kept.
            state.each[holder] = own == 0 ? nil : own
        }
    }
}

extension AnswerBudget: MetricSource {
    /// What is held, and what there was no memory for.
    package var exposition: String {
        let state = state.withLock { $0 }
        return """
            # HELP dragoman_answers_held_bytes Bytes of whole answers being read or written.
            # TYPE dragoman_answers_held_bytes gauge
            dragoman_answers_held_bytes \(state.all)
            # HELP dragoman_answers_busy_total Requests refused while they fill their memory.
            # TYPE dragoman_answers_busy_total counter
            dragoman_answers_busy_total \(state.refused)
            # HELP dragoman_answers_cut_total Answers given up because they would pass the limit.
            # TYPE dragoman_answers_cut_total counter
            dragoman_answers_cut_total \(state.cut)

            """
    }
}

/// What the answers to one request hold. It gives everything back when it goes.
final class AnswerShare {
    private let budget: AnswerBudget
    private let holder: String
    private var count = 0

    /// - Parameter holder: The identity for which it is held.
    init(_ budget: AnswerBudget, for holder: String) {
        self.budget = budget
        self.holder = holder
    }

    deinit { release() }

    /// Takes `more` bytes if there are so many.
    func take(_ more: Int) -> Bool {
        guard budget.take(more, for: holder) else { return false }
        count += more
        return true
    }

    /// Holds this many from now on, those of an answer that is made, instead of those that it was
    /// made from. An answer that was read from a next hop is never lost here: it may tell of what
    /// has been done, and is hardly longer than what is held for it already.
    ///
    /// - Parameter isForced: Whether it is held whatever the limit.
    /// - Returns: Whether there is memory for it.
    func becomes(_ new: Int, isForced: Bool) -> Bool {
        guard isForced || count > 0 else { return take(new) }
        budget.add(new - count, for: holder)
        count = new
        return true
    }

    /// Gives everything back.
    func release() {
        budget.add(-count, for: holder)
        count = 0
    }
}
