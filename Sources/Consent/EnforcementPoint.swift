// SPDX-License-Identifier: Apache-2.0
package import Bytes
package import Crypto
import JSON

/// The gateway at which acts take effect: the only place that enforces a grant.
///
/// A decision has two halves. ``assess(_:presenter:status:now:)`` does everything that needs no
/// state (signatures, claims, arithmetic) and can run anywhere; ``decide(_:status:now:in:)`` runs
/// inside one transaction, puts the checks of state between the others in the documented order,
/// and records what the act uses up before anything happens.
package struct EnforcementPoint: Sendable {
    /// This executor.
    package var entity: EntityID
    /// The keys that sign this executor's terms: the present one, and earlier ones while their
    /// offers stand.
    package var keys: [VerifyingKey]
    /// Verifies chains.
    package var chains: ChainVerifier
    /// The least level per action that this executor asks for; it can only raise.
    package var policy: [String: ConfirmLevel]
    /// Keys of budget keepers whose roots do not carry one, by URI.
    package var keepers: [String: VerifyingKey]

    /// How long an act's answer is kept for a retry, in seconds: a day.
    package static let retention: Int64 = 86_400

    /// An executor with its keys and policy.
    package init(
        entity: EntityID, keys: [VerifyingKey], chains: ChainVerifier,
        policy: [String: ConfirmLevel] = [:], keepers: [String: VerifyingKey] = [:]
    ) {
        self.entity = entity
        self.keys = keys
        self.chains = chains
        self.policy = policy
        self.keepers = keepers
    }

    // MARK: Steps 11 to 16

    /// Steps 1 to 11 and 13 to 22 as far as they need no state. Refusals are kept inside the
    /// result, because a check of state may come before them.
    package func assess(
        _ presented: PresentedAct, presenter: Presenter?, status: StatusKnowledge, now: Instant
    ) -> Assessment {
        var assessment = Assessment(presenter: presenter, epoch: status.epoch)
        do {
            try assess(presented, presenter, status, now, into: &assessment)
        } catch {
            assessment.refusal = error
        }
        return assessment
    }

    private func assess(
        _ presented: PresentedAct, _ presenter: Presenter?, _ status: StatusKnowledge,
        _ now: Instant, into assessment: inout Assessment
    ) throws(Refusal) {
        // The hash names the act for step 0 even if nothing else of the message holds.
        let token: UnverifiedToken?
        let form: Refusal?
        do {
            let parsed = try UnverifiedToken(presented.act, step: "11")
            assessment.actHash = parsed.nameHash
            token = parsed
            form = nil
        } catch {
            token = nil
            form = error
        }
        let chain = try chains.verify(
            presented.chain, presenter: presenter, status: status, now: now,
            use: use(of: token))
        assessment.chain = chain
        guard let token else { throw form ?? Refusal(.malformed, "11.act") }
        let act = try verify(token, under: chain, body: presented.body, now: now.seconds)
        assessment.act = act
        assessment.stage = .entry
        let wish = Wish(act)
        let coverage = try cover(wish, under: chain)
        assessment.coverage = coverage
        let terms = try presented.terms.map { text throws(Refusal) in
            try verifyOwnTerms(text, now: now.seconds)
        }
        assessment.terms = terms
        try check(wish, against: terms, coverage, chain)
        assessment.stage = .question
        try assessConfirmation(presented, act, now.seconds, into: &assessment)
        assessment.stage = .counter
        try assessCounter(presented, act, status, now, into: &assessment)
    }

    /// The class of what the act says it does; the signature that makes it true comes later.
    private func use(of token: UnverifiedToken?) -> ChainVerifier.Use {
        guard let claims = try? token?.peekClaims(), let action = claims.root["action"]?.string,
            let kind = chains.registry[action]
        else { return .anything }
        return .act(kind)
    }

    /// Step 11.
    private func verify(
        _ token: UnverifiedToken, under chain: VerifiedChain, body: [UInt8], now: Int64
    ) throws(Refusal) -> Act {
        let claims = try chains.signatures.verify(
            token, by: chain.holderKey, type: Act.type, step: "11", stranger: .link)
        let act = try Act(claims.root)
        try require(act.issuer == chain.leaf.holder, .link, "11.iss")
        try require(act.chain == chain.leafName, .link, "11.chain")
        try require(act.audience == entity, .audience, "11.aud")
        try Life(act.issuedAt, act.expires).check(Act.maximumLife, now, "11")
        let request = Base64URL.encode(Digest.sha256(body))
        try require(act.request == request, .actMismatch, "11.req")
        return act
    }

    /// Steps 13 to 15: the entry covers the wish, and the level that follows.
    func cover(_ wish: Wish, under chain: VerifiedChain) throws(Refusal) -> Coverage {
        guard let entry = chain.leaf.entry(wish.entry) else {
            throw Refusal(.action, "13.ad")
        }
        try require(entry.actions.contains(wish.action), .action, "13.action")
        guard let kind = chains.registry[wish.action] else {
            throw Refusal(.action, "13.registry")
        }
        try require(entry.locations.contains(entity), .audience, "13.location")
        if let identifier = entry.identifier {
            try require(wish.identifier == identifier, .action, "13.identifier")
        }
        let datatypes = wish.datatypes ?? []
        let granted = entry.data?.types ?? []
        try require(
            kind != .disclosure || !datatypes.isEmpty, .data, "13.datatypes.unnamed")
        try require(datatypes.allSatisfy(granted.contains), .data, "13.datatypes")
        try require(kind != .payment || wish.amount != nil, .malformed, "14.amount")
        if let amount = wish.amount {
            try entry.limits?.admit(amount, "14")
            try chain.anchor.checkCeiling(amount, "14.ceiling")
        }
        return Coverage(
            entry: entry, actionClass: kind, level: level(wish.action, kind, entry, chain))
    }

    /// Step 15.
    private func level(
        _ action: String, _ kind: ActionClass, _ entry: Entry, _ chain: VerifiedChain
    ) -> ConfirmLevel {
        let methods = chain.root.methods ?? []
        let stands =
            entry.standing && (kind == .contractual || kind == .payment)
            && AuthenticationMethods.showUserVerification(methods)
        let floor = stands ? ConfirmLevel.once : kind.floor
        return max(entry.confirm, floor, policy[action] ?? .none)
    }

    /// The first half of step 16: terms of this executor that still stand.
    package func verifyOwnTerms(_ text: String, now: Int64) throws(Refusal) -> SignedTerms {
        let token = try UnverifiedToken(text, step: "16")
        guard let key = keys.first(where: { $0.thumbprint == token.keyID }) else {
            throw Refusal(.link, "16.kid")
        }
        let claims = try chains.signatures.verify(
            token, by: key, type: Terms.type, step: "16", stranger: .link)
        let terms = try Terms(claims.root)
        try require(terms.issuer == entity, .terms, "16.iss")
        try require(terms.expires > now, .terms, "16.exp")
        return SignedTerms(terms: terms, token: text, hash: token.wholeHash)
    }

    /// The terms of an act whose use is recorded. They were verified then; the key that signed
    /// them may have been replaced since.
    package func recordedTerms(_ text: String) throws(Refusal) -> SignedTerms {
        let token = try UnverifiedToken(text, step: "16")
        guard let claims = try? token.peekClaims() else { throw Refusal(.malformed, "16") }
        return SignedTerms(
            terms: try Terms(claims.root), token: text, hash: token.wholeHash)
    }

    /// The second half of step 16: the wish is for these terms, and they fit the grant.
    func check(
        _ wish: Wish, against signed: SignedTerms?, _ coverage: Coverage, _ chain: VerifiedChain
    ) throws(Refusal) {
        guard let signed else {
            let areNeeded =
                coverage.actionClass.needsTerms || coverage.level.needsConfirmation
            try require(!areNeeded && wish.terms == nil, .terms, "16.missing")
            return
        }
        let terms = signed.terms
        try require(terms.action == wish.action, .action, "16.action")
        try require(wish.terms == signed.hash, .terms, "16.hash")
        if let fixed = coverage.entry.terms {
            try require(fixed == signed.hash, .terms, "16.fixed")
        }
        if let total = terms.total?.amount, let amount = wish.amount {
            try require(total.currency == amount.currency, .currency, "16.currency")
        }
        try require(wish.amount == terms.total?.amount, .actMismatch, "16.amount")
        try checkDisclosures(terms, wish, coverage, chain.leaf)
    }

    /// Every kind of data goes to this executor, is covered by an entry of the leaf, and serves
    /// the order itself; anything else needs an act of class 6 with its own confirmation.
    private func checkDisclosures(
        _ terms: Terms, _ wish: Wish, _ coverage: Coverage, _ leaf: Grant
    ) throws(Refusal) {
        let own = entity.authority
        for row in terms.data {
            try require(row.recipient == own, .data, "16.data.to")
            let isCovered = leaf.entries.contains { entry in
                guard let scope = entry.data, entry.locations.contains(entity) else {
                    return false
                }
                return scope.types.contains(row.type) && scope.purpose == row.purpose
                    && (row.retention ?? 0) <= scope.retention
            }
            try require(isCovered, .data, "16.data.uncovered")
            if coverage.actionClass == .disclosure {
                try require(
                    wish.datatypes?.contains(row.type) ?? false, .data, "16.data.unnamed")
            } else {
                try require(row.purpose == Self.contractPurpose, .data, "16.data.purpose")
            }
        }
    }

    /// The one purpose that a contract needs no separate consent for.
    package static let contractPurpose = "fulfil-order"
}

/// The dates of a token that is used once, and soon.
struct Life {
    private let issuedAt: Int64
    private let expires: Int64

    init(_ issuedAt: Int64, _ expires: Int64) {
        self.issuedAt = issuedAt
        self.expires = expires
    }

    func check(_ maximum: Int64, _ now: Int64, _ step: String) throws(Refusal) {
        try require(expires > issuedAt, .time, "\(step).exp_before_iat")
        try require(expires - issuedAt <= maximum, .time, "\(step).life")
        try require(issuedAt <= now + ChainVerifier.skew, .notYet, "\(step).iat")
        try require(expires + ChainVerifier.skew > now, .expired, "\(step).exp")
    }
}
