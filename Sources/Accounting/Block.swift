// SPDX-License-Identifier: Apache-2.0

package import Bytes

/// A hold set aside once for many small fees, and the count of what was drawn on it.
///
/// A durable write per question would cost more than the question. So each side keeps this counter
/// in memory, writes it down now and then (``BlockCheckpoint``), and the callee posts the whole
/// when the block is renewed. The counts agree unless a message is lost or a side crashes:
/// * A task counts on both sides from its beginning; when it ends without a fee, it is given back.
///   A caller that never learns the end of a task leaves it counted.
/// * The callee's cumulative counter rides on every answer; only the highest matters.
/// * Who forgets, pays. A callee that crashes bills what its last checkpoint says. A caller that
///   crashes no longer knows better than the callee, and admits what the callee bills, up to the
///   amount of the block.
/// - SeeAlso: Spec §5.6.
package struct Block: Hashable, Sendable {
    /// The hold beneath.
    package let hold: OperationID
    /// On which side of the link we are.
    package let side: LinkSide
    /// What the hold sets aside.
    package let limit: Money
    /// The end of the hold.
    package let postBy: Instant
    /// The amount drawn at which the caller opens the next block.
    package let renewAt: Money
    /// Fees of tasks that have begun and not ended.
    package private(set) var begun: Money
    /// Fees of tasks that ended with a fee, and how many they are.
    package private(set) var billed: Money
    /// How many tasks ended with a fee.
    package private(set) var calls: Int64
    /// The highest counter received from the callee.
    package private(set) var reported: UsageCounter?
    /// False once the caller's memory has a gap.
    private let isComplete: Bool

    /// The counter of a hold of kind ``HoldRecord/Kind/block`` that was just placed.
    package init(opening record: HoldRecord, renewAt: PartsPerMillion) {
        self.init(record, renewAt, nil, isComplete: true)
    }

    /// The counter of such a hold after a restart, with what was last written down, if anything.
    package init(
        resuming record: HoldRecord, renewAt: PartsPerMillion, from checkpoint: BlockCheckpoint?
    ) {
        self.init(record, renewAt, checkpoint, isComplete: false)
    }

    private init(
        _ record: HoldRecord, _ renewAt: PartsPerMillion, _ checkpoint: BlockCheckpoint?,
        isComplete: Bool
    ) {
        invariant(record.kind == .block, "only a block counts fees")
        hold = record.op
        side = record.side
        limit = record.charge
        postBy = record.postBy
        let part = Int128(record.charge.micros) * Int128(renewAt.value) / 1_000_000
        self.renewAt = Money(micros: Int64(part), record.charge.currency)
        begun = .zero(record.charge.currency)
        billed = checkpoint?.amount ?? .zero(record.charge.currency)
        calls = checkpoint?.calls ?? 0
        self.isComplete = isComplete
    }

    /// What is counted: tasks under way and ended.
    package var drawn: Money { Money(micros: begun.micros + billed.micros, limit.currency) }

    /// Whether the caller should open the next block now.
    package var shouldRenew: Bool { drawn.micros >= renewAt.micros }

    /// The most that the caller lets the callee post on the block.
    package var ceiling: Money { isComplete ? drawn : limit }

    /// What the callee puts on its answers.
    package var counter: UsageCounter {
        UsageCounter(hold: hold, sequence: calls, calls: calls, amount: billed)
    }

    /// What either side writes down now and then.
    package func checkpoint(_ peer: EntityID) -> BlockCheckpoint {
        BlockCheckpoint(peer: peer, hold: hold, calls: calls, amount: billed)
    }
}

/// Why a task cannot draw on a block.
package enum BlockFault: String, Error, CaseIterable, Sendable {
    /// The fee does not fit into what is left: open the next block, or place a hold.
    case exhausted
    /// The block has ended, or will before the task can.
    case ended
    /// The fee is of another currency.
    case currency
}

extension Block {
    /// Counts the fee of a task that is about to begin and may last until `end`.
    ///
    /// - Throws: ``BlockFault``; nothing is counted then.
    package mutating func begin(_ fee: Money, until end: Instant) throws(BlockFault) {
        if fee.currency != limit.currency { throw .currency }
        if end > postBy { throw .ended }
        guard fee.micros >= 0, fee.micros <= limit.micros - drawn.micros else { throw .exhausted }
        begun = Money(micros: begun.micros + fee.micros, limit.currency)
        checkBounds()
    }

    /// Counts the end of a task that had begun with `fee`: billed, or given back.
    package mutating func conclude(_ fee: Money, isBilled: Bool) {
        invariant(
            fee.isAtMost(begun) && fee.micros >= 0, "a task ends on the block on which it began")
        begun = Money(micros: begun.micros - fee.micros, limit.currency)
        if isBilled {
            billed = Money(micros: billed.micros + fee.micros, limit.currency)
            calls += 1
        }
        checkBounds()
    }

    /// Takes the callee's counter from an answer.
    ///
    /// - Returns: Whether the callee counts no more than the caller does. If not, the difference
    ///   will be refused when it is posted, and people should hear of it now.
    package mutating func learn(_ counter: UsageCounter) -> Bool {
        guard counter.hold == hold, counter.amount.currency == limit.currency else { return false }
        if counter.sequence > reported?.sequence ?? -1 { reported = counter }
        return counter.amount.isAtMost(ceiling)
    }

    private func checkBounds() {
        invariant(drawn.isAtMost(limit) && begun.micros >= 0, "a block is never overdrawn")
    }
}
