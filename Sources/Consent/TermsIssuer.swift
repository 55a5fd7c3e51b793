// SPDX-License-Identifier: Apache-2.0
package import Bytes
package import Crypto
import JSON

/// Signs an executor's offers, and nothing that could not be shown in full.
package struct TermsIssuer: Sendable {
    /// The executor.
    package var entity: EntityID
    /// Signs terms.
    package var key: SigningKey

    /// An issuer of offers.
    package init(entity: EntityID, key: SigningKey) {
        self.entity = entity
        self.key = key
    }

    /// An offer as an agent drafted it.
    package struct Draft: Sendable {
        /// The registry's name of what is offered.
        package var action: String
        /// What is bought.
        package var items: [Terms.Item]
        /// What it costs in all.
        package var total: Terms.Total?
        /// Who is paid, where that is not the executor.
        package var payee: String?
        /// What is paid for.
        package var order: String?
        /// How the user can withdraw.
        package var cancel: String?
        /// Who sees the result.
        package var visibility: String?
        /// What repeats.
        package var recurs: String?
        /// Who learns what about the user.
        package var data: [Terms.Disclosure]
        /// The key to which the data is sealed, base64url.
        package var seal: String?

        /// An offer of one action.
        package init(
            action: String, items: [Terms.Item] = [], total: Terms.Total? = nil,
            payee: String? = nil, order: String? = nil, cancel: String? = nil,
            visibility: String? = nil, recurs: String? = nil, data: [Terms.Disclosure] = [],
            seal: String? = nil
        ) {
            self.action = action
            self.items = items
            self.total = total
            self.payee = payee
            self.order = order
            self.cancel = cancel
            self.visibility = visibility
            self.recurs = recurs
            self.data = data
            self.seal = seal
        }
    }

    /// Signs an offer that stands for `life` seconds, ten minutes at most.
    ///
    /// - Throws: `terms` when a text may not be shown or there are too many lines; `too_large`
    ///   when the token would pass 8 192 bytes; `time` for a life outside 1 to 600.
    package func sign(
        _ draft: Draft, life: Int64 = Terms.maximumLife, now: Instant, random: some RandomBytes
    ) throws(Refusal) -> SignedTerms {
        try require((1...Terms.maximumLife).contains(life), .time, "terms.life")
        let terms = Terms(
            issuer: entity, id: UUIDv7(at: now, random: random).text, issuedAt: now.seconds,
            expires: now.seconds + life, salt: Base64URL.encode(random.bytes(16)),
            action: draft.action, items: draft.items, total: draft.total, payee: draft.payee,
            order: draft.order, cancel: draft.cancel, visibility: draft.visibility,
            recurs: draft.recurs, data: draft.data, seal: draft.seal)
        // First the rules of showing, so that their code is the answer, then the whole schema.
        try terms.checkShowable()
        let read = try Terms(try ClaimsWriting.document(terms.node, "terms.claims"))
        let token = try ClaimsWriting.sign(
            terms.node, type: Terms.type, key: key, "terms.token")
        return SignedTerms(terms: read, token: token.compact, hash: token.wholeHash)
    }
}

extension SignedTerms {
    /// Verifies another's offer: what a trusted surface does before it shows it.
    ///
    /// - Parameters:
    ///   - key: The issuer's key, from the verifier's own trust in that entity.
    ///   - issuer: The entity whose key it is.
    /// - Throws: As step 16: `link` for another key, `terms` for another issuer, an ended offer
    ///   or one that cannot be shown in full.
    package init(
        verifying text: String, by key: VerifyingKey, issuer: EntityID, now: Instant,
        signatures: SignatureCheck = SignatureCheck()
    ) throws(Refusal) {
        let token = try UnverifiedToken(text, step: "16")
        let claims = try signatures.verify(
            token, by: key, type: Terms.type, step: "16", stranger: .link)
        let terms = try Terms(claims.root)
        try require(terms.issuer == issuer, .terms, "16.iss")
        try require(terms.expires > now.seconds, .terms, "16.exp")
        self.init(terms: terms, token: text, hash: token.wholeHash)
    }

    /// Who says to have signed the terms, read before anything is verified: it selects the key.
    package static func peekIssuer(_ text: String) -> EntityID? {
        guard let token = try? UnverifiedToken(compact: text), let claims = try? token.peekClaims()
        else { return nil }
        return claims.root["iss"]?.string.flatMap { EntityID($0) }
    }
}
