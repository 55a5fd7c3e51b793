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
                algorithm: algorithm, name: test["name"]?.string ?? "",
                expect: test["expect"]?.string, calls: test["calls"]!)
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
        do {
            switch call["call"]?.string {
            case "chain": try verifyChain(call)
            case "reserve": try reserve(call)
            case "act": return try act(call)
            default: Issue.record("an unknown kind of call")
            }
            return nil
        } catch let refusal as Refusal {
            return refusal.error.rawValue
        } catch ConsentFault.refused(let refusal) {
            return refusal.error.rawValue
        }
    }

    private func verifyChain(_ call: JSONValue) throws {
        for disclosure in texts(call["disc"]) { _ = try LimitsDisclosure(disclosure) }
        _ = try verifier(call).verify(
            texts(call["chain"]), presenter: presenter(call), status: status(call),
            now: now(call))
    }

    private func reserve(_ call: JSONValue) throws {
        let keeper = BudgetKeeper(
            uri: call["ledger"]!.string!, key: keeperKey, chains: try verifier(call))
        let amount = call["amount"]!
        let request = BudgetKeeper.Request(
            chain: texts(call["chain"]), entry: call["act"]!["ad"]!.string!,
            act: call["act"]!["jti"]!.string!, audience: EntityID(call["aud"]!.string!)!,
            amount: Amount(
                value: amount["value"]!.int!, currency: Currency(amount["currency"]!.string!)!),
            disclosures: texts(call["disc"]))
        let assessed = try keeper.assess(
            request, presenter: presenter(call), status: status(call), now: now(call))
        let record = try storage.transaction { storage throws(ConsentFault) in
            try keeper.reserve(
                assessed, status: status(call), now: now(call), random: random, in: storage)
        }
        _ = try keeper.sign(record)
    }

    private func act(_ call: JSONValue) throws -> String? {
        let point = EnforcementPoint(
            entity: EntityID(call["executor"]!.string!)!,
            keys: [try VerifyingKey(jwk: JWK(call["exec_jwk"]!))], chains: try verifier(call),
            policy: policy(call["policy"]), keepers: try keepers(call["ledgers"]))
        try openNonces(call)
        let presented = PresentedAct(
            chain: texts(call["chain"]), act: call["act"]!.string!,
            terms: call["terms"]?.string, confirmation: call["confirm"]?.string,
            reservation: call["resv"]?.string, body: Array(call["body"]!.string!.utf8))
        let assessment = point.assess(
            presented, presenter: presenter(call), status: status(call), now: now(call))
        let decision = try storage.transaction { storage throws(ConsentFault) in
            try point.decide(assessment, status: status(call), now: now(call), in: storage)
        }
        switch decision {
        case .finished: return nil
        case .needsConfirmation: return ConsentError.confirmRequired.rawValue
        case .authorized(let authority):
            try point.conclude(
                holder: authority.chain.leaf.holder, act: authority.act!.id, result: [1],
                in: storage)
            return nil
        }
    }

    /// The vector's nonces are the executor's open questions about the terms of this call.
    private func openNonces(_ call: JSONValue) throws {
        guard let terms = call["terms"]?.string, let act = claims(call["act"]?.string) else {
            return
        }
        let chain = texts(call["chain"])
        let root = chain.lazy.compactMap { self.claims($0) }.first { $0["sub"] != nil }
        for nonce in texts(call["nonces"]) where try storage.ask(nonce: nonce) == nil {
            try storage.put(
                AskRecord(
                    nonce: nonce, root: root?["jti"]?.string ?? "",
                    entry: act["ad"]?.string ?? "",
                    terms: Base64URL.encode(Digest.sha256(Array(terms.utf8))),
                    expires: now(call).seconds + 300, retained: now(call).seconds + 600))
        }
    }

    private func verifier(_ call: JSONValue) throws -> ChainVerifier {
        let anchors = try call["anchors"]!.members.map { issuer, anchor in
            TrustAnchor(
                issuer: EntityID(issuer)!, mode: .device,
                keys: try anchor["keys"]!.elements.map { try VerifyingKey(jwk: JWK($0)) },
                maximumClass: ActionClass(rawValue: Int(anchor["max_class"]!.int!))!,
                maximumPerAct: Dictionary(
                    uniqueKeysWithValues: anchor["max_per_act"]!.members.map {
                        ($0.name, $0.value.int!)
                    }),
                maximumLife: anchor["max_life"]!.int!)
        }
        return ChainVerifier(anchors: AnchorSet(anchors))
    }

    /// The vectors carry the thumbprint only: it stands for the leaf's holder when it is the one
    /// the leaf is bound to.
    private func presenter(_ call: JSONValue) -> Presenter? {
        guard let thumbprint = call["presenter"]?.string else { return nil }
        let leaf = texts(call["chain"]).last.flatMap { claims($0) }
        let isHolder = leaf?["cnf"]?["x5t#S256"]?.string == thumbprint
        let entity =
            isHolder
            ? leaf?["client_id"]?.string.flatMap { EntityID($0) } : nil
        return Presenter(
            entity: entity ?? EntityID("https://stranger.example")!, certificate: thumbprint,
            key: nil)
    }

    private func status(_ call: JSONValue) -> StatusKnowledge {
        var status = StatusKnowledge.none
        for pair in call["revoked"]?.elements.map({ $0 }) ?? [] {
            let uri = pair[0]!.string!
            status.revoked.insert(reference(uri, pair[1]!.int!)!)
        }
        if call["fresh"]?.bool == false { return status }
        for token in texts(call["chain"]) {
            if let uri = claims(token)?["status"]?["status_list"]?["uri"]?.string {
                status.readings[uri] = now(call)
            }
        }
        return status
    }

    private func reference(_ uri: String, _ index: Int64) -> StatusReference? {
        let host = uri.dropFirst("https://".count).prefix { $0 != "/" }
        return StatusReference(uri: uri, index: index, issuer: EntityID("https://" + host)!)
    }

    private func policy(_ value: JSONValue?) -> [String: ConfirmLevel] {
        var policy: [String: ConfirmLevel] = [:]
        for (action, level) in value?.members.map({ $0 }) ?? [] {
            policy[action] = ConfirmLevel(rawValue: level.string!)
        }
        return policy
    }

    private func keepers(_ value: JSONValue?) throws -> [String: VerifyingKey] {
        var keys: [String: VerifyingKey] = [:]
        for (uri, jwk) in value?.members.map({ $0 }) ?? [] {
            keys[uri] = try VerifyingKey(jwk: JWK(jwk))
        }
        return keys
    }

    private func claims(_ token: String?) -> JSONValue? {
        guard let token, let parsed = try? UnverifiedToken(compact: token) else { return nil }
        return try? parsed.peekClaims().root
    }

    private func texts(_ value: JSONValue?) -> [String] {
        value?.elements.compactMap(\.string) ?? []
    }

    private func now(_ call: JSONValue) -> Instant { Instant(seconds: call["now"]!.int!) }
}
