// SPDX-License-Identifier: Apache-2.0

import Bytes
import Consent
import Crypto
import JSON
import TestSupport

/// The parties of the booking with real keys: H issues, S holds, V executes, H keeps the budget.
final class Booking {
    struct Party {
        let entity: EntityID
        let key: SigningKey
        let certificate: String

        init(_ host: String, _ algorithm: KeyAlgorithm) {
            entity = entityID("https://\(host).example")
            key = SigningKey.generate(algorithm)
            certificate = Base64URL.encode(Digest.sha256(Array(host.utf8)))
        }

        var presenter: Presenter {
            Presenter(entity: entity, certificate: certificate, key: key.verifying.thumbprint)
        }
    }

    let phone: Party
    let app: Party
    let restaurant: Party
    let random: SeededRandom
    let storage = MemoryConsent()
    var now = Instant(seconds: 1_795_161_600)
    var status = StatusKnowledge.none
    var totalKind = Terms.Total.Kind.exact

    init(_ algorithm: KeyAlgorithm = .p256, seed: UInt64 = 1) {
        phone = Party("phone", algorithm)
        app = Party("app", algorithm)
        restaurant = Party("restaurant", algorithm)
        random = SeededRandom(seed: seed)
    }

    static let cny = currencyNamed("CNY")

    var limits = Limits(currency: Booking.cny, perAct: 40_000, total: 40_000, count: 1)

    var entries: [Entry] {
        [
            Entry(
                id: "order", actions: ["order.create"], locations: .named([restaurant.entity]),
                confirm: .each, limits: limits,
                data: Entry.DataScope(
                    types: ["phone.virtual"], purpose: "fulfil-order", retention: 86_400)),
            Entry(
                id: "find", actions: ["catalog.search"], locations: .anywhere, confirm: .none),
        ]
    }

    var chains: ChainVerifier {
        ChainVerifier(
            anchors: AnchorSet([
                TrustAnchor(
                    issuer: phone.entity, mode: .provider, keys: [phone.key.verifying],
                    maximumClass: .contractual, maximumPerAct: ["CNY": 100_000])
            ]))
    }

    var point: EnforcementPoint {
        EnforcementPoint(
            entity: restaurant.entity, keys: [restaurant.key.verifying], chains: chains)
    }

    var keeper: BudgetKeeper {
        BudgetKeeper(uri: keeperURI, key: phone.key, chains: chains)
    }

    var keeperURI: String { phone.entity.text + "/consent/v1" }

    var issuer: GrantIssuer {
        GrantIssuer(
            entity: phone.entity, key: phone.key,
            ledger: LedgerReference(uri: keeperURI, key: phone.key.verifying.jwk))
    }

    /// A root held by the phone maker's own gateway.
    func root(entries: [Entry]? = nil) throws -> HeldGrant {
        try issuer.root(
            GrantIssuer.Request(
                subject: "u.7Yk2pQ", holder: phone.entity, holderKey: phone.key.verifying.jwk,
                entries: entries ?? self.entries, delegates: .named([app.entity]),
                maximumDepth: 1, life: 600), now: now, random: random)
    }

    /// The link from the phone maker to the super-app.
    func link(_ root: HeldGrant, entries: [Entry]? = nil) throws -> HeldGrant {
        try root.derive(
            HeldGrant.Narrowing(
                holder: app.entity, key: app.key.verifying.jwk, entries: entries),
            key: phone.key, now: now, random: random)
    }

    /// What the super-app received and checked.
    func received(_ grant: HeldGrant) throws -> HeldGrant {
        try chains.receive(
            grant.tokens, for: app.entity, key: app.key.verifying, certificate: nil,
            from: phone.presenter, status: status, now: now)
    }

    func draft(_ value: Int64 = 32_800) -> TermsIssuer.Draft {
        TermsIssuer.Draft(
            action: "order.create",
            items: [
                Terms.Item(id: "table", title: "包间 6人 今晚19:00", quantity: 1, unit: value)
            ],
            total: Terms.Total(
                amount: Amount(value: value, currency: Booking.cny), kind: totalKind),
            cancel: "free until 17:00",
            data: [
                Terms.Disclosure(
                    type: "phone.virtual", recipient: "restaurant.example",
                    purpose: "fulfil-order", retention: 86_400)
            ])
    }

