// SPDX-License-Identifier: Apache-2.0
package import Bytes
package import Crypto
import JSON

/// Signs an executor's receipts.
package struct ReceiptSigner: Sendable {
    /// The executor.
    package var entity: EntityID
    /// Signs receipts.
    package var key: SigningKey

    /// A signer for one executor.
    package init(entity: EntityID, key: SigningKey) {
        self.entity = entity
        self.key = key
    }

    /// The receipt of what was done.
    ///
    /// - Parameters:
    ///   - captured: What it cost; nil takes the act's amount.
    ///   - reference: The executor's own number.
    /// - Throws: `limit` when more is captured than agreed, or other than an exact total;
    ///   `currency`; `malformed` for an authority without an act.
    package func done(
        _ authority: Authority, captured: Amount?, reference: String?, now: Instant,
        random: some RandomBytes
    ) throws(Refusal) -> String {
        guard let act = authority.act, let hash = authority.actHash else {
            throw Refusal(.malformed, "receipt.act")
        }
        let taken = captured ?? act.amount
        try Self.check(
            taken, against: act.amount, kind: authority.terms?.terms.total?.kind ?? .exact)
        return try sign(
            Receipt(
                issuer: entity, audience: authority.chain.root.issuer,
                id: UUIDv7(at: now, random: random).text, issuedAt: now.seconds, act: act.id,
                actHash: hash, result: .done, reference: reference, captured: taken,
                reversed: false))
    }

    /// The receipt of what was done, by an executor that was stopped between the act and its
    /// effect and goes on from what it had stored.
    ///
    /// - Parameter presented: An act that was authorised and recorded before; nothing of it is
    ///   verified again.
    /// - Throws: As ``done(_:captured:reference:now:random:)``.
    package func done(
        resuming presented: PresentedAct, captured: Amount?, reference: String?, now: Instant,
        random: some RandomBytes
    ) throws(Refusal) -> String {
        let token = try UnverifiedToken(presented.act, step: "receipt")
        guard let claims = try? token.peekClaims(),
            let root = presented.chain.lazy.compactMap({ try? UnverifiedToken(compact: $0) })
                .first(where: { $0.type == Grant.type }),
            let issuer = (try? root.peekClaims())?.root["iss"]?.string.flatMap({ EntityID($0) })
        else { throw Refusal(.malformed, "receipt.act") }
        let act = try Act(claims.root)
        var kind = Terms.Total.Kind.exact
        if let text = presented.terms, let terms = try? UnverifiedToken(compact: text),
            let claims = try? terms.peekClaims()
        {
            kind = try Terms(claims.root).total?.kind ?? .exact
        }
        let taken = captured ?? act.amount
        try Self.check(taken, against: act.amount, kind: kind)
        return try sign(
            Receipt(
                issuer: entity, audience: issuer, id: UUIDv7(at: now, random: random).text,
                issuedAt: now.seconds, act: act.id, actHash: token.nameHash, result: .done,
                error: nil, reference: reference, captured: taken, reversed: false))
    }

    /// The receipt of a refusal. Only an act whose signature held gets one.
    ///
    /// - Returns: nil when the refusal came before step 11 had passed: a stranger could
    ///   otherwise collect our signature under words of his choosing.
    package func refused(
        _ assessment: Assessment, _ refusal: Refusal, now: Instant, random: some RandomBytes
    ) throws(Refusal) -> String? {
        guard let act = assessment.act, let hash = assessment.actHash,
            let chain = assessment.chain
        else { return nil }
        return try sign(
            Receipt(
                issuer: entity, audience: chain.root.issuer,
                id: UUIDv7(at: now, random: random).text, issuedAt: now.seconds, act: act.id,
                actHash: hash, result: .refused, error: refusal.error, reversed: false))
    }

    private func sign(_ receipt: Receipt) throws(Refusal) -> String {
        _ = try Receipt(try ClaimsWriting.document(receipt.node, "receipt.claims"))
        return try ClaimsWriting.sign(
            receipt.node, type: Receipt.type, key: key, "receipt.token"
        ).compact
    }

    /// At most the agreed amount for `max`, exactly it for `exact`.
    static func check(
        _ captured: Amount?, against agreed: Amount?, kind: Terms.Total.Kind
    ) throws(Refusal) {
        try require(captured?.currency == agreed?.currency, .currency, "24.currency")
        guard let captured, let agreed else { return }
        switch kind {
        case .exact: try require(captured.value == agreed.value, .limit, "24.exact")
        case .max: try require(captured.value <= agreed.value, .limit, "24.max")
        }
    }
}

/// A receipt whose signature was checked.
package struct SignedReceipt: Sendable, Hashable {
    /// The claims.
    package let receipt: Receipt
    /// The compact JWS.
    package let token: String

    /// Verifies a receipt.
    ///
    /// - Parameters:
    ///   - key: The executor's key, from the verifier's own trust in that entity.
    ///   - issuer: The entity whose key it is.
    /// - Throws: `link` for another key, `audience` for another issuer, a schema's code.
    package init(
        verifying text: String, by key: VerifyingKey, issuer: EntityID,
        signatures: SignatureCheck = SignatureCheck()
    ) throws(Refusal) {
        let token = try UnverifiedToken(text, step: "24")
        let claims = try signatures.verify(
            token, by: key, type: Receipt.type, step: "24", stranger: .link)
        receipt = try Receipt(claims.root)
        try require(receipt.issuer == issuer, .audience, "24.iss")
        self.token = text
    }

    /// Who says to have signed the receipt, read before anything is verified.
    package static func peekIssuer(_ text: String) -> EntityID? {
        SignedTerms.peekIssuer(text)
    }
}
