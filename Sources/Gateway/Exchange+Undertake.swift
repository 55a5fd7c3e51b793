// SPDX-License-Identifier: Apache-2.0
import A2A
import Accounting
import Bytes
import Consent
import Crypto
import Discovery
import JSON

extension Exchange {
    /// Passes an event of a task that may bind the user: at the executor a draft becomes an offer
    /// and a question, on the hops above the question is passed on unchanged, and an end is booked.
    ///
    /// - Returns: The caller's event, and the task as it now is.
    func undertake(
        _ event: StreamEvent, _ task: TaskRecord
    ) async throws(A2AError) -> (RenderedEvent, TaskRecord) {
        guard let state = event.state else {
            return (event.rewritten(alias: task.alias), task)
        }
        let isExecutor = route == TaskRecord.localRoute
        do throws(A2AError) {
            if isExecutor, state == .inputRequired, let draft = draftPart(of: event) {
                return try await offer(draft, event, task)
            }
            if !isExecutor, state == .authRequired, task.undertaking?.isGranted ?? false,
                event.statusMetadata(.consent)?["ask"] != nil
            {
                return try await passOn(event, task)
            }
        } catch {
            await giveUp(task, error)
            throw error
        }
        if state.isTerminal {
            let (rendered, changed) = try await conclude(task, event, outcome: nil)
            return (rendered, changed)
        }
        let now = gateway.time.now()
        let (changed, _) = try await gateway.change(task.id) { _, current in
            if current.state == state || !current.isAs(in: task) { return false }
            current.enter(state, at: now)
            // While the agent works, the next hop knows best; what was kept is out of date.
            current.snapshot = nil
            return true
        }
        if !changed.isAs(in: task) { return (changed.told, changed) }
        return (event.rewritten(alias: task.alias), changed)
    }

    /// The agent's offer or its question cannot be passed on: the task ends here and there, before
    /// anybody is told, and what was held for it is let go. A disk that is full ends nothing.
    private func giveUp(_ task: TaskRecord, _ error: A2AError) async {
        if error.code == .retryLater, error.domain == A2AError.protocolDomain { return }
        _ = try? await end(
            task, state: .failed, text: "The offer was refused: \(error.reason).",
            tellingAgent: true, while: { $0.isAs(in: task) })
    }

    /// The one part of type `draft` in the status message.
    private func draftPart(of event: StreamEvent) -> JSONValue? {
        let parts = event.statusParts
        return parts.first { $0.type == "draft" }?.data
    }

    // MARK: The executor's offer

    /// Makes terms of a draft and asks for the user's word on them.
    private func offer(
        _ part: JSONValue, _ event: StreamEvent, _ task: TaskRecord
    ) async throws(A2AError) -> (RenderedEvent, TaskRecord) {
        guard case .peer(let presenter) = caller.party,
            var undertaking = task.undertaking?.granted
        else { return try await sayConsentIsMissing(event, task) }
        let now = gateway.time.now()
        let draft: Draft
        do throws(Draft.Fault) {
            draft = try Draft(part, executor: String(gateway.entity.authority))
        } catch {
            throw A2AError(
                .invalidAgentResponse,
                "The agent's draft is not valid: \(error.member) \(error.rule)")
        }
        let point = gateway.enforcement
        // What the user releases is for this offer and this gateway alone.
        let opening = draft.data.isEmpty ? nil : OpeningKey(random: gateway.random)
        undertaking.opening = opening.map { Base64URL.encode($0.secret) }
        let signed: SignedTerms
        let chain: VerifiedChain
        let coverage: Coverage
        do {
            chain = try point.chains.verify(
                undertaking.chain, presenter: presenter, status: gateway.status, now: now)
            signed = try sign(draft, sealedTo: opening, now: now)
            coverage = try point.examine(signed, under: chain)
        } catch {
            throw refusal(error)
        }
        try requireSkill(for: draft)
        let sale = try Self.sale(signed)
        var quote: (token: String, name: HashName)?
        if let inward = undertaking.inward, let sale {
            quote = try self.quote(
                inward, sale, terms: signed.hash, exchange: task.exchange,
                until: Instant(seconds: signed.terms.expires))
            undertaking.inward?.quote = quote?.name
            undertaking.inward?.quoteUntil = Instant(seconds: signed.terms.expires)
        }
        undertaking.draft = Array(part.raw)
        undertaking.sale = sale
        undertaking.stage = .asked
        undertaking.asked += 1
        let (certificates, random) = (gateway.certificateTexts, gateway.random)
        let asked = AskedEvent(event, task, quote?.token)
        // Everything that the answer says is durable before it leaves.
        let (stored, isAsked) = try await gateway.change(task.id) { [undertaking] tx, current in
            guard current.isAs(in: task) else { return false }
            if let earlier = current.undertaking?.ask?.nonce {
                try point.withdraw(nonce: earlier, in: tx)
            }
            let ask = try point.open(
                signed, level: coverage.level, entry: coverage.entry.id, under: chain,
                certificates: certificates, now: now, random: random, in: tx)
            let rendered = asked.rendered(ask, certificates: certificates, now: now)
            current.enter(.authRequired, at: now)
            current.due = Instant(seconds: ask.expires)
            current.undertaking = undertaking
            current.undertaking?.ask = ask
            current.snapshot = asked.snapshot(rendered.status, books: rendered.books)
            return true
        }
        guard isAsked, let ask = stored.undertaking?.ask else { return (stored.told, stored) }
        return (asked.rendered(ask, certificates: certificates, now: now).event, stored)
    }

