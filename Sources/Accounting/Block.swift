// SPDX-License-Identifier: Apache-2.0

package import Bytes

/// A hold set aside once for many small fees, and the count of what was drawn on it.
///
/// A durable write per question would cost more than the question. So each side keeps this counter
/// in memory, writes it down in batches (``BlockCheckpoint``), and the callee posts the whole when
/// the block is over. Each task draws one fee under a number that the caller gives out once; so a
/// draw is worth the same on both sides whatever is lost, repeated or late:
/// * The n-th draw states the sum of n fees, and no draw lies beyond the block.
/// * A task that ends without a fee is not billed; its number stays used.
/// * The callee's cumulative counter rides on its answers; only the highest matters.
/// * Who forgets, pays. A callee that crashes bills what its last checkpoint says. A caller that
///   crashes no longer knows better than the callee, and admits what the callee bills, up to the
///   amount of the block.
/// - SeeAlso: Spec §5.6.
package struct Block: Sendable {
    /// The hold beneath.
    package let hold: OperationID
    /// On which side of the link we are.
    package let side: LinkSide
    /// The version by which every draw is rated, to the end of the block.
    package let tariff: HashName
    /// What one draw costs.
    package let fee: Money
    /// What the hold sets aside.
    package let limit: Money
    /// The end of the hold.
    package let postBy: Instant
    /// The last instant at which a task may draw; from then on the callee may post.
    package let lastDraw: Instant
    /// The highest number given out or seen.
    package private(set) var highest: Int64
    /// How many tasks ended with a fee.
    package private(set) var calls: Int64
    /// The numbers of tasks that have begun and not ended.
    package private(set) var underway: Set<Int64>
    /// The highest counter received from the callee.
    package private(set) var reported: UsageCounter?
    /// The number, and the instant, at which the caller should open the next block.
    private let renewal: (number: Int64, from: Instant)
    /// Which numbers the callee has seen.
    private var window: DrawWindow
    /// False once the caller's memory has a gap.
    private let isComplete: Bool

    /// The counter of a hold of kind ``HoldRecord/Kind/block`` that was just placed under `tariff`.
    package init(opening record: HoldRecord, _ tariff: Tariff) {
        self.init(record, tariff, nil, underway: [])
    }

    /// The counter of such a hold after a restart, with what was last written down: the
    /// checkpoint and the numbers of the tasks that were under way then.
    package init(
        resuming record: HoldRecord, _ tariff: Tariff, from checkpoint: BlockCheckpoint,
        underway: Set<Int64>
    ) {
        self.init(record, tariff, checkpoint, underway: underway)
    }

    private init(
        _ record: HoldRecord, _ tariff: Tariff, _ checkpoint: BlockCheckpoint?,
        underway: Set<Int64>
    ) {
        invariant(record.kind == .block, "only a block counts fees")
        hold = record.op
        side = record.side
        self.tariff = record.tariff
        fee = tariff.charge?.fixed ?? .zero(record.charge.currency)
        invariant(fee.micros > 0, "nothing is drawn for nothing")
        limit = record.charge
        postBy = record.postBy
        let (delta, skew) = (tariff.hold.delta, tariff.hold.skew)
        lastDraw = record.postBy.adding(seconds: -delta - (record.side == .caller ? skew : 0))
        let capacity = limit.micros / fee.micros
        let part = tariff.block?.renewAt.value ?? 1_000_000
        let life = record.postBy - record.placed
        renewal = (
            max(1, Int64(Int128(capacity) * Int128(part) / 1_000_000)),
            record.postBy.adding(milliseconds: -min(tariff.hold.longest * 1000, life / 2))
        )
        highest = checkpoint?.highest ?? 0
        calls = checkpoint?.calls ?? 0
        self.underway = underway
        window = DrawWindow(allUpTo: highest)
        isComplete = checkpoint?.isWhole ?? true
    }

    /// How many draws fit.
    package var capacity: Int64 { limit.micros / fee.micros }

    /// Whether every number was given out.
    package var isExhausted: Bool { highest >= capacity }

    /// Whether the caller should open the next block now.
    package func shouldRenew(at now: Instant) -> Bool {
        highest >= renewal.number || now >= renewal.from
    }

    /// What the callee bills.
    package var billed: Money { fees(calls) }

    /// The most that the caller lets the callee post on the block: what it gave out and did not
    /// see end without a fee.
    package var ceiling: Money { isComplete ? fees(calls + Int64(underway.count)) : limit }

    /// What the callee puts on its answers.
    package var counter: UsageCounter { counter(billing: 0) }

    /// The same where so many of the tasks that are under way will have ended with a fee.
    package func counter(billing more: Int64) -> UsageCounter {
        let calls = calls + more
        return UsageCounter(hold: hold, sequence: calls, calls: calls, amount: fees(calls))
    }

    /// What either side writes down in batches.
    ///
    /// - Parameter isWhole: Whether nothing can be drawn after it was written: at an orderly end.
    package func checkpoint(
        _ peer: EntityID, opening: String, isWhole: Bool
    ) -> BlockCheckpoint {
        BlockCheckpoint(
            peer: peer, hold: hold, opening: opening, calls: calls, amount: billed,
            highest: highest, isWhole: isWhole && isComplete)
    }

    private func fees(_ count: Int64) -> Money {
        Money(micros: count * fee.micros, fee.currency)
    }
}

