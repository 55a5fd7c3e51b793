// SPDX-License-Identifier: Apache-2.0
import A2A
import Accounting
import Bytes
import Consent
import Crypto
import JSON

extension Exchange {
    /// Carries the user's decision on an open question towards the executor.
    ///
    /// A yes extends the holds to what the offer costs, durably, before it is passed on; whoever
    /// stands before the executor then reserves the amount and signs the act. A no is passed on
    /// alone.
    func convey(
        _ confirmation: String, _ passage: Passage
    ) async throws(A2AError) -> Reply {
        guard let task = passage.task, let undertaking = task.undertaking,
            let ask = undertaking.ask
        else { throw refusal(Refusal(.confirmInvalid, "18.no_question")) }
        if undertaking.isCommitting, undertaking.confirmationToken == confirmation {
            // The caller did not hear what became of it; it is not passed on twice.
            throw A2AError(
                .retryLater, "The act is under way", retryAfter: A2AError.retrySeconds)
        }
        guard undertaking.stage == .asked else {
            throw refusal(Refusal(.confirmInvalid, "18.no_question"))
        }
        let now = gateway.time.now()
        let token: UnverifiedToken
        let claims: JSONValue
        do {
            token = try UnverifiedToken(compact: confirmation)
            claims = try token.peekClaims().root
        } catch {
            throw refusal(Refusal(.malformed, "17.token"))
        }
        // The executor verifies the signature; a hop only makes sure that it is about this
        // question, before its own money stands on it.
        guard claims["nonce"]?.string == ask.nonce, claims["root"]?.string == undertaking.root
        else { throw refusal(Refusal(.confirmInvalid, "18.nonce.other")) }
        let disclosed = passage.consent?.disclosed
        guard claims["disclosed"]?.string == disclosed.map(ReleasedData.name) else {
            throw refusal(Refusal(.data, "20.disclosed.other"))
        }
        if undertaking.executor == gateway.entity {
            return try await settleDenial(confirmation, passage, task, undertaking)
        }
        if claims["decision"]?.string == "approve" {
            let yes = Yes(token: confirmation, name: token.nameHash, claims: claims)
            try await begin(yes, ask, passage, now: now)
        } else {
            passage.consentOut = ConsentMetadata()
            passage.consentOut?.confirm = confirmation
        }
        return try await deliver(passage, passage.task ?? task)
    }

    /// A confirmation that approves, as far as a hop looks at it.
    private struct Yes {
        let token: String
        let name: String
        let claims: JSONValue
    }

    /// Extends the holds for a yes and says what goes with it to the next hop.
    private func begin(
        _ yes: Yes, _ ask: Ask, _ passage: Passage, now: Instant
    ) async throws(A2AError) {
        guard let task = passage.task, let undertaking = task.undertaking else {
            throw A2AError(.internalError)
        }
        let plan = try extendPlan(passage, undertaking, yes.claims, now: now)
        var changed = task
        changed.undertaking?.stage = .committing
        changed.undertaking?.confirmation = yes.name
        changed.undertaking?.confirmationToken = yes.token
        changed.undertaking?.inward = plan.inward?.link ?? undertaking.inward
        changed.undertaking?.outward = plan.outward?.link ?? undertaking.outward
        changed.updated = now
        changed.due = nil
        changed = try await place(plan, changed)
        if let outward = plan.outward {
            var books = AccountingMetadata()
            books.exchange = passage.exchange
            books.extend = outward.extension
            passage.booksOut = books
            account.held = outward.extension.request.charge.description
        }
        passage.consentOut = ConsentMetadata()
        passage.consentOut?.confirm = yes.token
        passage.consentOut?.disclosed = passage.consent?.disclosed
        if nextPeer == undertaking.executor {
            do {
                var act = try await actMetadata(passage, changed, ask, yes.token)
                act.disclosed = passage.consent?.disclosed
                let out = act
                changed = try await gateway.change(task.id) { _, task in
                    guard task.isCommitting else {
                        throw Refusal(.confirmInvalid, "18.no_question")
                    }
                    task.undertaking?.act = out.act
                    return true
                }.task
                passage.consentOut = out
            } catch {
                try await reopen(changed, after: error)
                throw error
            }
        }
        passage.task = changed
    }

    /// Sends the decision or the act, again where the answer was lost: both are done once however
    /// often they arrive.
    private func deliver(
        _ passage: Passage, _ task: TaskRecord
    ) async throws(A2AError) -> Reply {
        var attempt = 0
        while true {
            let answer: Answer
            do {
                answer = try await forward(passage)
            } catch {
                attempt += 1
                // An act under way elsewhere says so by a conflict that passes.
                let mayRetry =
                    error.code == .retryLater || error.code == .internalError
                    || error.retryAfter != nil
                if mayRetry, attempt < Self.deliveryAttempts {
                    await upstreams.pause(.seconds(error.retryAfter ?? A2AError.retrySeconds))
                    continue
                }
                // Whether it arrived is not known, or it was done before: the task tells.
                if mayRetry || error.code == .unsupportedOperation {
                    try await follow(task)
                } else {
                    try await reopen(task, after: error)
                }
                throw error
            }
            return try await relay(passage, answer)
        }
    }