    private func sign(
        _ draft: Draft, sealedTo opening: OpeningKey?, now: Instant
    ) throws(Refusal) -> SignedTerms {
        let settings = gateway.settings
        return try TermsIssuer(entity: settings.entity, key: settings.signingKey).sign(
            TermsIssuer.Draft(
                action: draft.action, items: draft.items, total: draft.total,
                cancel: draft.cancel, data: draft.data,
                seal: opening.map { Base64URL.encode($0.publicKey) }),
            now: now, random: gateway.random)
    }

    /// An agent sells only what its skills say (Spec §3.2).
    private func requireSkill(for draft: Draft) throws(A2AError) {
        if agent.skills.contains(where: { $0.commit == draft.action }) { return }
        throw A2AError(
            .invalidAgentResponse, "The agent's draft is not valid: no skill commits its action")
    }

    /// The price of the offer in the books' money; `nil` where nothing is sold.
    static func sale(_ signed: SignedTerms) throws(A2AError) -> Money? {
        guard let total = signed.terms.total?.amount else { return nil }
        guard let currency = Accounting.Currency(total.currency.code) else {
            throw A2AError(LedgerRefusal.currency)
        }
        do {
            return try Money(minorUnits: total.value, currency)
        } catch {
            throw A2AError(LedgerRefusal(error))
        }
    }

    /// A draft came without any grant: nobody can be asked, so nothing more happens, and after the
    /// time that an answer would have had the task ends.
    private func sayConsentIsMissing(
        _ event: StreamEvent, _ task: TaskRecord
    ) async throws(A2AError) -> (RenderedEvent, TaskRecord) {
        let now = gateway.time.now()
        let status = StatusText.status(
            .authRequired,
            "This needs the user's consent, which travels with the consent extension.",
            task: task, at: now)
        let rendered = event.rewritten(alias: task.alias, status: status)
        let (stored, isSaid) = try await gateway.change(task.id) { _, current in
            guard current.isAs(in: task) else { return false }
            current.enter(.authRequired, at: now)
            current.due = now.adding(seconds: Ask.life)
            current.snapshot = StatusText.task(current, status: status)
            return true
        }
        return (isSaid ? rendered : stored.told, stored)
    }

    // MARK: The hops above

