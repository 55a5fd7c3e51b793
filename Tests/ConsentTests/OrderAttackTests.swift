// SPDX-License-Identifier: Apache-2.0

import Bytes
import Consent
import Crypto
import JSON
import TestSupport
import Testing

/// Orders with one thing wrong in a token that no other list holds.
@Suite struct OrderAttackTests {
    @Test(arguments: acts) func act(_ attack: Attack) { attack.check() }
    @Test(arguments: answers) func answer(_ attack: Attack) { attack.check() }
    @Test(arguments: reservations) func reservation(_ attack: Attack) { attack.check() }

    static let acts: [Attack] = [
        .order("act in another's name", .link) { $0.act = { $0["iss"] = .string(World.hub) } },
        .order("act that ends before it begins", .time) {
            $0.act = { $0["exp"] = 1_795_161_600 }
        },
        .order("an item of none", .terms) {
            $0.terms = { $0["items"] = [["id": "a", "title": "b", "qty": 0, "unit": 1]] }
        },
        .order("items without a total", .terms) { $0.terms = { $0["total"] = nil } },
        .order("a total with another member", .terms) {
            $0.terms = { $0["total"]?["tax"] = 1 }
        },
        .order("a recipient that is a URL", .malformed) {
            $0.terms = {
                $0["data"] = [["type": "addr.delivery", "to": "https://x.example", "purpose": "p"]]
            }
        },
        Attack("marketing data that an entry covers", .data) { world in
            let marketing = World.entry(World.address) { $0["purpose"] = "marketing" }
            var parts = World.Parts()
            parts.terms = {
                $0["data"] = [
                    [
                        "type": "addr.delivery", "to": "agent.meituan.example",
                        "purpose": "marketing", "retention": 60,
                    ]
                ]
            }
            let entries = [World.order, marketing]
            try world.order(parts, world.chain(entries, root: entries))
        },
        Attack("confirmation named and not sent", .link) { world in
            let standing = World.entry(World.order) {
                $0["standing"] = true
                $0["confirm"] = "once"
                $0["locations"] = [.string(World.meituan)]
            }
            var presented = try world.present(world.chain([standing], root: [standing]))
            presented.confirmation = nil
            try world.decide(presented)
        },
    ]

    static let answers: [Attack] = [
        .order("confirmation of another issuer", .confirmInvalid) {
            $0.confirm = { $0["iss"] = .string(World.hub) }
        },
        .order("confirmation that ends before it begins", .time) {
            $0.confirm = { $0["exp"] = 1_795_161_600 }
        },
        .order("confirmation of tomorrow", .notYet) {
            $0.confirm = {
                $0["iat"] = 1_795_161_631
                $0["exp"] = 1_795_161_700
            }
        },
        asked("a question that was withdrawn", .confirmInvalid) { $0.isClosed = true },
        asked("a question about another entry", .confirmInvalid) { ask in
            ask = AskRecord(
                nonce: ask.nonce, root: ask.root, entry: "pay", terms: ask.terms,
                expires: ask.expires, retained: ask.retained)
        },
        asked("a question about other terms", .confirmInvalid) { ask in
            ask = AskRecord(
                nonce: ask.nonce, root: ask.root, entry: ask.entry, terms: ask.root,
                expires: ask.expires, retained: ask.retained)
        },
        asked("an answer after the question's end", .confirmInvalid) { ask in
            ask = AskRecord(
                nonce: ask.nonce, root: ask.root, entry: ask.entry, terms: ask.terms,
                expires: 1_795_161_569, retained: ask.retained)
        },
        asked("an answer within the skew", nil) { ask in
            ask = AskRecord(
                nonce: ask.nonce, root: ask.root, entry: ask.entry, terms: ask.terms,
                expires: 1_795_161_570, retained: ask.retained)
        },
    ]

    /// An order whose stored question is changed before it is decided.
    private static func asked(
        _ name: String, _ expect: ConsentError?,
        _ change: @escaping @Sendable (inout AskRecord) -> Void
    ) -> Attack {
        Attack(name, expect) { world in
            let presented = try world.present(world.chain())
            let nonce = world.claim(try #require(presented.confirmation), "nonce")
            var ask = try #require(try world.storage.ask(nonce: nonce))
            change(&ask)
            try world.storage.put(ask)
            try world.decide(presented)
        }
    }

    static let reservations: [Attack] = [
        reserved("as it should be", nil) { _ in },
        reserved("by another keeper", .budget) { $0["iss"] = .string(World.hub) },
        reserved("for another executor", .budget) { $0["aud"] = .string(World.eleme) },
        reserved("for another root", .budget) {
            $0["root"] = "019a9f00-0000-7000-8000-00000000ffff"
        },
        reserved("for another entry", .budget) { $0["ad"] = "pay" },
        reserved("for another act", .budget) {
            $0["act"] = "019a9f00-0000-7000-8000-00000000ffff"
        },
        reserved("for another amount", .budget) { $0["amount"]?["value"] = 2299 },
        reserved("for no amount", .budget) { $0["amount"] = nil },
        reserved("that has ended", .budget) {
            $0["iat"] = 1_795_161_100
            $0["exp"] = 1_795_161_600
        },
        reserved("of an hour", .budget) { $0["exp"] = 1_795_165_200 },
        reserved("of tomorrow", .budget) {
            $0["iat"] = 1_795_161_640
            $0["exp"] = 1_795_161_700
        },
        reserved("with another member", .unknown) { $0["note"] = "x" },
        Attack("by another's key", .budget) { world in
            try world.decide(
                rewritten(world, signer: World.hub) { _ in })
        },
        Attack("by the root's own keeper key", nil) { world in
            let root = world.root {
                $0["ledger"]?["jwk"] = world.key(World.mi + "/ledger").verifying.jwk.node
            }
            try world.decide(world.present([root, world.child(of: root, [World.order])]))
        },
        Attack("by a keeper that nobody knows", .budget) { world in
            let root = world.root { $0["ledger"] = ["uri": "https://keeper.example"] }
            let chain = [root, world.child(of: root, [World.order])]
            var parts = World.Parts()
            parts.withoutReservation = true
            var presented = try world.present(chain, parts)
            presented.reservation = world.sign(
                ["iss": "https://keeper.example"], "resv", World.hub)
            try world.decide(presented)
        },
    ]

    private static func reserved(
        _ name: String, _ expect: ConsentError?,
        _ change: @escaping @Sendable (inout JSONNode) -> Void
    ) -> Attack {
        Attack("reservation \(name)", expect) { world in
            try world.decide(rewritten(world, signer: World.mi + "/ledger", change))
        }
    }

    /// A whole order whose reservation was changed and signed again.
    private static func rewritten(
        _ world: World, signer: String, _ change: (inout JSONNode) -> Void
    ) throws -> PresentedAct {
        var presented = try world.present(world.chain())
        let token = try #require(presented.reservation)
        var claims = try UnverifiedToken(compact: token).peekClaims().root.detached()
        change(&claims)
        presented.reservation = world.sign(claims, "resv", signer)
        return presented
    }

    @Test func anActThatWaitsTooLongIsNotDone() throws {
        let world = World()
        let presented = try world.present(world.chain())
        let point = world.point()
        let assessment = point.assess(
            presented, presenter: world.presenter(World.alipay), status: world.status,
            now: world.now)
        let refusal = refusal {
            try world.storage.transaction { storage throws(ConsentFault) in
                try point.decide(
                    assessment, status: world.status, now: Instant(seconds: 1_795_163_400),
                    in: storage)
            }
        }
        #expect(refusal?.rule == "23.expired")
    }
}
