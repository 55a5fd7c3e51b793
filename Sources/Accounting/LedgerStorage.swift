// SPDX-License-Identifier: Apache-2.0

package import Bytes

/// The durable tables beneath a ``Ledger``, inside one transaction of their owner.
///
/// Each method is one plain statement. The ledger decides; the tables guard a second time what
/// must never happen: an exposure over its limit, a hold or a posting resolved twice, an operation
/// id or a name used twice. A method that reports a broken guard has changed nothing.
/// - SeeAlso: Spec §5.12.
package protocol LedgerStorage: AnyObject {
    // MARK: Accounts

    /// The columns of an account, nil when it was never opened.
    func accountBalance(_ key: AccountKey) throws(StorageFault) -> AccountBalance?

    /// Creates an account with empty columns.
    /// - Throws: ``StorageFault/constraint(_:)`` when it exists.
    func openAccount(_ key: AccountKey, limit: Int64?) throws(StorageFault)

    func setAccountLimit(_ key: AccountKey, _ limit: Int64?) throws(StorageFault)

    /// Adds `change` to the columns, unless it raises the exposure and the result is over the
    /// limit; then nothing changes and the answer is false:
    /// `UPDATE account SET dr_pend = dr_pend + ?, … WHERE … AND (? <= 0 OR lim IS NULL OR
    /// exposure + ? <= lim)`, with the exposure of ``AccountBalance/exposure(_:)``.
    func changeAccount(_ key: AccountKey, by change: BalanceChange) throws(StorageFault) -> Bool

    /// Every account with its columns, in any order: for the trial balance and audits.
    func accountBalances() throws(StorageFault) -> [(key: AccountKey, balance: AccountBalance)]

    // MARK: Postings

    /// Appends a posting.
    /// - Throws: ``StorageFault/constraint(_:)`` when (peer, reference) or, for `post` and `void`,
    ///   (peer, resolves) is taken.
    func insertPosting(_ posting: Posting) throws(StorageFault)

    /// Up to `limit` postings from the `offset`-th in the order of insertion.
    func postings(from offset: Int, limit: Int) throws(StorageFault) -> [Posting]

    // MARK: Holds

    /// - Throws: ``StorageFault/constraint(_:)`` when (peer, op) is taken.
    func insertHold(_ hold: HoldRecord) throws(StorageFault)

    func hold(_ peer: EntityID, _ op: OperationID) throws(StorageFault) -> HoldRecord?

    /// `UPDATE hold SET state = ?, … WHERE peer = ? AND op = ? AND state = 'pending'`: false when
    /// there was nothing pending.
    func resolveHold(
        _ peer: EntityID, _ op: OperationID, _ state: HoldRecord.State,
        _ resolution: HoldResolution
    ) throws(StorageFault) -> Bool

    /// Up to `limit` pending holds whose `postBy` lies before `instant`, oldest first.
    func overdueHolds(before instant: Instant, limit: Int) throws(StorageFault) -> [HoldRecord]

    /// Every hold of one exchange, on every link, in the order of placing.
    func holds(exchange: OperationID) throws(StorageFault) -> [HoldRecord]

    /// The pending holds with `peer`, in the order of their ids.
    func pendingHolds(
        _ peer: EntityID, _ currency: Currency
    ) throws(StorageFault) -> [HoldRecord]

    // MARK: Operations

    func operationOutcome(
        _ peer: EntityID, _ op: OperationID
    ) throws(StorageFault) -> OperationOutcome?

    /// - Throws: ``StorageFault/constraint(_:)`` when (peer, op) is taken.
    func insertOperationOutcome(_ outcome: OperationOutcome) throws(StorageFault)

    /// Deletes outcomes whose `forgetAfter` lies before `instant`.
    func forgetOperationOutcomes(before instant: Instant) throws(StorageFault)

    // MARK: Tariffs

    /// Does nothing when the name is known.
    func insertTariff(_ tariff: TariffRecord) throws(StorageFault)

    func tariff(named name: HashName) throws(StorageFault) -> TariffRecord?

    // MARK: Evidence and statements

    /// - Throws: ``StorageFault/constraint(_:)`` when the name or (peer, post) is taken.
    func insertHopEvidence(_ evidence: HopEvidence) throws(StorageFault)

    func hopEvidence(named name: HashName) throws(StorageFault) -> HopEvidence?

    /// The record of a post with `peer`.
    func hopEvidence(
        _ peer: EntityID, post: OperationID
    ) throws(StorageFault) -> HopEvidence?

    /// The records of one exchange, on every link, in the order of insertion.
    func hopEvidence(of exchange: OperationID) throws(StorageFault) -> [HopEvidence]

    /// Stores the first acknowledgement of a record; false when there is one or no such record.
    func acknowledgeHop(_ name: HashName, _ token: String) throws(StorageFault) -> Bool

    /// - Throws: ``StorageFault/constraint(_:)`` when (peer, op, name) is taken.
    func insertStatementLine(_ line: StatementLine) throws(StorageFault)

    /// The lines booked in `[from, to)`, by (booked, op, name), each with the level of the hop
    /// record of its operation.
    func statementLines(
        _ peer: EntityID, _ currency: Currency, from: Instant, to: Instant
    ) throws(StorageFault) -> [(line: StatementLine, evidence: Evidence)]

    /// The sum of the lines booked before `instant`, in micros: what the peer owes us, negative
    /// when we owe the peer.
    func statementBalance(
        _ peer: EntityID, _ currency: Currency, before instant: Instant
    ) throws(StorageFault) -> Int64

    // MARK: What users pay

    /// - Throws: ``StorageFault/constraint(_:)`` when the name is taken.
    func insertUserTotal(_ total: UserTotal) throws(StorageFault)

    /// The totals of one exchange, in the order of insertion.
    func userTotals(of exchange: OperationID) throws(StorageFault) -> [UserTotal]

    /// Up to `limit` totals that are not put away with a closed period, by their names after
    /// `name`.
    func userTotals(after name: HashName?, limit: Int) throws(StorageFault) -> [UserTotal]

    // MARK: Blocks

    /// Every block that is not put away with a closed period, in the order of their ids.
    func blockCheckpoints() throws(StorageFault) -> [BlockCheckpoint]

    /// The pending holds of kind ``HoldRecord/Kind/block``, with every peer, in the order of their
    /// ids.
    func pendingBlocks() throws(StorageFault) -> [HoldRecord]

    func blockCheckpoint(
        _ peer: EntityID, _ hold: OperationID
    ) throws(StorageFault) -> BlockCheckpoint?

    /// Inserts or replaces.
    func saveBlockCheckpoint(_ checkpoint: BlockCheckpoint) throws(StorageFault)

    /// Inserts or replaces, by (peer, block, number).
    func saveDraw(_ draw: DrawRecord) throws(StorageFault)

    /// The draws on a block in the state `state`, by their numbers.
    func draws(
        _ peer: EntityID, on block: OperationID, _ state: DrawRecord.State
    ) throws(StorageFault) -> [DrawRecord]

    /// The draws of one exchange, on every link, in the order of their blocks and numbers.
    func draws(exchange: OperationID) throws(StorageFault) -> [DrawRecord]
}
