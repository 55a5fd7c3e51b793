// SPDX-License-Identifier: Apache-2.0

import Bytes
import Consent
import Crypto
import JSON
import TestSupport
import Testing

/// The world of the recorded vectors, with keys of its own, so that attacks can be built that the
/// recorded ones do not hold. Claims are plain JSON here: an attacker keeps to no schema.
final class World {
    static let now = Instant(seconds: 1_795_161_600)
    static let mi = "https://consent.mi.example"
    static let assistant = "https://assistant.mi.example"
    static let alipay = "https://agent.alipay.example"
    static let hub = "https://trip.hub.example"
    static let meituan = "https://agent.meituan.example"
    static let eleme = "https://agent.eleme.example"
    static let pay = "https://pay.alipay.example"

    typealias Change = (inout JSONNode) -> Void

    let storage = MemoryConsent()
    let random = SeededRandom(seed: 99)
    var now = World.now
    var status = StatusKnowledge.none
    var policy: [String: ConfirmLevel] = [:]
    var anchorClass = ActionClass.authority
    var ceilings: [String: Int64] = ["CNY": 500_000]
    var smallAmounts: [String: Int64] = [:]
    var anchorLife: Int64 = 30 * 86_400
    var anchorEnd: Instant?
    private var keys: [String: SigningKey] = [:]
    private var serial = 0

    init() { status.readings[World.mi + "/sl/7"] = now }

    func key(_ entity: String) -> SigningKey {
        if let key = keys[entity] { return key }
        let key = SigningKey.generate(keys.count.isMultiple(of: 2) ? .p256 : .ed25519)
        keys[entity] = key
        return key
    }

    func thumbprint(_ entity: String) -> String {
        Base64URL.encode(Digest.sha256(Array(entity.utf8)))
    }

    func presenter(_ entity: String) -> Presenter {
        Presenter(
            entity: entityID(entity), certificate: thumbprint(entity),
            key: key(entity).verifying.thumbprint)
    }

    func id() -> String {
        serial += 1
        return "019a9f00-0000-7000-8000-" + String(("000000000000" + String(serial)).suffix(12))
    }

    func sign(_ claims: JSONNode, _ type: String, _ entity: String) -> String {
        TokenSigner.sign(claims, type: "a2a-\(type)+jwt", key: key(entity))
    }

    func hash(_ text: String) -> String { Base64URL.encode(Digest.sha256(Array(text.utf8))) }

    func name(_ token: String) -> String {
        hash(token.split(separator: ".").prefix(2).joined(separator: "."))
    }

    // MARK: Entries

    static let find: JSONNode = [
        "type": "a2a_consent_v1", "id": "find", "actions": ["catalog.search", "price.quote"],
        "locations": ["*"], "confirm": "none",
    ]
    static let order: JSONNode = [
        "type": "a2a_consent_v1", "id": "order",
        "actions": ["order.create", "order.read", "order.cancel"],
        "locations": [.string(meituan), .string(eleme)],
        "limits": ["currency": "CNY", "per_act": 5000, "total": 10_000, "count": 3],
        "confirm": "each",
    ]
    static let address: JSONNode = [
        "type": "a2a_consent_v1", "id": "addr", "actions": ["data.disclose"],
        "locations": [.string(meituan)], "datatypes": ["addr.delivery", "phone.virtual"],
        "purpose": "fulfil-order", "retention": 86_400, "confirm": "each",
    ]
    static let payment: JSONNode = [
        "type": "a2a_consent_v1", "id": "pay", "actions": ["payment.pay"],
        "locations": [.string(pay)],
        "limits": ["currency": "CNY", "per_act": 5000, "total": 10_000, "count": 3],
        "confirm": "each-uv",
    ]

    static func entry(_ base: JSONNode, _ change: Change) -> JSONNode {
        var entry = base
        change(&entry)
        return entry
    }

    // MARK: Chains

    func cnf(_ entity: String) -> JSONNode {
        [
            "jwk": key(entity).verifying.jwk.node,
            "x5t#S256": .string(thumbprint(entity)),
        ]
    }

