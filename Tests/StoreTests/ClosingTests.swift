// SPDX-License-Identifier: Apache-2.0
import Accounting
import Bytes
import Gateway
import TestSupport
import Testing

@testable import Store

/// Closing a period: nothing is lost, nothing counted twice, whenever it is interrupted.
@Suite struct ClosingTests {
    let folder: TemporaryFolder
    let keeper: Bookkeeper
    let random = SeededRandom(seed: 5)
    /// November and December by the offset of the tariff.
    let november: StatementPeriod
    let december: StatementPeriod
    let closingTime: Instant

    init() throws {
        folder = try TemporaryFolder()
        let start = Instant(seconds: 1_795_219_200)
        november = StatementPeriod(monthOf: start, offsetMinutes: 480)
        december = StatementPeriod(monthOf: november.to, offsetMinutes: 480)
        keeper = try Bookkeeper(now: start)
        closingTime = november.to.adding(seconds: 9 * 86_400)
    }

    private func journal() throws -> SQLiteJournal {
        try SQLiteJournal(path: "\(folder.path)/journal.db")
    }

    /// Two months of business: holds that are posted, voided, left open, or posted in the next
    /// month; records with and without acknowledgement; payments.
    private func fill(_ journal: SQLiteJournal) async throws {
        let (keeper, random, november) = (keeper, random, november)
        let days: [Int64] = [-20, -10, -2, 3, 20]
        try await journal.write { tx in
            try keeper.open(tx, now: november.from)
            for (number, day) in days.enumerated() {
                let now = november.to.adding(seconds: day * 86_400)
                for fen in [32_800, 100, 7] as [Int64] {
                    let request = try keeper.request(fen, now: now, random: random)
                    try keeper.place(request, tx, now: now)
                    let post = keeper.post(request, now: now.adding(seconds: 1), random: random)
                    try keeper.receive(
                        post, tx, now: now.adding(seconds: 1), isFiled: fen != 7)
                    if fen == 32_800, let name = Bookkeeper.recordName(post.op) {
                        _ = try tx.acknowledgeHop(name, "d.e.f")
                    }
                }
                let failed = try keeper.request(500, now: now, random: random)
                try keeper.place(failed, tx, now: now)
                try keeper.void(
                    failed, op: OperationID(at: now, random: random), tx,
                    now: now.adding(seconds: 2))
                if number == 1 {
                    try keeper.settle(tx, now: now.adding(seconds: 3), random: random)
                }
            }
            // One hold is placed before midnight and posted after, by both clocks.
            let before = november.to.adding(seconds: -60)
            let late = try keeper.request(900, now: before, random: random)
            try keeper.place(late, tx, now: before)
            try keeper.receive(
                keeper.post(late, now: november.to.adding(seconds: 60), random: random), tx,
                now: november.to.adding(seconds: 60))
            // One is posted before midnight by the callee's clock and after it by ours.
            let crossing = try keeper.request(901, now: before, random: random)
            try keeper.place(crossing, tx, now: before)
            try keeper.receive(
                keeper.post(crossing, now: november.to.adding(seconds: -1), random: random), tx,
                now: november.to.adding(seconds: 1))
            // One is never resolved.
            try keeper.place(
                keeper.request(902, now: before, random: random), tx, now: before)
        }
    }

    /// All that the books say, whichever file says it.
    private struct View: Equatable {
        var statements: [Statement] = []
        var balances: [Int64] = []
        var findings: [AuditFinding] = []
        var postings = 0
        var records: [HopEvidence?] = []
    }

    private func view(_ journal: SQLiteJournal) async throws -> View {
        let (keeper, november, december) = (keeper, november, december)
        return try await journal.read { tx in
            var view = View()
            let ledger = keeper.ledger(tx)
            for period in [november, december] {
                view.statements.append(
                    try ledger.statement(
                        with: keeper.peer, .cny, over: period,
                        settlement: keeper.tariff.tariff.settlement))
            }
            for day in -30...40 as ClosedRange<Int64> {
                view.balances.append(
                    try tx.statementBalance(
                        keeper.peer, .cny, before: november.to.adding(seconds: day * 86_400)))
            }
            view.findings = try ledger.audit()
            var offset = 0
            while case let page = try tx.postings(from: offset, limit: 3), !page.isEmpty {
                offset += page.count
            }
            view.postings = offset
            for row in view.statements.flatMap(\.rows) {
                view.records.append(try tx.hopEvidence(keeper.peer, post: row.line.op))
                if let exchange = row.line.exchange {
                    view.records += try tx.hopEvidence(of: exchange).map { $0 }
                }
            }
            return view
        }
    }

