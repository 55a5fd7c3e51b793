// SPDX-License-Identifier: Apache-2.0
import Accounting
import Bytes
import TestSupport
import Testing

/// Every method and every guard of `LedgerStorage`, over both implementations.
@Suite(.serialized) struct LedgerStorageTests {
    let samples: Samples

    init() throws { samples = try Samples() }

    // MARK: Accounts

    @Test(arguments: Backend.allCases) func anAccountIsOpenedOnce(_ backend: Backend) throws {
        let tables = try backend.ledger().storage
        let key = samples.account()
        #expect(try tables.accountBalance(key) == nil)
        try tables.openAccount(key, limit: 500)
        #expect(try tables.accountBalance(key) == AccountBalance(limit: 500))
        #expect(throws: StorageFault.self) { try tables.openAccount(key, limit: nil) }
        try tables.setAccountLimit(key, nil)
        #expect(try tables.accountBalance(key) == AccountBalance())
        try tables.openAccount(samples.income, limit: nil)
        let all = try tables.accountBalances()
        #expect(Set(all.map(\.key)) == [key, samples.income])
    }

    @Test(arguments: Backend.allCases) func exposureStaysUnderItsLimit(_ backend: Backend) throws {
        let tables = try backend.ledger().storage
        for (key, raise) in [
            (samples.account(.receivable), \BalanceChange.debitsPending),
            (samples.account(.payable), \.creditsPending),
        ] {
            try tables.openAccount(key, limit: 100)
            #expect(try tables.changeAccount(key, by: change(raise, 100)))
            #expect(try !tables.changeAccount(key, by: change(raise, 1)))
            #expect(try tables.accountBalance(key)?.exposure(key.code) == 100)
            // What lowers the exposure, or leaves it, passes also where it is over the limit.
            try tables.setAccountLimit(key, 10)
            #expect(try tables.changeAccount(key, by: change(raise, -50)))
            #expect(try !tables.changeAccount(key, by: change(raise, 1)))
            #expect(try tables.accountBalance(key)?.exposure(key.code) == 50)
        }
    }

    @Test(arguments: Backend.allCases) func allFourColumnsAreKept(_ backend: Backend) throws {
        let tables = try backend.ledger().storage
        let key = samples.account(.payable)
        try tables.openAccount(key, limit: nil)
        var step = BalanceChange()
        (step.debitsPending, step.debitsPosted) = (1, 2)
        (step.creditsPending, step.creditsPosted) = (3, 4)
        #expect(try tables.changeAccount(key, by: step))
        #expect(try tables.changeAccount(key, by: step))
        let balance = try #require(try tables.accountBalance(key))
        #expect((balance.debitsPending, balance.debitsPosted) == (2, 4))
        #expect((balance.creditsPending, balance.creditsPosted) == (6, 8))
    }

