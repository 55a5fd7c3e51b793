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

    @Test func aRootComesFromItsIssuer() throws {
        let booking = Booking()
        let root = try booking.root()
        func receive(from presenter: Presenter) throws -> HeldGrant {
            try booking.chains.receive(
                root.tokens, for: booking.phone.entity, key: booking.phone.key.verifying,
                certificate: nil, from: presenter, status: booking.status, now: booking.now)
        }
        #expect(try receive(from: booking.phone.presenter).leafName == root.leafName)
        #expect(
            refusal { try receive(from: booking.app.presenter) }?.rule == "handover.issuer")
    }

    @Test func aBoundGrantIsTakenWithThatCertificateOnly() throws {
        let booking = Booking()
        let bound = try booking.root().derive(
            HeldGrant.Narrowing(
                holder: booking.app.entity, key: booking.app.key.verifying.jwk,
                certificate: booking.app.certificate), key: booking.phone.key,
            now: booking.now, random: booking.random)
        func receive(_ certificate: String?) -> String? {
            refusal {
                try booking.chains.receive(
                    bound.tokens, for: booking.app.entity, key: booking.app.key.verifying,
                    certificate: certificate, from: booking.phone.presenter,
                    status: booking.status, now: booking.now)
            }?.rule
        }
        #expect(receive(booking.app.certificate) == nil)
        #expect(receive(booking.phone.certificate) == "handover.certificate")
        #expect(receive(nil) == "handover.certificate")
    }

    @Test func derivingEndsWithTheGrant() throws {
        let booking = Booking()
        let root = try booking.root()
        booking.now = booking.now.adding(seconds: 600)
        #expect(refusal { try booking.link(root) }?.rule == "derive.exp")
        booking.now = booking.now.adding(seconds: -660)
        let early = try booking.link(root)
        #expect(early.leaf.issuedAt == root.leaf.issuedAt, "never before its parent")
        let short = HeldGrant.Narrowing(
            holder: booking.app.entity, key: booking.app.key.verifying.jwk,
            expires: root.leaf.issuedAt)
        #expect(
            refusal {
                try root.derive(
                    short, key: booking.phone.key, now: booking.now, random: booking.random)
            }?.rule == "derive.exp_before_iat")
    }

    @Test func nobodyHoldsTwice() throws {
        let booking = Booking()
        func request(_ depth: Int64, _ life: Int64) -> GrantIssuer.Request {
            GrantIssuer.Request(
                subject: "u", holder: booking.phone.entity,
                holderKey: booking.phone.key.verifying.jwk, entries: booking.entries,
                delegates: .anyone, maximumDepth: depth, life: life)
        }
        func root(_ depth: Int64, _ life: Int64 = 600) throws -> HeldGrant {
            try booking.issuer.root(
                request(depth, life), now: booking.now, random: booking.random)
        }
        let grant = try root(3)
        #expect(
            refusal {
                try grant.derive(
                    HeldGrant.Narrowing(
                        holder: booking.phone.entity, key: booking.app.key.verifying.jwk),
                    key: booking.phone.key, now: booking.now, random: booking.random)
            }?.error == .loop)
        #expect(refusal { try root(7) }?.rule == "issue.depth")
        #expect(refusal { try root(1, 0) }?.rule == "issue.life")
        #expect(try root(6).leaf.maximumDepth == 6)
    }
}
