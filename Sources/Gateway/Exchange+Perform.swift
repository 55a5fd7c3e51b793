// SPDX-License-Identifier: Apache-2.0
import A2A
import Accounting
import Bytes
import Consent
import Crypto
import JSON

extension Exchange {
    /// Carries an act out at the executor, once.
    ///
    /// The use of the act, the mirrored hold and the commit message's place in the outbox are one
    /// transaction. Only after it is on disk does the agent hear of the act.
    func perform(_ presented: PresentedAct, _ passage: Passage) async throws(A2AError) -> Reply {
        guard let task = passage.task, case .peer(let presenter) = caller.party else {
            throw refusal(Refusal(.terms, "16.no_offer"))
        }
        let now = gateway.time.now()
        let point = gateway.enforcement
        let assessment = point.assess(
            presented, presenter: presenter, status: gateway.status, now: now)
        var changed = task
        changed.undertaking?.stage = .committing
        changed.undertaking?.act = presented.act
        changed.undertaking?.confirmationToken = presented.confirmation
        changed.undertaking?.presented = presented.node
        changed.enter(.working, at: now)
        changed.snapshot = StatusText.task(
            task,
            status: StatusText.status(.working, "The act is under way.", task: task, at: now))
        let backing = backing(of: task, passage, from: presenter.entity, now: now)
        if let mirror = backing.mirror { changed.undertaking?.inward = mirror.link }
        let (decision, begun) = try await record(assessment, backing, changed, now: now)
        switch decision {
        case .finished(let result):
            return reply(try Self.event(ofStored: result), to: passage)
        case .needsConfirmation:
            return reply(task.told, to: passage)
        case .authorized(let authority):
            gateway.feed.changed(task.id)
            return reply(try await commit(begun, authority), to: passage)
        }
    }

    /// The answer that was stored for an act that was done before.
    private static func event(ofStored result: [UInt8]) throws(A2AError) -> RenderedEvent {
        guard let value = try? JSONDocument(parsing: result).root else {
            throw A2AError(.internalError)
        }
        return RenderedEvent(try StreamEvent(wrapped: value))
    }

    /// What stands on the caller's side for an act.
    private enum Backing: Sendable {
        /// Nothing is sold, or there is no tariff on the link.
        case free
        case extended(ExtendPlan.Extension)
        /// The caller does not hold what it should.
        case missing(LedgerRefusal)

        var mirror: ExtendPlan.Extension? {
            if case .extended(let mirror) = self { return mirror }
            return nil
        }
    }

    /// What the caller holds for the act. What is wrong with it is told only where the consent is
    /// good, for the user's word comes first.
    private func backing(
        of task: TaskRecord, _ passage: Passage, from peer: EntityID, now: Instant
    ) -> Backing {
        guard let sale = task.undertaking?.sale else { return .free }
        guard let inward = task.undertaking?.inward else {
            // What is sold on a link with a tariff is sold under a hold.
            return gateway.tariff(with: peer, at: now) == nil ? .free : .missing(.holdRequired)
        }
        do throws(A2AError) {
            return .extended(try mirrored(passage, inward, sale, now: now))
        } catch {
            return .missing(LedgerRefusal(rawValue: error.reason) ?? .price)
        }
    }

