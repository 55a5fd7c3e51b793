// SPDX-License-Identifier: Apache-2.0

import Accounting
import Bytes
import TestSupport
import Testing

/// Many small fees on one hold.
@Suite struct BlockTests {
    /// The block of a link, placed on both sides.
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
        let renewAt = try #require(link.tariff.tariff.block).renewAt
        guard hasRestarted else { return Block(opening: record, renewAt: renewAt) }
        let checkpoint = try company.books.blockCheckpoint(peer.entity, request.op)
        return Block(resuming: record, renewAt: renewAt, from: checkpoint)
    }

    @Test func bothSidesCountTheSame() throws {
        let link = try Link()
        let request = try open(link)
        var caller = try block(link.us, link.peer, request, link)
        var callee = try block(link.peer, link.us, request, link)
        let fee = try cny("0.20")
        let end = link.maker.now.adding(seconds: 60)
        for index in 0..<20 {
            try caller.begin(fee, until: end)
            try callee.begin(fee, until: end)
            let isBilled = index % 4 != 3
            callee.conclude(fee, isBilled: isBilled)
            let isPlausible = caller.learn(callee.counter)
            #expect(isPlausible)
            caller.conclude(fee, isBilled: isBilled)
        }
        #expect(caller.counter == callee.counter)
        #expect(callee.calls == 15 && callee.billed.text == "3.00")
        #expect(!caller.shouldRenew)

        let post = Post(
            op: link.maker.op(), hold: request.op, charge: callee.billed,
            commission: .zero(.cny), sale: .zero(.cny), booked: link.maker.now)
        let hash = try link.maker.hash()
        _ = try link.peer.ledger {
            try $0.post(post, try link.maker.call(link.us, .us, hash))
        }.get()
        _ = try link.receive(post, hash: hash, ceiling: caller.ceiling).get()
        #expect(try link.us.posted(.payable, link.peer) == "3.00")
        #expect(try link.peer.posted(.receivable, link.us) == "3.00")
        try link.expectNothingHeld()
        try link.expectSoundBooks()
    }

    @Test func aBlockIsNeverOverdrawn() throws {
        let link = try Link()
        let request = try open(link, charge: "1.00")
        var block = try block(link.us, link.peer, request, link)
        let fee = try cny("0.20")
        let end = link.maker.now.adding(seconds: 60)
        for index in 0..<5 {
            #expect(block.shouldRenew == (index >= 3))
            try block.begin(fee, until: end)
        }
        #expect(throws: BlockFault.exhausted) { try block.begin(fee, until: end) }
        block.conclude(fee, isBilled: false)
        try block.begin(fee, until: end)
        #expect(throws: BlockFault.ended) {
            try block.begin(try cny("0.00"), until: request.postBy.adding(milliseconds: 1))
        }
        let dollar = Money(micros: 1, try #require(Currency("USD")))
        #expect(throws: BlockFault.currency) { try block.begin(dollar, until: end) }
    }

    @Test func anInflatedCountIsSeenAndRefused() throws {
        let link = try Link()
        let request = try open(link)
        var caller = try block(link.us, link.peer, request, link)
        try caller.begin(try cny("0.20"), until: request.postBy)
        let lie = UsageCounter(
            hold: request.op, sequence: 2, calls: 2, amount: try cny("0.40"))
        let isPlausible = caller.learn(lie)
        #expect(!isPlausible)
        caller.conclude(try cny("0.20"), isBilled: true)
        var post = try link.post(request, charge: "0.40", commission: "0.00", sale: "0.00")
        #expect(
            try link.receive(post, ceiling: caller.ceiling).refusal == .postExceedsHold)
        post.op = link.maker.op()
        post.charge = try cny("0.20")
        #expect(try link.receive(post, ceiling: caller.ceiling).refusal == nil)
    }

    @Test func aLateCounterChangesNothing() throws {
        let link = try Link()
        let request = try open(link)
        var caller = try block(link.us, link.peer, request, link)
        let fee = try cny("0.20")
        for _ in 0..<3 { try caller.begin(fee, until: request.postBy) }
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
        var callee = try block(link.peer, link.us, request, link)
        let fee = try cny("0.20")
        for index in 0..<5 {
            try callee.begin(fee, until: request.postBy)
            callee.conclude(fee, isBilled: true)
            if index == 2 {
                try link.peer.books.saveBlockCheckpoint(callee.checkpoint(link.us.entity))
            }
        }
        // The callee crashes: it bills what it wrote down.
        let resumed = try block(link.peer, link.us, request, link, hasRestarted: true)
        #expect(resumed.billed.text == "0.60" && resumed.calls == 3)
        // The caller crashes: it admits what the callee bills, up to the block.
        let caller = try block(link.us, link.peer, request, link, hasRestarted: true)
        #expect(caller.ceiling.text == "10.00")
        let post = try link.post(request, charge: "1.00", commission: "0.00", sale: "0.00")
        #expect(try link.receive(post, ceiling: caller.ceiling).refusal == nil)
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
