// SPDX-License-Identifier: Apache-2.0

import Bytes
import Consent
import Crypto
import Testing

/// Receiving, narrowing and issuing grants.
@Suite struct HandoverTests {
    @Test func aGrantIsReceivedFromItsParentOnly() throws {
        let booking = Booking()
        let grant = try booking.link(booking.root())
        let received = try booking.received(grant)
        #expect(received.leaf.holder == booking.app.entity)
        #expect(received.leafName == grant.leafName)
        #expect(
            refusal {
                try booking.chains.receive(
                    grant.tokens, for: booking.app.entity, key: booking.app.key.verifying,
                    certificate: nil, from: booking.restaurant.presenter,
                    status: booking.status, now: booking.now)
            }?.error == .holder)
    }

    @Test func aGrantForAnotherIsNotTaken() throws {
        let booking = Booking()
        let grant = try booking.link(booking.root())
        #expect(
            refusal {
                try booking.chains.receive(
                    grant.tokens, for: booking.restaurant.entity,
                    key: booking.app.key.verifying, certificate: nil,
                    from: booking.phone.presenter, status: booking.status, now: booking.now)
            }?.rule == "handover.client_id")
        #expect(
            refusal {
                try booking.chains.receive(
                    grant.tokens, for: booking.app.entity,
                    key: booking.restaurant.key.verifying, certificate: nil,
                    from: booking.phone.presenter, status: booking.status, now: booking.now)
            }?.rule == "handover.jwk")
        #expect(
            refusal {
                try booking.chains.receive(
                    grant.tokens, for: booking.app.entity, key: booking.app.key.verifying,
                    certificate: nil, from: nil, status: booking.status, now: booking.now)
            }?.rule == "10.nobody")
    }

    @Test func aCertificateBoundGrantNeedsThatCertificate() throws {
        let booking = Booking()
        let root = try booking.root()
        let bound = try root.derive(
            HeldGrant.Narrowing(
                holder: booking.app.entity, key: booking.app.key.verifying.jwk,
                certificate: booking.app.certificate), key: booking.phone.key,
            now: booking.now, random: booking.random)
        _ = try booking.chain(bound)
        let renewed = Presenter(
            entity: booking.app.entity, certificate: booking.phone.certificate,
            key: booking.app.key.verifying.thumbprint)
        #expect(refusal { try booking.chain(bound, by: renewed) }?.rule == "10.certificate")
        let otherKey = Presenter(
            entity: booking.app.entity, certificate: booking.app.certificate,
            key: booking.phone.key.verifying.thumbprint)
        #expect(refusal { try booking.chain(bound, by: otherKey) }?.rule == "10.key")
        // Bound to the entity instead, any certificate of the entity does.
        _ = try booking.chain(booking.link(root), by: renewed)
    }

    @Test func derivingCannotWiden() throws {
        let booking = Booking()
        let root = try booking.root()
        var wider = booking.entries
        wider[0].limits?.perAct = 40_001
        #expect(refusal { try booking.link(root, entries: wider) }?.error == .widened)
        wider = booking.entries
        wider[0].confirm = .once
        #expect(refusal { try booking.link(root, entries: wider) }?.error == .widened)
        #expect(
            refusal {
                try root.derive(
                    HeldGrant.Narrowing(
                        holder: booking.restaurant.entity,
                        key: booking.restaurant.key.verifying.jwk),
                    key: booking.phone.key, now: booking.now, random: booking.random)
            }?.error == .delegate)
        #expect(
            refusal {
                try root.derive(
                    HeldGrant.Narrowing(
                        holder: booking.app.entity, key: booking.app.key.verifying.jwk),
                    key: booking.app.key, now: booking.now, random: booking.random)
            }?.rule == "derive.key")
        let leaf = try booking.link(root)
        #expect(
            refusal {
                try leaf.derive(
                    HeldGrant.Narrowing(
                        holder: booking.restaurant.entity,
                        key: booking.restaurant.key.verifying.jwk),
                    key: booking.app.key, now: booking.now, random: booking.random)
            }?.error == .depth)
    }

    @Test func narrowedEntriesAreAccepted() throws {
        let booking = Booking()
        var narrow = [booking.entries[0]]
        narrow[0].limits?.perAct = 35_000
        narrow[0].confirm = .eachVerified
        let grant = try booking.link(booking.root(), entries: narrow)
        let chain = try booking.chain(grant)
        #expect(chain.leaf.entries == narrow)
        #expect(chain.root.entries == booking.entries)
    }

    @Test func noRootLetsActsHappenUnasked() throws {
        let booking = Booking()
        var unasked = booking.entries
        unasked[0].confirm = .once
        #expect(refusal { try booking.root(entries: unasked) }?.rule == "issue.unasked")
        let long = GrantIssuer.Request(
            subject: "u", holder: booking.phone.entity,
            holderKey: booking.phone.key.verifying.jwk, entries: booking.entries,
            delegates: .nobody, maximumDepth: 0, life: 601)
        #expect(
            refusal {
                try booking.issuer.root(long, now: booking.now, random: booking.random)
            }?.rule == "issue.status")
        var forbidden = booking.entries
        forbidden[0].actions = ["identity.verify"]
        #expect(refusal { try booking.root(entries: forbidden) }?.error == .forbidden)
    }
}
