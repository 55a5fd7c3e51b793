// SPDX-License-Identifier: Apache-2.0

import Bytes
import Consent
import Crypto
import Testing

/// What the trusted surface shows and signs, and what a holder signs.
@Suite struct SurfaceTests {
    private struct Scene {
        let booking: Booking
        let root: HeldGrant
        let grant: HeldGrant
        let ask: Ask

        init(_ change: (inout Entry) -> Void = { _ in }) throws {
            booking = Booking()
            var entries = booking.entries
            change(&entries[0])
            root = try booking.root(entries: entries)
            grant = try booking.received(booking.link(root))
            ask = try booking.ask(booking.terms(), grant)
        }

        var surface: TrustedSurface {
            TrustedSurface(issuer: booking.phone.entity, key: booking.phone.key)
        }

        func question(
            _ ask: Ask, about root: HeldGrant? = nil, executor: Booking.Party? = nil
        ) throws -> TrustedSurface.Question {
            let executor = executor ?? booking.restaurant
            return try surface.question(
                ask, about: (root ?? self.root).root, termsKey: executor.key.verifying,
                executor: executor.entity, now: booking.now)
        }
    }

    @Test func theQuestionIsShownAsRendered() throws {
        let scene = try Scene()
        let question = try scene.question(scene.ask)
        #expect(
            question.rendering.pairs == [
                ["action", "order.create"], ["with", "https://restaurant.example"],
                ["item", "1 × “包间 6人 今晚19:00” @ CNY 328.00"], ["total", "CNY 328.00"],
                ["discloses", "phone.virtual → restaurant.example (fulfil-order, 24 h)"],
                ["cancel", "free until 17:00"],
            ])
    }

    @Test func questionsOutsideTheRootAreNotShown() throws {
        let scene = try Scene()
        var ask = scene.ask
        ask.entry = "pay"
        #expect(refusal { try scene.question(ask) }?.rule == "ask.ad")
        ask.entry = "find"
        #expect(refusal { try scene.question(ask) }?.rule == "ask.action")
        ask = scene.ask
        ask.root = scene.booking.newID()
        #expect(refusal { try scene.question(ask) }?.rule == "ask.root")
        ask = scene.ask
        ask.expires = scene.booking.now.seconds
        #expect(refusal { try scene.question(ask) }?.rule == "ask.exp")
        #expect(
            refusal { try scene.question(scene.ask, executor: scene.booking.app) }?.error == .link)

        func outside(_ change: (inout Entry) -> Void) throws -> String? {
            var entries = scene.booking.entries
            change(&entries[0])
            let root = try scene.booking.root(entries: entries)
            var ask = scene.ask
            ask.root = root.root.id
            return refusal { try scene.question(ask, about: root) }?.rule
        }
        #expect(try outside { $0.locations = .named([scene.booking.app.entity]) } == "ask.location")
        #expect(try outside { $0.limits?.perAct = 32_799 } == "ask.per_act")
        #expect(try outside { $0.limits?.total = 32_799 } == "ask.total")
        #expect(try outside { $0.limits?.currency = currencyNamed("JPY") } == "ask.currency")
        #expect(try outside { _ in } == nil)
    }

    @Test func aVerifiedYesNeedsThePerson() throws {
        let scene = try Scene { $0.confirm = .eachVerified }
        #expect(scene.ask.level == .eachVerified)
        let question = try scene.question(scene.ask)
        func answer(_ decision: Consent.Confirmation.Decision, _ methods: [String]) throws {
            _ = try scene.surface.answer(
                question, decision, methods: methods, language: "zh-CN",
                now: scene.booking.now, random: scene.booking.random)
        }
        #expect(refusal { try answer(.approve, ["hwk"]) }?.rule == "answer.amr")
        try answer(.approve, ["hwk", "fpt"])
        try answer(.deny, ["hwk"])
    }

    @Test func aHolderSignsOnlyWhatItsLeafAllows() throws {
        let scene = try Scene()
        let booking = scene.booking
        func act(
            _ entry: String = "order", _ action: String = "order.create",
            at executor: EntityID? = nil, by key: SigningKey? = nil
        ) -> String? {
            refusal {
                try scene.grant.act(
                    HeldGrant.ActRequest(
                        entry: entry, action: action,
                        executor: executor ?? booking.restaurant.entity, id: booking.newID(),
                        body: []), key: key ?? booking.app.key, now: booking.now)
            }?.rule
        }
        #expect(act() == nil)
        #expect(act("pay") == "act.ad")
        #expect(act("order", "order.cancel") == "act.action")
        #expect(act(at: booking.phone.entity) == "act.aud")
        #expect(act(by: booking.phone.key) == "act.key")
    }

    @Test func questionsAreExaminedBeforeTheyAreAsked() throws {
        let scene = try Scene()
        let booking = scene.booking
        let chain = try booking.chain(scene.grant)
        #expect(
            refusal { try booking.point.examine(booking.terms(40_001), under: chain) }?.error
                == .limit)
        #expect(
            refusal {
                try booking.point.examine(booking.terms(), under: chain, entry: "find")
            }?.error == .action)
        let coverage = try booking.point.examine(booking.terms(), under: chain)
        #expect(coverage.entry.id == "order" && coverage.level == .each)
    }
}
