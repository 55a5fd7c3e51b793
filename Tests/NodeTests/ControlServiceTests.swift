// SPDX-License-Identifier: Apache-2.0
import A2A
import Accounting
import Bytes
import Consent
import Gateway
import HTTP
import JSON
import TestSupport
import Testing

@testable import Node

@Suite struct ControlServiceTests {
    private let watched: Watched

    init() throws { watched = try Watched() }

    // MARK: Who may

    @Test(arguments: ["evil.example", "localhost.evil.example", "10.0.0.1", "127.0.0.1.nip.io:80"])
    func anotherHostIsRefused(authority: String) async throws {
        let answer = try await watched.ask(
            watched.service, .post, "/v1/drain", authority: authority)
        #expect(answer.status == 403)
        #expect(watched.control.drains == 0)
    }

    @Test(arguments: ["", "localhost", "LOCALHOST:80", "127.0.0.1:9", "[::1]:9"])
    func theMachineItselfIsServed(authority: String) async throws {
        let answer = try await watched.ask(
            watched.service, .get, "/v1/status", authority: authority)
        #expect(answer.status == 200)
    }

    @Test func whatABrowserSendsAlongIsRefused() async throws {
        let pages: [HTTPFields] = [
            ["origin": "http://localhost"], ["origin": "null"], ["sec-fetch-site": "same-origin"],
        ]
        for fields in pages {
            let answer = try await watched.ask(
                watched.service, .post, "/v1/drain", fields: fields)
            #expect(answer.status == 403)
        }
        #expect(watched.control.drains == 0)
    }

    @Test(arguments: [
        "/", "/v1", "/v1/", "/v2/status", "/v1/status/", "/v1//status", "/v1/explain/",
        "/v1/peers/h.example/other", "/v1/peers/not an id/suspend", "/v1/x/../status",
        "/v1/%2e%2e/status",
    ])
    func pathsHaveOneSpelling(path: String) async throws {
        let path = path.split(separator: " ", omittingEmptySubsequences: false)
            .joined(separator: "%20")
        #expect(try await watched.ask(watched.service, .get, path).status == 404)
    }

    @Test(arguments: [
        "/v1/status?x=1", "/v1/tasks?limit=0", "/v1/tasks?limit=501", "/v1/tasks?state=done",
        "/v1/tasks?limit=1&limit=2", "/v1/statement", "/v1/statement?peer=x",
        "/v1/statement?peer=h.example&period=2026-13", "/v1/statement?peer=h.example&period=2026",
        "/v1/statement?peer=h.example&format=xml", "/v1/tasks?%zz",
    ])
    func parametersAreReadStrictly(path: String) async throws {
        #expect(try await watched.ask(watched.service, .get, path).status == 400)
    }

    @Test func readingAndDoingHaveTheirOwnMethods() async throws {
        for path in ["/v1/reload", "/v1/drain", "/v1/peers/h.example/suspend"] {
            let answer = try await watched.ask(watched.service, .get, path)
            #expect(answer.status == 405)
            #expect(answer.fields[.allow] == "POST")
        }
        let answer = try await watched.ask(watched.service, .post, "/v1/status")
        #expect(answer.status == 405)
        #expect(answer.fields[.allow] == "GET")
        #expect(watched.control.reloads + watched.control.drains == 0)
    }

    // MARK: Doing

    @Test func aReloadWithFaultsSaysThem() async throws {
        #expect(try await watched.ask(watched.service, .post, "/v1/reload").status == 200)
        watched.control.faults = ["3:5: peers[0]: is wrong."]
        let answer = try await watched.ask(watched.service, .post, "/v1/reload")
        #expect(answer.status == 422)
        let value = try JSONDocument(parsing: answer.text).root
        #expect(value["reloaded"]?.bool == false)
        #expect(value["faults"]?[0]?.string == "3:5: peers[0]: is wrong.")
        #expect(watched.control.reloads == 2)
    }

    @Test func aDrainBeginsAndReturns() async throws {
        #expect(try await watched.ask(watched.service, .post, "/v1/drain").status == 202)
        #expect(watched.control.drains == 1)
    }

    @Test func aSuspendedPeerIsRefusedOnItsLinkButMayStillSettle() async throws {
        try await watched.gateway.openBooks()
        let link = LinkService(
            gateway: watched.gateway,
            agents: AgentService(
                gateway: watched.gateway, cards: CardDesk(gateway: watched.gateway),
                log: watched.log), log: watched.log)
        let presenter = Presenter(entity: watched.peer, certificate: "c", key: nil)
        func status(_ method: HTTPMethod, _ path: String) async throws -> Int {
            try await watched.ask(
                link, method, path, fields: ["content-type": "application/json"],
                from: presenter
            ).status
        }
        let post = "/acct/v1/holds/01M7XPE600EP09YQMBQZ5S78X3:post"
        #expect(try await status(.post, "/agents/none") == 404)
        let path = "/v1/peers/https%3A%2F%2Fh.example/"
        let answer = try await watched.ask(watched.service, .post, path + "suspend")
        #expect(answer.status == 200, "\(answer.text)")
        #expect(try await status(.post, "/agents/none") == 403)
        #expect(try await status(.get, "/agents/none/.well-known/agent-card.json") == 403)
        #expect(try await status(.post, "/consent/ledger/reservations") == 403)
        #expect(try await status(.post, post) != 403)
        #expect(try await status(.post, "/consent/ledger/receipts") != 403)
        let peers = try await watched.json("/v1/status")["peers"]
        #expect(peers?[0]?["suspended"]?.bool == true)
        _ = try await watched.ask(watched.service, .post, "/v1/peers/h.example/resume")
        #expect(try await status(.post, "/agents/none") == 404)
    }

