// SPDX-License-Identifier: Apache-2.0

import Accounting
import Bytes
import TestSupport
import Testing

/// Many small fees on one hold.
@Suite struct BlockTests {
    /// The block of a link, placed on both sides; the tariff's block of 10.00 unless told.
    private func open(_ link: Link, charge: String = "10.00") throws -> HoldRequest {
        var request = try link.request("0.00", life: 3600)
        request.charge = try cny(charge)
        let context = HoldContext(block: link.tariff)
        let hash = try link.maker.hash()
        _ = try link.place(request, as: context, hash: hash).get()
        _ = try link.peer.ledger {
            try $0.place(request, context, try link.maker.call(link.us, .peer, hash))
        }.get()
        return request
    }

    private func block(
        _ company: Company, _ peer: Company, _ request: HoldRequest, _ link: Link,
        hasRestarted: Bool = false
    ) throws -> Block {
        let record = try #require(try company.books.hold(peer.entity, request.op))
        let tariff = link.tariff.tariff
        guard hasRestarted else { return Block(opening: record, tariff) }
        let checkpoint = try #require(
            try company.books.blockCheckpoint(peer.entity, request.op))
        let open = try company.books.draws(peer.entity, on: request.op, .open)
        return Block(
            resuming: record, tariff, from: checkpoint, underway: Set(open.map(\.number)))
    }

    private func post(
        _ link: Link, _ request: HoldRequest, _ charge: String, calls: Int64?
    ) throws -> Post {
        var post = try link.post(request, charge: charge, commission: "0.00", sale: "0.00")
        post.calls = calls
        return post
    }

    @Test func bothSidesCountTheSame() throws {
        let link = try Link()
        let request = try open(link)
        var caller = try block(link.us, link.peer, request, link)
        var callee = try block(link.peer, link.us, request, link)
        for index in 0..<20 {
            let draw = try caller.draw(at: link.maker.now)
            try callee.admit(draw, at: link.maker.now)
            let isBilled = index % 4 != 3
            callee.conclude(draw.number, isBilled: isBilled)
            let isPlausible = caller.learn(callee.counter)
            #expect(isPlausible)
            caller.conclude(draw.number, isBilled: isBilled)
        }
        #expect(caller.counter == callee.counter)
        #expect(callee.calls == 15 && callee.billed.text == "3.00")
        #expect(caller.ceiling.text == "3.00")

        let post = try post(link, request, callee.billed.text, calls: callee.calls)
        let hash = try link.maker.hash()
        _ = try link.peer.ledger {
            try $0.post(post, try link.maker.call(link.us, .us, hash))
        }.get()
        _ = try link.receive(post, hash: hash, ceiling: caller.ceiling).get()
        #expect(try link.us.posted(.payable, link.peer) == "3.00")
        #expect(try link.peer.posted(.receivable, link.us) == "3.00")
        try link.expectNothingHeld()
        try link.expectSoundBooks()
        let lines = try link.us.books.statementLines(
            link.peer.entity, .cny, from: Instant(seconds: 0), to: Instant(milliseconds: .max))
        #expect(lines.map(\.line.calls) == [15])
    }

    @Test func aBlockIsNeverOverdrawn() throws {
        let link = try Link()
        let request = try open(link, charge: "1.09")
        var caller = try block(link.us, link.peer, request, link)
        var callee = try block(link.peer, link.us, request, link)
        #expect(caller.capacity == 5)
        var last: Draw?
        for index in 0..<5 {
            let isDue = caller.shouldRenew(at: link.maker.now)
            #expect(isDue == (index >= 2))
            let draw = try caller.draw(at: link.maker.now)
            #expect(draw.number == Int64(index + 1))
            try callee.admit(draw, at: link.maker.now)
            last = draw
        }
        #expect(caller.isExhausted && callee.isExhausted)
        #expect(throws: BlockFault.exhausted) { try caller.draw(at: link.maker.now) }
        var beyond = try #require(last)
        beyond.number += 1
        beyond.amount = try cny("1.20")
        #expect(throws: BlockFault.exhausted) { try callee.admit(beyond, at: link.maker.now) }
        // A number stays used when its task ends without a fee.
        callee.conclude(5, isBilled: false)
        #expect(callee.isExhausted && callee.billed.text == "0.00")
    }

    @Test func aDrawCountsOnce() throws {
        let link = try Link()
        let request = try open(link)
        var caller = try block(link.us, link.peer, request, link)
        var callee = try block(link.peer, link.us, request, link)
        let draws = try (0..<30).map { _ in try caller.draw(at: link.maker.now) }
        for draw in draws.reversed() { try callee.admit(draw, at: link.maker.now) }
        for draw in draws {
            #expect(throws: BlockFault.repeated) { try callee.admit(draw, at: link.maker.now) }
        }
        for draw in draws {
            callee.conclude(draw.number, isBilled: true)
            let isAgain = callee.conclude(draw.number, isBilled: true)
            #expect(!isAgain)
        }
        #expect(callee.calls == 30 && callee.billed.text == "6.00")
    }

    @Test func numbersMayOvertakeEachOtherByAThousand() throws {
        let link = try Link(fee: "0.20")
        let request = try open(link)
        let record = try #require(try link.peer.books.hold(link.us.entity, request.op))
        let cheap = try tariff(
            link.maker, tariffNode(link.maker, caller: link.us, callee: link.peer, fee: "0.002"))
        var callee = Block(opening: record, cheap.tariff)
        func draw(_ number: Int64) throws -> Draw {
            Draw(
                block: request.op, number: number,
                amount: Money(micros: number * 2000, .cny))
        }
        try callee.admit(try draw(2000), at: link.maker.now)
        try callee.admit(try draw(977), at: link.maker.now)
        #expect(throws: BlockFault.repeated) { try callee.admit(draw(977), at: link.maker.now) }
        #expect(throws: BlockFault.repeated) { try callee.admit(draw(976), at: link.maker.now) }
        try callee.admit(try draw(4500), at: link.maker.now)
        try callee.admit(try draw(4499), at: link.maker.now)
        #expect(throws: BlockFault.repeated) { try callee.admit(draw(2000), at: link.maker.now) }
        #expect(throws: BlockFault.exhausted) { try callee.admit(draw(5001), at: link.maker.now) }
        #expect(throws: BlockFault.exhausted) { try callee.admit(draw(0), at: link.maker.now) }
    }

    @Test func aDrawStatesTheSumOfItsNumber() throws {
        let link = try Link()
        let request = try open(link)
        var caller = try block(link.us, link.peer, request, link)
        var callee = try block(link.peer, link.us, request, link)
        var draw = try caller.draw(at: link.maker.now)
        draw.amount = try cny("0.19")
        #expect(throws: BlockFault.price) { try callee.admit(draw, at: link.maker.now) }
        draw.amount = Money(micros: 200_000, try #require(Currency("USD")))
        #expect(throws: BlockFault.price) { try callee.admit(draw, at: link.maker.now) }
        #expect(callee.highest == 0 && callee.underway.isEmpty)
    }

    @Test func aBlockTakesNoDrawAtItsEnd() throws {
        let link = try Link()
        let request = try open(link)
        var caller = try block(link.us, link.peer, request, link)
        var callee = try block(link.peer, link.us, request, link)
        // The caller ends by Δ and the skew before the hold does, the callee by Δ.
        #expect(caller.lastDraw == request.postBy.adding(seconds: -35))
        #expect(callee.lastDraw == request.postBy.adding(seconds: -30))
        #expect(caller.shouldRenew(at: request.postBy.adding(seconds: -1800)))
        #expect(!caller.shouldRenew(at: request.postBy.adding(seconds: -1801)))
        let draw = try caller.draw(at: caller.lastDraw)
        try callee.admit(draw, at: callee.lastDraw)
        let (afterCaller, afterCallee) = (
            caller.lastDraw.adding(milliseconds: 1), callee.lastDraw.adding(milliseconds: 1)
        )
        #expect(throws: BlockFault.ended) { try caller.draw(at: afterCaller) }
        let next = Draw(block: request.op, number: 2, amount: try cny("0.40"))
        #expect(throws: BlockFault.ended) { try callee.admit(next, at: afterCallee) }
    }

    @Test func anInflatedCountIsSeenAndRefused() throws {
        let link = try Link()
        let request = try open(link)
        var caller = try block(link.us, link.peer, request, link)
        let draw = try caller.draw(at: link.maker.now)
        let lie = UsageCounter(
            hold: request.op, sequence: 2, calls: 2, amount: try cny("0.40"))
        let isPlausible = caller.learn(lie)
        #expect(!isPlausible)
        caller.conclude(draw.number, isBilled: true)
        let much = try post(link, request, "0.40", calls: 2)
        #expect(
            try link.receive(much, ceiling: caller.ceiling).refusal == .postExceedsHold)
        // So many fees, neither more nor less.
        for calls: Int64? in [nil, 2] {
            let wrong = try post(link, request, "0.20", calls: calls)
            #expect(try link.receive(wrong, ceiling: caller.ceiling).refusal == .price)
        }
        let right = try post(link, request, "0.20", calls: 1)
        #expect(try link.receive(right, ceiling: caller.ceiling).refusal == nil)
    }

    @Test func aLateCounterChangesNothing() throws {
        let link = try Link()
        let request = try open(link)
        var caller = try block(link.us, link.peer, request, link)
        for _ in 0..<3 { _ = try caller.draw(at: link.maker.now) }
        func counter(_ calls: Int64, _ text: String) throws -> UsageCounter {
            UsageCounter(
                hold: request.op, sequence: calls, calls: calls, amount: try cny(text))
        }
        for (calls, text) in [(2, "0.40"), (1, "0.20"), (2, "0.40"), (3, "0.60")] {
            let isPlausible = caller.learn(try counter(Int64(calls), text))
            #expect(isPlausible)
        }
        #expect(caller.reported?.sequence == 3)
        // A task whose end never came is still counted.
        #expect(caller.ceiling.text == "0.60")
    }

    @Test func whoForgetsPays() throws {
        let link = try Link()
        let request = try open(link)
        var caller = try block(link.us, link.peer, request, link)
        var callee = try block(link.peer, link.us, request, link)
        for index in 0..<5 {
            let draw = try caller.draw(at: link.maker.now)
            try callee.admit(draw, at: link.maker.now)
            callee.conclude(draw.number, isBilled: true)
            if index == 2 {
                try link.peer.books.saveBlockCheckpoint(
                    callee.checkpoint(link.us.entity, opening: "o", isWhole: false))
                try link.us.books.saveBlockCheckpoint(
                    caller.checkpoint(link.peer.entity, opening: "o", isWhole: false))
            }
        }
        // The callee crashes: it bills what it wrote down, and goes on with the next number.
        var resumed = try block(link.peer, link.us, request, link, hasRestarted: true)
        #expect(resumed.billed.text == "0.60" && resumed.calls == 3)
        let old = Draw(block: request.op, number: 3, amount: try cny("0.60"))
        #expect(throws: BlockFault.repeated) { try resumed.admit(old, at: link.maker.now) }
        try resumed.admit(caller.draw(at: link.maker.now), at: link.maker.now)
        // The caller crashes: it draws no more, and admits what the callee bills, up to the block.
        var forgetful = try block(link.us, link.peer, request, link, hasRestarted: true)
        #expect(throws: BlockFault.ended) { try forgetful.draw(at: link.maker.now) }
        #expect(forgetful.ceiling.text == "10.00")
        let post = try post(link, request, "1.00", calls: 5)
        #expect(try link.receive(post, ceiling: forgetful.ceiling).refusal == nil)
    }

    @Test func anOrderlyEndForgetsNothing() throws {
        let link = try Link()
        let request = try open(link)
        var caller = try block(link.us, link.peer, request, link)
        for _ in 0..<3 { _ = try caller.draw(at: link.maker.now) }
        caller.conclude(1, isBilled: true)
        caller.conclude(2, isBilled: false)
        try link.us.books.saveBlockCheckpoint(
            caller.checkpoint(link.peer.entity, opening: "o", isWhole: true))
        try link.us.books.saveDraw(
            DrawRecord(
                peer: link.peer.entity, block: request.op, number: 3, exchange: link.exchange,
                task: "t", state: .open, at: link.maker.now))
        var resumed = try block(link.us, link.peer, request, link, hasRestarted: true)
        #expect(resumed.ceiling.text == "0.40" && resumed.underway == [3])
        #expect(try resumed.draw(at: link.maker.now).number == 4)
    }

    @Test func aBlockHoldsOnlyFees() throws {
        let link = try Link()
        func refusal(_ edit: (inout HoldRequest) throws -> Void) throws -> LedgerRefusal? {
            var request = try link.request("0.00", life: 3600)
            request.charge = try cny("10.00")
            try edit(&request)
            return try link.place(request, as: HoldContext(block: link.tariff)).refusal
        }
        #expect(try refusal { $0.charge = try cny("10.01") } == .price)
        #expect(try refusal { $0.charge = try cny("0.19") } == .price)
        #expect(try refusal { $0.commission = try cny("0.01") } == .price)
        #expect(try refusal { $0.sale = try cny("1.00") } == .price)
        #expect(
            try refusal { $0.postBy = $0.postBy.adding(milliseconds: 1) } == .deadline)
        #expect(try refusal { _ in } == nil)
        let plain = try tariff(
            link.maker,
            tariffNode(link.maker, caller: link.us, callee: link.peer, hasBlock: false))
        try link.us.ledger {
            try $0.adopt([plain], with: link.peer.entity, now: link.maker.now)
        }
        let request = try link.request("0.00", life: 60)
        #expect(
            try link.place(request, as: HoldContext(block: plain)).refusal == .tariffUnknown)
    }
}
