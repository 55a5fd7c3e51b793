// SPDX-License-Identifier: Apache-2.0
package import Bytes
package import Crypto
import JSON

extension HeldGrant {
    /// An act to sign: what, where, on which terms.
    package struct ActRequest: Sendable {
        /// The leaf's entry that covers it.
        package var entry: String
        /// The registry's name.
        package var action: String
        /// The one executor.
        package var executor: EntityID
        /// The act's `jti`, the idempotency key.
        package var id: String
        /// The bytes of ``RequestBody``.
        package var body: [UInt8]
        /// The terms agreed to; their total becomes the amount.
        package var terms: SignedTerms?
        /// The compact confirmation.
        package var confirmation: String?
        /// The resource, where the entry names one.
        package var identifier: String?
        /// Where the amount begins in the entry's slice.
        package var at: Int64?
        /// The kinds of data disclosed, for class 6.
        package var datatypes: [String]?

        /// An act on one entry.
        package init(
            entry: String, action: String, executor: EntityID, id: String, body: [UInt8],
            terms: SignedTerms? = nil, confirmation: String? = nil, identifier: String? = nil,
            at: Int64? = nil, datatypes: [String]? = nil
        ) {
            self.entry = entry
            self.action = action
            self.executor = executor
            self.id = id
            self.body = body
            self.terms = terms
            self.confirmation = confirmation
            self.identifier = identifier
            self.at = at
            self.datatypes = datatypes
        }
    }

    /// How long a signed act may be presented, in seconds.
    package static let actLife: Int64 = 120

    /// Signs an act under the leaf.
    ///
    /// - Parameter key: The key that the leaf's `cnf.jwk` names.
    /// - Throws: `holder` for another key, `action` for an entry or action the leaf lacks,
    ///   `audience` for an executor outside it, a schema's code.
    package func act(
        _ request: ActRequest, key: SigningKey, now: Instant
    ) throws(Refusal) -> String {
        try require(key.verifying.jwk == leaf.confirmation.key, .holder, "act.key")
        guard let entry = leaf.entry(request.entry) else { throw Refusal(.action, "act.ad") }
        try require(entry.actions.contains(request.action), .action, "act.action")
        try require(entry.locations.contains(request.executor), .audience, "act.aud")
        let confirmation = try request.confirmation.map { text throws(Refusal) in
            try UnverifiedToken(text, step: "act.confirm").nameHash
        }
        let act = Act(
            issuer: leaf.holder, audience: request.executor, id: request.id,
            issuedAt: now.seconds, expires: now.seconds + Self.actLife, chain: leafName,
            entry: request.entry, action: request.action, terms: request.terms?.hash,
            request: Base64URL.encode(Digest.sha256(request.body)),
            amount: request.terms?.terms.total?.amount, identifier: request.identifier,
            at: request.at, datatypes: request.datatypes, confirmation: confirmation)
        _ = try Act(try ClaimsWriting.document(act.node, "act.claims"))
        return try ClaimsWriting.sign(act.node, type: Act.type, key: key, "act.token").compact
    }
}
