// SPDX-License-Identifier: Apache-2.0
import A2A
import Accounting
import Bytes
import Gateway
import JSON
import TestSupport
import Testing

@testable import Store

/// What the entrance keeps of what its user pays, and what `ledger verify` finds out.
@Suite struct BooksCheckTests {
    private func booked() async throws -> (Network, OperationID) {
        let network = try Network()
        try await network.open()
        let asked = try await network.say("A table for a client dinner tomorrow night")
        let ask = try #require(try await network.asks().first)
        _ = try await network.decide(try #require(ask["nonce"]?.string), approves: true)
        await network.housekeeping()
        let id = try #require(asked["task"]?["id"]?.string)
        let explanation = try #require(try await Explanation.of(id, at: network.phone.gateway))
        return (network, try #require(explanation.exchange.flatMap { OperationID($0) }))
    }

    /// Three questions drawn on a block, and the block.
    private func drawn() async throws -> Network {
        let network = try Network(isBinding: false) { node in
            node["block"] = ["amt": "10.00", "max_s": 3600, "renew_ppm": 500_000]
        }
        network.restaurant.plainAnswer = .message
        try await network.open()
        for _ in 0..<3 { _ = try await network.say("What is near?") }
        await network.housekeeping()
        return network
    }

    private func findings(_ company: Organisation) async throws -> [String] {
        try await BooksCheck(gateway: company.gateway).findings().map(\.rule.rawValue)
    }

    /// Changes a table behind the program's back.
    private func tamper(_ company: Organisation, _ sql: String) async throws {
        try await company.journal.write { tx in
            let tables = try #require(tx as? SQLiteTransaction)
            for trigger in ["total_stays", "hold_ends_once"] {
                try tables.database.execute("DROP TRIGGER IF EXISTS \(trigger)")
            }
            try tables.database.execute(sql)
        }
    }

    @Test func theEntranceKeepsWhatTheUserPays() async throws {
        let (network, exchange) = try await booked()
        let totals = try await network.phone.journal.read { try $0.userTotals(of: exchange) }
        let total = try #require(totals.first)
        #expect(totals.count == 1)
        #expect(total.paid.text == "328.00" && total.consented.text == "328.00")
        for company in [network.app, network.executor] {
            #expect(try await company.journal.read { try $0.userTotals(of: exchange) }.isEmpty)
        }
        for company in network.companies { #expect(try await findings(company).isEmpty) }

        let explained = try #require(
            try await Explanation.of(exchange.text, at: network.phone.gateway))
        let shown = try #require(explained.totals.first)
        #expect(shown.check == .verified)
        #expect(shown.links == explained.records.map(\.name))
        #expect(shown.consent == explained.tasks.first?.consent?.answer?.name)
        #expect(explained.text.contains("CNY 328.00, confirmed CNY 328.00"))
        let node = try JSONDocument(parsing: explained.node.bytes).root["totals"]?[0]
        #expect(node?["user_total"]?.string == "328.00" && node?["verified"]?.bool == true)
    }

    @Test(arguments: [
        ("UPDATE total SET paid=paid-1", ["signature", "user total"]),
        ("UPDATE total SET consented=consented+1", ["signature"]),
        ("UPDATE total SET record=substr(record, 1, length(record)-8)||'AAAAAAAA'", ["signature"]),
        ("UPDATE total SET key=x'7b7d'", ["signature"]),
        ("UPDATE hold SET res_sale=res_sale-1 WHERE state='posted'", ["user total"]),
    ])
    func aChangedTotalIsFound(sql: String, rules: [String]) async throws {
        let (network, exchange) = try await booked()
        try await tamper(network.phone, sql)
        #expect(try await findings(network.phone) == rules)
        if sql.contains("total") {
            let explained = try #require(
                try await Explanation.of(exchange.text, at: network.phone.gateway))
            #expect(explained.totals.first?.check != .verified)
        }
    }

    @Test(arguments: [
        ("UPDATE block SET calls=calls+1", ["block"]),
        ("UPDATE block SET amount=amount+100000", ["block"]),
        ("UPDATE draw SET state='free' WHERE number=2", ["block"]),
        ("UPDATE draw SET number=4 WHERE number=3", ["block"]),
        ("UPDATE block SET opening='a.b.c'", ["signature"]),
        (
            "UPDATE block SET opening=substr(opening, 1, length(opening)-8)||'AAAAAAAA'",
            ["signature"]
        ),
    ])
    func aChangedBlockIsFound(sql: String, rules: [String]) async throws {
        let network = try await drawn()
        for company in network.companies { #expect(try await findings(company).isEmpty) }
        // The executor has one block, as the callee, whose opening the app signed.
        try await tamper(network.executor, sql)
        #expect(try await findings(network.executor) == rules)
    }

    @Test func anExplanationShowsTheDraw() async throws {
        let network = try await drawn()
        network.restaurant.plainAnswer = .completed
        let answer = try await network.say("What is near?")
        let id = try #require(answer["task"]?["id"]?.string)
        let phone = try #require(try await Explanation.of(id, at: network.phone.gateway))
        let draw = try #require(phone.draws.first)
        #expect(draw.record.number == 4 && draw.record.state == .billed)
        #expect(draw.record.task == id && draw.fee.text == "0.10" && draw.side == .caller)
        #expect(phone.result?.text == "-0.10")
        let exchange = try #require(phone.exchange)
        let middle = try #require(try await Explanation.of(exchange, at: network.app.gateway))
        #expect(middle.draws.count == 2 && middle.result?.text == "-0.10")
        #expect(middle.text.contains("drawn CNY 0.20, number 4 on block"))
        let node = try JSONDocument(parsing: middle.node.bytes).root["draws"]
        #expect(node?.count == 2 && node?[0]?["state"]?.string == "billed")
    }

    @Test func aStatementHasOneLineForABlock() async throws {
        let network = try await drawn()
        network.time.advance(seconds: 3575)
        for _ in 0..<3 { await network.housekeeping() }
        let (peer, entity) = (network.executor.entity, network.app.entity)
        let tariff = try #require(
            network.app.gateway.settings.parties[peer]?.tariffs?.versions.first?.tariff)
        let now = network.time.now()
        let statement = try await network.app.journal.read { tx in
            try Ledger(tx, of: entity).statement(
                with: peer, .cny, over: StatementPeriod(monthOf: now, offsetMinutes: 480),
                settlement: tariff.settlement)
        }
        let lines = try JSONDocument(parsing: statement.node.bytes).root["lines"]
        #expect(lines?.count == 1 && lines?[0]?["calls"]?.int == 3)
        #expect(lines?[0]?["amt"]?.string == "0.60" && lines?[0]?["exchange"] == nil)
        #expect(statement.html(issuerName: "S", peerName: "V").contains("call · 3 次 calls"))
    }
}