    /// Has the housekeeping ask the next hop for the task until it has ended.
    func follow(_ task: TaskRecord) async throws(A2AError) {
        let due = gateway.time.now().adding(seconds: Int64(A2AError.retrySeconds))
        try await gateway.write { try $0.enqueue(.follow(task: task.id), due: due) }
    }

    /// Attempts to deliver a decision before the caller is told that it could not be.
    static let deliveryAttempts = 4

    /// The next hop refused: what was held for the act is released, and the task waits or ends as
    /// the next hop says.
    private func reopen(_ task: TaskRecord, after error: A2AError) async throws(A2AError) {
        // It may have ended there meanwhile, as by a cancel that came first: then that is its end.
        if let event = try? await taskEvent(upstreamCall("GetTask", about: task)),
            event.state?.isTerminal ?? false
        {
            _ = try await conclude(task, event, outcome: nil)
            return
        }
        let now = gateway.time.now()
        let entity = gateway.entity
        let random = gateway.random
        try await gateway.change(task.id) { tx, changed in
            if changed.state.isTerminal { return false }
            changed.undertaking?.stage = .ended
            changed.enter(.failed, at: now)
            changed.snapshot = StatusText.task(
                changed,
                status: StatusText.status(
                    .failed, "The act was refused.", task: changed, at: now))
            let ledger = Ledger(tx, of: entity)
            for link in [changed.undertaking?.outward, changed.undertaking?.inward] {
                guard let link, let hold = try tx.hold(link.peer, link.op),
                    hold.state == .pending
                else { continue }
                let void = HoldVoid(
                    op: OperationID(at: now, random: random), hold: link.op, reason: .rejected)
                let call = LedgerCall(
                    peer: link.peer, origin: .us, request: Exchange.hash(void.node), now: now)
                _ = try ledger.void(void, call)
                if hold.side == .callee {
                    try tx.enqueue(
                        .void(peer: link.peer, op: link.op.text, body: void.node.bytes), due: now)
                }
            }
            return true
        }
    }

    // MARK: Holds

    /// The holds that grow to what the offer costs.
    struct ExtendPlan: Sendable {
        var inward: Extension?
        var outward: Extension?

        /// One hold in place of an older one.
        struct Extension: Sendable {
            let `extension`: HoldExtension
            let context: HoldContext
            let call: LedgerCall

            var link: Undertaking.LinkHold {
                Undertaking.LinkHold(
                    peer: call.peer, op: `extension`.request.op,
                    postBy: `extension`.request.postBy)
            }
        }
    }

    private func extendPlan(
        _ passage: Passage, _ undertaking: Undertaking, _ claims: JSONValue, now: Instant
    ) throws(A2AError) -> ExtendPlan {
        guard let sale = undertaking.sale else { return ExtendPlan() }
        let confirmed = claims["amount"]?["value"]?.int
        guard let units = try? sale.minorUnits(), units == confirmed,
            claims["amount"]?["currency"]?.string == sale.currency.code
        else { throw A2AError(LedgerRefusal.consentExceeded) }
        var plan = ExtendPlan()
        if let inward = undertaking.inward {
            plan.inward = try mirrored(passage, inward, sale, now: now)
        }
        if let outward = undertaking.outward {
            if let until = outward.quoteUntil, now > until {
                throw A2AError(LedgerRefusal.quoteExpired)
            }
            guard
                let hold = try outwardPlan(
                    sale: sale, quote: outward.quote, beneath: plan.inward?.link.postBy,
                    exchange: passage.exchange, now: now)
            else { throw A2AError(LedgerRefusal.tariffUnknown) }
            let grown = HoldExtension(hold: outward.op, request: hold.request)
            plan.outward = ExtendPlan.Extension(
                extension: grown, context: hold.context,
                call: LedgerCall(
                    peer: outward.peer, origin: .us, request: Self.hash(grown.node), now: now))
        }
        return plan
    }

    /// The mirror image of what the caller says it extended, checked against what was quoted.
    func mirrored(
        _ passage: Passage, _ inward: Undertaking.LinkHold, _ sale: Money, now: Instant
    ) throws(A2AError) -> ExtendPlan.Extension {
        guard let grown = passage.books?.extend, grown.hold == inward.op else {
            throw A2AError(LedgerRefusal.holdUnknown)
        }
        guard grown.request.quote == inward.quote, grown.request.sale == sale else {
            throw A2AError(LedgerRefusal.price)
        }
        if let until = inward.quoteUntil, now > until { throw A2AError(LedgerRefusal.quoteExpired) }
        guard let tariff = gateway.tariff(with: inward.peer, at: now) else {
            throw A2AError(LedgerRefusal.tariffUnknown)
        }
        return ExtendPlan.Extension(
            extension: grown, context: HoldContext(exchange: passage.exchange, tariff: tariff),
            call: LedgerCall(
                peer: inward.peer, origin: .peer, request: Self.hash(grown.node), now: now))
    }

