// SPDX-License-Identifier: Apache-2.0
import A2A
import Accounting
import Bytes
import Consent
import Crypto
import JSON

/// What the executor can prove of an act that took effect.
struct Concluded: Sendable {
    let outcome: Outcome
    /// The signed receipt.
    let receipt: String
}

extension Exchange {
    /// Ends a task: books what became due on the link below, then what is due on the link above,
    /// and tells the caller with the records beside it.
    ///
    /// A task ends once. Where another step wrote to it meanwhile, this one looks at it anew; an
    /// end that it finds stays, and is what the caller is told.
    ///
    /// - Parameters:
    ///   - outcome: Set at the executor when the act took effect.
    ///   - isStill: Whether the task may still end so, asked of what it is when it ends.
    /// - Returns: The caller's event, and the task as it now is.
    func conclude(
        _ task: TaskRecord, _ event: StreamEvent, outcome: Concluded?, tellingAgent: Bool = false,
        while isStill: @Sendable (TaskRecord) -> Bool = { _ in true }
    ) async throws(A2AError) -> (RenderedEvent, TaskRecord) {
        let id = task.id
        var task = task
        while true {
            if let done = try await attempt(
                task, event, outcome: outcome, tellingAgent: tellingAgent)
            {
                return done
            }
            guard let current = try await gateway.read({ try $0.task(id: id) }) else {
                throw A2AError(.taskNotFound)
            }
            if current.state.isTerminal || !isStill(current) { return (current.told, current) }
            task = current
        }
    }

    /// Ends the task if it still is as `task` says; `nil` where another step came first.
    private func attempt(
        _ task: TaskRecord, _ event: StreamEvent, outcome: Concluded?, tellingAgent: Bool
    ) async throws(A2AError) -> (RenderedEvent, TaskRecord)? {
        let state = event.state ?? .failed
        var settlement = try await settle(task, state, outcome)
        let end = BlockBook.End(state)
        settlement.usage = end.flatMap { gateway.blocks.counter(task: task.id, endingAs: $0) }
        if let outward = task.undertaking?.outward {
            try takeEnd(event, outward, task, &settlement)
        }
        if tellingAgent { settlement.outbox.append(.cancel(task: task.id)) }
        var changed = task
        changed.enter(state, at: settlement.now)
        changed.undertaking?.stage = .ended
        changed.undertaking?.opening = nil
        let receipt = outcome?.receipt ?? event.statusMetadata(.consent)?["receipt"]?.string
        changed.undertaking?.receipt = receipt
        changed.undertaking?.receiptCertificates =
            outcome != nil
            ? gateway.certificateTexts
            : event.statusMetadata(.consent)?["cert"]?.elements.compactMap(\.string) ?? []
        if let due = receiptDue(changed) { settlement.outbox.append(due) }
        try settlement.sign(task, gateway)
        let rendered = render(event, changed, settlement)
        changed.snapshot = taskSnapshot(event, rendered, changed, settlement)
        guard
            let written = try await write(
                settlement, changed, result: outcome == nil ? nil : rendered.wrapped)
        else { return nil }
        // Only the end that is on disk has a fee: another step may have come first.
        if let end { gateway.blocks.conclude(task: task.id, end, now: settlement.now) }
        account.posted = settlement.posted
        gateway.feed.changed(task.id)
        return (rendered, written)
    }

    /// Ends a task in this gateway's own words: refused, breached, expired, denied or canceled.
    ///
    /// - Parameters:
    ///   - tellingAgent: Whether the next hop is owed a CancelTask.
    ///   - isStill: As for ``conclude(_:_:outcome:tellingAgent:while:)``; it also holds for `task`.
    /// - Returns: The caller's event, and the task as it now is, which has ended otherwise where
    ///   another step came first.
    func end(
        _ task: TaskRecord, state: TaskState, text: String, tellingAgent: Bool = false,
        while isStill: @Sendable (TaskRecord) -> Bool = { _ in true }
    ) async throws(A2AError) -> (RenderedEvent, TaskRecord) {
        let now = gateway.time.now()
        let status = StatusText.status(state, text, task: task, at: now)
        let upstream: JSONNode = [
            "id": .string(task.upstreamTaskID), "contextId": .string(task.contextID),
            "status": .raw(status),
        ]
        guard let value = try? JSONDocument(parsing: upstream.bytes).root else {
            throw A2AError(.internalError)
        }
        let event = try StreamEvent(kind: .task, value: value)
        return try await conclude(
            task, event, outcome: nil, tellingAgent: tellingAgent, while: isStill)
    }

