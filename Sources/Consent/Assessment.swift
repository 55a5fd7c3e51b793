// SPDX-License-Identifier: Apache-2.0
import Bytes
import Crypto
import JSON

/// An act judged as far as that is possible without state: input of
/// ``EnforcementPoint/decide(_:status:now:in:)``.
package struct Assessment: Sendable {
    /// Up to which point the checks of state have not to wait for a refusal.
    enum Stage: Int, Comparable {
        /// Steps 1 to 11.
        case act
        /// Steps 13 to 16; the act's `jti` (12) comes before.
        case entry
        /// Step 17 and what the confirmation is about.
        case question
        /// What it says; its `jti` (21) and nonce come before.
        case answer
        /// Step 22.
        case counter

        static func < (left: Stage, right: Stage) -> Bool { left.rawValue < right.rawValue }
    }

    /// Who presented it.
    let presenter: Presenter?
    /// The status knowledge it was made with.
    let epoch: UInt64
    var stage = Stage.act
    /// The first refusal, which holds unless a check of state before its stage refuses.
    var refusal: Refusal?

    var actHash: String?
    var chain: VerifiedChain?
    var act: Act?
    var coverage: Coverage?
    var terms: SignedTerms?
    var confirmation: Confirmation?
    var confirmationHash: String?
    var reservation: Reservation?
    var slice: Range<Int64>?

    /// The user's pseudonym, once the chain held.
    package var subject: String? { chain?.subject }
}

extension EnforcementPoint {
    // MARK: Steps 17 to 20

    /// A confirmation that is presented is verified, also where none is needed: a denial is one.
    func assessConfirmation(
        _ presented: PresentedAct, _ act: Act, _ now: Int64, into assessment: inout Assessment
    ) throws(Refusal) {
        guard let chain = assessment.chain, let coverage = assessment.coverage else { return }
        guard let text = presented.confirmation else {
            try require(
                !coverage.level.needsConfirmation, .confirmRequired, "17.missing")
            try require(act.confirmation == nil, .link, "20.missing")
            return
        }
        guard let signed = assessment.terms else { throw Refusal(.terms, "16.missing") }
        let (confirmation, hash) = try verifyQuestion(text, signed, chain)
        assessment.confirmation = confirmation
        assessment.confirmationHash = hash
        assessment.stage = .answer
        try require(confirmation.decision == .approve, .denied, "18.decision")
        try checkAnswer(confirmation, signed, coverage.level, now)
        try require(act.confirmation == hash, .link, "20.confirm")
        try checkReleased(
            presented.disclosed, confirmation, signed, with: presented.opening)
    }

    /// Step 17, and that part of 18 that says what the confirmation is about.
    func verifyQuestion(
        _ text: String, _ signed: SignedTerms, _ chain: VerifiedChain
    ) throws(Refusal) -> (confirmation: Confirmation, hash: String) {
        let token = try UnverifiedToken(text, step: "17")
        guard let key = chain.confirmers.first(where: { $0.thumbprint == token.keyID }) else {
            try require(token.type == Confirmation.type, .type, "17.type")
            throw Refusal(.confirmInvalid, "17.kid")
        }
        let claims = try chains.signatures.verify(
            token, by: key, type: Confirmation.type, step: "17", stranger: .confirmInvalid)
        let confirmation = try Confirmation(claims.root)
        let root = chain.root
        try require(confirmation.issuer == root.issuer, .confirmInvalid, "18.iss")
        try require(confirmation.subject == root.subject, .confirmInvalid, "18.sub")
        try require(confirmation.root == root.id, .confirmInvalid, "18.root")
        try require(confirmation.audience == entity, .audience, "18.aud")
        try require(confirmation.action == signed.terms.action, .confirmInvalid, "18.action")
        try require(
            confirmation.amount == signed.terms.total?.amount, .confirmInvalid, "18.amount")
        try require(confirmation.terms == signed.hash, .confirmInvalid, "18.terms")
        return (confirmation, token.nameHash)
    }

