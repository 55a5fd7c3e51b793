// SPDX-License-Identifier: Apache-2.0

package import Accounting
package import Bytes

/// The tables of a ledger in memory, with the guards that a database keeps.
///
/// ``transaction(_:)`` undoes everything when its body throws, as a savepoint does. One at a time:
/// the class is for one writer, as the database has.
package final class MemoryLedger: LedgerStorage {
    private struct Name: Hashable {
        let peer: EntityID
        let op: OperationID
    }

    private struct Slot: Hashable {
        let peer: EntityID
        let reference: Posting.Reference
    }

    private struct Tables {
        var accounts: [AccountKey: AccountBalance] = [:]
        var postings: [Posting] = []
        var slots: Set<Slot> = []
        var resolved: Set<Slot> = []
        var holds: [Name: HoldRecord] = [:]
        var outcomes: [Name: OperationOutcome] = [:]
        var tariffs: [HashName: TariffRecord] = [:]
        var hops: [HopEvidence] = []
        var lines: [StatementLine] = []
        var blocks: [Name: BlockCheckpoint] = [:]
        var totals: [UserTotal] = []
        var draws: [Name: [Int64: DrawRecord]] = [:]
    }

    private var tables = Tables()

    /// When set, the next write throws this, once: a full disk.
    package var failure: StorageFault?

    /// Empty tables.
    package init() {}

    /// Runs `body`; when it throws, the tables are as before.
    package func transaction<Value>(_ body: () throws -> Value) throws -> Value {
        let before = tables
        do {
            return try body()
        } catch {
            tables = before
            throw error
        }
    }

    /// Every account's columns, sorted by name: what two runs must agree on.
    package var snapshot: [String] {
        tables.accounts.map { key, balance in
            "\(key) \(balance.debitsPending) \(balance.debitsPosted) "
                + "\(balance.creditsPending) \(balance.creditsPosted)"
        }.sorted()
    }

    private func write() throws(StorageFault) {
        guard let failure else { return }
        self.failure = nil
        throw failure
    }

    // MARK: Accounts

    package func accountBalance(_ key: AccountKey) throws(StorageFault) -> AccountBalance? {
        tables.accounts[key]
    }

    package func openAccount(_ key: AccountKey, limit: Int64?) throws(StorageFault) {
        try write()
        if tables.accounts[key] != nil { throw .constraint("account") }
        tables.accounts[key] = AccountBalance(limit: limit)
    }

    package func setAccountLimit(_ key: AccountKey, _ limit: Int64?) throws(StorageFault) {
        try write()
        tables.accounts[key]?.limit = limit
    }

    package func changeAccount(
        _ key: AccountKey, by change: BalanceChange
    ) throws(StorageFault) -> Bool {
        try write()
        guard let after = tables.accounts[key]?.applying(change) else {
            throw .constraint("account")
        }
        let columns = [
            after.debitsPending, after.debitsPosted, after.creditsPending, after.creditsPosted,
        ]
        if columns.contains(where: { $0 < 0 }) { throw .constraint("account") }
        if change.exposure(key.code) > 0, let limit = after.limit,
            after.exposure(key.code).map({ $0 > limit }) ?? true
        {
            return false
        }
        tables.accounts[key] = after
        return true
    }

    package func accountBalances() throws(StorageFault)
        -> [(key: AccountKey, balance: AccountBalance)]
    {
        tables.accounts.map { ($0.key, $0.value) }
    }

    // MARK: Postings

    package func insertPosting(_ posting: Posting) throws(StorageFault) {
        try write()
        guard
            tables.slots.insert(Slot(peer: posting.peer, reference: posting.reference)).inserted
        else { throw .constraint("posting") }
        if let pending = posting.resolves {
            guard
                tables.resolved.insert(Slot(peer: posting.peer, reference: pending)).inserted
            else { throw .constraint("one_resolution") }
        }
        tables.postings.append(posting)
    }

    package func postings(
        from offset: Int, limit: Int
    ) throws(StorageFault) -> [Posting] {
        Array(tables.postings.dropFirst(offset).prefix(limit))
    }

    // MARK: Holds

    package func insertHold(_ hold: HoldRecord) throws(StorageFault) {
        try write()
        let name = Name(peer: hold.peer, op: hold.op)
        if tables.holds[name] != nil { throw .constraint("hold") }
        tables.holds[name] = hold
    }

    package func hold(_ peer: EntityID, _ op: OperationID) throws(StorageFault) -> HoldRecord? {
        tables.holds[Name(peer: peer, op: op)]
    }

    package func resolveHold(
        _ peer: EntityID, _ op: OperationID, _ state: HoldRecord.State,
        _ resolution: HoldResolution
    ) throws(StorageFault) -> Bool {
        try write()
        let name = Name(peer: peer, op: op)
        guard tables.holds[name]?.state == .pending else { return false }
        tables.holds[name]?.state = state
        tables.holds[name]?.resolution = resolution
        return true
    }

    package func overdueHolds(
        before instant: Instant, limit: Int
    ) throws(StorageFault) -> [HoldRecord] {
        let overdue = tables.holds.values.filter { $0.state == .pending && $0.postBy < instant }
        return Array(
            overdue.sorted { ($0.postBy, $0.peer, $0.op) < ($1.postBy, $1.peer, $1.op) }
                .prefix(limit))
    }

    package func holds(exchange: OperationID) throws(StorageFault) -> [HoldRecord] {
        tables.holds.values.filter { $0.exchange == exchange }
            .sorted { ($0.placed, $0.op) < ($1.placed, $1.op) }
    }

    package func pendingHolds(
        _ peer: EntityID, _ currency: Currency
    ) throws(StorageFault) -> [HoldRecord] {
        tables.holds.values
            .filter {
                $0.peer == peer && $0.state == .pending && $0.charge.currency == currency
            }
            .sorted { $0.op < $1.op }
    }

    // MARK: Operations

    package func operationOutcome(
        _ peer: EntityID, _ op: OperationID
    ) throws(StorageFault) -> OperationOutcome? {
        tables.outcomes[Name(peer: peer, op: op)]
    }

    package func insertOperationOutcome(_ outcome: OperationOutcome) throws(StorageFault) {
        try write()
        let name = Name(peer: outcome.peer, op: outcome.op)
        if tables.outcomes[name] != nil { throw .constraint("operation") }
        tables.outcomes[name] = outcome
    }

    package func forgetOperationOutcomes(before instant: Instant) throws(StorageFault) {
        try write()
        tables.outcomes = tables.outcomes.filter { $0.value.forgetAfter >= instant }
    }

    // MARK: Tariffs

    package func insertTariff(_ tariff: TariffRecord) throws(StorageFault) {
        try write()
        if tables.tariffs[tariff.name] == nil { tables.tariffs[tariff.name] = tariff }
    }

    package func tariff(named name: HashName) throws(StorageFault) -> TariffRecord? {
        tables.tariffs[name]
    }

    // MARK: Evidence and statements

    package func insertHopEvidence(_ evidence: HopEvidence) throws(StorageFault) {
        try write()
        let isTaken = tables.hops.contains {
            $0.name == evidence.name || ($0.peer == evidence.peer && $0.post == evidence.post)
        }
        if isTaken { throw .constraint("hop") }
        tables.hops.append(evidence)
    }

    package func hopEvidence(named name: HashName) throws(StorageFault) -> HopEvidence? {
        tables.hops.first { $0.name == name }
    }

    package func hopEvidence(
        _ peer: EntityID, post: OperationID
    ) throws(StorageFault) -> HopEvidence? {
        tables.hops.first { $0.peer == peer && $0.post == post }
    }

    package func hopEvidence(
        of exchange: OperationID
    ) throws(StorageFault) -> [HopEvidence] {
        tables.hops.filter { $0.exchange == exchange }
    }

    package func acknowledgeHop(
        _ name: HashName, _ token: String
    ) throws(StorageFault) -> Bool {
        try write()
        guard let place = tables.hops.firstIndex(where: { $0.name == name }),
            tables.hops[place].acknowledgement == nil
        else { return false }
        tables.hops[place].acknowledgement = token
        return true
    }

    package func insertStatementLine(_ line: StatementLine) throws(StorageFault) {
        try write()
        let isTaken = tables.lines.contains {
            $0.peer == line.peer && $0.op == line.op && $0.name == line.name
        }
        if isTaken { throw .constraint("line") }
        tables.lines.append(line)
    }

    package func statementLines(
        _ peer: EntityID, _ currency: Currency, from: Instant, to: Instant
    ) throws(StorageFault) -> [(line: StatementLine, evidence: Evidence)] {
        tables.lines
            .filter {
                $0.peer == peer && $0.amount.currency == currency && $0.booked >= from
                    && $0.booked < to
            }
            .sorted { ($0.booked, $0.op, $0.name) < ($1.booked, $1.op, $1.name) }
            .map { line in
                let hop = tables.hops.first { $0.peer == peer && $0.post == line.op }
                let evidence: Evidence =
                    hop.map { $0.acknowledgement == nil ? .recorded : .countersigned }
                    ?? .unilateral
                return (line, evidence)
            }
    }

    package func statementBalance(
        _ peer: EntityID, _ currency: Currency, before instant: Instant
    ) throws(StorageFault) -> Int64 {
        tables.lines
            .filter {
                $0.peer == peer && $0.amount.currency == currency && $0.booked < instant
            }
            .reduce(0) { $0 + ($1.isOwedToUs ? $1.amount.micros : -$1.amount.micros) }
    }

    // MARK: Blocks

    package func insertUserTotal(_ total: UserTotal) throws(StorageFault) {
        try write()
        if tables.totals.contains(where: { $0.name == total.name }) { throw .constraint("total") }
        tables.totals.append(total)
    }

    package func userTotals(of exchange: OperationID) throws(StorageFault) -> [UserTotal] {
        tables.totals.filter { $0.exchange == exchange }
    }

    package func userTotals(
        after name: HashName?, limit: Int
    ) throws(StorageFault) -> [UserTotal] {
        let sorted = tables.totals.sorted { $0.name.text < $1.name.text }
        return Array(sorted.filter { $0.name.text > name?.text ?? "" }.prefix(limit))
    }

    package func blockCheckpoints() throws(StorageFault) -> [BlockCheckpoint] {
        tables.blocks.values.sorted { ($0.hold, $0.peer) < ($1.hold, $1.peer) }
    }

    package func pendingBlocks() throws(StorageFault) -> [HoldRecord] {
        tables.holds.values.filter { $0.kind == .block && $0.state == .pending }
            .sorted { $0.op < $1.op }
    }

    package func saveDraw(_ draw: DrawRecord) throws(StorageFault) {
        try write()
        tables.draws[Name(peer: draw.peer, op: draw.block), default: [:]][draw.number] = draw
    }

    package func draws(
        _ peer: EntityID, on block: OperationID, _ state: DrawRecord.State
    ) throws(StorageFault) -> [DrawRecord] {
        let draws = tables.draws[Name(peer: peer, op: block)] ?? [:]
        return draws.values.filter { $0.state == state }.sorted { $0.number < $1.number }
    }

    package func draws(exchange: OperationID) throws(StorageFault) -> [DrawRecord] {
        tables.draws.values.flatMap { $0.values }.filter { $0.exchange == exchange }
            .sorted { ($0.peer, $0.block, $0.number) < ($1.peer, $1.block, $1.number) }
    }

    package func blockCheckpoint(
        _ peer: EntityID, _ hold: OperationID
    ) throws(StorageFault) -> BlockCheckpoint? {
        tables.blocks[Name(peer: peer, op: hold)]
    }

    package func saveBlockCheckpoint(_ checkpoint: BlockCheckpoint) throws(StorageFault) {
        try write()
        tables.blocks[Name(peer: checkpoint.peer, op: checkpoint.hold)] = checkpoint
    }
}