    /// Books what was held for a message that is a whole answer, as the end of a task does.
    func settleMessage(
        _ event: StreamEvent, _ passage: Passage
    ) async throws(A2AError) -> MetadataEdit {
        var task = TaskRecord(
            id: passage.exchange.text, contextID: "", owner: passage.owner, agent: agent.name,
            route: route, upstreamTaskID: "", upstreamContextID: nil,
            exchange: passage.exchange.text, created: gateway.time.now(), state: .completed)
        task.undertaking = passage.undertaking
        var settlement = try await settle(task, .completed, nil)
        if let outward = task.undertaking?.outward {
            try takeEnd(event, outward, task, &settlement)
        }
        try settlement.sign(task, gateway)
        let entity = gateway.entity
        let refused = try await gateway.write { [settlement] tx -> LedgerRefusal? in
            let refusal = try settlement.book(in: Ledger(tx, of: entity), of: entity)
            for item in settlement.outbox { try tx.enqueue(item, due: settlement.now) }
            return refusal
        }
        if let refused {
            account.refusal = refused.rawValue
            await remember(A2AError(refused))
        }
        account.posted = settlement.posted
        let books = settlement.metadata(task, gateway)
        return MetadataEdit(put: books.map { [(.accounting, $0.node.bytes)] } ?? [])
    }

    // MARK: The link above

    /// What is due on the link to the caller, from the hold that stands there.
    private func settle(
        _ task: TaskRecord, _ state: TaskState, _ outcome: Concluded?
    ) async throws(A2AError) -> Settlement {
        var settlement = Settlement(now: gateway.time.now())
        guard let inward = task.undertaking?.inward else { return settlement }
        let entity = gateway.entity
        // A hold is rated by its own version to its end, whatever comes into force meanwhile.
        let (found, tariff) = try await gateway.read { tx in
            let hold = try tx.hold(inward.peer, inward.op)
            return (hold, try hold.flatMap { try Ledger(tx, of: entity).tariff(of: $0) })
        }
        guard let hold = found, hold.state == .pending else { return settlement }
        settlement.inwardHold = hold
        let op = OperationID(at: settlement.now, random: gateway.random)
        let isSale = hold.sale.micros > 0
        let happened = isSale ? task.undertaking?.stage == .committing : true
        switch state {
        case .completed where happened:
            var charge = hold.charge
            var commission = hold.commission
            var sale = hold.sale
            if let captured = outcome?.outcome.total, let tariff, isSale {
                // Less than the maximum may have been taken: rated on what was.
                do {
                    sale = try Money(minorUnits: captured.value, tariff.currency)
                    let price = try tariff.price(sale: sale)
                    charge = price.charge
                    commission = price.commission
                } catch {
                    throw A2AError(LedgerRefusal(error))
                }
            }
            settlement.inwardPost = Post(
                op: op, hold: inward.op, charge: charge, commission: commission, sale: sale,
                booked: settlement.now)
        case .failed where tariff?.billsFailed ?? false && !isSale,
            .canceled where tariff?.billsCanceled ?? false && !isSale:
            settlement.inwardPost = Post(
                op: op, hold: inward.op, charge: hold.charge,
                commission: Money.zero(hold.charge.currency),
                sale: Money.zero(hold.charge.currency), booked: settlement.now)
        default:
            let reason: HoldVoid.Reason =
                state == .rejected ? .rejected : state == .canceled ? .canceled : .failed
            settlement.inwardVoid = HoldVoid(op: op, hold: inward.op, reason: reason)
        }
        return settlement
    }

    // MARK: The link below

    /// Takes the next hop's post or void, after its record was checked against it.
    private func takeEnd(
        _ event: StreamEvent, _ outward: Undertaking.LinkHold, _ task: TaskRecord,
        _ settlement: inout Settlement
    ) throws(A2AError) {
        guard let books = try AccountingMetadata.read(event.metadata(.accounting)) else { return }
        settlement.outwardPeer = outward.peer
        settlement.outwardVoid = books.void
        if let void = books.void, void.hold != outward.op {
            // The next hop let go of the hold that ours replaced, and never took ours.
            settlement.outwardVoid = HoldVoid(
                op: OperationID(at: settlement.now, random: gateway.random), hold: outward.op,
                reason: void.reason)
            settlement.isOutwardVoidOurs = true
        }
        guard let post = books.post, post.hold == outward.op else { return }
        settlement.outwardPost = post
        guard let token = books.hop else { return }
        let (claims, name) = try gateway.verified(
            token, type: AccountingType.hop, by: outward.peer,
            certificates: books.certificates, now: settlement.now)
        guard let exchange = OperationID(task.exchange) else { return }
        do {
            settlement.outwardRecord = try HopRecord(claims)
        } catch {
            throw A2AError(LedgerRefusal(error))
        }
        settlement.outwardEvidence = HopEvidence(
            peer: outward.peer, name: name, post: post.op, exchange: exchange, record: token)
    }