    func rootClaims(
        _ entries: [JSONNode] = [find, order, address, payment], _ change: Change = { _ in }
    ) -> JSONNode {
        var claims: JSONNode = [
            "iss": .string(World.mi), "sub": "u.7Yk2pQ", "jti": .string(id()),
            "iat": 1_795_161_590, "exp": 1_795_163_400, "del_depth": 0, "del_max_depth": 3,
            "client_id": .string(World.assistant), "cnf": cnf(World.assistant),
            "authorization_details": .array(entries),
            "delegates": [.string(World.alipay), .string(World.hub), .string(World.meituan)],
            "ledger": ["uri": .string(World.mi + "/ledger")], "amr": ["hwk", "fpt"],
            "status": ["status_list": ["idx": 412, "uri": .string(World.mi + "/sl/7")]],
        ]
        change(&claims)
        return claims
    }

    func root(
        _ entries: [JSONNode] = [find, order, address, payment], by signer: String = mi,
        change: Change = { _ in }
    ) -> String {
        sign(rootClaims(entries, change), "grant", signer)
    }

    func child(
        of parent: String, depth: Int64 = 1, from: String = assistant, to: String = alipay,
        _ entries: [JSONNode] = [find, order, address, payment], by signer: String? = nil,
        change: Change = { _ in }
    ) -> String {
        let delegates = [World.alipay, World.hub, World.meituan].drop { $0 != to }.dropFirst()
        var claims: JSONNode = [
            "iss": .string(from), "jti": .string(id()), "iat": 1_795_161_595,
            "exp": 1_795_163_400, "del_depth": .int(depth), "del_max_depth": 3,
            "client_id": .string(to), "cnf": cnf(to),
            "authorization_details": .array(entries),
            "delegates": .array(delegates.map { .string($0) }),
            "par_hash": .string(name(parent)),
        ]
        change(&claims)
        return sign(claims, "grant", signer ?? from)
    }

    /// Root and one link to the super-app.
    func chain(
        _ entries: [JSONNode] = [order, address], root rootEntries: [JSONNode]? = nil
    ) -> [String] {
        let root = rootEntries.map { self.root($0) } ?? self.root()
        return [root, child(of: root, entries)]
    }

    var verifier: ChainVerifier {
        ChainVerifier(
            anchors: AnchorSet([
                TrustAnchor(
                    issuer: entityID(World.mi), mode: .device,
                    keys: [key(World.mi).verifying], maximumClass: anchorClass,
                    maximumPerAct: ceilings, smallAmounts: smallAmounts,
                    maximumLife: anchorLife, notAfter: anchorEnd)
            ]))
    }

    func verify(_ chain: [String], as presenter: String = alipay) throws {
        _ = try verifier.verify(
            chain, presenter: self.presenter(presenter), status: status, now: now)
    }

    // MARK: Acts

    /// All that an order takes, each part open to change before it is signed.
    struct Parts {
        var executor = World.meituan
        var holder = World.alipay
        var entry = "order"
        var action = "order.create"
        var value: Int64 = 2300
        var body = ""
        var terms: Change = { _ in }
        var termsSigner: String?
        var confirm: Change = { _ in }
        var confirmSigner = World.mi
        var act: Change = { _ in }
        var actSigner: String?
        var withoutTerms = false
        var withoutConfirmation = false
        var withoutReservation = false
        var withoutNonce = false
    }

    func terms(_ parts: Parts) -> String {
        var claims: JSONNode = [
            "iss": .string(parts.executor), "jti": .string(id()), "iat": 1_795_161_598,
            "exp": 1_795_162_200, "salt": .string(Base64URL.encode(random.bytes(16))),
            "action": .string(parts.action),
            "items": [["id": "sku", "title": "珍珠奶茶", "qty": 1, "unit": .int(parts.value)]],
            "total": ["value": .int(parts.value), "currency": "CNY", "kind": "exact"],
            "data": [],
        ]
        parts.terms(&claims)
        return sign(claims, "terms", parts.termsSigner ?? parts.executor)
    }

    func shown(_ terms: String) -> JSONNode {
        let issuer = SignedTerms.peekIssuer(terms) ?? entityID(World.meituan)
        guard
            let signed = try? SignedTerms(
                verifying: terms, by: key(issuer.text).verifying, issuer: issuer, now: World.now)
        else { return [["action", "order.create"]] }
        return Rendering(signed.terms).node
    }

