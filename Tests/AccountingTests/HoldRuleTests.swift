// SPDX-License-Identifier: Apache-2.0

import Accounting
import Bytes
import JSON
import TestSupport
import Testing

/// What a hold must fit before it is placed.
@Suite struct HoldRuleTests {
    @Test func aHoldMustFitItsTariff() throws {
        let link = try Link()
        func refusal(
            _ edit: (inout HoldRequest, inout HoldContext) throws -> Void
        ) throws
            -> LedgerRefusal?
        {
            var request = try link.request()
            var context = link.context
            try edit(&request, &context)
            return try link.place(request, as: context).refusal
        }
        #expect(try refusal { request, _ in request.charge = try cny("0.19") } == .price)
        #expect(try refusal { request, _ in request.commission = try cny("15.01") } == .price)
        #expect(try refusal { request, _ in request.sale = try cny("328.005") } == .amountSyntax)
        let dollar = try #require(Currency("USD"))
        #expect(
            try refusal { request, _ in request.charge = Money(micros: 200_000, dollar) }
                == .currency)
        #expect(try refusal { request, _ in request.postBy = link.maker.now } == .deadline)
        #expect(
            try refusal { request, _ in
                request.postBy = link.maker.now.adding(seconds: 1801)
            } == .deadline)
        #expect(
            try refusal { request, _ in request.lifeMilliseconds = 1_800_001 } == .deadline)
        #expect(
            try refusal { request, context in
                context.latest = request.postBy.adding(milliseconds: -1)
            } == .deadline)
        #expect(try refusal { request, context in context.latest = request.postBy } == nil)
        // A tariff that was never adopted, one of the opposite direction, one not yet in force.
        #expect(
            try refusal { _, context in
                context.tariff = PinnedTariff(
                    name: try link.maker.hash(), tariff: link.tariff.tariff)
            } == .tariffUnknown)
        let opposite = try tariff(
            link.maker, tariffNode(link.maker, caller: link.peer, callee: link.us))
        try link.us.ledger {
            try $0.adopt([opposite], with: link.peer.entity, now: link.maker.now)
        }
        #expect(try refusal { _, context in context.tariff = opposite } == .tariffUnknown)
        let start = link.maker.now
        link.maker.now = start.adding(seconds: -86_401)
        #expect(try refusal { _, _ in } == .tariffUnknown)
    }

    @Test func anExtensionReplacesOrChangesNothing() throws {
        let link = try Link()
        let first = try link.request("0.00")
        _ = try link.place(first).get()
        let before = link.us.books.snapshot
        func extend(
            _ request: HoldRequest, _ context: HoldContext? = nil
        ) throws -> LedgerResult {
            try link.us.ledger {
                try $0.extend(
                    HoldExtension(hold: first.op, request: request), context ?? link.context,
                    try link.maker.call(link.peer, .us))
            }
        }
        var wrong = try link.request()
        wrong.commission = try cny("14.00")
        #expect(try extend(wrong).refusal == .price)
        let other = HoldContext(exchange: link.maker.op(), tariff: link.tariff)
        #expect(try extend(try link.request(), other).refusal == .holdUnknown)
        #expect(link.us.books.snapshot == before)

        let second = try link.request()
        _ = try extend(second).get()
        #expect(try link.us.books.hold(link.peer.entity, first.op)?.state == .extended)
        #expect(try link.us.balance(.payable, link.peer).creditsPending == 200_000)
        #expect(try link.us.balance(.receivable, link.peer).debitsPending == 15_000_000)
        #expect(try extend(try link.request()).refusal == .holdResolved)
        #expect(try link.receive(try link.post(first)).refusal == .holdResolved)
        _ = try link.receive(try link.post(second)).get()
        try link.expectNothingHeld()
        try link.expectSoundBooks()
    }

    @Test func anExtensionNeedsOnlyTheDifferenceInCredit() throws {
        let link = try Link(credit: "15.00")
        let first = try link.request()
        _ = try link.place(first).get()
        let second = try link.request()
        let result = try link.us.ledger {
            try $0.extend(
                HoldExtension(hold: first.op, request: second), link.context,
                try link.maker.call(link.peer, .us))
        }
        #expect(result.refusal == nil)
    }

    @Test func anExpiredHoldCannotBeExtended() throws {
        let link = try Link()
        let first = try link.request(life: 60)
        _ = try link.place(first).get()
        link.maker.now = first.postBy.adding(milliseconds: 1)
        let second = try link.request()
        let result = try link.us.ledger {
            try $0.extend(
                HoldExtension(hold: first.op, request: second), link.context,
                try link.maker.call(link.peer, .us))
        }
        #expect(result.refusal == .holdExpired)
    }

    @Test func aTariffIsPinnedByItsHold() throws {
        // E6: placed before a version ends, posted after.
        let link = try Link()
        var node = tariffNode(link.maker, caller: link.us, callee: link.peer, ppm: 6000, cap: nil)
        let boundary = link.maker.now.adding(seconds: 90)
        node["to"] = .string(boundary.rfc3339)
        let first = try tariff(link.maker, node)
        try link.us.ledger {
            try $0.adopt([first], with: link.peer.entity, now: link.maker.now)
        }
        let context = HoldContext(exchange: link.exchange, tariff: first)
        let sale = try cny("1299.00")
        let price = try first.tariff.price(sale: sale)
        #expect(price.commission.text == "7.79")
        let hold = HoldRequest(
            op: link.maker.op(), charge: price.charge, commission: price.commission, sale: sale,
            quote: first.name, lifeMilliseconds: 1_700_000,
            postBy: link.maker.now.adding(seconds: 1700))
        _ = try link.place(hold, as: context).get()
        link.maker.now = boundary.adding(seconds: 250)
        _ = try link.receive(try link.post(hold)).get()
        #expect(try link.us.posted(.receivable, link.peer) == "7.79")
        var late = hold
        late.op = link.maker.op()
        late.postBy = link.maker.now.adding(seconds: 60)
        #expect(try link.place(late, as: context).refusal == .tariffUnknown)
    }

    @Test func deadlinesTelescope() throws {
        let link = try Link()
        let (tariff, now) = (link.tariff.tariff, link.maker.now)
        #expect(
            tariff.postBy(beneath: nil, outerDelta: 0, now: now) == now.adding(seconds: 1800))
        let outer = now.adding(seconds: 600)
        let inner = try #require(tariff.postBy(beneath: outer, outerDelta: 30, now: now))
        #expect(inner == now.adding(seconds: 570))
        #expect(telescopes(outer: outer, inner: inner, delta: 30))
        #expect(!telescopes(outer: outer, inner: inner.adding(milliseconds: 1), delta: 30))
        #expect(
            tariff.postBy(beneath: now.adding(seconds: 30), outerDelta: 30, now: now) == nil)
        let request = try link.request(life: 600)
        #expect(
            request.latestStart(received: now, skew: 5, roundTrip: 200)
                == now.adding(seconds: 595))
        #expect(
            request.latestStart(received: now.adding(seconds: -100), skew: 5, roundTrip: 200)
                == now.adding(milliseconds: 499_800))
    }

    @Test func everyRefusalHasItsClass() {
        for refusal in LedgerRefusal.allCases {
            #expect(refusal.rawValue.hasPrefix("ACCT_"))
            // What nobody remembers can be asked again, unless the request itself is at fault.
            if refusal.retry == .sameID { #expect(!refusal.isSticky) }
        }
        #expect(LedgerRefusal(FormatFault(.amount, at: "hold.tx.amt")) == .amountSyntax)
        #expect(LedgerRefusal(FormatFault(.unknown, at: "hold.x")) == .malformed)
    }
}