    /// Passes a question on: the ask unchanged, the price quoted anew for the link above.
    private func passOn(
        _ event: StreamEvent, _ task: TaskRecord
    ) async throws(A2AError) -> (RenderedEvent, TaskRecord) {
        guard var undertaking = task.undertaking,
            let value = event.statusMetadata(.consent)?["ask"]
        else { throw A2AError(.internalError) }
        let now = gateway.time.now()
        let ask: Ask
        let signed: SignedTerms
        do {
            ask = try Ask(value)
            let key = try gateway.signingKey(
                of: undertaking.executor, certificates: ask.certificates, now: now)
            signed = try SignedTerms(
                verifying: ask.terms, by: key, issuer: undertaking.executor, now: now,
                signatures: SignatureCheck(cache: gateway.signatures))
        } catch let error as Refusal {
            throw refusal(error)
        } catch let error as A2AError {
            throw error
        } catch {
            throw A2AError(.internalError)
        }
        let sale = try Self.sale(signed)
        if let sale { try acceptQuote(of: event, sale, signed, &undertaking, now: now) }
        undertaking.ask = ask
        undertaking.sale = sale
        undertaking.stage = .asked
        undertaking.asked += 1
        var quote: String?
        if let inward = undertaking.inward, let sale {
            let made = try self.quote(
                inward, sale, terms: signed.hash, exchange: task.exchange,
                until: Instant(seconds: signed.terms.expires))
            undertaking.inward?.quote = made.name
            undertaking.inward?.quoteUntil = Instant(seconds: signed.terms.expires)
            quote = made.token
        }
        let asked = AskedEvent(event, task, quote)
        let rendered: AskedEvent.Rendered
        if caller.activated(.consent), caller.entity != nil {
            rendered = asked.rendered(ask, certificates: gateway.certificateTexts, now: now)
        } else {
            rendered = asked.rendered(nil, certificates: [], now: now)
        }
        let (stored, isAsked) = try await gateway.change(task.id) { [undertaking] tx, current in
            guard current.isAs(in: task) else { return false }
            // The user answers to a nonce, so no two questions may have the same.
            if let other = try tx.task(question: ask.nonce), other.id != current.id {
                throw A2AError(.invalidAgentResponse, "The agent's question has another's nonce")
            }
            current.enter(.authRequired, at: now)
            let until = min(ask.expires, now.seconds + Ask.life)
            current.due = Instant(seconds: until + Housekeeping.grace)
            current.undertaking = undertaking
            current.snapshot = asked.snapshot(rendered.status, books: rendered.books)
            return true
        }
        return (isAsked ? rendered.event : stored.told, stored)
    }
}

extension TaskRecord {
    /// Whether what was concluded from `earlier` still holds: the task has not ended, no act began
    /// and no other question was put since.
    fileprivate func isAs(in earlier: TaskRecord) -> Bool {
        !state.isTerminal && isCommitting == earlier.isCommitting && question == earlier.question
    }
}

/// The event that tells a caller that the user is asked.
struct AskedEvent: Sendable {
    private let event: StreamEvent
    private let task: TaskRecord
    private let quote: String?

    init(_ event: StreamEvent, _ task: TaskRecord, _ quote: String?) {
        self.event = event
        self.task = task
        self.quote = quote
    }

    /// The event, with the parts of it that are kept.
    struct Rendered: Sendable {
        let event: RenderedEvent
        let status: [UInt8]
        let books: [UInt8]?
    }

    /// - Parameter ask: `nil` for a caller on this side, who cannot answer and is told in words.
    func rendered(_ ask: Ask?, certificates: [String], now: Instant) -> Rendered {
        var consent: ConsentMetadata?
        if let ask {
            consent = ConsentMetadata()
            consent?.ask = ask
        }
        let status = StatusText.status(
            .authRequired, "The user is asked to confirm.", task: task, at: now,
            metadata: consent.map { $0.node })
        var books: [UInt8]?
        if ask != nil, let quote {
            var metadata = AccountingMetadata()
            metadata.exchange = OperationID(task.exchange)
            metadata.quote = quote
            metadata.certificates = certificates
            books = metadata.node.bytes
        }
        let own = MetadataEdit(put: books.map { [(.accounting, $0)] } ?? [])
        return Rendered(
            event: event.rewritten(alias: task.alias, own: own, status: status), status: status,
            books: books)
    }

    /// The task as GetTask will tell it.
    func snapshot(_ status: [UInt8], books: [UInt8]?) -> [UInt8] {
        StatusText.task(task, status: status, books: books)
    }
}
