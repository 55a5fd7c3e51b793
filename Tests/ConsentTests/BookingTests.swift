// SPDX-License-Identifier: Apache-2.0

import Bytes
import Consent
import Crypto
import JSON
import TestSupport
import Testing

/// One booking from grant to receipt with real keys, and what goes wrong with it.
@Suite struct BookingTests {
    @Test(arguments: [KeyAlgorithm.p256, .ed25519])
    func bookingIsDoneOnce(_ algorithm: KeyAlgorithm) throws {
        let booking = Booking(algorithm)
        let order = try booking.order()
        #expect(order.ask.level == .each)
        guard case .authorized(let authority) = try booking.decide(order.presented) else {
            Issue.record("not authorized")
            return
        }
        #expect(authority.chain.subject == "u.7Yk2pQ")
        #expect(authority.act?.amount == Amount(value: 32_800, currency: Booking.cny))
        #expect(authority.coverage.actionClass == .contractual)
        #expect(authority.reservation?.act == order.id)

        // While the effect is under way a retry waits; afterwards it gets the same answer, also
        // when the grant has ended.
        #expect(refusal { try booking.decide(order.presented) }?.isInFlight == true)
        try booking.point.conclude(
            holder: booking.app.entity, act: order.id, result: [4, 2], in: booking.storage)
        booking.now = booking.now.adding(seconds: 100_000)
        guard case .finished(let result) = try booking.decide(order.presented) else {
            Issue.record("not finished")
            return
        }
        #expect(result == [4, 2])
        #expect(
            refusal { try booking.decide(order.presented, by: booking.phone.presenter) }?.error
                == .expired, "another peer is not answered from the store")
    }

    @Test func receiptSettlesTheReservation() throws {
        let booking = Booking()
        let order = try booking.order()
        guard case .authorized(let authority) = try booking.decide(order.presented) else {
            Issue.record("not authorized")
            return
        }
        let signer = ReceiptSigner(entity: booking.restaurant.entity, key: booking.restaurant.key)
        let token = try signer.done(
            authority, captured: nil, reference: "R-77", now: booking.now,
            random: booking.random)
        let receipt = try SignedReceipt(
            verifying: token, by: booking.restaurant.key.verifying,
            issuer: booking.restaurant.entity)
        #expect(receipt.receipt.captured?.value == 32_800)
        #expect(receipt.receipt.actHash == authority.actHash)
        let records = try booking.keeper.settle(
            receipt, now: booking.now, in: booking.storage)
        #expect(records.map(\.state) == [.captured])
        func captured(_ value: Int64, _ currency: Currency = Booking.cny) -> String? {
            refusal {
                try signer.done(
                    authority, captured: Amount(value: value, currency: currency),
                    reference: nil, now: booking.now, random: booking.random)
            }?.rule
        }
        #expect(captured(32_800) == nil)
        #expect(captured(32_801) == "24.exact")
        #expect(captured(32_799) == "24.exact")
        #expect(captured(32_800, currencyNamed("JPY")) == "24.currency")
    }

    @Test func aMaximumIsCapturedAtMost() throws {
        let booking = Booking()
        booking.totalKind = .max
        guard case .authorized(let authority) = try booking.decide(booking.order().presented) else {
            Issue.record("not authorized")
            return
        }
        let signer = ReceiptSigner(entity: booking.restaurant.entity, key: booking.restaurant.key)
        func captured(_ value: Int64) -> String? {
            refusal {
                try signer.done(
                    authority, captured: Amount(value: value, currency: Booking.cny),
                    reference: nil, now: booking.now, random: booking.random)
            }?.rule
        }
        #expect(captured(32_800) == nil)
        #expect(captured(3870) == nil)
        #expect(captured(32_801) == "24.max")
    }

    @Test func confirmationServesOneActOnly() throws {
        let booking = Booking()
        booking.limits.count = 2
        booking.limits.total = 80_000
        let order = try booking.order()
        _ = try booking.decide(order.presented)
        var second = order.presented
        let id = booking.newID()
        second.act = try booking.act(order.grant, order.terms, order.confirmation, id: id)
        second.reservation = try booking.reserve(order.grant, act: id)
        let before = booking.storage.recordCount
        #expect(refusal { try booking.decide(second) }?.error == .replay)
        #expect(booking.storage.recordCount == before)
    }

    @Test func changedPriceNeedsANewAnswer() throws {
        let booking = Booking()
        let order = try booking.order()
        let dearer = try booking.terms(33_000)
        var changed = order.presented
        changed.terms = dearer.token
        let id = booking.newID()
        changed.act = try booking.act(order.grant, dearer, order.confirmation, id: id)
        #expect(refusal { try booking.decide(changed) }?.error == .confirmInvalid)
    }

    @Test func anotherHolderIsRefused() throws {
        let booking = Booking()
        let order = try booking.order()
        let thief = Booking.Party("thief", .p256)
        #expect(
            refusal { try booking.decide(order.presented, by: thief.presenter) }?.error
                == .holder)
        let nobody = booking.point.assess(
            order.presented, presenter: nil, status: booking.status, now: booking.now)
        #expect(
            refusal {
                try booking.point.decide(
                    nobody, status: booking.status, now: booking.now, in: booking.storage)
            }?.error == .holder)
    }

    @Test func publishingUnderAReadGrantIsRefused() throws {
        let booking = Booking()
        let chain = try booking.chain(booking.link(booking.root()))
        #expect(
            refusal {
                try booking.point.authorizeRead("listing.publish", entry: "find", under: chain)
            }?.error == .action)
        let read = try booking.point.authorizeRead("catalog.search", entry: "find", under: chain)
        #expect(read.act == nil)
        #expect(read.coverage.level == .none)
        #expect(
            refusal {
                try booking.point.authorizeRead("order.create", entry: "order", under: chain)
            }?.rule == "11.act.missing")
    }

    @Test func withoutConfirmationTheUserIsAsked() throws {
        let booking = Booking()
        let order = try booking.order()
        var silent = order.presented
        silent.confirmation = nil
        silent.act = try booking.act(order.grant, order.terms, nil, id: order.id)
        guard case .needsConfirmation(let coverage, let terms) = try booking.decide(silent) else {
            Issue.record("not asked")
            return
        }
        #expect(coverage.level == .each)
        #expect(terms == order.terms)
        #expect(booking.storage.recordCount > 0)
        guard case .authorized = try booking.decide(order.presented) else {
            Issue.record("asking used nothing up")
            return
        }
    }

    @Test func denialClosesTheQuestion() throws {
        let booking = Booking()
        let root = try booking.root()
        let grant = try booking.received(booking.link(root))
        let terms = try booking.terms()
        let ask = try booking.ask(terms, grant)
        let no = try booking.answer(ask, root, .deny)
        let chain = try booking.chain(grant)
        let answer = try booking.point.answer(
            no, to: terms, level: .each, entry: "order", under: chain, now: booking.now,
            in: booking.storage)
        #expect(answer.decision == .deny)
        let yes = try booking.answer(ask, root)
        #expect(
            refusal {
                try booking.point.answer(
                    yes, to: terms, level: .each, entry: "order", under: chain,
                    now: booking.now, in: booking.storage)
            }?.rule == "18.nonce.closed")
    }

    @Test func revocationBetweenAssessmentAndEffectWins() throws {
        let booking = Booking()
        let order = try booking.order()
        let assessment = booking.point.assess(
            order.presented, presenter: booking.app.presenter, status: booking.status,
            now: booking.now)
        booking.status.epoch += 1
        booking.status.revokedGrants.insert(order.root.root.id)
        let before = booking.storage.recordCount
        #expect(
            refusal {
                try booking.storage.transaction { storage throws(ConsentFault) in
                    try booking.point.decide(
                        assessment, status: booking.status, now: booking.now, in: storage)
                }
            }?.error == .revoked)
        #expect(booking.storage.recordCount == before)
    }

    @Test func storageFaultsComeThrough() throws {
        let booking = Booking()
        let order = try booking.order()
        booking.storage.fault = .full
        #expect(throws: ConsentFault.storage(.full)) { try booking.decide(order.presented) }
        booking.storage.fault = nil
        guard case .authorized = try booking.decide(order.presented) else {
            Issue.record("a fault used something up")
            return
        }
    }

    @Test func refusedReceiptComesAfterTheActsSignatureOnly() throws {
        let booking = Booking()
        let order = try booking.order()
        let signer = ReceiptSigner(entity: booking.restaurant.entity, key: booking.restaurant.key)
        var unconfirmed = order.presented
        unconfirmed.reservation = nil
        let assessment = booking.point.assess(
            unconfirmed, presenter: booking.app.presenter, status: booking.status,
            now: booking.now)
        let token = try signer.refused(
            assessment, Refusal(.budget, "22.missing"), now: booking.now,
            random: booking.random)
        let receipt = try SignedReceipt(
            verifying: try #require(token), by: booking.restaurant.key.verifying,
            issuer: booking.restaurant.entity)
        #expect(receipt.receipt.result == .refused)
        #expect(receipt.receipt.error == .budget)
        let records = try booking.keeper.settle(
            receipt, now: booking.now, in: booking.storage)
        #expect(records.map(\.state) == [.released])
        _ = try booking.reserve(order.grant, act: booking.newID())

        let stranger = booking.point.assess(
            order.presented, presenter: booking.phone.presenter, status: booking.status,
            now: booking.now)
        #expect(
            try signer.refused(
                stranger, Refusal(.holder, "10.entity"), now: booking.now,
                random: booking.random) == nil)
    }
}
