// SPDX-License-Identifier: Apache-2.0
import Accounting
import Bytes
import Testing

@testable import Store

/// What the tables refuse whatever the code above them asks for.
@Suite struct GuardTests {
    let file: OpenFile
    let samples: Samples
    let op: OperationID

    init() throws {
        file = try OpenFile()
        samples = try Samples()
        op = samples.op()
        let tables = file.transaction
        try tables.openAccount(samples.account(), limit: nil)
        try tables.openAccount(samples.income, limit: nil)
        var change = BalanceChange()
        change.debitsPosted = 100
        _ = try tables.changeAccount(samples.account(), by: change)
        try tables.insertPosting(samples.posting(op))
        try tables.insertStatementLine(samples.line(op))
        try tables.insertHold(samples.hold(op))
        _ = try tables.resolveHold(samples.peer, op, .posted, samples.resolution(samples.op()))
        try tables.insertHold(samples.hold(samples.op()))
        let name = try samples.hash()
        try tables.insertHopEvidence(
            HopEvidence(
                peer: samples.peer, name: name, post: op, exchange: op, record: "a.b.c"))
        _ = try tables.acknowledgeHop(name, "d.e.f")
        try tables.insertUserTotal(
            UserTotal(
                exchange: op, name: name, record: "a.b.c", key: [], paid: .zero(.cny),
                consented: .zero(.cny), booked: samples.now))
        try tables.insertTariff(
            TariffRecord(
                name: name, peer: samples.peer, agreement: op, version: 1, body: [], tokens: []))
    }

    @Test(arguments: [
        ("UPDATE posting SET amount=1", "postings are never changed"),
        ("DELETE FROM posting", "postings are never removed"),
        ("UPDATE line SET amount=1", "statement lines are never changed"),
        ("DELETE FROM line", "statement lines are never removed"),
        ("UPDATE hold SET res_charge=1 WHERE state='posted'", "a hold ends once"),
        ("UPDATE hold SET state='pending' WHERE state='posted'", "a hold ends once"),
        ("UPDATE hold SET charge=1 WHERE state='pending'", "a hold keeps its terms"),
        ("DELETE FROM hold", "holds are never removed"),
        ("UPDATE hop SET record='x'", "records are never changed"),
        ("UPDATE hop SET ack='x'", "the first acknowledgement stays"),
        ("UPDATE hop SET ack=NULL", "the first acknowledgement stays"),
        ("DELETE FROM hop", "records are never removed"),
        ("UPDATE total SET paid=0", "records are never changed"),
        ("DELETE FROM total", "records are never removed"),
        ("UPDATE tariff SET body=x'00'", "tariffs are never changed"),
        ("DELETE FROM tariff", "tariffs are never removed"),
        ("UPDATE account SET dr_post=dr_post-1", "posted columns never fall"),
        ("UPDATE account SET code='cash'", "an account keeps its name"),
        ("UPDATE account SET dr_pend=-1", "CHECK constraint failed: dr_pend >= 0"),
        ("DELETE FROM account", "accounts are never removed"),
    ])
    func booksAreOnlyAddedTo(_ sql: String, _ words: String) throws {
        let before = try content()
        #expect(throws: StorageFault.constraint(words)) { try file.database.execute(sql) }
        #expect(try content() == before)
    }

    /// While a period is closed, what it must not touch stays guarded.
    @Test(arguments: [
        ("DELETE FROM posting", "postings are never removed"),
        ("DELETE FROM line", "statement lines are never removed"),
        ("DELETE FROM hold", "holds are never removed"),
        ("UPDATE posting SET amount=1", "postings are never changed"),
    ])
    func closingRemovesNothingLater(_ sql: String, _ words: String) throws {
        let until = samples.now.milliseconds
        try file.database.execute("INSERT INTO closing VALUES(\(until))")
        #expect(throws: StorageFault.constraint(words)) { try file.database.execute(sql) }
        try file.database.execute(
            "UPDATE closing SET until=\(until + 10_000); DELETE FROM posting; DELETE FROM line;")
        #expect(throws: StorageFault.constraint("holds are never removed"), "one is pending") {
            try file.database.execute("DELETE FROM hold")
        }
        try file.database.execute("DELETE FROM hold WHERE state<>'pending'")
    }

    @Test func nothingIsAddedToAClosedPeriod() throws {
        let until = samples.now.milliseconds
        try file.database.execute(
            "INSERT INTO period VALUES('2026-10', \(until), \(until), 0, 0, NULL, NULL)")
        #expect(throws: StorageFault.constraint("the period is closed")) {
            try file.transaction.insertStatementLine(
                samples.line(samples.op(), booked: samples.now.adding(milliseconds: -1)))
        }
        try file.transaction.insertStatementLine(samples.line(samples.op()))
        #expect(throws: StorageFault.constraint("a closed period stays")) {
            try file.database.execute("DELETE FROM period")
        }
    }

    @Test func aPostingNeedsItsAccounts() throws {
        #expect(throws: StorageFault.self) {
            try file.transaction.insertPosting(
                Posting(
                    peer: samples.other, reference: .init(op: op, index: 0), kind: .single,
                    resolves: nil, debit: samples.account(of: samples.other),
                    credit: samples.income, amount: 1, booked: samples.now))
        }
    }

    /// An act, a reservation number and a hash are one thing each: a second one does not push the
    /// first out.
    @Test func uniqueColumnsRefuseRatherThanReplace() throws {
        try file.database.execute(
            "INSERT INTO act VALUES('h', 'a', 'x', 'r', 1, 1, NULL)")
        #expect(throws: StorageFault.self) {
            try file.database.execute("INSERT INTO act VALUES('h', 'b', 'x', 'r', 1, 1, NULL)")
        }
        #expect(try file.database.number("SELECT count(*) FROM act") == 1)
    }

    private func content() throws -> [String] {
        try ["posting", "line", "hold", "hop", "tariff", "account"].flatMap { table in
            try file.database.run(
                composed: "SELECT * FROM \(table)"
            ) { row in (0..<5).map { row.text($0) }.joined(separator: " ") }
        }
    }
}
