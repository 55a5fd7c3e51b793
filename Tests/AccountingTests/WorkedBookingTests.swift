// SPDX-License-Identifier: Apache-2.0

import Accounting
import Bytes
import JSON
import TestSupport
import Testing

/// One table for CNY 328.00, message by message.
@Suite struct WorkedBookingTests {
    @Test func theTableIsBooked() throws {
        try Booking().bookTheTable()
    }
}

extension Booking {
    fileprivate func bookTheTable() throws {
        let exchange = maker.op()
        let holds = try setAside(total: try cny("328.00"), exchange)
        let posts = try conclude(holds, exchange)
        try checkBooks(posts)
        try checkStatements()
    }

    /// Messages 1 to 10: the holds of both links, the outer first, as they are at the end.
    private func setAside(
        total: Money, _ exchange: OperationID
    ) throws -> (outer: HoldRequest, inner: HoldRequest) {
        let nothing = Money.zero(.cny)

        // Messages 1 to 3: the list price of a task, and deadlines that shrink by Δ.
        let end = try #require(
            outer.tariff.postBy(beneath: nil, outerDelta: 0, now: maker.now))
        let innerEnd = try #require(
            inner.tariff.postBy(
                beneath: end, outerDelta: outer.tariff.hold.delta, now: maker.now))
        #expect(telescopes(outer: end, inner: innerEnd, delta: 30))
        let first = try request(outer, sale: nothing, quote: outer.name, postBy: end)
        let second = try request(inner, sale: nothing, quote: inner.name, postBy: innerEnd)
        #expect(first.charge == (try cny("0.10")) && first.commission == nothing)
        #expect(second.charge == (try cny("0.20")) && second.commission == nothing)
        let outerContext = HoldContext(exchange: exchange, tariff: outer)
        let innerContext = HoldContext(exchange: exchange, tariff: inner, latest: innerEnd)
        try place(phoneMaker, superApp, first, outerContext)
        try place(superApp, restaurant, second, innerContext)

        // Messages 5 to 6: the terms say 328.00; each hop quotes its own link.
        let terms = try maker.hash()
        let validUntil = maker.now.adding(seconds: 180)
        for pinned in [inner, outer] {
            let quote = Quote(
                issuer: pinned.tariff.callee, audience: pinned.tariff.caller, exchange: exchange,
                tariff: pinned.name, terms: terms, sale: total,
                price: try pinned.tariff.price(sale: total), validUntil: validUntil)
            try quote.check(by: pinned, confirmed: total, now: maker.now)
        }

        // Messages 8 to 10, a minute later: the holds grow to what the confirmed price makes.
        maker.now = maker.now.adding(seconds: 60)
        let firstGrown = try request(outer, sale: total, quote: maker.hash(), postBy: end)
        let secondGrown = try request(inner, sale: total, quote: maker.hash(), postBy: innerEnd)
        #expect(firstGrown.commission == (try cny("1.80")))
        #expect(secondGrown.commission == (try cny("15.00")))
        try extend(
            phoneMaker, superApp, HoldExtension(hold: first.op, request: firstGrown),
            outerContext)
        try extend(
            superApp, restaurant, HoldExtension(hold: second.op, request: secondGrown),
            innerContext)
        #expect(try superApp.balance(.receivable, restaurant).debitsPending == 15_000_000)
        #expect(try superApp.balance(.payable, restaurant).creditsPending == 200_000)

        return (firstGrown, secondGrown)
    }

    /// Messages 12 to 14: posts, records from the executor upwards, acknowledgements.
    private func conclude(
        _ holds: (outer: HoldRequest, inner: HoldRequest), _ exchange: OperationID
    ) throws -> [Post] {
        maker.now = maker.now.adding(seconds: 4)
        let consent = try maker.hash()
        let innerPost = try post(superApp, restaurant, holds.inner)
        let innerRecord = try record(
            innerPost, inner, exchange, consent, links: [], superApp, restaurant)
        let outerPost = try post(phoneMaker, superApp, holds.outer)
        let outerRecord = try record(
            outerPost, outer, exchange, consent, links: [innerRecord], phoneMaker, superApp)
        let last = HopRecord(
            kind: .total(paid: outerPost.sale, consented: holds.outer.sale), exchange: exchange,
            id: maker.op(),
            task: "task", issuer: phoneMaker.entity, booked: maker.now, consent: consent,
            links: [outerRecord])
        #expect(try HopRecord(JSONDocument(parsing: last.node.bytes).root) == last)
        return [outerPost, innerPost]
    }

    private func checkBooks(_ posts: [Post]) throws {
        #expect(try restaurant.posted(.receivable, superApp) == "0.20")
        #expect(try restaurant.posted(.payable, superApp) == "15.00")
        #expect(try superApp.posted(.receivable, restaurant) == "15.00")
        #expect(try superApp.posted(.payable, restaurant) == "0.20")
        #expect(try superApp.posted(.receivable, phoneMaker) == "0.10")
        #expect(try superApp.posted(.payable, phoneMaker) == "1.80")
        #expect(try phoneMaker.posted(.receivable, superApp) == "1.80")
        #expect(try phoneMaker.posted(.payable, superApp) == "0.10")
        #expect(try superApp.posted(.volume, restaurant) == "328.00")
        for company in [phoneMaker, superApp, restaurant] {
            for (key, balance) in try company.books.accountBalances() {
                #expect(balance.debitsPending == 0 && balance.creditsPending == 0, "\(key)")
            }
            let findings = try company.ledger { try $0.audit() }
            #expect(findings.isEmpty, "\(findings)")
        }
        // What the books say is what the parties have: V 313.20, S 13.10, H 1.70.
        let links = posts.map { Price(charge: $0.charge, commission: $0.commission) }
        #expect(
            try shares(of: cny("328.00"), over: links).map(\.text) == ["1.70", "13.10", "313.20"])
    }

    /// The callee's signed record is checked and filed on both sides, then countersigned.
    private func record(
        _ post: Post, _ pinned: PinnedTariff, _ exchange: OperationID, _ consent: HashName,
        links: [HashName], _ caller: Company, _ callee: Company
    ) throws -> HashName {
        let record = HopRecord(
            kind: .post(HopPost(post, caller: caller.entity, tariff: pinned.name)),
            exchange: exchange, id: maker.op(), task: "task", issuer: callee.entity,
            booked: post.booked, consent: consent, links: links)
        let name = try maker.hash()
        let received = try HopRecord(JSONDocument(parsing: record.node.bytes).root)
        #expect(received == record)
        let hold = try #require(try caller.books.hold(callee.entity, post.hold))
        try received.check(post, of: hold, by: callee.entity, for: caller.entity)
        let acknowledgement = Acknowledgement(
            issuer: caller.entity, audience: callee.entity, post: post, record: name)
        for (company, peer) in [(caller, callee), (callee, caller)] {
            let evidence = HopEvidence(
                peer: peer.entity, name: name, post: post.op, exchange: exchange,
                record: "record.of.\(name)")
            #expect(try company.ledger { try $0.file(evidence) } == nil)
            let refusal = try company.ledger {
                try $0.file(acknowledgement, token: "ack.of.\(name)", from: peer.entity)
            }
            #expect(refusal == nil)
        }
        return name
    }

    /// Each side's statement of a link is the other's with the sign turned.
    private func checkStatements() throws {
        let period = StatementPeriod(monthOf: maker.now, offsetMinutes: 480)
        let settlement = outer.tariff.settlement
        for (a, b, closing, payable) in [
            (superApp, restaurant, "14.80", "14.80"), (phoneMaker, superApp, "1.70", "1.70"),
        ] {
            let ours = try a.ledger {
                try $0.statement(with: b.entity, .cny, over: period, settlement: settlement)
            }
            let theirs = try b.ledger {
                try $0.statement(with: a.entity, .cny, over: period, settlement: settlement)
            }
            #expect(ours.closing.text == closing && ours.payable.text == payable)
            #expect(theirs.closing.micros == -ours.closing.micros)
            #expect(ours.rows.count == 2 && theirs.rows.count == 2)
            #expect(ours.rows.allSatisfy { $0.evidence == .countersigned })
            #expect(ours.rows.map(\.line.op) == theirs.rows.map(\.line.op))
            #expect(ours.rows.map(\.line.booked) == theirs.rows.map(\.line.booked))
        }
    }
}
