// SPDX-License-Identifier: Apache-2.0

import Accounting
import Bytes
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
        let nothing = Money.zero(.cny)
        let total = try cny("328.00")

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

        // Messages 12 to 14.
        maker.now = maker.now.adding(seconds: 4)
        _ = try post(superApp, restaurant, secondGrown)
        _ = try post(phoneMaker, superApp, firstGrown)

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
        }
    }
}
