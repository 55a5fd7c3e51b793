// SPDX-License-Identifier: Apache-2.0

import Accounting
import Bytes
import TestSupport
import Testing

/// What happens to holds, on one link.
@Suite struct LedgerTests {
    @Test func aHoldIsPostedInPartAndTheRestReleased() throws {
        let link = try Link()
        let hold = try link.request()
        _ = try link.place(hold).get()
        let post = try link.post(hold, charge: "0.05", commission: "10.00", sale: "200.00")
        let receipt = try link.receive(post).get()
        #expect(receipt.hold.state == .posted)
        #expect(receipt.hold.resolution?.commission.text == "10.00")
        #expect(try link.us.posted(.receivable, link.peer) == "10.00")
        #expect(try link.us.posted(.payable, link.peer) == "0.05")
        #expect(try link.us.posted(.volume, link.peer) == "200.00")
        try link.expectNothingHeld()
        try link.expectSoundBooks()
    }

    @Test func anOperationHappensOnce() throws {
        let link = try Link()
        let hold = try link.request()
        let hash = try link.maker.hash()
        #expect(try link.place(hold, hash: hash).get().isRepeated == false)
        let after = link.us.books.snapshot
        #expect(try link.place(hold, hash: hash).get().isRepeated)
        #expect(link.us.books.snapshot == after)

        #expect(try link.place(hold).refusal == .idempotencyConflict)
        #expect(link.us.books.snapshot == after)

        let post = try link.post(hold)
        let postHash = try link.maker.hash()
        _ = try link.receive(post, hash: postHash).get()
        let posted = link.us.books.snapshot
        link.maker.now = link.maker.now.adding(seconds: 86_400)
        let again = try link.receive(post, hash: postHash).get()
        #expect(again.isRepeated && again.hold.state == .posted)
        #expect(link.us.books.snapshot == posted)
    }

    @Test func aRefusalIsRepeatedWhateverChanges() throws {
        let link = try Link(credit: "20.00")
        let first = try link.request()
        _ = try link.place(first).get()
        let second = try link.request()
        let hash = try link.maker.hash()
        #expect(try link.place(second, hash: hash).refusal == .creditExceeded)
        _ = try link.us.ledger {
            try $0.void(
                HoldVoid(op: link.maker.op(), hold: first.op, reason: .unsent),
                try link.maker.call(link.peer, .us))
        }.get()
        #expect(try link.place(second, hash: hash).refusal == .creditExceeded)
        _ = try link.place(try link.request()).get()
        // Whoever refers to the refused one is told so.
        #expect(try link.receive(try link.post(second)).refusal == .alreadyFailed)
    }

    @Test func creditBindsToTheMicro() throws {
        // E8: a limit of 50 000.00, 49 990.00 of it used: 10.00 fits, then nothing does.
        let link = try Link(credit: "50000.00", fee: "49990.00")
        _ = try link.place(try link.request("0.00")).get()
        let small = try PinnedTariff(
            name: link.maker.hash(),
            tariff: tariff(
                link.maker,
                tariffNode(link.maker, caller: link.us, callee: link.peer, fee: "10.00")
            ).tariff)
        let cent = try PinnedTariff(
            name: link.maker.hash(),
            tariff: tariff(
                link.maker,
                tariffNode(link.maker, caller: link.us, callee: link.peer, fee: "0.000001")
            ).tariff)
        try link.us.ledger { ledger in
            for pinned in [small, cent] {
                try ledger.adopt([pinned], with: link.peer.entity, now: link.maker.now)
            }
        }
        func place(_ pinned: PinnedTariff) throws -> LedgerResult {
            let price = try pinned.tariff.price(sale: .zero(.cny))
            let request = HoldRequest(
                op: link.maker.op(), charge: price.charge, commission: price.commission,
                sale: .zero(.cny), quote: pinned.name, lifeMilliseconds: 60_000,
                postBy: link.maker.now.adding(seconds: 60))
            let context = HoldContext(exchange: link.exchange, tariff: pinned)
            return try link.place(request, as: context)
        }
        _ = try place(small).get()
        #expect(try place(cent).refusal == .creditExceeded)
        #expect(try link.us.balance(.payable, link.peer).exposure(.payable) == 50_000_000_000)
    }

    @Test func aHoldEndsOnce() throws {
        let link = try Link()
        let hold = try link.request()
        _ = try link.place(hold).get()
        _ = try link.receive(try link.post(hold)).get()
        #expect(try link.receive(try link.post(hold)).refusal == .holdResolved)
        let void = HoldVoid(op: link.maker.op(), hold: hold.op, reason: .canceled)
        let result = try link.us.ledger {
            try $0.void(void, try link.maker.call(link.peer, .peer))
        }
        #expect(result.refusal == .holdResolved)
        try link.expectSoundBooks()
    }

    @Test func aVoidReleasesEverything() throws {
        let link = try Link()
        let hold = try link.request()
        _ = try link.place(hold).get()
        let void = HoldVoid(op: link.maker.op(), hold: hold.op, reason: .rejected)
        let receipt = try link.us.ledger {
            try $0.void(void, try link.maker.call(link.peer, .peer))
        }.get()
        #expect(receipt.hold.state == .voided)
        try link.expectNothingHeld()
        #expect(try link.receive(try link.post(hold)).refusal == .holdResolved)
        #expect(try link.us.posted(.payable, link.peer) == "0.00")
        try link.expectSoundBooks()
    }