    @Test func aStrangerCannotBeSuspended() async throws {
        let answer = try await watched.ask(
            watched.service, .post, "/v1/peers/x.example/suspend")
        #expect(answer.status == 400)
        #expect(watched.gateway.standing.all.isEmpty)
    }

    // MARK: Reading

    @Test func statusTellsWhoAndHow() async throws {
        try await watched.gateway.openBooks()
        watched.node.serve(at: [
            NodeState.Place(name: "links", kind: "link", address: "0.0.0.0:443")
        ])
        let status = try await watched.json("/v1/status")
        #expect(status["entity"]?.string == "https://s.example")
        #expect(status["name"]?.string == "Super App")
        #expect(status["phase"]?.string == "serving")
        #expect(status["ready"]?.bool == true)
        #expect(status["listeners"]?[0]?["address"]?.string == "0.0.0.0:443")
        let peer = status["peers"]?[0]
        #expect(peer?["name"]?.string == "Phones & Co")
        #expect(peer?["owes_us"]?.string == "CNY 0.00")
        #expect(peer?["tariff"]?.string?.hasSuffix("version 1") ?? false)
    }

    @Test func whatCannotBeExplainedIsNotFound() async throws {
        let answer = try await watched.ask(watched.service, .get, "/v1/explain/no-such-task")
        #expect(answer.status == 404)
        #expect(answer.text.contains("TASK_NOT_FOUND"))
    }

    @Test func anExchangeIsExplainedInBothForms() async throws {
        let id = OperationID(at: watched.time.now(), random: SeededRandom(seed: 3)).text
        let refusal = RefusalRecord(
            at: watched.time.now(), task: nil, exchange: id, party: "https://h.example",
            method: "SendMessage", reason: "consent_holder", rule: "10.entity", by: nil)
        try await watched.journal.write { try $0.insert(refusal) }
        let value = try await watched.json("/v1/explain/\(id)")
        #expect(value["refusals"]?[0]?["rule"]?.string == "10.entity")
        let page = try await watched.ask(watched.service, .get, "/v1/explain/\(id)?format=text")
        #expect(page.text.contains("consent_holder to https://h.example"))
        #expect(page.fields[.contentType]?.hasPrefix("text/plain") ?? false)
    }

    @Test func accountsBalanceAndAreNamed() async throws {
        try await watched.gateway.openBooks()
        let books = try await watched.json("/v1/accounts")
        let accounts = books["accounts"]?.elements.map { $0 } ?? []
        #expect(accounts.count == 2)
        #expect(accounts.contains { $0["code"]?.string == "recv" })
        #expect(accounts.allSatisfy { $0["limit"]?.string == "50000.00" })
        #expect(books["trial"]?[0]?["balanced"]?.bool == true)
    }

    @Test func anAuditOfGoodBooksFindsNothing() async throws {
        let audit = try await watched.json("/v1/audit")
        #expect(audit["good"]?.bool == true)
        #expect(audit["findings"]?.count == 0)
    }

    /// A fee booked in the last minute of October in Beijing, and one in the first of November.
    private func bookTwoMonths() async throws {
        try await watched.gateway.openBooks()
        let peer = watched.peer
        let random = SeededRandom(seed: 9)
        for (amount, time) in [
            (100_000, "2026-10-31T23:59:30+08:00"), (200_000, "2026-11-01T00:00:30+08:00"),
        ] as [(Int64, String)] {
            let booked = try #require(Instant(rfc3339: time))
            let line = StatementLine(
                peer: peer, op: OperationID(at: booked, random: random), kind: .charge,
                name: "call", exchange: nil, basis: nil, amount: Money(micros: amount, .cny),
                isOwedToUs: true, booked: booked, tariff: nil)
            try await watched.journal.write { try $0.insertStatementLine(line) }
        }
    }

    @Test func monthsBeginByTheClockOfTheTariff() async throws {
        try await bookTwoMonths()
        let october = try await watched.json("/v1/statement?peer=h.example&period=2026-10")
        #expect(october["from"]?.string == "2026-09-30T16:00:00.000Z")
        #expect(october["lines"]?.count == 1)
        #expect(october["closing"]?["amt"]?.string == "0.10")
        let november = try await watched.json("/v1/statement?peer=h.example&period=2026-11")
        #expect(november["opening"]?["amt"]?.string == "0.10")
        #expect(november["closing"]?["amt"]?.string == "0.30")
        let current = try await watched.json("/v1/statement?peer=h.example")
        #expect(current["from"]?.string == november["from"]?.string, "it is November now")
    }

    @Test func theStatementHasAPageForPeople() async throws {
        try await bookTwoMonths()
        let page = try await watched.ask(
            watched.service, .get, "/v1/statement?peer=h.example&period=2026-11&format=html")
        #expect(page.status == 200)
        #expect(page.fields[.contentType] == "text/html; charset=utf-8")
        #expect(page.text.contains("Phones &amp; Co"))
        #expect(page.text.contains("Super App"))
        let stranger = try await watched.ask(
            watched.service, .get, "/v1/statement?peer=x.example")
        #expect(stranger.status == 400)
    }

    @Test func everyRequestIsInTheAccessLog() async throws {
        _ = try await watched.ask(watched.service, .post, "/v1/drain")
        let line = try #require(watched.lines.all.last)
        let value = try JSONDocument(parsing: line).root
        #expect(value["method"]?.string == "drain")
        #expect(value["principal"]?.string == "operator")
        #expect(value["status"]?.int == 202)
    }
}
