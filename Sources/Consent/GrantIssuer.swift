// SPDX-License-Identifier: Apache-2.0
package import Bytes
package import Crypto
import JSON

/// Issues roots: what a phone maker's consent service does for its users.
package struct GrantIssuer: Sendable {
    /// The root issuer, an anchor at those who believe it.
    package var entity: EntityID
    /// Signs roots; a confirmation under the same key counts unless a root names others.
    package var key: SigningKey
    /// Where budgets are kept, and the key that signs reservations; nil: the issuer's own id.
    package var ledger: LedgerReference?
    /// The actions that exist.
    package var registry: ActionRegistry

    /// The longest life of a root without a place to look up its revocation, in seconds.
    package static let lifeWithoutStatus: Int64 = 600

    /// An issuer with its key and budget keeper.
    package init(
        entity: EntityID, key: SigningKey, ledger: LedgerReference?,
        registry: ActionRegistry = .standard
    ) {
        self.entity = entity
        self.key = key
        self.ledger = ledger
        self.registry = registry
    }

    /// What a user, or a template of the configuration, grants.
    package struct Request: Sendable {
        /// The user's pseudonym, fresh for this root so that two sellers cannot compare.
        package var subject: String
        /// Who holds the root; may be the issuer itself.
        package var holder: EntityID
        /// The key that signs for the holder.
        package var holderKey: JWK
        /// The holder's certificate, to bind the root to it; nil binds it to the entity.
        package var certificate: String?
        /// What is granted.
        package var entries: [Entry]
        /// Who may hold links below.
        package var delegates: Delegates
        /// How many links may follow, at most 6.
        package var maximumDepth: Int64
        /// Seconds.
        package var life: Int64
        /// How the user was verified at granting (RFC 8176); nil: no gesture of the user.
        package var methods: [String]?
        /// Keys that may sign confirmations; nil: the root's own.
        package var confirmers: [JWK]?
        /// Where revocation is looked up.
        package var status: StatusReference?

        /// A request for a root.
        package init(
            subject: String, holder: EntityID, holderKey: JWK, certificate: String? = nil,
            entries: [Entry], delegates: Delegates, maximumDepth: Int64, life: Int64,
            methods: [String]? = nil, confirmers: [JWK]? = nil, status: StatusReference? = nil
        ) {
            self.subject = subject
            self.holder = holder
            self.holderKey = holderKey
            self.certificate = certificate
            self.entries = entries
            self.delegates = delegates
            self.maximumDepth = maximumDepth
            self.life = life
            self.methods = methods
            self.confirmers = confirmers
            self.status = status
        }
    }

    /// Signs a root.
    ///
    /// - Throws: A schema's code; `policy` when nobody asked the user and an entry would let an
    ///   act above class 1 happen unasked, or when a root of more than ten minutes has no status;
    ///   `time`, `depth`.
    package func root(
        _ request: Request, now: Instant, random: some RandomBytes
    ) throws(Refusal) -> HeldGrant {
        let grant = Grant(
            issuer: entity, subject: request.subject,
            id: UUIDv7(at: now, random: random).text, issuedAt: now.seconds,
            expires: now.seconds + request.life, depth: 0, maximumDepth: request.maximumDepth,
            holder: request.holder,
            confirmation: HolderConfirmation(
                key: request.holderKey, certificate: request.certificate),
            entries: request.entries, delegates: request.delegates, ledger: ledger,
            confirmers: request.confirmers, methods: request.methods, status: request.status)
        try require(request.life > 0, .time, "issue.life")
        let value = try ClaimsWriting.document(grant.node, "issue.claims")
        let read = try Grant(value, position: 0, registry: registry)
        try require(read.maximumDepth <= Grant.maximumDepth, .depth, "issue.depth")
        try require(
            request.life <= Self.lifeWithoutStatus || request.status != nil, .policy,
            "issue.status")
        if request.methods == nil {
            for entry in request.entries {
                try require(isAsked(entry), .policy, "issue.unasked")
            }
        }
        let token = try ClaimsWriting.sign(
            grant.node, type: Grant.type, key: key, "issue.token")
        return HeldGrant(tokens: [token.compact], grants: [read], leafName: token.nameHash)
    }

    /// Whether every act under the entry is a read or asks the user by itself.
    private func isAsked(_ entry: Entry) -> Bool {
        if entry.confirm >= .each { return true }
        return entry.actions.allSatisfy { registry[$0].map { $0 <= .personalRead } ?? false }
    }
}
