// SPDX-License-Identifier: Apache-2.0
import A2A
import Accounting
import Bytes
import Consent
import Crypto
import Discovery
import JSON

extension Exchange {
    /// Finds out what the user granted for this message, and what the message therefore is.
    ///
    /// Everything that needs no memory is checked here; what an act uses up is taken in the one
    /// transaction of the step that carries it out.
    func consent(_ passage: Passage) async throws(A2AError) {
        try await learnOffer()
        guard let offered else { return }
        if offered.executor == gateway.entity {
            try consentAsExecutor(passage)
        } else if case .peer(let presenter) = caller.party {
            try await consentAsMiddle(passage, from: presenter, to: offered)
        } else {
            try await consentAsEntrance(passage, to: offered)
        }
        account.grant = passage.undertaking?.root
    }

    /// Finds out once whether the agent has skills that bind the user.
    func learnOffer() async throws(A2AError) {
        offered = try await offeredSkills()
    }

    /// What the agent's card says of skills that bind the user; `nil` when none does.
    private func offeredSkills() async throws(A2AError) -> OfferedSkills? {
        switch agent.destination {
        case .local:
            if agent.skills.isEmpty { return nil }
            return OfferedSkills(executor: gateway.entity, skills: agent.skills)
        case .peer:
            let card: AgentCard
            do {
                card = try await upstreams.card(of: agent.destination)
            } catch {
                throw A2AError(error)
            }
            guard let parameters = card.parameters(of: .consent) else { return nil }
            do {
                return try OfferedSkills(parameters)
            } catch {
                throw A2AError(
                    .invalidAgentResponse,
                    "The agent card's consent parameters are not valid: \(error.member)")
            }
        }
    }

    /// Whether the agent has a skill that binds the user.
    var bindsUser: Bool { offered != nil }

    /// ``TaskRecord/route`` of tasks that this exchange starts.
    var route: String {
        switch agent.destination {
        case .local: TaskRecord.localRoute
        case .peer(let entity, _): entity.text
        }
    }

    // MARK: Executor

    private func consentAsExecutor(_ passage: Passage) throws(A2AError) {
        guard case .peer(let presenter) = caller.party else {
            // A local client of a local agent brings no grant; what it may not do shows when the
            // agent drafts.
            return
        }
        guard let metadata = passage.consent else { return }
        let now = gateway.time.now()
        if let act = metadata.act {
            guard let undertaking = passage.undertaking else {
                throw refusal(Refusal(.terms, "16.no_offer"))
            }
            passage.duty = .perform(
                PresentedAct(
                    chain: metadata.chain ?? [], act: act,
                    terms: metadata.terms ?? undertaking.ask?.terms,
                    confirmation: metadata.confirm, reservation: metadata.reservation,
                    disclosed: metadata.disclosed, opening: undertaking.openingKey,
                    body: try body(of: passage.request.message)))
            return
        }
        if let confirmation = metadata.confirm {
            passage.duty = .conveyConfirmation(confirmation)
            return
        }
        guard let tokens = metadata.chain else { return }
        let chain: VerifiedChain
        do {
            chain = try gateway.chains.verify(
                tokens, presenter: presenter, status: gateway.status, now: now)
        } catch {
            throw refusal(error)
        }
        try adopt(chain.tokens, chain.root, executor: gateway.entity, into: passage)
    }

    /// The bytes that an act names by their hash: computed from what was parsed, never taken from
    /// the caller.
    private func body(of message: Message) throws(A2AError) -> [UInt8] {
        do {
            return try RequestBody.bytes(of: message.value)
        } catch {
            throw A2AError.invalid("message", "cannot be canonicalised")
        }
    }

    /// Takes a chain that holds for the message's task.
    ///
    /// - Parameters:
    ///   - tokens: The chain to present to the next hop; at the executor the one presented.
    ///   - root: The first link.
    private func adopt(
        _ tokens: [String], _ root: Grant, executor: EntityID, into passage: Passage
    ) throws(A2AError) {
        let subject = root.subject ?? ""
        // The chain is true, but it is another user's than the caller says it speaks for.
        if case .peer = caller.party, passage.owner.user != subject {
            throw passage.task == nil
                ? refusal(Refusal(.holder, "10.user")) : A2AError(.taskNotFound)
        }
        var undertaking = Undertaking(
            chain: tokens, root: root.id, subject: subject, executor: executor)
        if let known = passage.undertaking {
            if known.isGranted {
                undertaking = known
            } else {
                (undertaking.inward, undertaking.outward) = (known.inward, known.outward)
            }
        }
        undertaking.chain = tokens
        undertaking.root = root.id
        undertaking.expires = root.expires
        passage.undertaking = undertaking
    }

