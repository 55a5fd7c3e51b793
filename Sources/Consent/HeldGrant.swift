// SPDX-License-Identifier: Apache-2.0
package import Bytes
package import Crypto
import JSON

/// A chain whose leaf this gateway holds: it may present it to an executor, or narrow it for
/// another gateway.
package struct HeldGrant: Sendable {
    /// The compact tokens, root first, a key link before it where there is one.
    package let tokens: [String]
    /// The grants, root first.
    package let grants: [Grant]
    /// The leaf's name hash.
    package let leafName: String

    /// The first link.
    package var root: Grant { grants[0] }
    /// The link that names this gateway.
    package var leaf: Grant { grants[grants.count - 1] }

    init(tokens: [String], grants: [Grant], leafName: String) {
        self.tokens = tokens
        self.grants = grants
        self.leafName = leafName
    }

    /// What a derived link says less than its parent. nil keeps what the parent says.
    package struct Narrowing: Sendable {
        /// Who will hold it.
        package var holder: EntityID
        /// The key that will sign for the holder.
        package var key: JWK
        /// The holder's certificate, to bind the link to it; nil binds it to the entity.
        package var certificate: String?
        /// The entries kept, narrowed.
        package var entries: [Entry]?
        /// Who may hold links below; nobody by default.
        package var delegates: Delegates
        /// How deep the chain may still become.
        package var maximumDepth: Int64?
        /// The end, in seconds since the epoch.
        package var expires: Int64?

        /// A link for `holder`.
        package init(
            holder: EntityID, key: JWK, certificate: String? = nil, entries: [Entry]? = nil,
            delegates: Delegates = .nobody, maximumDepth: Int64? = nil, expires: Int64? = nil
        ) {
            self.holder = holder
            self.key = key
            self.certificate = certificate
            self.entries = entries
            self.delegates = delegates
            self.maximumDepth = maximumDepth
            self.expires = expires
        }
    }

    /// Signs a narrower link for the next gateway.
    ///
    /// - Parameter key: The key that the leaf's `cnf.jwk` names.
    /// - Returns: The longer chain, held by the other.
    /// - Throws: What a verifier would refuse the link with: `widened`, `delegate`, `depth`,
    ///   `loop`, `expired`, or a schema's code; `holder` when `key` is not the leaf's.
    package func derive(
        _ narrowing: Narrowing, key: SigningKey, registry: ActionRegistry = .standard,
        now: Instant, random: some RandomBytes
    ) throws(Refusal) -> HeldGrant {
        try require(key.verifying.jwk == leaf.confirmation.key, .holder, "derive.key")
        try require(leaf.expires > now.seconds, .expired, "derive.exp")
        let child = Grant(
            issuer: leaf.holder, id: UUIDv7(at: now, random: random).text,
            issuedAt: max(now.seconds, leaf.issuedAt), notBefore: leaf.notBefore,
            expires: min(narrowing.expires ?? leaf.expires, leaf.expires),
            depth: leaf.depth + 1,
            maximumDepth: narrowing.maximumDepth ?? leaf.maximumDepth,
            holder: narrowing.holder,
            confirmation: HolderConfirmation(
                key: narrowing.key, certificate: narrowing.certificate),
            parentHash: leafName, entries: narrowing.entries ?? leaf.entries,
            delegates: narrowing.delegates)
        let position = grants.count
        let value = try ClaimsWriting.document(child.node, "derive.claims")
        let read = try Grant(value, position: position, registry: registry)
        try require(read.depth <= read.maximumDepth, .depth, "derive.depth")
        try require(read.expires > read.issuedAt, .time, "derive.exp_before_iat")
        try ChainVerifier.checkNarrower(read, under: leaf)
        try require(
            !grants.contains { $0.holder == read.holder }, .loop, "derive.client_id")
        let token = try ClaimsWriting.sign(
            child.node, type: Grant.type, key: key, "derive.token")
        return HeldGrant(
            tokens: tokens + [token.compact], grants: grants + [read], leafName: token.nameHash)
    }
}

extension ChainVerifier {
    /// Receives a grant from the gateway that made it: steps 1 to 9, then that the leaf is for
    /// this gateway and its key, and that whoever presents it is the one who could derive it.
    ///
    /// - Parameters:
    ///   - me: This gateway's entity id.
    ///   - key: This gateway's signing key, the leaf's `cnf.jwk`.
    ///   - certificate: `x5t#S256` of this gateway's own certificate, for a leaf bound to one.
    ///   - presenter: The peer on whose connection the chain came.
    /// - Throws: `holder` for a grant that is not for this gateway, or that came from another
    ///   than the parent's holder (a lone root: than its issuer).
    package func receive(
        _ chain: [String], for me: EntityID, key: VerifyingKey, certificate: String?,
        from presenter: Presenter?, status: StatusKnowledge, now: Instant
    ) throws(Refusal) -> HeldGrant {
        let links = try links(chain, status: status, now: now, use: .anything)
        let leaf = links.leaf.grant
        try require(leaf.holder == me, .holder, "handover.client_id")
        try require(leaf.confirmation.key == key.jwk, .holder, "handover.jwk")
        if let bound = leaf.confirmation.certificate {
            try require(bound == certificate, .holder, "handover.certificate")
        }
        guard let presenter else { throw Refusal(.holder, "10.nobody") }
        if links.links.count > 1 {
            try presenter.check(holds: links.links[links.links.count - 2].grant)
        } else {
            try require(presenter.entity == leaf.issuer, .holder, "handover.issuer")
        }
        return HeldGrant(
            tokens: links.tokens, grants: links.links.map(\.grant),
            leafName: links.leaf.name)
    }
}