    /// The rest of step 18, and step 19.
    func checkAnswer(
        _ confirmation: Confirmation, _ signed: SignedTerms, _ level: ConfirmLevel, _ now: Int64
    ) throws(Refusal) {
        try Life(confirmation.issuedAt, confirmation.expires)
            .check(Confirmation.maximumLife, now, "18")
        if level == .eachVerified {
            try require(
                AuthenticationMethods.showUserVerification(confirmation.methods),
                .confirmInvalid, "18.amr")
        }
        guard let template = Rendering.Template(rawValue: confirmation.template) else {
            throw Refusal(.confirmInvalid, "19.tpl")
        }
        let rendering = Rendering(signed.terms, template: template)
        try require(confirmation.shown == rendering.pairs, .confirmInvalid, "19.shown")
    }

    // MARK: Step 22

    func assessCounter(
        _ presented: PresentedAct, _ act: Act, _ status: StatusKnowledge, _ now: Instant,
        into assessment: inout Assessment
    ) throws(Refusal) {
        guard let chain = assessment.chain, let coverage = assessment.coverage else { return }
        if let slice = coverage.entry.limits?.slice, isLocal(coverage.entry) {
            assessment.slice = try range(of: act, in: slice)
            if coverage.actionClass == .payment {
                // No reservation was the fresh check, so that this one has to be.
                for grant in chain.grants {
                    try status.check(
                        grant, maximumAge: ActionClass.contractual.statusAge, now: now)
                }
            }
            return
        }
        guard let text = presented.reservation else {
            try require(
                !needsReservation(act, coverage, chain), .budget, "22.missing")
            return
        }
        assessment.reservation = try verify(reservation: text, act, chain, now.seconds)
    }

    /// Whether the entry names this executor and no other, so that its own table is the counter.
    private func isLocal(_ entry: Entry) -> Bool {
        entry.locations == .named([entity])
    }

    private func range(of act: Act, in slice: Limits.Slice) throws(Refusal) -> Range<Int64> {
        guard let lower = act.at else { throw Refusal(.budget, "22.slice.at") }
        let value = act.amount?.value ?? 0
        // Both are at most 2^53−1: the sum cannot overflow.
        try require(
            slice.lower <= lower && lower + value <= slice.upper, .budget, "22.slice.range")
        return lower..<max(lower, lower + value)
    }

    /// Reads have no effect and are never counted, unless they cost something.
    private func needsReservation(
        _ act: Act, _ coverage: Coverage, _ chain: VerifiedChain
    ) -> Bool {
        if coverage.actionClass == .payment { return true }
        if !coverage.actionClass.needsAct, act.amount == nil { return false }
        let isHiddenAbove = chain.grants.contains {
            !($0.entry(act.entry)?.hidden.isEmpty ?? true)
        }
        return coverage.entry.isCounted || isHiddenAbove
    }

    private func verify(
        reservation text: String, _ act: Act, _ chain: VerifiedChain, _ now: Int64
    ) throws(Refusal) -> Reservation {
        let token = try UnverifiedToken(text, step: "22")
        let uri = chain.root.ledger?.uri ?? chain.root.issuer.text
        let key: VerifyingKey
        if let jwk = chain.root.ledger?.key {
            key = try VerifyingKey(claim: jwk, "22.ledger.jwk")
        } else if let known = keepers[uri] {
            key = known
        } else {
            throw Refusal(.budget, "22.keeper")
        }
        let claims = try chains.signatures.verify(
            token, by: key, type: Reservation.type, step: "22", stranger: .budget)
        let reservation = try Reservation(claims.root)
        try require(reservation.issuer == uri, .budget, "22.iss")
        try require(reservation.audience == entity, .budget, "22.aud")
        try require(reservation.root == chain.root.id, .budget, "22.root")
        try require(reservation.entry == act.entry, .budget, "22.ad")
        try require(reservation.act == act.id, .budget, "22.act")
        try require(reservation.amount == act.amount, .budget, "22.amount")
        try require(
            reservation.issuedAt <= now + ChainVerifier.skew
                && reservation.expires - reservation.issuedAt <= Reservation.maximumLife,
            .budget, "22.life")
        try require(reservation.expires > now, .budget, "22.exp")
        return reservation
    }
}

extension Rendering {
    /// The rows as a confirmation carries them.
    package var pairs: [[String]] { rows.map { [$0.key.rawValue, $0.text] } }
}