    @Test(arguments: Backend.allCases) func columnsStayInRange(_ backend: Backend) throws {
        let tables = try backend.ledger().storage
        let key = samples.account(.cash)
        #expect(throws: StorageFault.self, "never opened") {
            try tables.changeAccount(key, by: change(\.debitsPosted, 1))
        }
        try tables.openAccount(key, limit: nil)
        #expect(throws: StorageFault.self, "below zero") {
            try tables.changeAccount(key, by: change(\.debitsPending, -1))
        }
        #expect(try tables.changeAccount(key, by: change(\.debitsPosted, .max)))
        #expect(throws: StorageFault.self, "over 64 bits") {
            try tables.changeAccount(key, by: change(\.debitsPosted, 1))
        }
        #expect(try tables.accountBalance(key)?.debitsPosted == .max)
    }

    private func change(
        _ column: WritableKeyPath<BalanceChange, Int64>, _ amount: Int64
    ) -> BalanceChange {
        var change = BalanceChange()
        change[keyPath: column] = amount
        return change
    }

    // MARK: Postings

    @Test(arguments: Backend.allCases) func postingsKeepTheirOrder(_ backend: Backend) throws {
        let tables = try openAccounts(backend)
        let op = samples.op()
        let hold = samples.posting(op, 0, .pending)
        let all =
            [hold, samples.posting(samples.op(), 0, .post, resolves: hold.reference, amount: 40)]
            + (0..<5).map { samples.posting(samples.op(), $0, amount: Int64($0)) }
        for posting in all { try tables.insertPosting(posting) }
        #expect(try tables.postings(from: 0, limit: 100) == all)
        #expect(try tables.postings(from: 0, limit: 3) == Array(all[..<3]))
        #expect(try tables.postings(from: 3, limit: 3) == Array(all[3..<6]))
        #expect(try tables.postings(from: 6, limit: 3) == Array(all[6...]))
        #expect(try tables.postings(from: 2, limit: 2) == Array(all[2..<4]))
        #expect(try tables.postings(from: 7, limit: 3).isEmpty)
    }

    @Test(arguments: Backend.allCases) func aPostingIsBookedOnce(_ backend: Backend) throws {
        let tables = try openAccounts(backend)
        let hold = samples.posting(samples.op(), 0, .pending)
        try tables.insertPosting(hold)
        #expect(throws: StorageFault.self) { try tables.insertPosting(hold) }
        try tables.insertPosting(samples.posting(hold.reference.op, 1, .pending))
        try tables.insertPosting(
            samples.posting(samples.op(), 0, .void, resolves: hold.reference))
        #expect(throws: StorageFault.self, "resolved twice") {
            try tables.insertPosting(
                samples.posting(samples.op(), 0, .post, resolves: hold.reference))
        }
        #expect(try tables.postings(from: 0, limit: 10).count == 3)
    }

    private func openAccounts(_ backend: Backend) throws -> any LedgerStorage {
        let tables = try backend.ledger().storage
        try tables.openAccount(samples.account(), limit: nil)
        try tables.openAccount(samples.income, limit: nil)
        return tables
    }

    // MARK: Holds

    @Test(arguments: Backend.allCases) func aHoldComesBackWhole(_ backend: Backend) throws {
        let tables = try backend.ledger().storage
        for hold in [try samples.hold(exchange: samples.op()), try samples.hold()] {
            try tables.insertHold(hold)
            #expect(try tables.hold(samples.peer, hold.op) == hold)
            #expect(try tables.hold(samples.other, hold.op) == nil)
            #expect(throws: StorageFault.self) { try tables.insertHold(hold) }
        }
    }

    @Test(arguments: Backend.allCases) func aHoldEndsOnce(_ backend: Backend) throws {
        let tables = try backend.ledger().storage
        var hold = try samples.hold(exchange: samples.op())
        try tables.insertHold(hold)
        let first = samples.resolution(samples.op())
        #expect(try tables.resolveHold(samples.peer, hold.op, .posted, first))
        #expect(
            try !tables.resolveHold(
                samples.peer, hold.op, .voided, samples.resolution(samples.op())))
        #expect(try !tables.resolveHold(samples.other, hold.op, .posted, first))
        hold.state = .posted
        hold.resolution = first
        #expect(try tables.hold(samples.peer, hold.op) == hold)
    }

    @Test(arguments: Backend.allCases) func overdueHoldsComeOldestFirst(_ backend: Backend) throws {
        let tables = try backend.ledger().storage
        let holds = try [30, 10, 20, 40].map { try samples.hold(postBy: $0) }
        for hold in holds { try tables.insertHold(hold) }
        _ = try tables.resolveHold(
            samples.peer, holds[2].op, .voided, samples.resolution(samples.op()))
        let later = samples.now.adding(seconds: 40)
        let due = try tables.overdueHolds(before: later, limit: 10)
        #expect(due.map(\.op) == [holds[1].op, holds[0].op])
        #expect(try tables.overdueHolds(before: later, limit: 1).map(\.op) == [holds[1].op])
        let pending = try tables.pendingHolds(samples.peer, .cny)
        #expect(pending.map(\.op) == [holds[0], holds[1], holds[3]].map(\.op).sorted())
        #expect(try tables.pendingHolds(samples.other, .cny).isEmpty)
        let yen = try #require(Currency("JPY"))
        #expect(try tables.pendingHolds(samples.peer, yen).isEmpty)
    }

    // MARK: Operations

    @Test(arguments: Backend.allCases) func anOutcomeIsRememberedOnce(_ backend: Backend) throws {
        let tables = try backend.ledger().storage
        for refusal in [nil] + LedgerRefusal.allCases.map({ $0 }) {
            let outcome = OperationOutcome(
                peer: samples.peer, op: samples.op(), request: try samples.hash(),
                hold: refusal == nil ? samples.op() : nil, refusal: refusal,
                forgetAfter: samples.now)
            try tables.insertOperationOutcome(outcome)
            #expect(try tables.operationOutcome(samples.peer, outcome.op) == outcome)
            #expect(try tables.operationOutcome(samples.other, outcome.op) == nil)
            #expect(throws: StorageFault.self) { try tables.insertOperationOutcome(outcome) }
            try tables.forgetOperationOutcomes(before: samples.now)
            #expect(try tables.operationOutcome(samples.peer, outcome.op) == outcome)
            try tables.forgetOperationOutcomes(before: samples.now.adding(milliseconds: 1))
            #expect(try tables.operationOutcome(samples.peer, outcome.op) == nil)
        }
    }

    // MARK: Tariffs and blocks

    @Test(arguments: Backend.allCases) func aTariffStaysAsItWas(_ backend: Backend) throws {
        let tables = try backend.ledger().storage
        let name = try samples.hash()
        func tariff(_ version: Int64) -> TariffRecord {
            TariffRecord(
                name: name, peer: samples.peer, agreement: samples.op(), version: version,
                body: Array("{}".utf8), tokens: ["a.b.c", "d.e.f"])
        }
        let first = tariff(1)
        try tables.insertTariff(first)
        try tables.insertTariff(tariff(2))
        #expect(try tables.tariff(named: name) == first)
        #expect(try tables.tariff(named: samples.hash()) == nil)
    }

    @Test(arguments: Backend.allCases) func aCheckpointIsReplaced(_ backend: Backend) throws {
        let tables = try backend.ledger().storage
        let hold = samples.op()
        #expect(try tables.blockCheckpoint(samples.peer, hold) == nil)
        for calls in [1, 2] as [Int64] {
            let checkpoint = BlockCheckpoint(
                peer: samples.peer, hold: hold, opening: "a.b.c", calls: calls,
                amount: Money(micros: calls * 10, .cny), highest: calls + 3,
                isWhole: calls == 2)
            try tables.saveBlockCheckpoint(checkpoint)
            #expect(try tables.blockCheckpoint(samples.peer, hold) == checkpoint)
        }
    }

    @Test(arguments: Backend.allCases) func aDrawIsReplaced(_ backend: Backend) throws {
        let tables = try backend.ledger().storage
        let (block, exchange) = (samples.op(), samples.op())
        func draw(_ number: Int64, _ state: DrawRecord.State) -> DrawRecord {
            DrawRecord(
                peer: samples.peer, block: block, number: number, exchange: exchange,
                task: number == 1 ? "t" : nil, state: state, at: Instant(seconds: number))
        }
        for number in [2, 1] as [Int64] { try tables.saveDraw(draw(number, .open)) }
        #expect(
            try tables.draws(samples.peer, on: block, .open) == [draw(1, .open), draw(2, .open)])
        try tables.saveDraw(draw(1, .billed))
        #expect(try tables.draws(samples.peer, on: block, .open) == [draw(2, .open)])
        #expect(try tables.draws(samples.peer, on: block, .billed) == [draw(1, .billed)])
        #expect(try tables.draws(exchange: exchange) == [draw(1, .billed), draw(2, .open)])
        #expect(try tables.draws(exchange: samples.op()).isEmpty)
    }

    // MARK: Evidence and statements

    @Test(arguments: Backend.allCases) func aRecordIsFiledOnce(_ backend: Backend) throws {
        let tables = try backend.ledger().storage
        let exchange = samples.op()
        var first = try evidence(exchange)
        let second = try evidence(exchange)
        for evidence in [first, second] { try tables.insertHopEvidence(evidence) }
        #expect(try tables.hopEvidence(of: exchange) == [first, second])
        #expect(try tables.hopEvidence(of: samples.op()).isEmpty)
        #expect(try tables.hopEvidence(named: second.name) == second)
        #expect(try tables.hopEvidence(named: samples.hash()) == nil)
        #expect(try tables.hopEvidence(samples.peer, post: first.post) == first)
        #expect(try tables.hopEvidence(samples.other, post: first.post) == nil)
        #expect(throws: StorageFault.self, "same name") {
            try tables.insertHopEvidence(try evidence(exchange, name: first.name))
        }
        #expect(throws: StorageFault.self, "same post") {
            try tables.insertHopEvidence(try evidence(exchange, post: first.post))
        }
        #expect(try tables.acknowledgeHop(first.name, "ack"))
        #expect(try !tables.acknowledgeHop(first.name, "another"))
        #expect(try !tables.acknowledgeHop(samples.hash(), "ack"))
        first.acknowledgement = "ack"
        #expect(try tables.hopEvidence(named: first.name) == first)
    }

    @Test(arguments: Backend.allCases) func statementsAddUp(_ backend: Backend) throws {
        let tables = try backend.ledger().storage
        let booked = { (seconds: Int64) in samples.now.adding(seconds: seconds) }
        let ops = (0..<4).map { _ in samples.op() }.sorted()
        let lines = try [
            samples.line(ops[0], amount: 100, booked: booked(0)),
            samples.line(ops[1], "in", amount: 30, isOwedToUs: false, booked: booked(10)),
            samples.line(ops[1], "take", amount: 5, booked: booked(10)),
            samples.line(ops[3], amount: 1000, booked: booked(20)),
        ]
        for line in lines.reversed() { try tables.insertStatementLine(line) }
        #expect(throws: StorageFault.self) { try tables.insertStatementLine(lines[2]) }
        try tables.insertHopEvidence(evidence(samples.op(), post: ops[1]))
        let countersigned = try evidence(samples.op(), post: ops[3])
        try tables.insertHopEvidence(countersigned)
        _ = try tables.acknowledgeHop(countersigned.name, "ack")

        let all = try tables.statementLines(samples.peer, .cny, from: booked(0), to: booked(21))
        #expect(all.map(\.line) == lines)
        #expect(all.map(\.evidence) == [.unilateral, .recorded, .recorded, .countersigned])
        let some = try tables.statementLines(samples.peer, .cny, from: booked(1), to: booked(20))
        #expect(some.map(\.line) == Array(lines[1...2]))
        #expect(
            try tables.statementLines(samples.other, .cny, from: booked(0), to: booked(21))
                .isEmpty)
        for (seconds, sum) in [(0, 0), (10, 100), (20, 75), (21, 1075)] as [(Int64, Int64)] {
            #expect(
                try tables.statementBalance(samples.peer, .cny, before: booked(seconds)) == sum)
        }
        #expect(try tables.statementBalance(samples.other, .cny, before: booked(21)) == 0)
    }

    private func evidence(
        _ exchange: OperationID, name: HashName? = nil, post: OperationID? = nil
    ) throws -> HopEvidence {
        HopEvidence(
            peer: samples.peer, name: try name ?? samples.hash(), post: post ?? samples.op(),
            exchange: exchange, record: "header.payload.signature")
    }

    // MARK: Transactions

    private struct Stop: Error {}

    @Test(arguments: Backend.allCases) func aThrownErrorUndoesAll(_ backend: Backend) throws {
        let tables = try backend.ledger()
        let (kept, lost) = (try samples.hold(), try samples.hold())
        try tables.transaction { try $0.insertHold(kept) }
        #expect(throws: Stop.self) {
            try tables.transaction { storage in
                try storage.insertHold(lost)
                try storage.openAccount(samples.account(), limit: nil)
                throw Stop()
            }
        }
        #expect(try tables.storage.hold(samples.peer, kept.op) == kept)
        #expect(try tables.storage.hold(samples.peer, lost.op) == nil)
        #expect(try tables.storage.accountBalances().isEmpty)
    }

    /// A method that reports a broken guard has changed nothing, and the transaction goes on.
    @Test(arguments: Backend.allCases) func aBrokenGuardLeavesTheRest(_ backend: Backend) throws {
        let tables = try backend.ledger()
        let hold = try samples.hold()
        try tables.transaction { storage in
            try storage.insertHold(hold)
            #expect(throws: StorageFault.self) { try storage.insertHold(hold) }
            try storage.openAccount(samples.account(), limit: 7)
        }
        #expect(try tables.storage.hold(samples.peer, hold.op) == hold)
        #expect(try tables.storage.accountBalance(samples.account())?.limit == 7)
    }
}