/// Why a task cannot draw on a block.
package enum BlockFault: String, Error, CaseIterable, Sendable {
    /// The number lies beyond the block: open the next one.
    case exhausted
    /// The block takes no more draws: open the next one.
    case ended
    /// The sum that the draw states is not that of its number.
    case price
    /// The number was drawn before, or is too old to know.
    case repeated
}

extension LedgerRefusal {
    /// The refusal of a draw.
    package init(_ fault: BlockFault) {
        switch fault {
        case .exhausted: self = .blockExhausted
        case .ended: self = .holdExpired
        case .price: self = .price
        case .repeated: self = .idempotencyConflict
        }
    }
}

extension Block {
    /// Gives out the next number to a task that is about to begin at the caller.
    ///
    /// - Throws: ``BlockFault/exhausted``, ``BlockFault/ended``; nothing is counted then.
    package mutating func draw(at now: Instant) throws(BlockFault) -> Draw {
        guard isComplete, now <= lastDraw else { throw .ended }
        guard !isExhausted else { throw .exhausted }
        highest += 1
        underway.insert(highest)
        return Draw(block: hold, number: highest, amount: fees(highest))
    }

    /// Counts a task that begins at the callee, once.
    ///
    /// - Throws: ``BlockFault``; nothing is counted then.
    package mutating func admit(_ draw: Draw, at now: Instant) throws(BlockFault) {
        guard draw.number >= 1, draw.number <= capacity else { throw .exhausted }
        guard draw.amount == fees(draw.number) else { throw .price }
        guard now <= lastDraw else { throw .ended }
        guard window.insert(draw.number) else { throw .repeated }
        highest = max(highest, draw.number)
        underway.insert(draw.number)
    }

    /// Counts the end of a task that drew `number`, once.
    ///
    /// - Returns: Whether it had begun and not ended.
    @discardableResult
    package mutating func conclude(_ number: Int64, isBilled: Bool) -> Bool {
        guard underway.remove(number) != nil else { return false }
        if isBilled { calls += 1 }
        invariant(calls <= highest && highest <= capacity, "a block is never overdrawn")
        return true
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
}

/// Which of the last numbers were seen: numbers may overtake each other on their way, and none may
/// count twice (as RFC 4303 §3.4.3 has it for packets).
struct DrawWindow: Sendable {
    /// Numbers may arrive by so many late; more tasks than that do not begin at one time.
    static let size: Int64 = 1024

    private var top: Int64
    private var words: [UInt64]

    /// Everything up to `top` counts as seen: after a restart nobody knows better.
    init(allUpTo top: Int64) {
        self.top = top
        words = Array(repeating: top > 0 ? .max : 0, count: Int(Self.size / 64))
    }

    /// Whether `number` is seen for the first time.
    mutating func insert(_ number: Int64) -> Bool {
        if number > top {
            if number - top >= Self.size {
                for index in words.indices { words[index] = 0 }
            } else {
                for passed in top + 1..<number { self[passed] = false }
            }
            top = number
            self[number] = true
            return true
        }
        if top - number >= Self.size || self[number] { return false }
        self[number] = true
        return true
    }

    private subscript(number: Int64) -> Bool {
        get { words[Self.word(number)] & Self.bit(number) != 0 }
        set {
            if newValue {
                words[Self.word(number)] |= Self.bit(number)
            } else {
                words[Self.word(number)] &= ~Self.bit(number)
            }
        }
    }

    private static func word(_ number: Int64) -> Int { Int(number % size / 64) }
    private static func bit(_ number: Int64) -> UInt64 { 1 << UInt64(number % 64) }
}