    /// Whoever reserved the amount tells the budget keeper what became of it.
    private func receiptDue(_ task: TaskRecord) -> OutboxItem? {
        guard let undertaking = task.undertaking, let receipt = undertaking.receipt,
            nextPeer == undertaking.executor, let act = undertaking.act,
            (try? UnverifiedToken(compact: act)) != nil,
            let token = undertaking.chain.first.flatMap({ try? UnverifiedToken(compact: $0) }),
            let root = try? token.peekClaims().root
        else { return nil }
        let uri = root["ledger"]?["uri"]?.string ?? root["iss"]?.string ?? ""
        guard let keeper = BudgetDesk.entity(of: uri) else { return nil }
        let body: JSONNode = [
            "receipt": .string(receipt),
            "cert": .array(undertaking.receiptCertificates.map { .string($0) }),
        ]
        return .receipt(
            keeper: keeper, path: String(uri.dropFirst(keeper.text.count)) + "/receipts",
            body: body.bytes)
    }

    // MARK: What the caller is told

    private func render(
        _ event: StreamEvent, _ task: TaskRecord, _ settlement: Settlement
    ) -> RenderedEvent {
        var own = MetadataEdit.strip
        var inStatus = MetadataEdit.strip
        if caller.entity != nil, caller.activated(.accounting),
            let books = settlement.metadata(task, gateway)
        {
            own.put.append((.accounting, books.node.bytes))
        }
        if caller.entity != nil, caller.activated(.consent),
            let receipt = task.undertaking?.receipt
        {
            var consent = ConsentMetadata()
            consent.receipt = receipt
            let certificates = task.undertaking?.receiptCertificates ?? []
            consent.certificates = certificates.isEmpty ? nil : certificates
            inStatus.put.append((.consent, consent.node.bytes))
            if event.statusMessage == nil, event.status != nil {
                // A receipt needs a message to ride on.
                let status = StatusText.status(
                    event.state ?? .completed, "Done.", task: task, at: settlement.now,
                    metadata: consent.node)
                return event.rewritten(alias: task.alias, own: own, status: status)
            }
        }
        return event.rewritten(alias: task.alias, own: own, inStatus: inStatus)
    }

    /// The task as GetTask will tell it from now on.
    private func taskSnapshot(
        _ event: StreamEvent, _ rendered: RenderedEvent, _ task: TaskRecord,
        _ settlement: Settlement
    ) -> [UInt8] {
        if event.kind == .task { return rendered.bytes }
        guard let shown = try? JSONDocument(parsing: rendered.bytes).root,
            let status = shown["status"]
        else { return task.outline }
        let books = shown["metadata"]?[ExtensionURI.accounting.rawValue]
        return StatusText.task(
            task, status: Array(status.raw), books: books.map { Array($0.raw) })
    }

    // MARK: On disk

    /// - Returns: The task as it is on disk; `nil` where another step wrote first, and nothing was
    ///   written.
    private func write(
        _ settlement: Settlement, _ task: TaskRecord, result: [UInt8]?
    ) async throws(A2AError) -> TaskRecord? {
        let entity = gateway.entity
        let point = gateway.enforcement
        let act = result == nil ? nil : Self.actKey(task)
        let (written, refused) = try await gateway.write { tx -> (TaskRecord?, LedgerRefusal?) in
            guard let written = try tx.update(task) else { return (nil, nil) }
            let refusal = try settlement.book(in: Ledger(tx, of: entity), of: entity)
            for item in settlement.outbox { try tx.enqueue(item, due: settlement.now) }
            if let act, let result {
                try point.conclude(holder: act.holder, act: act.id, result: result, in: tx)
            }
            if let nonce = task.undertaking?.ask?.nonce, task.state != .completed {
                try point.withdraw(nonce: nonce, in: tx)
            }
            try tx.remove(outbox: .commit(task: task.id))
            try tx.remove(outbox: .follow(task: task.id))
            return (written, refusal)
        }
        // The task has ended whatever the books say; what they refused is for people to settle.
        if let refused {
            account.refusal = refused.rawValue
            await remember(A2AError(refused))
        }
        return written
    }

    /// Who presented the act, and its id.
    private static func actKey(_ task: TaskRecord) -> (holder: EntityID, id: String)? {
        guard let act = task.undertaking?.act.flatMap({ try? UnverifiedToken(compact: $0) }),
            let claims = try? act.peekClaims().root,
            let holder = claims["iss"]?.string.flatMap({ EntityID($0) }),
            let id = claims["jti"]?.string
        else { return nil }
        return (holder, id)
    }
}
