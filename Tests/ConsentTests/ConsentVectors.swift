// SPDX-License-Identifier: Apache-2.0

import Bytes
import Consent
import Crypto
import JSON
import TestSupport
import Testing

/// One test of `Spec/vectors/consent/vectors.*.json`: calls that run in order against one budget
/// keeper and one executor, each with the code it must end in.
struct ConsentVector: Sendable, CustomTestStringConvertible {
    let algorithm: String
    let name: String
    let expect: String?
    let calls: JSONValue

    var testDescription: String { "\(algorithm) \(name)" }

    static func all(_ algorithm: String) throws -> [ConsentVector] {
        try SpecVectors.json("consent", "vectors.\(algorithm).json").elements.map { test in
            ConsentVector(
                algorithm: algorithm, name: try test.text("name"),
                expect: test["expect"]?.string, calls: try test.member("calls"))
        }
    }
}

/// Runs the calls of one vector.
final class ConsentVectorRunner {
    let storage = MemoryConsent()
    private let keeperKey = SigningKey.generate(.p256)
    private let random = SeededRandom(seed: 7)

    /// The code a call ends in, nil when it is accepted.
    func run(_ call: JSONValue) throws -> String? {
        let scene = try VectorScene(call)
        do {
            switch call["call"]?.string {
            case "chain": try verifyChain(scene)
            case "reserve": try reserve(scene)
            case "act": return try act(scene)
            default: Issue.record("an unknown kind of call")
            }
            return nil
        } catch let refusal as Refusal {
            return refusal.error.rawValue
        } catch ConsentFault.refused(let refusal) {
            return refusal.error.rawValue
        }
    }

    private func verifyChain(_ scene: VectorScene) throws {
        for disclosure in scene.disclosures { _ = try LimitsDisclosure(disclosure) }
        _ = try scene.verifier.verify(
            scene.chain, presenter: scene.presenter, status: scene.status, now: scene.now)
    }

    private func reserve(_ scene: VectorScene) throws {
        let keeper = BudgetKeeper(
            uri: try scene.call.text("ledger"), key: keeperKey, chains: scene.verifier)
        let amount = try scene.call.member("amount")
        let act = try scene.call.member("act")
        let request = BudgetKeeper.Request(
            chain: scene.chain, entry: try act.text("ad"), act: try act.text("jti"),
            audience: entityID(try scene.call.text("aud")),
            amount: Amount(
                value: try amount.number("value"),
                currency: currencyNamed(try amount.text("currency"))),
            disclosures: scene.disclosures)
        let assessed = try keeper.assess(
            request, presenter: scene.presenter, status: scene.status, now: scene.now)
        let record = try storage.transaction { storage throws(ConsentFault) in
            try keeper.reserve(
                assessed, status: scene.status, now: scene.now, random: random, in: storage)
        }
        _ = try keeper.sign(record)
    }

    private func act(_ scene: VectorScene) throws -> String? {
        let call = scene.call
        let point = try scene.point()
        try openNonces(scene)
        let presented = PresentedAct(
            chain: scene.chain, act: try call.text("act"), terms: call["terms"]?.string,
            confirmation: call["confirm"]?.string, reservation: call["resv"]?.string,
            body: Array(try call.text("body").utf8))
        let assessment = point.assess(
            presented, presenter: scene.presenter, status: scene.status, now: scene.now)
        let decision = try storage.transaction { storage throws(ConsentFault) in
            try point.decide(assessment, status: scene.status, now: scene.now, in: storage)
        }
        switch decision {
        case .finished: return nil
        case .needsConfirmation: return ConsentError.confirmRequired.rawValue
        case .authorized(let authority):
            let act = try #require(authority.act)
            try point.conclude(holder: act.issuer, act: act.id, result: [1], in: storage)
            return nil
        }
    }

    /// The vector's nonces are the executor's open questions about the terms of this call.
    private func openNonces(_ scene: VectorScene) throws {
        guard let terms = scene.call["terms"]?.string,
            let act = VectorScene.claims(scene.call["act"]?.string)
        else { return }
        let root = scene.chain.compactMap { VectorScene.claims($0) }.first { $0["sub"] != nil }
        for nonce in scene.call.texts("nonces") where try storage.ask(nonce: nonce) == nil {
            try storage.put(
                AskRecord(
                    nonce: nonce, root: root?["jti"]?.string ?? "",
                    entry: act["ad"]?.string ?? "",
                    terms: Base64URL.encode(Digest.sha256(Array(terms.utf8))),
                    expires: scene.now.seconds + 300, retained: scene.now.seconds + 600))
        }
    }
}