    func terms(_ value: Int64 = 32_800) throws -> SignedTerms {
        try TermsIssuer(entity: restaurant.entity, key: restaurant.key).sign(
            draft(value), now: now, random: random)
    }

    /// The super-app's chain as the restaurant verifies it.
    func chain(_ grant: HeldGrant, by presenter: Presenter? = nil) throws -> VerifiedChain {
        try chains.verify(
            grant.tokens, presenter: presenter ?? app.presenter, status: status, now: now)
    }

    func ask(_ terms: SignedTerms, _ grant: HeldGrant) throws -> Ask {
        let chain = try chain(grant)
        let coverage = try point.examine(terms, under: chain)
        return try point.open(
            terms, level: coverage.level, entry: coverage.entry.id, under: chain, now: now,
            random: random, in: storage)
    }

    func answer(
        _ ask: Ask, _ root: HeldGrant, _ decision: Confirmation.Decision = .approve
    ) throws -> String {
        let surface = TrustedSurface(issuer: phone.entity, key: phone.key)
        let question = try surface.question(
            ask, about: root.root, termsKey: restaurant.key.verifying,
            executor: restaurant.entity, now: now)
        return try surface.answer(
            question, decision, methods: ["hwk"], language: "zh-CN", now: now, random: random)
    }

    func act(
        _ grant: HeldGrant, _ terms: SignedTerms, _ confirmation: String?, id: String? = nil
    ) throws -> String {
        try grant.act(
            HeldGrant.ActRequest(
                entry: "order", action: "order.create", executor: restaurant.entity,
                id: id ?? newID(), body: body, terms: terms, confirmation: confirmation),
            key: app.key, now: now)
    }

    func newID() -> String { UUIDv7(at: now, random: random).text }

    let body = Array(#"{"contextId":"c","parts":[{"text":"订"}],"taskId":"t"}"#.utf8)

    func reserve(
        _ grant: HeldGrant, act: String, _ value: Int64 = 32_800, by presenter: Presenter? = nil
    ) throws -> String {
        let assessed = try keeper.assess(
            BudgetKeeper.Request(
                chain: grant.tokens, entry: "order", act: act, audience: restaurant.entity,
                amount: Amount(value: value, currency: Booking.cny)),
            presenter: presenter ?? app.presenter, status: status, now: now)
        let record = try storage.transaction { storage throws(ConsentFault) in
            try keeper.reserve(
                assessed, status: status, now: now, random: random, in: storage)
        }
        return try keeper.sign(record)
    }

    func decide(
        _ presented: PresentedAct, by presenter: Presenter? = nil
    ) throws(ConsentFault) -> Decision {
        let point = point
        let assessment = point.assess(
            presented, presenter: presenter ?? app.presenter, status: status, now: now)
        return try storage.transaction { storage throws(ConsentFault) in
            try point.decide(assessment, status: status, now: now, in: storage)
        }
    }

    /// Everything the last message of the booking carries.
    struct Order {
        let root: HeldGrant
        let grant: HeldGrant
        let terms: SignedTerms
        let ask: Ask
        let confirmation: String
        let id: String
        var presented: PresentedAct
    }

    func order(_ value: Int64 = 32_800) throws -> Order {
        let root = try root()
        return try order(root, received(link(root)), value)
    }

    func order(_ root: HeldGrant, _ grant: HeldGrant, _ value: Int64 = 32_800) throws -> Order {
        let terms = try terms(value)
        let ask = try ask(terms, grant)
        let confirmation = try answer(ask, root)
        let id = newID()
        let presented = PresentedAct(
            chain: grant.tokens, act: try act(grant, terms, confirmation, id: id),
            terms: terms.token, confirmation: confirmation,
            reservation: try reserve(grant, act: id, value), body: body)
        return Order(
            root: root, grant: grant, terms: terms, ask: ask, confirmation: confirmation,
            id: id, presented: presented)
    }
}

/// The code and rule of what a call refuses with; nil when it does not refuse.
func refusal(_ body: () throws -> some Any) -> Refusal? {
    do {
        _ = try body()
        return nil
    } catch let refusal as Refusal {
        return refusal
    } catch ConsentFault.refused(let refusal) {
        return refusal
    } catch {
        return nil
    }
}