    func confirmation(_ chain: [String], _ terms: String, _ parts: Parts) -> (String, String) {
        let nonce = Base64URL.encode(random.bytes(16))
        var claims: JSONNode = [
            "iss": .string(World.mi), "sub": "u.7Yk2pQ", "aud": .string(parts.executor),
            "jti": .string(id()), "iat": 1_795_161_600, "exp": 1_795_161_780,
            "root": .string(claim(chain[0], "jti")), "action": .string(parts.action),
            "terms": .string(hash(terms)),
            "amount": ["value": .int(parts.value), "currency": "CNY"], "decision": "approve",
            "amr": ["hwk", "fpt"], "tpl": "act/1", "lang": "zh-CN", "shown": shown(terms),
            "nonce": .string(nonce),
        ]
        parts.confirm(&claims)
        return (sign(claims, "confirm", parts.confirmSigner), nonce)
    }

    func claim(_ token: String, _ name: String) -> String {
        (try? UnverifiedToken(compact: token).peekClaims())?.root[name]?.string ?? ""
    }

    /// A message with everything it needs, but for what `parts` changes.
    func present(_ chain: [String], _ parts: Parts = Parts()) throws -> PresentedAct {
        let terms = parts.withoutTerms ? nil : self.terms(parts)
        var confirmation: String?
        if let terms, !parts.withoutConfirmation {
            let (token, nonce) = self.confirmation(chain, terms, parts)
            confirmation = token
            if !parts.withoutNonce {
                try storage.put(
                    AskRecord(
                        nonce: nonce, root: claim(chain[0], "jti"), entry: parts.entry,
                        terms: hash(terms), expires: now.seconds + 180,
                        retained: now.seconds + 600))
            }
        }
        var claims: JSONNode = [
            "iss": .string(parts.holder), "aud": .string(parts.executor), "jti": .string(id()),
            "iat": 1_795_161_600, "exp": 1_795_161_720,
            "chain": .string(name(chain[chain.count - 1])),
            "ad": .string(parts.entry), "action": .string(parts.action),
            "req": .string(hash(parts.body)),
        ]
        if let terms {
            claims["terms"] = .string(hash(terms))
            claims["amount"] = ["value": .int(parts.value), "currency": "CNY"]
        }
        if let confirmation { claims["confirm"] = .string(name(confirmation)) }
        parts.act(&claims)
        let act = sign(claims, "act", parts.actSigner ?? parts.holder)
        var presented = PresentedAct(
            chain: chain, act: act, terms: terms, confirmation: confirmation,
            body: Array(parts.body.utf8))
        if !parts.withoutReservation {
            presented.reservation = try? reserve(
                chain, act: claim(act, "jti"), parts.value, entry: parts.entry,
                as: parts.holder, executor: parts.executor)
        }
        return presented
    }

    func keeper() -> BudgetKeeper {
        BudgetKeeper(uri: World.mi + "/ledger", key: key(World.mi + "/ledger"), chains: verifier)
    }

    func reserve(
        _ chain: [String], act: String, _ value: Int64, _ currency: String = "CNY",
        entry: String = "order", as holder: String = alipay, executor: String = meituan,
        disclosures: [String] = []
    ) throws -> String {
        let keeper = keeper()
        let assessed = try keeper.assess(
            BudgetKeeper.Request(
                chain: chain, entry: entry, act: act, audience: entityID(executor),
                amount: Amount(value: value, currency: currencyNamed(currency)),
                disclosures: disclosures),
            presenter: presenter(holder), status: status, now: now)
        let record = try storage.transaction { storage throws(ConsentFault) in
            try keeper.reserve(assessed, status: status, now: now, random: random, in: storage)
        }
        return try keeper.sign(record)
    }

    func point(_ executor: String = meituan) -> EnforcementPoint {
        EnforcementPoint(
            entity: entityID(executor), keys: [key(executor).verifying], chains: verifier,
            policy: policy,
            keepers: [World.mi + "/ledger": key(World.mi + "/ledger").verifying])
    }

    func decide(
        _ presented: PresentedAct, at executor: String = meituan, as holder: String = alipay
    ) throws {
        let point = point(executor)
        let assessment = point.assess(
            presented, presenter: presenter(holder), status: status, now: now)
        let decision = try storage.transaction { storage throws(ConsentFault) in
            try point.decide(assessment, status: status, now: now, in: storage)
        }
        switch decision {
        case .finished: return
        case .needsConfirmation: throw Refusal(.confirmRequired, "17.missing")
        case .authorized(let authority):
            let act = try #require(authority.act)
            try point.conclude(holder: act.issuer, act: act.id, result: [1], in: storage)
        }
    }

    func order(
        _ parts: Parts, _ chain: [String]? = nil, at executor: String = meituan,
        as holder: String = alipay
    ) throws {
        try decide(present(chain ?? self.chain(), parts), at: executor, as: holder)
    }
}
