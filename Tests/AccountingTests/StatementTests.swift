// SPDX-License-Identifier: Apache-2.0

import Accounting
import Bytes
import JSON
import TestSupport
import Testing

/// What the parties get at the end of the month.
@Suite struct StatementTests {
    /// A link on which `sales` came about, each a minute after the one before.
    private func month(_ sales: [String], fee: String = "0.20") throws -> Link {
        let link = try Link(fee: fee)
        for sale in sales {
            link.maker.now = link.maker.now.adding(seconds: 60)
            let hold = try link.request(sale)
            _ = try link.place(hold).get()
            _ = try link.receive(try link.post(hold)).get()
        }
        return link
    }

    private func statement(_ link: Link, at instant: Instant? = nil) throws -> Statement {
        let period = StatementPeriod(monthOf: instant ?? link.maker.now, offsetMinutes: 480)
        return try link.us.ledger {
            try $0.statement(
                with: link.peer.entity, .cny, over: period,
                settlement: link.tariff.tariff.settlement)
        }
    }

    @Test func monthsFollowTheAgreedClock() throws {
        func period(_ text: String, _ offset: Int64) throws -> [String] {
            let instant = try #require(Instant(rfc3339: text))
            let period = StatementPeriod(monthOf: instant, offsetMinutes: offset)
            return [period.from.rfc3339, period.to.rfc3339]
        }
        #expect(
            try period("2026-11-21T00:00:00Z", 480)
                == ["2026-10-31T16:00:00.000Z", "2026-11-30T16:00:00.000Z"])
        // The last instant of a month there is still the month before here.
        #expect(
            try period("2026-11-30T15:59:59.999Z", 480)
                == ["2026-10-31T16:00:00.000Z", "2026-11-30T16:00:00.000Z"])
        #expect(
            try period("2026-11-30T16:00:00Z", 480)
                == ["2026-11-30T16:00:00.000Z", "2026-12-31T16:00:00.000Z"])
        #expect(
            try period("2028-02-29T12:00:00Z", 0)
                == ["2028-02-01T00:00:00.000Z", "2028-03-01T00:00:00.000Z"])
        #expect(
            try period("2026-12-31T23:30:00Z", -60)
                == ["2026-12-01T01:00:00.000Z", "2027-01-01T01:00:00.000Z"])
    }

    @Test func balancesAddUp() throws {
        let link = try month(["328.00", "0.00", "10.00"], fee: "0.0137")
        let statement = try statement(link)
        #expect(statement.opening.text == "0.00")
        #expect(statement.totals.map(\.name) == ["call", "take"])
        #expect(statement.totals.map(\.count) == [3, 2])
        #expect(statement.totals.map(\.amount.text) == ["0.0411", "15.50"])
        #expect(statement.closing.text == "15.4589")
        #expect(statement.payable.text == "15.45")
        #expect(statement.residue.text == "0.0089")
        #expect(statement.rows.last?.balance == statement.closing)
        #expect(statement.due == statement.period.to.adding(seconds: 15 * 86_400))
        try link.expectSoundBooks()
    }

    @Test func aSmallBalanceIsCarried() throws {
        let link = try month(["0.00", "0.00"])
        let november = try statement(link)
        #expect(november.closing.text == "-0.40")
        #expect(november.payable.micros == 0 && november.due == nil)
        #expect(november.residue == november.closing)
        let december = try statement(link, at: november.period.to)
        #expect(december.opening == november.closing)
        #expect(december.rows.isEmpty && december.closing == november.closing)
    }

    @Test func aPaymentSettlesAndGivesCreditBack() throws {
        let link = try month(["328.00"])
        let settled = try statement(link).payable
        #expect(settled.text == "14.80")
        func pay(
            _ amount: Money, isReceived: Bool = true, _ op: OperationID? = nil,
            _ hash: HashName? = nil
        ) throws -> LedgerRefusal? {
            let payment = Payment(
                op: op ?? link.maker.op(), amount: amount, isReceived: isReceived)
            return try link.us.ledger {
                try $0.pay(payment, try link.maker.call(link.peer, .us, hash))
            }
        }
        #expect(try pay(cny("14.81")) == .postExceedsHold)
        #expect(try pay(settled, isReceived: false) == .postExceedsHold)
        #expect(try pay(cny("0.005")) == .amountSyntax)
        #expect(try pay(cny("0.00")) == .amountSyntax)
        let (op, hash) = (link.maker.op(), try link.maker.hash())
        #expect(try pay(settled, op, hash) == nil)
        #expect(try pay(settled, op, hash) == nil)
        #expect(try pay(settled, op) == .idempotencyConflict)
        #expect(try link.us.balance(.receivable, link.peer).exposure(.receivable) == 0)
        #expect(try link.us.balance(.payable, link.peer).exposure(.payable) == 0)
        #expect(try link.us.posted(.cash) == "14.80")
        #expect(try statement(link).closing.text == "0.00")
        try link.expectSoundBooks()
    }

    @Test func whatIsHeldIsListedAndNotCounted() throws {
        let link = try month(["10.00"])
        let hold = try link.request()
        _ = try link.place(hold).get()
        let statement = try statement(link)
        #expect(statement.openHolds.map(\.op) == [hold.op])
        #expect(statement.closing.text == "0.30")
    }

    @Test func theJSONIsAllOfIt() throws {
        let link = try month(["328.00", "10.00"])
        let statement = try statement(link)
        let value = try JSONDocument(parsing: statement.node.bytes).root
        #expect(value["iss"]?.string == "https://super.example")
        #expect(value["closing"]?["amt"]?.string == "15.10")
        #expect(value["closing"]?["owed_by"]?.string == "https://restaurant.example")
        #expect(value["opening"]?["owed_by"] == nil)
        #expect(value["evidence"]?["E0"]?.int == 4)
        let lines = try elements(value, "lines")
        #expect(lines.count == 4 && value["count"]?.int == 4)
        #expect(lines.compactMap { $0["seq"]?.int } == [1, 2, 3, 4])
        #expect(lines[1]["rate_ppm"]?.int == 50_000)
        #expect(lines[1]["tx"]?.string == "328.00")
        #expect(lines[1]["balance"]?["amt"]?.string == "14.80")
        // What is signed is the same without the lines, and fits a token.
        let name = try link.maker.hash()
        let head = try JSONDocument(parsing: statement.head(linesHash: name).bytes).root
        #expect(head["lines_hash"]?.string == name.text)
        for member in value.members where member.name != "lines" {
            #expect(head[member.name]?.rawText == member.value.rawText)
        }
        #expect(head.count == value.count)
    }

    @Test func thePageStandsAlone() throws {
        let link = try month(["328.00", "0.00"])
        _ = try link.place(try link.request()).get()
        let html = try statement(link).html(issuerName: "超级应用", peerName: "南门涮肉 & Söhne")
        #expect(html.hasPrefix("<!DOCTYPE html>"))
        for text in [
            "结算单", "Statement", "应收", "Due to issuer", "CNY 14.60", "328.00", "5 %",
            "南门涮肉 &amp; Söhne", "超级应用", "2026-11-21 08:01", "Open holds", "E0",
            "2026-11-01 00:00 – 2026-12-01 00:00 (UTC+08:00)",
        ] {
            #expect(html.contains(text), "\(text)")
        }
        for text in ["<script", "src=", "href=", "http://", "@import", "url("] {
            #expect(!html.contains(text), "\(text)")
        }
        #expect(tagsBalance(html))
    }

    @Test func namesCannotBecomeMarkup() throws {
        let link = try month([])
        let html = try statement(link).html(
            issuerName: "<img src=x onerror=alert(1)>",
            peerName: "\"'</title><script>1</script>&lt;\u{202E}00.01")
        #expect(!html.contains("<img") && !html.contains("<script"))
        #expect(html.contains("&lt;img src=x onerror=alert(1)&gt;"))
        #expect(html.contains("&quot;&#39;&lt;/title&gt;"))
        #expect(html.contains("&amp;lt;\u{FFFD}00.01"))
        #expect(!html.unicodeScalars.contains("\u{202E}"))
        #expect(tagsBalance(html))
    }

    /// Every element that is opened is closed, in order; `meta` and the doctype have no end.
    private func tagsBalance(_ html: String) -> Bool {
        var open: [Substring] = []
        for piece in html.split(separator: "<").dropFirst(html.hasPrefix("<") ? 0 : 1) {
            guard let tag = piece.split(separator: ">", omittingEmptySubsequences: false).first
            else { return false }
            let name = tag.prefix { $0 != " " }
            if name.hasPrefix("!") || name == "meta" { continue }
            if name.hasPrefix("/") {
                guard open.popLast() == name.dropFirst() else { return false }
            } else {
                open.append(name)
            }
        }
        return open.isEmpty
    }
}

