// SPDX-License-Identifier: Apache-2.0
package import Bytes
import Crypto
import JSON

/// Verifies chains: steps 1 to 10 of `Spec` §4.8, in order over all links, so that the
/// first refusal that applies is the answer and two implementations give the same one.
package struct ChainVerifier: Sendable {
    /// How far clocks may differ, in seconds (FAPI 2.0: at least 10, below 60).
    package static let skew: Int64 = 30

    /// The limits on a chain before anything of it is parsed.
    package enum Size {
        /// Links, root included; depth 0 to 6.
        package static let links = 7
        /// Bytes of all compact tokens together.
        package static let bytes = 32_768
    }

    /// The roots that are believed, and their ceilings.
    package var anchors: AnchorSet
    /// The actions that exist.
    package var registry: ActionRegistry
    /// Signatures already checked; time, audience, holder and amounts are checked every time.
    package var signatures: SignatureCheck

    /// A verifier over one snapshot of anchors.
    package init(
        anchors: AnchorSet, registry: ActionRegistry = .standard,
        signatures: SignatureCheck = SignatureCheck()
    ) {
        self.anchors = anchors
        self.registry = registry
        self.signatures = signatures
    }

    /// What the chain is wanted for; it decides how fresh knowledge of revocation must be.
    package enum Use: Sendable {
        /// One act of this class.
        case act(ActionClass)
        /// Whatever the leaf allows.
        case anything
    }

    /// Steps 1 to 10.
    ///
    /// - Parameters:
    ///   - presenter: Who brought the chain; nil, nobody authenticated, is refused in step 10.
    ///   - now: Read once per request.
    package func verify(
        _ chain: [String], presenter: Presenter?, status: StatusKnowledge, now: Instant,
        use: Use = .anything
    ) throws(Refusal) -> VerifiedChain {
        let links = try links(chain, status: status, now: now, use: use)
        guard let presenter else { throw Refusal(.holder, "10.nobody") }
        try presenter.check(holds: links.leaf.grant)
        return try VerifiedChain(links: links, presenter: presenter)
    }

    /// Steps 1 to 9, which say nothing about who may use the chain: internal, so that no caller
    /// can stop there.
    func links(
        _ chain: [String], status: StatusKnowledge, now: Instant, use: Use
    ) throws(Refusal) -> ChainLinks {
        let unverified = try UnverifiedChain(chain)  // 1, 2
        let signed = try authenticate(unverified, now)  // 3, 4
        try checkTimes(signed, now.seconds)  // 5
        try checkDepth(signed.root.grant, at: 0)
        try signed.anchor.check(signed.root.grant, registry)  // 6
        for index in signed.links.indices.dropFirst() {  // 7
            do {
                try check(
                    signed.links[index].grant, at: Int64(index),
                    under: signed.links[index - 1])
            } catch { throw error.at(link: index) }
        }
        try checkRepetition(signed)  // 8
        try checkStatus(signed, status, now, use)  // 9
        return signed
    }

    // MARK: Steps 3 and 4

    private func authenticate(
        _ chain: UnverifiedChain, _ now: Instant
    ) throws(Refusal) -> ChainLinks {
        let first = chain.links[0]
        guard let anchor = anchors[try Self.peekIssuer(first)] else {
            throw Refusal(.untrusted, "3.issuer", link: 0)
        }
        if let end = anchor.notAfter {
            try require(now < end, .untrusted, "3.anchor.ended")
        }
        var keyLink: KeyLink?
        if let token = chain.keyLink {
            keyLink = try verifyKeyLink(token, anchor)
        }
        var key = try rootKey(first, anchor, keyLink)
        var links: [ChainLinks.Link] = []
        for (index, token) in chain.links.enumerated() {
            do {
                let claims = try signatures.verify(
                    token, by: key, type: Grant.type, step: "4", stranger: .link)
                let grant = try Grant(claims.root, position: index, registry: registry)
                let holderKey = try VerifyingKey(claim: grant.confirmation.key, "4.grant.cnf")
                links.append(
                    ChainLinks.Link(
                        grant: grant, name: token.nameHash, signer: key, holderKey: holderKey))
                key = holderKey
            } catch { throw error.at(link: index) }
        }
        return ChainLinks(
            tokens: chain.tokens, links: links, anchor: anchor, keyLink: keyLink)
    }

    /// The issuer that a root names, unverified: it only selects the anchor.
    private static func peekIssuer(_ token: UnverifiedToken) throws(Refusal) -> EntityID {
        let claims: JSONDocument
        do throws(TokenFault) { claims = try token.peekClaims() } catch {
            throw Refusal(error, step: "3.peek", stranger: .untrusted).at(link: 0)
        }
        guard let issuer = claims.root["iss"]?.string.flatMap({ EntityID($0) }) else {
            throw Refusal(.malformed, "3.peek.iss", link: 0)
        }
        return issuer
    }

    private func verifyKeyLink(
        _ token: UnverifiedToken, _ anchor: TrustAnchor
    ) throws(Refusal) -> KeyLink {
        guard let key = anchor.keys.first(where: { $0.thumbprint == token.keyID }) else {
            throw Refusal(.untrusted, "3.key.kid")
        }
        let claims = try signatures.verify(
            token, by: key, type: KeyLink.type, step: "3.key", stranger: .untrusted)
        let link = try KeyLink(claims.root)
        try require(link.issuer == anchor.issuer, .malformed, "3.key.issuer")
        return link
    }

    private func rootKey(
        _ root: UnverifiedToken, _ anchor: TrustAnchor, _ keyLink: KeyLink?
    ) throws(Refusal) -> VerifyingKey {
        if let keyLink { return try VerifyingKey(claim: keyLink.key, "3.key.cnf") }
        guard let key = anchor.keys.first(where: { $0.thumbprint == root.keyID }) else {
            throw Refusal(.untrusted, "3.kid", link: 0)
        }
        return key
    }

    // MARK: Steps 5 to 9

    private func checkTimes(_ chain: ChainLinks, _ now: Int64) throws(Refusal) {
        for (index, link) in chain.links.enumerated() {
            let grant = link.grant
            do {
                try require(grant.expires > grant.issuedAt, .time, "5.exp_before_iat")
                try require(grant.issuedAt <= now + Self.skew, .notYet, "5.iat")
                try require((grant.notBefore ?? 0) <= now + Self.skew, .notYet, "5.nbf")
                try require(grant.expires > now, .expired, "5.exp")
            } catch { throw error.at(link: index) }
        }
        try chain.keyLink?.checkTime(chain.root.grant)
    }

    private func checkDepth(_ grant: Grant, at depth: Int64) throws(Refusal) {
        try require(grant.depth == depth, .depth, "7.depth")
        try require(grant.maximumDepth <= Grant.maximumDepth, .depth, "7.max_depth.ceiling")
        try require(grant.depth <= grant.maximumDepth, .depth, "7.max_depth.reached")
    }

    private func check(
        _ child: Grant, at depth: Int64, under parent: ChainLinks.Link
    ) throws(Refusal) {
        try require(child.parentHash == parent.name, .link, "7.par_hash")
        try require(child.issuer == parent.grant.holder, .link, "7.iss")
        try checkDepth(child, at: depth)
        try Self.checkNarrower(child, under: parent.grant)
    }

    /// What a child grant must keep to, apart from signatures and names; also the issuer's check.
    static func checkNarrower(_ child: Grant, under parent: Grant) throws(Refusal) {
        try require(child.maximumDepth <= parent.maximumDepth, .widened, "7.max_depth")
        try require(child.expires <= parent.expires, .widened, "7.exp")
        try require(child.issuedAt >= parent.issuedAt, .time, "7.iat")
        if let notBefore = parent.notBefore {
            try require((child.notBefore ?? 0) >= notBefore, .widened, "7.nbf")
        }
        try require(parent.delegates.contains(child.holder), .delegate, "7.delegate")
        try require(parent.delegates.includes(child.delegates), .widened, "7.delegates")
        try Attenuation.check(child.entries, under: parent.entries)
    }

    private func checkRepetition(_ chain: ChainLinks) throws(Refusal) {
        let grants = chain.links.map(\.grant)
        try require(Set(grants.map(\.id)).count == grants.count, .loop, "8.jti")
        try require(Set(grants.map(\.holder)).count == grants.count, .loop, "8.client_id")
    }

    private func checkStatus(
        _ chain: ChainLinks, _ status: StatusKnowledge, _ now: Instant, _ use: Use
    ) throws(Refusal) {
        let age: Int64?
        switch use {
        case .act(let kind): age = kind.statusAge
        case .anything:
            age = chain.leaf.grant.entries.flatMap(\.actions)
                .compactMap { registry[$0]?.statusAge }.min()
        }
        for (index, link) in chain.links.enumerated() {
            do {
                try status.check(link.grant, maximumAge: age, now: now)
            } catch { throw error.at(link: index) }
        }
    }
}
