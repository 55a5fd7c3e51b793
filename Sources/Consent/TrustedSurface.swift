// SPDX-License-Identifier: Apache-2.0
package import Bytes
package import Crypto
import JSON

/// Where the user answers: deterministic code that verifies an ask, renders it and signs the
/// answer with the user's key. No agent and no language model is in this path.
package struct TrustedSurface: Sendable {
    /// The root issuer in whose name the key confirms.
    package var issuer: EntityID
    /// One of the root's confirmation keys.
    package var key: SigningKey

    /// A surface with the user's key.
    package init(issuer: EntityID, key: SigningKey) {
        self.issuer = issuer
        self.key = key
    }

    /// A question that may be shown: everything about it was verified.
    package struct Question: Sendable {
        /// The ask as it came.
        package let ask: Ask
        /// What is offered.
        package let signed: SignedTerms
        /// What the user sees.
        package let rendering: Rendering
        /// The root that it is about.
        package let root: Grant
    }

    /// Checks an ask against the root it names before anything is shown: terms verified by their
    /// issuer's key, which the caller has from its own trust in that entity; executor, action and
    /// amount inside the entry; not expired.
    ///
    /// - Throws: `terms`, `link`, `action`, `audience`, `currency`, `limit`, `expired`.
    package func question(
        _ ask: Ask, about root: Grant, termsKey: VerifyingKey, executor: EntityID, now: Instant,
        signatures: SignatureCheck = SignatureCheck()
    ) throws(Refusal) -> Question {
        try require(ask.root == root.id, .confirmInvalid, "ask.root")
        try require(ask.expires > now.seconds, .expired, "ask.exp")
        let signed = try SignedTerms(
            verifying: ask.terms, by: termsKey, issuer: executor, now: now,
            signatures: signatures)
        guard let entry = root.entry(ask.entry) else { throw Refusal(.action, "ask.ad") }
        try require(entry.actions.contains(signed.terms.action), .action, "ask.action")
        try require(entry.locations.contains(executor), .audience, "ask.location")
        if let total = signed.terms.total?.amount {
            try entry.limits?.admit(total, "ask")
        }
        return Question(
            ask: ask, signed: signed, rendering: Rendering(signed.terms), root: root)
    }

    /// Signs the user's answer to a question as it was shown.
    ///
    /// - Parameters:
    ///   - methods: How the user was verified just now (RFC 8176).
    ///   - language: The BCP 47 tag of the labels.
    ///   - sealed: What the user releases, sealed for these terms; needed for a yes to terms with
    ///     a key for it.
    /// - Throws: `confirm_invalid` when the level needs a verified user and `methods` shows none;
    ///   `data` when what is released is missing; a schema's code.
    package func answer(
        _ question: Question, _ decision: Confirmation.Decision, methods: [String],
        language: String, sealed: String? = nil, now: Instant, random: some RandomBytes
    ) throws(Refusal) -> String {
        let isReleasing = question.signed.terms.seal != nil && decision == .approve
        try require(isReleasing == (sealed != nil), .data, "answer.disclosed")
        if question.ask.level == .eachVerified, decision == .approve {
            try require(
                AuthenticationMethods.showUserVerification(methods), .confirmInvalid,
                "answer.amr")
        }
        let terms = question.signed.terms
        let confirmation = Confirmation(
            issuer: issuer, subject: question.root.subject ?? "", audience: terms.issuer,
            id: UUIDv7(at: now, random: random).text, issuedAt: now.seconds,
            expires: now.seconds + Ask.life, root: question.root.id, action: terms.action,
            terms: question.signed.hash, amount: terms.total?.amount, decision: decision,
            methods: methods, template: question.rendering.template.rawValue,
            language: language, shown: question.rendering.pairs, nonce: question.ask.nonce,
            disclosed: sealed.map(ReleasedData.name))
        _ = try Confirmation(try ClaimsWriting.document(confirmation.node, "answer.claims"))
        return try ClaimsWriting.sign(
            confirmation.node, type: Confirmation.type, key: key, "answer.token"
        ).compact
    }
}