/// Books that were tampered with.
@Suite struct AuditTests {
    @Test func everyKindOfDamageIsFound() throws {
        func findings(_ damage: (Link) throws -> Void) throws -> Set<AuditFinding.Rule> {
            let link = try Link()
            let hold = try link.request()
            _ = try link.place(hold).get()
            _ = try link.receive(try link.post(hold)).get()
            try damage(link)
            return Set(try link.us.ledger { try $0.audit() }.map(\.rule))
        }
        #expect(try findings { _ in } == [])
        #expect(
            try findings { link in
                let key = AccountKey(
                    peer: link.peer.entity, code: .receivable, currency: .cny)
                var change = BalanceChange()
                change.debitsPosted = 1
                _ = try link.us.books.changeAccount(key, by: change)
            } == [.columns, .trialBalance, .lines])
        #expect(
            try findings { link in
                let key = { AccountKey(peer: nil, code: $0, currency: .cny) }
                try link.us.books.insertPosting(
                    Posting(
                        peer: link.peer.entity,
                        reference: Posting.Reference(op: link.maker.op(), index: 0),
                        kind: .post,
                        resolves: Posting.Reference(op: link.maker.op(), index: 0),
                        debit: key(.cash), credit: key(.feeIncome), amount: 1,
                        booked: link.maker.now))
            } == [.resolution])
        #expect(
            try findings { link in
                let key = { AccountKey(peer: nil, code: $0, currency: .cny) }
                try link.us.books.insertPosting(
                    Posting(
                        peer: link.peer.entity,
                        reference: Posting.Reference(op: link.maker.op(), index: 0),
                        kind: .single, resolves: nil, debit: key(.cash),
                        credit: key(.feeIncome), amount: 1, booked: link.maker.now))
            } == [.columns])
        #expect(
            try findings { link in
                try link.us.books.insertStatementLine(
                    StatementLine(
                        peer: link.peer.entity, op: link.maker.op(), kind: .payment,
                        name: "payment", exchange: nil, basis: nil, amount: try cny("1.00"),
                        isOwedToUs: false, booked: link.maker.now, tariff: nil))
            } == [.lines])
    }
}