    @Test func booksReadTheSameAfterwards() async throws {
        let journal = try journal()
        try await fill(journal)
        let before = try await view(journal)
        #expect(before.findings.isEmpty)
        #expect(before.statements.allSatisfy { $0.rows.count > 5 })
        let closed = try await journal.closePeriod(november, now: closingTime)
        #expect(closed.name == "2026-11" && closed.postings > 20 && closed.lines > 10)
        #expect(closed.path == "\(folder.path)/books/2026-11.db")
        #expect(try await view(journal) == before)
        #expect(try await counts(journal).lines == before.statements[1].rows.count)

        // Closing it again changes nothing; so does a restart.
        #expect(try await journal.closePeriod(november, now: closingTime) == closed)
        journal.close()
        let again = try self.journal()
        #expect(try await view(again) == before)

        // December takes along what November had to leave.
        let later = december.to.adding(seconds: 60 * 86_400)
        let next = try await again.closePeriod(december, now: later)
        #expect(try await view(again) == before)
        #expect(try await again.closedPeriods() == [closed, next])
        let left = try await counts(again)
        #expect(left.lines == 0 && left.postings == 2, "the hold that is open has two lines")
        #expect(left.holds == 8, "one is open, of seven the record is not acknowledged")
        again.close()
    }

    /// Rows in the database itself.
    private func counts(
        _ journal: SQLiteJournal
    ) async throws -> (postings: Int64?, lines: Int, holds: Int64?) {
        try await journal.alone { database in
            (
                try database.number("SELECT count(*) FROM posting"),
                Int(try database.number("SELECT count(*) FROM line") ?? 0),
                try database.number("SELECT count(*) FROM hold")
            )
        }
    }

    private struct Interrupted: Error {}

    @Test(arguments: ClosingStep.allCases)
    func interruptedItIsDoneAgain(_ step: ClosingStep) async throws {
        var journal = try journal()
        try await fill(journal)
        let before = try await view(journal)
        await #expect(throws: Interrupted.self) {
            try await journal.closePeriod(november, now: closingTime) { reached in
                if reached == step { throw Interrupted() }
            }
        }
        #expect(try await view(journal) == before)
        #expect(try await journal.closedPeriods().isEmpty == (step != .removed))
        journal.close()
        journal = try self.journal()
        #expect(try await view(journal) == before)
        // Something more becomes final before the next attempt.
        let name = try #require(
            before.records.compactMap { $0 }.first {
                $0.acknowledgement == nil
            }
        ).name
        try await journal.write { _ = try $0.acknowledgeHop(name, "g.h.i") }
        let changed = try await view(journal)
        _ = try await journal.closePeriod(november, now: closingTime)
        #expect(try await view(journal) == changed)
        journal.close()
    }

    @Test func itWaitsUntilNothingCanCome() async throws {
        let journal = try journal()
        try await fill(journal)
        let earliest = november.to.adding(seconds: 8 * 86_400)
        await #expect(throws: ClosingFault.tooEarly(earliest)) {
            try await journal.closePeriod(november, now: earliest.adding(milliseconds: -1))
        }
        let later = december.to.adding(seconds: 9 * 86_400)
        _ = try await journal.closePeriod(december, now: later)
        await #expect(throws: ClosingFault.outOfOrder) {
            try await journal.closePeriod(november, now: later)
        }
        journal.close()
    }

    /// A file that is not what the database has is not taken for it.
    @Test func aForeignFileIsRefused() async throws {
        let journal = try journal()
        try await fill(journal)
        let before = try await view(journal)
        let path = "\(folder.path)/books/2026-11.db"
        await #expect(throws: StorageFault.corrupt("\(path) is not what the database has")) {
            try await journal.closePeriod(november, now: closingTime) { step in
                guard step == .verified else { return }
                let file = try Database(path: path, .writer)
                try file.execute("UPDATE line SET amount=amount+1")
            }
        }
        #expect(try await view(journal) == before)
        await #expect(throws: StorageFault.self) {
            try await journal.closePeriod(november, now: closingTime) { step in
                guard step == .copied else { return }
                let file = try Database(path: path, .writer)
                try file.execute("UPDATE posting SET amount=amount+1 WHERE kind='post'")
            }
        }
        #expect(try await view(journal) == before)
        _ = try await journal.closePeriod(november, now: closingTime)
        #expect(try await view(journal) == before)
        journal.close()
    }

    @Test func aLostFileIsNamed() async throws {
        let journal = try journal()
        try await fill(journal)
        let closed = try await journal.closePeriod(november, now: closingTime)
        Files.remove("\(folder.path)/books")
        journal.close()
        let again = try self.journal()
        await #expect(throws: StorageFault.io("\(closed.path) is missing")) {
            try await view(again)
        }
        // What is open is booked all the same.
        let (keeper, random, now) = (keeper, random, closingTime)
        try await again.write { tx in
            try keeper.place(keeper.request(5, now: now, random: random), tx, now: now)
        }
        again.close()
    }
}