/// Whom and what a recorded call presents.
struct VectorScene {
    let call: JSONValue
    let now: Instant
    let chain: [String]
    let disclosures: [String]
    let verifier: ChainVerifier
    let presenter: Presenter?
    let status: StatusKnowledge

    init(_ call: JSONValue) throws {
        self.call = call
        now = Instant(seconds: try call.number("now"))
        chain = call.texts("chain")
        disclosures = call.texts("disc")
        verifier = try Self.verifier(call)
        presenter = Self.presenter(call["presenter"]?.string, chain)
        status = try Self.status(call, chain, now)
    }

    /// The executor of an `act` call.
    func point() throws -> EnforcementPoint {
        var policy: [String: ConfirmLevel] = [:]
        for (action, level) in try call.member("policy").members {
            policy[action] = level.string.flatMap { ConfirmLevel(rawValue: $0) }
        }
        var keepers: [String: VerifyingKey] = [:]
        for (uri, jwk) in try call.member("ledgers").members {
            keepers[uri] = try VerifyingKey(jwk: JWK(jwk))
        }
        return EnforcementPoint(
            entity: entityID(try call.text("executor")),
            keys: [try VerifyingKey(jwk: JWK(try call.member("exec_jwk")))], chains: verifier,
            policy: policy, keepers: keepers)
    }

    /// Claims of a token that nobody verified.
    static func claims(_ token: String?) -> JSONValue? {
        guard let token, let parsed = try? UnverifiedToken(compact: token) else { return nil }
        return try? parsed.peekClaims().root
    }

    private static func verifier(_ call: JSONValue) throws -> ChainVerifier {
        var anchors: [TrustAnchor] = []
        for (issuer, anchor) in try call.member("anchors").members {
            var keys: [VerifyingKey] = []
            for jwk in try anchor.member("keys").elements {
                keys.append(try VerifyingKey(jwk: JWK(jwk)))
            }
            var ceilings: [String: Int64] = [:]
            for (code, ceiling) in try anchor.member("max_per_act").members {
                ceilings[code] = ceiling.int
            }
            let highest = ActionClass(rawValue: Int(try anchor.number("max_class")))
            anchors.append(
                TrustAnchor(
                    issuer: entityID(issuer), mode: .device, keys: keys,
                    maximumClass: try #require(highest), maximumPerAct: ceilings,
                    maximumLife: try anchor.number("max_life")))
        }
        return ChainVerifier(anchors: AnchorSet(anchors))
    }

    /// The vectors carry the thumbprint only: it stands for the leaf's holder when it is the one
    /// that the leaf is bound to.
    private static func presenter(_ thumbprint: String?, _ chain: [String]) -> Presenter? {
        guard let thumbprint else { return nil }
        let leaf = claims(chain.last)
        let isHolder = leaf?["cnf"]?["x5t#S256"]?.string == thumbprint
        let holder = isHolder ? leaf?["client_id"]?.string.flatMap { EntityID($0) } : nil
        return Presenter(
            entity: holder ?? entityID("https://stranger.example"), certificate: thumbprint,
            key: nil)
    }

    private static func status(
        _ call: JSONValue, _ chain: [String], _ now: Instant
    ) throws -> StatusKnowledge {
        var status = StatusKnowledge.none
        for pair in call["revoked"]?.elements.map({ $0 }) ?? [] {
            let uri = try #require(pair[0]?.string)
            let host = uri.dropFirst("https://".count).prefix { $0 != "/" }
            let reference = StatusReference(
                uri: uri, index: try #require(pair[1]?.int), issuer: entityID("https://\(host)"))
            status.revoked.insert(try #require(reference))
        }
        if call["fresh"]?.bool == false { return status }
        for token in chain {
            if let uri = claims(token)?["status"]?["status_list"]?["uri"]?.string {
                status.readings[uri] = now
            }
        }
        return status
    }
}
