// SPDX-License-Identifier: Apache-2.0
import Accounting
import Bytes
import Consent
import Crypto
import Gateway
import JSON

extension Assembler {
    /// What is in a company's trust file.
    struct Vouched {
        let trust: TrustAnchors
        /// The key that signs for it, where that is not its certificate's.
        let key: VerifyingKey?
        /// Keys that may sign its users' grants: that one, or those of its own certificates.
        let keys: [VerifyingKey]
    }

    /// Reads every trust file.
    func vouched() -> [EntityID: Vouched] {
        var found: [EntityID: Vouched] = [:]
        for (index, known) in configuration.entities.enumerated() {
            let member = "entities[\(index)].trust"
            if found[known.entity] != nil {
                faults.note("entities[\(index)].entity", "is listed twice", "Keep one of the two")
            }
            guard let text = text(known.trust, member), let all = chain(text, member) else {
                continue
            }
            let authorities = all.filter(\.isAuthority)
            let own = all.filter { !$0.isAuthority }
            for certificate in own where certificate.uriSANs != [known.entity.text] {
                faults.note(
                    member, "holds a certificate that is neither an authority's nor this entity's",
                    "It holds the authorities of \(known.entity), and certificates of its own")
            }
            for authority in authorities where now > authority.notAfter {
                faults.note(
                    member, "holds an authority that ended at \(authority.notAfter.rfc3339)",
                    "Ask \(known.name) for its new one")
            }
            let key = known.key.flatMap { self.key($0, "entities[\(index)].key") }
            // Without an authority the certificates themselves are what is trusted.
            let pinned = authorities.isEmpty ? own.compactMap(\.publicKeyThumbprint) : []
            found[known.entity] = Vouched(
                trust: TrustAnchors(certificates: authorities, pinnedKeys: Set(pinned)),
                key: key, keys: key.map { [$0] } ?? own.compactMap(\.publicKey))
        }
        return found
    }

    /// The companies that are known, without this one.
    func parties(
        _ vouched: [EntityID: Vouched], _ signatories: Signatories
    ) -> [EntityID: Party] {
        var tariffs = tariffsInForce ?? [:]
        for (index, peer) in configuration.peers.enumerated() where tariffsInForce == nil {
            guard let file = peer.tariff else { continue }
            tariffs[peer.entity] = self.tariffs(
                file, "peers[\(index)].tariff", with: peer.entity, signatories)
        }
        let linked = Set(configuration.peers.map(\.entity))
        var parties: [EntityID: Party] = [:]
        for known in configuration.entities where known.entity != configuration.entity {
            guard let vouched = vouched[known.entity] else { continue }
            parties[known.entity] = Party(
                entity: known.entity, name: known.name, trust: vouched.trust, key: vouched.key,
                tariffs: tariffs[known.entity], isPeer: linked.contains(known.entity))
        }
        return parties
    }

    private func tariffs(
        _ name: String, _ member: String, with peer: EntityID, _ signatories: Signatories
    ) -> TariffVersions? {
        guard let text = contents(name, member) else { return nil }
        do {
            let versions = try TariffFile(parsing: Array(text.utf8))
                .verified(by: signatories, now: now)
            let between = versions.versions.allSatisfy {
                $0.tariff.side(of: configuration.entity) != nil && $0.tariff.side(of: peer) != nil
            }
            guard between else {
                faults.note(
                    member, "is not between this gateway and \(peer)",
                    "Name the file of this link")
                return nil
            }
            return versions
        } catch {
            faults.note(
                member, error.description, "dragoman ledger tariff show says what it holds")
            return nil
        }
    }

    /// Whose users' grants are taken, and up to where. This gateway's own are among them.
    func anchors(_ vouched: [EntityID: Vouched], own: VerifyingKey) -> AnchorSet {
        var anchors = [
            TrustAnchor(
                issuer: configuration.entity, mode: .provider, keys: [own],
                maximumClass: .authority)
        ]
        for (index, known) in configuration.entities.enumerated() {
            guard let ceiling = known.grants, known.entity != configuration.entity else { continue }
            let member = "entities[\(index)].grants"
            for code in ceiling.maxPerAct.keys.sorted() where Consent.Currency(code) == nil {
                faults.note("\(member).max_per_act.\(code)", "is no currency of ISO 4217")
            }
            var keys = vouched[known.entity]?.keys ?? []
            if !ceiling.keys.isEmpty { keys = self.keys(ceiling.keys, "\(member).keys") }
            guard let highest = ActionClass(rawValue: ceiling.maxClass), !keys.isEmpty else {
                faults.note(
                    member, "names no key that signs grants",
                    "Write \"keys\": [ its JWK ], or put its certificate into \(known.trust) too")
                continue
            }
            anchors.append(
                TrustAnchor(
                    issuer: known.entity, mode: .provider, keys: keys, maximumClass: highest,
                    maximumPerAct: ceiling.maxPerAct, maximumLife: ceiling.maxLife))
        }
        return AnchorSet(anchors)
    }

    private func keys(_ nodes: [JSONNode], _ member: String) -> [VerifyingKey] {
        nodes.enumerated().compactMap { index, node in key(node, "\(member)[\(index)]") }
    }

    private func key(_ node: JSONNode, _ member: String) -> VerifyingKey? {
        do {
            return try VerifyingKey(jwk: JWK(JSONDocument(parsing: node.bytes).root))
        } catch {
            faults.note(
                member, "is no public key: \(error)",
                "Write a JWK with kty, crv, x and, for P-256, y")
            return nil
        }
    }
}
