// SPDX-License-Identifier: Apache-2.0

import Bytes
import Consent
import Crypto
import JSON
import TestSupport
import Testing

/// The budget keeper's counters: every link is charged, together or not at all.
@Suite struct BudgetTests {
    /// What the counters of a chain's links hold for the order entry, root first.
    private func counters(_ world: World, _ chain: [String]) throws -> [Counter] {
        let root = world.claim(chain[0], "jti")
        return try chain.map { token in
            try world.storage.counter(
                CounterKey(
                    book: .reservations, root: root, link: world.claim(token, "jti"),
                    entry: "order"))
        }
    }

    private func receipt(
        _ world: World, act: String, _ change: (inout JSONNode) -> Void
    ) throws -> SignedReceipt {
        var claims: JSONNode = [
            "iss": .string(World.meituan), "aud": .string(World.mi), "jti": .string(world.id()),
            "iat": 1_795_161_700, "act": .string(act), "act_hash": .string(world.hash("act")),
            "result": "done",
        ]
        change(&claims)
        return try SignedReceipt(
            verifying: world.sign(claims, "receipt", World.meituan),
            by: world.key(World.meituan).verifying, issuer: entityID(World.meituan))
    }

    private func settle(_ world: World, _ receipt: SignedReceipt) throws -> [ReservationRecord] {
        try world.storage.transaction { storage throws(ConsentFault) in
            try world.keeper().settle(receipt, now: world.now, in: storage)
        }
    }

    @Test func siblingsShareTheirParentsBudget() throws {
        let world = World()
        let root = world.root()
        let ali = [root, world.child(of: root, [World.order])]
        let hub = [root, world.child(of: root, to: World.hub, [World.order])]
        _ = try world.reserve(ali, act: world.id(), 5000)
        _ = try world.reserve(hub, act: world.id(), 5000, as: World.hub)
        let before = world.storage.recordCount
        let refused = refusal { try world.reserve(hub, act: world.id(), 1, as: World.hub) }
        #expect(refused?.error == .budget && refused?.rule == "resv.total")
        #expect(world.storage.recordCount == before)
        #expect(try counters(world, ali).map(\.spent) == [10_000, 5000])
        #expect(try counters(world, hub).map(\.uses) == [2, 1])
    }

    @Test func twentyActsOnACountOfThreeMakeThree() throws {
        let world = World()
        let chain = world.chain()
        let outcomes = (0..<20).map { _ in
            refusal { try world.reserve(chain, act: world.id(), 1) }?.rule
        }
        #expect(outcomes.filter { $0 == nil }.count == 3)
        #expect(outcomes.filter { $0 == "resv.count" }.count == 17)
    }

    @Test func theSameRequestGetsTheSameReservation() throws {
        let world = World()
        let chain = world.chain()
        let act = world.id()
        let first = try world.reserve(chain, act: act, 2300)
        let again = try world.reserve(chain, act: act, 2300)
        #expect(world.name(first) == world.name(again))
        #expect(try counters(world, chain).map(\.spent) == [2300, 2300])
        world.now = world.now.adding(seconds: 601)
        world.status.readings[World.mi + "/sl/7"] = world.now
        #expect(refusal { try world.reserve(chain, act: act, 2300) }?.rule == "resv.again")
    }

    @Test func capturingLessGivesTheRestBack() throws {
        let world = World()
        let chain = world.chain()
        let act = world.id()
        _ = try world.reserve(chain, act: act, 4500)
        let taxi = try receipt(world, act: act) {
            $0["captured"] = ["value": 3870, "currency": "CNY"]
        }
        #expect(try settle(world, taxi).map(\.state) == [.captured])
        #expect(try settle(world, taxi).map(\.charged) == [3870])
        #expect(try counters(world, chain).map(\.spent) == [3870, 3870])
        #expect(try counters(world, chain).map(\.uses) == [1, 1])
        let more = try receipt(world, act: act) {
            $0["captured"] = ["value": 3871, "currency": "CNY"]
        }
        #expect(refusal { try settle(world, more) }?.error == .limit)
        let yen = try receipt(world, act: act) {
            $0["captured"] = ["value": 1, "currency": "JPY"]
        }
        #expect(refusal { try settle(world, yen) }?.error == .currency)
        let reversed = try receipt(world, act: act) { $0["reversed"] = true }
        #expect(try settle(world, reversed).map(\.state) == [.released])
        #expect(try settle(world, reversed).map(\.state) == [.released])
        #expect(try counters(world, chain).map(\.spent) == [0, 0])
        #expect(try counters(world, chain).map(\.uses) == [0, 0])
    }

    @Test func anotherExecutorsReceiptSettlesNothing() throws {
        let world = World()
        let chain = world.chain()
        let act = world.id()
        _ = try world.reserve(chain, act: act, 4500, executor: World.eleme)
        let refused = try receipt(world, act: act) {
            $0["result"] = "refused"
            $0["error"] = "consent_budget"
        }
        #expect(try settle(world, refused).isEmpty)
        #expect(try counters(world, chain).map(\.spent) == [4500, 4500])
    }