    /// The one transaction before the effect.
    private func record(
        _ assessment: Assessment, _ backing: Backing, _ task: TaskRecord, now: Instant
    ) async throws(A2AError) -> (Decision, TaskRecord) {
        let mirror = backing.mirror
        let entity = gateway.entity
        let point = gateway.enforcement
        let status = gateway.status
        do {
            return try await gateway.journal.write { tx in
                let decision = try point.decide(assessment, status: status, now: now, in: tx)
                guard case .authorized(let authority) = decision else { return (decision, task) }
                if case .missing(let refusal) = backing { throw refusal }
                // The act must be about what this task offers, and come while it is on offer:
                // another task's terms are confirmed terms too, and a task that was canceled
                // meanwhile offers nothing.
                let current = try tx.task(id: task.id)
                var task = task
                task.undertaking?.confirmation = authority.confirmationHash
                guard let current, current.question != nil,
                    let offered = current.undertaking?.ask?.terms,
                    let token = try? UnverifiedToken(compact: offered),
                    token.wholeHash == authority.terms?.hash,
                    let begun = try tx.update(task)
                else { throw ConsentFault.refused(Refusal(.terms, "16.other_offer")) }
                if let mirror {
                    let result = try Ledger(tx, of: entity).extend(
                        mirror.extension, mirror.context, mirror.call)
                    if case .failure(let refusal) = result { throw refusal }
                }
                try tx.enqueue(
                    .commit(task: task.id), due: now.adding(seconds: Self.commitRetrySeconds))
                return (decision, begun)
            }
        } catch let fault as ConsentFault {
            if case .refused(let refusal) = fault { throw self.refusal(refusal) }
            throw A2AError(journal: fault)
        } catch let refusal as LedgerRefusal {
            // The act's use was undone with it; the books remember their refusal all the same.
            if let mirror {
                try await gateway.book { tx in
                    let result = try Ledger(tx, of: entity).extend(
                        mirror.extension, mirror.context, mirror.call)
                    if case .failure(let refusal) = result { return refusal }
                    return nil
                }
            }
            throw A2AError(refusal)
        } catch {
            throw A2AError(journal: error)
        }
    }

    /// Seconds after which a commit message that was not answered is sent again.
    static let commitRetrySeconds: Int64 = 5

    /// Tells the agent to act, and concludes with what it says.
    func commit(
        _ task: TaskRecord, _ authority: Authority
    ) async throws(A2AError) -> RenderedEvent {
        let signer = ReceiptSigner(
            entity: gateway.entity, key: gateway.settings.signingKey)
        let random = gateway.random
        return try await commit(task) { captured, order, now throws(Refusal) in
            try signer.done(
                authority, captured: captured, reference: order, now: now, random: random)
        }
    }

    /// Signs what was done: captured amount, the agent's order number, the time.
    typealias Receipting = (Amount, String, Instant) throws(Refusal) -> String

    /// Sends the commit message and reads the outcome; also after a restart, when the agent may
    /// have heard it before: the key in it makes that harmless.
    func commit(
        _ task: TaskRecord, _ receipting: Receipting
    ) async throws(A2AError) -> RenderedEvent {
        guard let undertaking = task.undertaking, let stored = undertaking.draft,
            let draftValue = try? JSONDocument(parsing: stored).root,
            let draft = try? Draft(draftValue, executor: String(gateway.entity.authority))
        else { throw A2AError(.internalError) }
        let released = try released(undertaking)
        let event = try await committed(task, commitParams(task, draft, released))
        guard event.taskID == task.upstreamTaskID else {
            throw A2AError(.invalidAgentResponse, "The agent answered for another task")
        }
        guard event.state == .completed else {
            return try await conclude(task, event, outcome: nil).0
        }
        let outcome: Outcome
        do {
            guard let part = event.parts.last(where: { $0.type == "outcome" })?.data else {
                throw Draft.Fault("outcome", "is missing")
            }
            outcome = try Outcome(part)
            guard outcome.reference == draft.reference else {
                throw Draft.Fault("outcome.ref", "is not the draft's")
            }
            let agreed = draft.total
            guard outcome.total.currency == agreed.amount.currency,
                agreed.kind == .max
                    ? outcome.total.value <= agreed.amount.value
                    : outcome.total.value == agreed.amount.value
            else { throw Draft.Fault("outcome.total", "is not what was agreed") }
        } catch let fault as Draft.Fault {
            return try await breach(task, fault)
        } catch {
            throw A2AError(.internalError)
        }
        let receipt: String
        do {
            receipt = try receipting(outcome.total, outcome.order, gateway.time.now())
        } catch {
            throw refusal(error)
        }
        return try await conclude(
            task, event, outcome: Concluded(outcome: outcome, receipt: receipt)
        ).0
    }

    /// The agent's answer to a commit message. An agent whose task has ended takes no message any
    /// more; what it answered then stands in the task (Spec §3.3).
    private func committed(
        _ task: TaskRecord, _ params: [UInt8]
    ) async throws(A2AError) -> StreamEvent {
        do throws(A2AError) {
            let call = upstreamCall("SendMessage", params, for: task.user)
            guard case .event(let event) = try await answer(to: call, streaming: false) else {
                throw A2AError(.internalError)
            }
            return event
        } catch {
            guard error.code == .unsupportedOperation else { throw error }
            return try await taskEvent(upstreamCall("GetTask", about: task))
        }
    }