    @Test func lateIsNever() throws {
        let link = try Link()
        let hold = try link.request(life: 60)
        _ = try link.place(hold).get()
        let post = try link.post(hold)
        link.maker.now = hold.postBy
        #expect(try link.us.ledger { try $0.expire(now: link.maker.now, limit: 10) }.isEmpty)
        link.maker.now = hold.postBy.adding(milliseconds: 1)
        #expect(try link.receive(post).refusal == .holdExpired)
        let expired = try link.us.ledger { try $0.expire(now: link.maker.now, limit: 10) }
        #expect(expired.map(\.op) == [hold.op] && expired.first?.state == .expired)
        try link.expectNothingHeld()
        #expect(try link.us.ledger { try $0.expire(now: link.maker.now, limit: 10) }.isEmpty)
        #expect(try link.receive(try link.post(hold)).refusal == .holdExpired)
        try link.expectSoundBooks()
    }

    @Test func thePosterCannotPickItsPeriod() throws {
        let link = try Link()
        let hold = try link.request()
        _ = try link.place(hold).get()
        for (offset, refusal) in [(-6, LedgerRefusal.deadline), (6, .deadline), (5, nil)] {
            var post = try link.post(hold)
            post.booked = link.maker.now.adding(seconds: Int64(offset))
            #expect(try link.receive(post).refusal == refusal)
        }
    }

    @Test func aPostIsBoundByHoldAndTariff() throws {
        let link = try Link()
        let hold = try link.request()
        _ = try link.place(hold).get()
        func refusal(
            _ charge: String, _ commission: String, _ sale: String
        ) throws -> LedgerRefusal? {
            try link.receive(
                try link.post(hold, charge: charge, commission: commission, sale: sale)
            ).refusal
        }
        #expect(try refusal("0.21", "15.00", "328.00") == .postExceedsHold)
        #expect(try refusal("0.20", "15.01", "328.00") == .postExceedsHold)
        #expect(try refusal("0.20", "15.00", "328.01") == .postExceedsHold)
        // The callee may waive its fee, not its debt.
        #expect(try refusal("0.20", "14.99", "328.00") == .price)
        #expect(try refusal("0.20", "10.01", "200.00") == .price)
        #expect(try refusal("0.20", "10.00", "200.001") == .amountSyntax)
        var dollars = try link.post(hold)
        dollars.charge = Money(micros: 1, try #require(Currency("USD")))
        #expect(try link.receive(dollars).refusal == .currency)
        #expect(try refusal("0.00", "15.00", "328.00") == nil)
    }

    @Test func onlyTheCalleeClaims() throws {
        let link = try Link()
        let hold = try link.request()
        let hash = try link.maker.hash()
        _ = try link.place(hold).get()
        _ = try link.peer.ledger {
            try $0.place(hold, link.context, try link.maker.call(link.us, .peer, hash))
        }.get()
        // We, the caller, may not post on our own hold, nor release the callee's.
        let post = try link.post(hold)
        let own = try link.us.ledger { try $0.post(post, try link.maker.call(link.peer, .us)) }
        #expect(own.refusal == .wrongSide)
        let void = HoldVoid(op: link.maker.op(), hold: hold.op, reason: .canceled)
        let theirs = try link.peer.ledger {
            try $0.void(void, try link.maker.call(link.us, .peer))
        }
        #expect(theirs.refusal == .wrongSide)
        let posted = try link.peer.ledger {
            try $0.post(try link.post(hold), try link.maker.call(link.us, .peer))
        }
        #expect(posted.refusal == .wrongSide)
    }

    @Test func anUnknownHoldLeavesNoTrace() throws {
        let link = try Link()
        let before = link.us.books.snapshot
        let post = try link.post(try link.request())
        #expect(try link.receive(post).refusal == .holdUnknown)
        #expect(link.us.books.snapshot == before)
        #expect(try link.us.books.operationOutcome(link.peer.entity, post.op) == nil)
    }

    @Test func agedAndFutureIdsAreRefused() throws {
        let link = try Link()
        let old = try link.request()
        link.maker.now = link.maker.now.adding(seconds: 45 * 86_400 + 1)
        #expect(try link.place(old).refusal == .operationExpired)
        let future = try link.request()
        link.maker.now = link.maker.now.adding(seconds: -301)
        #expect(try link.place(future).refusal == .operationExpired)
        #expect(try link.us.books.operationOutcome(link.peer.entity, future.op) == nil)
    }

    @Test func anIdIsTooOldBeforeItIsForgotten() throws {
        let link = try Link()
        let hold = try link.request()
        // Received as late as an id from the future can be.
        link.maker.now = link.maker.now.adding(seconds: -300)
        let hash = try link.maker.hash()
        let first = try link.request()
        _ = try link.place(hold, hash: hash)
        _ = try link.place(first, hash: hash)
        let outcome = try #require(
            try link.us.books.operationOutcome(link.peer.entity, hold.op))
        link.maker.now = outcome.forgetAfter
        try link.us.books.forgetOperationOutcomes(before: link.maker.now.adding(milliseconds: 1))
        #expect(try link.us.books.operationOutcome(link.peer.entity, hold.op) == nil)
        #expect(try link.place(hold, hash: hash).refusal == .operationExpired)
    }

    @Test func aFullDiskUndoesEverything() throws {
        let link = try Link()
        let before = link.us.books.snapshot
        let hold = try link.request()
        link.us.books.failure = .full
        #expect(throws: StorageFault.full) { try link.place(hold) }
        #expect(link.us.books.snapshot == before)
        let hash = try link.maker.hash()
        _ = try link.place(hold, hash: hash).get()
    }
}