    /// Extends the holds, if the question is still open.
    private func place(
        _ plan: ExtendPlan, _ task: TaskRecord
    ) async throws(A2AError) -> TaskRecord {
        let entity = gateway.entity
        let result = try await gateway.write { tx -> Result<TaskRecord, LedgerRefusal> in
            let closed = Refusal(.confirmInvalid, "18.no_question")
            guard try tx.task(id: task.id)?.revision == task.revision else { throw closed }
            let ledger = Ledger(tx, of: entity)
            for part in [plan.inward, plan.outward] {
                guard let part else { continue }
                let result = try ledger.extend(part.extension, part.context, part.call)
                if case .failure(let refusal) = result { return .failure(refusal) }
            }
            guard let placed = try tx.update(task) else { throw closed }
            return .success(placed)
        }
        switch result {
        case .success(let placed): return placed
        case .failure(let refusal): throw A2AError(refusal)
        }
    }

    // MARK: The act

    /// Reserves the amount and signs the act: what the gateway before the executor does.
    private func actMetadata(
        _ passage: Passage, _ task: TaskRecord, _ ask: Ask, _ confirmation: String
    ) async throws(A2AError) -> ConsentMetadata {
        guard let undertaking = task.undertaking else { throw A2AError(.internalError) }
        let now = gateway.time.now()
        let settings = gateway.settings
        let own = Presenter(
            entity: settings.entity, certificate: settings.certificates.first?.thumbprint ?? "",
            key: settings.signingKey.verifying.thumbprint)
        let presenter: Presenter
        if case .peer(let peer) = caller.party { presenter = peer } else { presenter = own }
        do {
            let held = try gateway.chains.receive(
                undertaking.chain, for: settings.entity, key: settings.signingKey.verifying,
                certificate: settings.certificates.first?.thumbprint, from: presenter,
                status: gateway.status, now: now)
            let key = try gateway.signingKey(
                of: undertaking.executor, certificates: ask.certificates, now: now)
            let signed = try SignedTerms(
                verifying: ask.terms, by: key, issuer: undertaking.executor, now: now,
                signatures: SignatureCheck(cache: gateway.signatures))
            let id = UUIDv7(at: now, random: gateway.random).text
            let params = passage.request.rewritten(
                taskID: task.upstreamTaskID, contextID: task.upstreamContextID,
                referenceTaskIDs: [], messageMetadata: .strip, requestMetadata: .strip)
            let message = try JSONDocument(parsing: params).root["message"]
            guard let message else { throw A2AError(.internalError) }
            let body = try RequestBody.bytes(of: message)
            let act = try held.act(
                HeldGrant.ActRequest(
                    entry: ask.entry, action: signed.terms.action,
                    executor: undertaking.executor, id: id, body: body, terms: signed,
                    confirmation: confirmation),
                key: settings.signingKey, now: now)
            let reservation = try await reserve(
                held, entry: ask.entry, act: id, executor: undertaking.executor,
                amount: signed.terms.total?.amount, own, now: now)
            var metadata = ConsentMetadata()
            metadata.chain = held.tokens
            metadata.act = act
            metadata.body = String(decoding: body, as: UTF8.self)
            metadata.confirm = confirmation
            metadata.reservation = reservation
            metadata.certificates = gateway.certificateList
            return metadata
        } catch let error as Refusal {
            throw refusal(error)
        } catch let error as A2AError {
            throw error
        } catch {
            throw A2AError(.internalError)
        }
    }

    /// Has the root's budget keeper set the amount aside.
    private func reserve(
        _ held: HeldGrant, entry: String, act: String, executor: EntityID, amount: Amount?,
        _ own: Presenter, now: Instant
    ) async throws(A2AError) -> String {
        let uri = held.root.ledger?.uri ?? held.root.issuer.text
        guard let keeper = BudgetDesk.entity(of: uri) else {
            throw refusal(Refusal(.budget, "22.keeper"))
        }
        let request = BudgetKeeper.Request(
            chain: held.tokens, entry: entry, act: act, audience: executor, amount: amount)
        if keeper == gateway.entity {
            return try await BudgetDesk(gateway: gateway).reserve(request, from: own)
        }
        let path = String(uri.dropFirst(keeper.text.count)) + "/reservations"
        let answer: PeerAnswer
        do {
            answer = try await upstreams.post(
                BudgetDesk.node(request).bytes, to: path, at: keeper)
        } catch {
            throw A2AError(error)
        }
        guard answer.status == 200, let token = answer.body?.root["resv"]?.string else {
            throw BudgetDesk.error(answer) ?? refusal(Refusal(.budget, "22.keeper.answer"))
        }
        return token
    }
}