    // MARK: Middle

    private func consentAsMiddle(
        _ passage: Passage, from presenter: Presenter, to offered: OfferedSkills
    ) async throws(A2AError) {
        guard let metadata = passage.consent else { return }
        if let confirmation = metadata.confirm {
            passage.duty = .conveyConfirmation(confirmation)
            return
        }
        guard let tokens = metadata.chain else { return }
        let settings = gateway.settings
        let held: HeldGrant
        do {
            held = try gateway.chains.receive(
                tokens, for: settings.entity, key: settings.signingKey.verifying,
                certificate: settings.certificates.first?.thumbprint, from: presenter,
                status: gateway.status, now: gateway.time.now())
        } catch {
            throw refusal(error)
        }
        try await present(held, to: offered, into: passage)
    }

    // MARK: Entrance

    /// Issues a root for what the agent's skills need, as far as a template allows it.
    private func consentAsEntrance(
        _ passage: Passage, to offered: OfferedSkills
    ) async throws(A2AError) {
        let now = gateway.time.now()
        if let undertaking = passage.undertaking, undertaking.expires > now.seconds {
            var out = ConsentMetadata()
            out.chain = undertaking.chain
            passage.consentOut = out
            return
        }
        let actions = Set(offered.skills.map(\.commit))
        let templates = gateway.settings.templates.filter { !actions.isDisjoint(with: $0.actions) }
        // Without a template nothing is granted: the executor will say that consent is missing.
        if templates.isEmpty { return }
        let held: HeldGrant
        do {
            held = try gateway.issueRoot(
                for: passage.owner, templates, executor: offered.executor, next: nextPeer,
                now: now)
        } catch {
            throw refusal(error)
        }
        try await present(held, to: offered, into: passage)
    }

    /// The peer that the message goes to.
    var nextPeer: EntityID? {
        if case .peer(let entity, _) = agent.destination { return entity }
        return nil
    }

    /// Makes a held grant presentable to the next hop: towards the executor the own leaf is
    /// presented, towards anyone else a narrower link is derived (Spec/consent.md).
    private func present(
        _ held: HeldGrant, to offered: OfferedSkills, into passage: Passage
    ) async throws(A2AError) {
        guard let next = nextPeer else { return }
        var presented = held
        if next != offered.executor {
            let facts: PeerFacts
            do {
                facts = try await upstreams.facts(of: next)
            } catch {
                throw A2AError(error)
            }
            do {
                presented = try held.derive(
                    HeldGrant.Narrowing(
                        holder: next, key: facts.key.jwk,
                        delegates: held.leaf.delegates.without(next)),
                    key: gateway.settings.signingKey, now: gateway.time.now(),
                    random: gateway.random)
            } catch {
                throw refusal(error)
            }
        }
        try adopt(presented.tokens, held.root, executor: offered.executor, into: passage)
        var out = ConsentMetadata()
        out.chain = presented.tokens
        passage.consentOut = out
    }

    // MARK: Refusals

    /// The wire error of a consent refusal; the rule goes to the log only.
    func refusal(_ refusal: Refusal) -> A2AError {
        account.refusal = refusal.description
        return A2AError(refusal)
    }
}

extension A2AError {
    /// The one map from refusals of consent to wire errors (Spec/consent.md, errors).
    init(_ refusal: Refusal) {
        let code: Code
        var retryAfter: Int?
        switch refusal.error.kind {
        case .invalid: code = .invalidParams
        case .forbidden, .authRequired, .rejected: code = .notAuthorized
        case .conflict, .unprocessable: code = .conflict
        case .unavailable: code = .retryLater
        }
        if refusal.isInFlight || code == .retryLater { retryAfter = A2AError.retrySeconds }
        self.init(
            refusal: code, by: .consent, reason: refusal.error.rawValue,
            message: "The user's consent does not cover this", retryAfter: retryAfter)
    }

    /// The one map from refusals of the books to wire errors (Spec/accounting.md, errors).
    init(_ refusal: LedgerRefusal) {
        let code: Code
        switch refusal {
        case .malformed, .amountSyntax: code = .invalidParams
        case .idempotencyConflict, .alreadyFailed, .holdResolved, .holdExpired, .quoteExpired:
            code = .conflict
        case .holdUnknown, .unavailable: code = .retryLater
        default: code = .notAuthorized
        }
        self.init(
            refusal: code, by: .accounting, reason: refusal.rawValue,
            message: "The books do not admit this",
            metadata: ["retry": refusal.retry.rawValue],
            retryAfter: code == .retryLater ? A2AError.retrySeconds : nil)
    }
}
