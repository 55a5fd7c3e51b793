// SPDX-License-Identifier: Apache-2.0

import Accounting
import Bytes
import JSON
import TestSupport
import Testing

/// Quotes, records and shares: what is said about money before and after it is owed.
@Suite struct EvidenceTests {
    @Test func sharesAreTheSale() throws {
        let vector = try SpecVectors.json("accounting", "booking.json")
        let sale = try cny(string(vector, "sale"))
        var links: [Price] = []
        for link in try elements(vector, "links") {
            let maker = Maker()
            let node = tariffNode(
                maker, caller: try Company("up"), callee: try Company("down"),
                fee: try string(link, "fee"), ppm: try #require(link["ppm"]?.int),
                cap: try string(link, "cap"))
            let pinned = try tariff(maker, node)
            let list = try pinned.tariff.price(sale: .zero(.cny))
            let price = try pinned.tariff.price(sale: sale)
            for (rated, name) in [(list, "list"), (price, "price")] {
                let expected = try #require(link[name])
                #expect(rated.charge.text == (try string(expected, "charge")))
                #expect(rated.commission.text == (try string(expected, "commission")))
            }
            links.append(price)
        }
        let expected = try elements(vector, "shares").compactMap(\.string)
        #expect(try shares(of: sale, over: links).map(\.text) == expected)

        for other in try elements(vector, "others") {
            let links = try elements(other, "links").map { link in
                Price(
                    charge: try cny(#require(link[0]?.string)),
                    commission: try cny(#require(link[1]?.string)))
            }
            let parts = try shares(of: cny(string(other, "sale")), over: links)
            #expect(try parts.map(\.text) == elements(other, "shares").compactMap(\.string))
        }
        #expect(throws: MoneyFault.currency) {
            try shares(of: Money(micros: 1, try #require(Currency("USD"))), over: links)
        }
    }

    @Test func aQuoteIsCheckedInOrder() throws {
        let link = try Link()
        let total = try cny("328.00")
        let quote = Quote(
            issuer: link.peer.entity, audience: link.us.entity, exchange: link.exchange,
            tariff: link.tariff.name, terms: try link.maker.hash(), sale: total,
            price: try link.tariff.tariff.price(sale: total),
            validUntil: link.maker.now.adding(seconds: 180))
        func refusal(
            confirmed: String? = "328.00", later: Int64 = 0,
            _ edit: (inout Quote) throws -> Void = { _ in }
        ) throws -> LedgerRefusal? {
            var edited = quote
            try edit(&edited)
            let confirmed = try confirmed.map { try cny($0) }
            do throws(LedgerRefusal) {
                try edited.check(
                    by: link.tariff, confirmed: confirmed,
                    now: link.maker.now.adding(milliseconds: later))
                return nil
            } catch {
                return error
            }
        }
        #expect(try refusal() == nil)
        #expect(try refusal(confirmed: nil) == nil)
        #expect(try refusal(later: 180_000) == nil)
        #expect(try refusal(later: 180_001) == .quoteExpired)
        #expect(try refusal(confirmed: "327.99") == .consentExceeded)
        #expect(try refusal { $0.tariff = try link.maker.hash() } == .tariffUnknown)
        #expect(try refusal { $0.issuer = link.us.entity } == .tariffUnknown)
        #expect(
            try refusal {
                $0.price = Price(charge: try cny("0.21"), commission: $0.price.commission)
            } == .price)
        #expect(try refusal { $0.sale = try cny("328.01") } == .consentExceeded)
    }

    @Test func aRecordMustSayWhatThePostSays() throws {
        let link = try Link()
        let request = try link.request()
        _ = try link.place(request).get()
        let post = try link.post(request)
        let hold = try link.receive(post).get().hold
        let record = HopRecord(
            kind: .post(HopPost(post, caller: link.us.entity, tariff: link.tariff.name)),
            exchange: link.exchange, id: link.maker.op(), task: "t", issuer: link.peer.entity,
            booked: post.booked, consent: nil, links: [])
        func refusal(_ edit: (inout HopRecord) throws -> Void) throws -> LedgerRefusal? {
            var edited = record
            try edit(&edited)
            do throws(LedgerRefusal) {
                try edited.check(
                    post, of: hold, by: link.peer.entity, for: link.us.entity)
                return nil
            } catch {
                return error
            }
        }
        func stated(_ edit: (inout HopPost) throws -> Void) throws -> HopRecord.Kind {
            var stated = HopPost(post, caller: link.us.entity, tariff: link.tariff.name)
            try edit(&stated)
            return .post(stated)
        }
        #expect(try refusal { _ in } == nil)
        #expect(try refusal { $0.issuer = link.us.entity } == .signature)
        #expect(try refusal { $0.exchange = link.maker.op() } == .signature)
        #expect(
            try refusal { $0.kind = .total(paid: post.sale, consented: post.sale) } == .signature)
        #expect(
            try refusal { $0.kind = try stated { $0.caller = link.peer.entity } } == .signature)
        #expect(try refusal { $0.kind = try stated { $0.charge = try cny("0.19") } } == .price)
        #expect(
            try refusal { $0.kind = try stated { $0.tariff = try link.maker.hash() } } == .price)
        #expect(
            try refusal { $0.booked = $0.booked.adding(milliseconds: 1) } == .price)
    }

    @Test func oneRecordAndOneAcknowledgementPerPost() throws {
        let link = try Link()
        let request = try link.request()
        _ = try link.place(request).get()
        let post = try link.post(request)
        func evidence(_ name: HashName) -> HopEvidence {
            HopEvidence(
                peer: link.peer.entity, name: name, post: post.op, exchange: link.exchange,
                record: "a.b.c")
        }
        let (name, other) = (try link.maker.hash(), try link.maker.hash())
        #expect(try link.us.ledger { try $0.file(evidence(name)) } == .holdUnknown)
        _ = try link.receive(post).get()
        #expect(try link.us.ledger { try $0.file(evidence(name)) } == nil)
        #expect(try link.us.ledger { try $0.file(evidence(name)) } == nil)
        #expect(try link.us.ledger { try $0.file(evidence(other)) } == .idempotencyConflict)

        func acknowledge(_ post: Post, _ record: HashName) throws -> LedgerRefusal? {
            let acknowledgement = Acknowledgement(
                issuer: link.us.entity, audience: link.peer.entity, post: post, record: record)
            return try link.us.ledger {
                try $0.file(acknowledgement, token: "x.y.z", from: link.peer.entity)
            }
        }
        var changed = post
        changed.charge = try cny("0.10")
        #expect(try acknowledge(changed, name) == .price)
        #expect(try acknowledge(post, other) == .holdUnknown)
        #expect(try acknowledge(post, name) == nil)
        #expect(try link.us.books.hopEvidence(named: name)?.acknowledgement == "x.y.z")
        #expect(try acknowledge(post, name) == nil)
    }
}