    @Test func silenceCountsInFullAndALateReceiptOnlyLowers() throws {
        let world = World()
        let chain = world.chain()
        let act = world.id()
        _ = try world.reserve(chain, act: act, 4500)
        world.now = world.now.adding(seconds: 700)
        let record = try #require(world.storage.allReservations.first)
        let expired = try world.keeper().expire(record, now: world.now, in: world.storage)
        #expect(expired.state == .expired)
        #expect(try counters(world, chain).map(\.spent) == [4500, 4500])
        let late = try receipt(world, act: act) {
            $0["captured"] = ["value": 4000, "currency": "CNY"]
        }
        #expect(try settle(world, late).map(\.charged) == [4000])
        #expect(try counters(world, chain).map(\.spent) == [4000, 4000])
    }

    @Test func anActPricedAnewPaysOnce() throws {
        let world = World()
        let chain = world.chain()
        let act = world.id()
        _ = try world.reserve(chain, act: act, 2300)
        _ = try world.reserve(chain, act: act, 2400)
        #expect(try counters(world, chain).map(\.spent) == [4700, 4700])
        let done = try receipt(world, act: act) {
            $0["captured"] = ["value": 2400, "currency": "CNY"]
        }
        #expect(try settle(world, done).map(\.state) == [.released, .captured])
        #expect(try counters(world, chain).map(\.spent) == [2400, 2400])
        #expect(try counters(world, chain).map(\.uses) == [1, 1])
    }

    @Test func hiddenLimitsAreComparedDownTheChain() throws {
        let world = World()
        func disclosure(_ perAct: Int64) -> LimitsDisclosure {
            LimitsDisclosure(
                hiding: Limits(
                    currency: currencyNamed("CNY"), perAct: perAct, total: 10_000, count: 3),
                random: world.random)
        }
        func entry(_ digest: String) -> JSONNode {
            World.entry(World.order) {
                $0["limits"] = nil
                $0["_sd"] = [.string(digest)]
            }
        }
        let above = disclosure(4000)
        let below = disclosure(5000)
        let chain = world.chain([entry(below.digest)], root: [entry(above.digest)])
        let refused = refusal {
            try world.reserve(
                chain, act: world.id(), 100, disclosures: [above.text, below.text])
        }
        #expect(refused?.error == .widened)
        #expect(
            refusal {
                try world.reserve(chain, act: world.id(), 100, disclosures: [below.text])
            }?.error == .disclosure)
    }

    @Test func oldRecordsAreRemovedAndNoOthers() throws {
        let booking = Booking()
        let order = try booking.order()
        _ = try booking.decide(order.presented)
        let before = booking.storage.recordCount
        try booking.storage.removeConsentRecords(retainedBefore: booking.now.seconds + 86_400)
        // The ask and the confirmation are gone; the act, the reservation and its counters stay.
        #expect(booking.storage.recordCount == before - 2)
        #expect(
            refusal { try booking.decide(order.presented) }?.isInFlight == true)
    }

    @Test func hiddenPaymentsHaveAllThreeLimits() throws {
        let world = World()
        let disclosure = LimitsDisclosure(
            hiding: Limits(currency: currencyNamed("CNY"), perAct: 5000), random: world.random)
        let entry = World.entry(World.payment) {
            $0["limits"] = nil
            $0["_sd"] = [.string(disclosure.digest)]
        }
        let refused = refusal {
            try world.reserve(
                world.chain([entry], root: [entry]), act: world.id(), 100, entry: "pay",
                executor: World.pay, disclosures: [disclosure.text])
        }
        #expect(refused?.rule == "resv.payment.limits")
        #expect(
            refusal { try world.reserve(world.chain(), act: "not a uuid", 100) }?.rule
                == "resv.act")
        #expect(
            refusal { try world.reserve(world.chain(), act: world.id(), 100, entry: "x") }?.rule
                == "resv.ad")
    }

    @Test func receiptsAreHeldToTheirSchema() throws {
        let world = World()
        func error(_ change: (inout JSONNode) -> Void) -> ConsentError? {
            refusal { try receipt(world, act: world.id(), change) }?.error
        }
        #expect(error { _ in } == nil)
        #expect(error { $0["error"] = "consent_budget" } == .malformed)
        #expect(error { $0["reversed"] = false } == .malformed)
        #expect(error { $0["result"] = "perhaps" } == .malformed)
        #expect(error { $0["tip"] = 5 } == .unknown)
        #expect(error { $0["iss"] = .string(World.eleme) } == .audience)
        #expect(
            error {
                $0["result"] = "refused"
                $0["error"] = "consent_budget"
                $0["captured"] = ["value": 1, "currency": "CNY"]
            } == .malformed)
        #expect(
            error {
                $0["result"] = "refused"
                $0["error"] = "consent_whim"
            } == .malformed)
    }
}