    /// The agent did something else than what was agreed: the hold is voided and people are told.
    private func breach(
        _ task: TaskRecord, _ fault: Draft.Fault
    ) async throws(A2AError) -> RenderedEvent {
        account.refusal = "outcome \(fault.member) \(fault.rule)"
        _ = try await end(
            task, state: .failed, text: "The agent's outcome is not what was agreed.")
        throw A2AError(
            .invalidAgentResponse,
            "The agent's outcome is not valid: \(fault.member) \(fault.rule)")
    }

    /// The commit message of Spec §3.3.
    private func commitParams(
        _ task: TaskRecord, _ draft: Draft, _ released: ReleasedData?
    ) -> [UInt8] {
        let act = task.undertaking?.act.flatMap { try? UnverifiedToken(compact: $0) }
        let key = (try? act?.peekClaims())?.root["jti"]?.string ?? task.id
        var total: JSONNode = [
            "value": .string(Draft.text(draft.total.amount)),
            "currency": .string(draft.total.amount.currency.code),
        ]
        if draft.total.kind == .max { total["kind"] = "max" }
        var commit: JSONNode = [
            "ref": .string(draft.reference), "total": total, "key": .string(key),
            "consent": .string(task.undertaking?.confirmation ?? ""),
        ]
        if let items = released?.items, !items.isEmpty {
            commit["disclosed"] = .array(
                items.map { ["type": .string($0.type), "value": .string($0.value)] })
        }
        let message: JSONNode = [
            "messageId": .string("commit-\(key)"), "role": "ROLE_USER",
            "taskId": .string(task.upstreamTaskID),
            "contextId": .string(task.upstreamContextID ?? ""),
            "parts": [
                ["text": "The user has confirmed. Please go ahead."],
                [
                    "data": commit,
                    "metadata": .object([
                        .init(ExtensionURI.parts.rawValue, ["type": "commit"])
                    ]),
                ],
            ],
        ]
        let params: JSONNode = ["message": message]
        return params.bytes
    }

    /// What the user released for the act, opened again: in the clear it is nowhere but in the
    /// commit message.
    private func released(_ undertaking: Undertaking) throws(A2AError) -> ReleasedData? {
        guard let key = undertaking.openingKey,
            let presented = undertaking.presented.flatMap({ PresentedAct(stored: $0) }),
            let sealed = presented.disclosed, let terms = undertaking.ask?.terms
        else { return nil }
        do {
            let signed = try gateway.enforcement.recordedTerms(terms)
            return try ReleasedData(opening: sealed, for: signed, with: key)
        } catch {
            throw refusal(error)
        }
    }

    // MARK: A no

    /// The user said no: the question is closed, the agent forgets the draft, the task is rejected.
    func settleDenial(
        _ confirmation: String, _ passage: Passage, _ task: TaskRecord,
        _ undertaking: Undertaking
    ) async throws(A2AError) -> Reply {
        guard case .peer(let presenter) = caller.party, let ask = undertaking.ask else {
            throw A2AError(.internalError)
        }
        let now = gateway.time.now()
        let point = gateway.enforcement
        let chain: VerifiedChain
        let signed: SignedTerms
        do {
            chain = try point.chains.verify(
                undertaking.chain, presenter: presenter, status: gateway.status, now: now)
            signed = try point.verifyOwnTerms(ask.terms, now: now.seconds)
        } catch {
            throw refusal(error)
        }
        let answer: Confirmation
        do {
            answer = try await gateway.journal.write { tx in
                try point.answer(
                    confirmation, to: signed, level: ask.level, entry: ask.entry, under: chain,
                    now: now, in: tx)
            }
        } catch let fault as ConsentFault {
            if case .refused(let refusal) = fault { throw self.refusal(refusal) }
            throw A2AError(journal: fault)
        } catch {
            throw A2AError(journal: error)
        }
        guard answer.decision == .deny else {
            // A yes without the act that it is for effects nothing.
            throw refusal(Refusal(.confirmRequired, "11.act.missing"))
        }
        let rendered = try await end(
            task, state: .rejected, text: "The user said no.", tellingAgent: true,
            while: { $0.due != nil }
        ).0
        return reply(rendered, to: passage)
    }
}
