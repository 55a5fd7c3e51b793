// SPDX-License-Identifier: Apache-2.0
import A2A
import Accounting
import Bytes
import Consent
import Crypto
import JSON

extension Exchange {
    /// Sets money aside before anything is forwarded: the mirror image of the caller's hold, and
    /// this gateway's own on the link to the next hop, in one transaction. A small fee is drawn on
    /// a block instead.
    ///
    /// The first message holds the fixed fee at list price; what the offer costs is held when the
    /// user has confirmed it.
    func hold(_ passage: Passage) async throws(A2AError) {
        guard case .relay = passage.duty, passage.task == nil else { return }
        let now = gateway.time.now()
        try await takeDraw(passage, now: now)
        let inward = try inwardPlan(passage.books?.hold, passage.exchange, now: now)
        let isDue = inward != nil || passage.drawnHere != nil
        if !isDue, let peer = caller.entity {
            try requireNothing(from: peer, now: now)
        }
        let outward: HoldPlan?
        do throws(A2AError) {
            outward = try await outwardBacking(
                passage, beneath: inward?.request.postBy, now: now)
        } catch {
            throw error.ofLinkBeyond
        }
        if inward == nil, outward == nil { return }
        let entity = gateway.entity
        let refused = try await gateway.write { tx -> A2AError? in
            let ledger = Ledger(tx, of: entity)
            for plan in [inward, outward] {
                guard let plan else { continue }
                switch try ledger.place(plan.request, plan.context, plan.call) {
                case .failure(let refusal):
                    let error = A2AError(refusal)
                    return plan.call.origin == .us ? error.ofLinkBeyond : error
                // A hold is for one message: the next one would have what this one pays for.
                case .success(let receipt) where receipt.isRepeated:
                    return A2AError(LedgerRefusal.idempotencyConflict)
                case .success: continue
                }
            }
            return nil
        }
        if let refused { throw refused }
        var undertaking = passage.undertaking ?? Undertaking(holdsAt: nextPeer ?? entity)
        undertaking.inward = inward?.link
        undertaking.outward = outward?.link
        passage.undertaking = undertaking
        if let outward {
            var books = AccountingMetadata()
            books.exchange = passage.exchange
            books.hold = outward.request
            passage.booksOut = books
            account.held = outward.request.charge.description
        }
    }

    /// A caller that sets nothing aside may begin a task only where it costs nothing.
    private func requireNothing(from peer: EntityID, now: Instant) throws(A2AError) {
        guard let tariff = try gateway.tariff(with: peer, as: .callee, at: now) else { return }
        if tariff.tariff.charge?.fixed.micros ?? 0 > 0 {
            throw A2AError(LedgerRefusal.holdRequired)
        }
    }

    /// What stands behind the message on the link to the next hop: a hold to be placed for what
    /// may become a sale or has no block, else a draw, which this counts, or nothing.
    private func outwardBacking(
        _ passage: Passage, beneath outer: Instant?, now: Instant
    ) async throws(A2AError) -> HoldPlan? {
        guard let peer = nextPeer,
            let tariff = try gateway.tariff(with: peer, as: .caller, at: now)
        else { return nil }
        if passage.undertaking == nil {
            if tariff.tariff.charge?.fixed.micros ?? 0 == 0 { return nil }
            if tariff.tariff.block != nil {
                try await draw(passage, at: peer, tariff)
                return nil
            }
        }
        return try outwardPlan(
            sale: nil, quote: nil, beneath: outer, exchange: passage.exchange, now: now)
    }

    /// One hold about to be placed.
    struct HoldPlan: Sendable {
        let request: HoldRequest
        let context: HoldContext
        let call: LedgerCall

        /// What the task remembers of it.
        var link: Undertaking.LinkHold {
            Undertaking.LinkHold(peer: call.peer, op: request.op, postBy: request.postBy)
        }
    }

    /// The mirror image of what the caller says it holds.
    private func inwardPlan(
        _ request: HoldRequest?, _ exchange: OperationID, now: Instant
    ) throws(A2AError) -> HoldPlan? {
        guard let peer = caller.entity, let request else { return nil }
        // The version that was in force when the caller placed it; the ledger checks the time.
        guard let tariff = gateway.tariff(with: peer, named: request.quote) else {
            throw A2AError(LedgerRefusal.tariffUnknown)
        }
        return HoldPlan(
            request: request, context: HoldContext(exchange: exchange, tariff: tariff),
            call: LedgerCall(
                peer: peer, origin: .peer, request: Self.hash(request.node), now: now))
    }

    /// This gateway's own hold on the link to the next hop; `nil` without a tariff on it.
    ///
    /// - Parameters:
    ///   - sale: The price of the offer; `nil` while there is none.
    ///   - quote: The accepted quote; `nil` accepts the list price.
    ///   - outer: The end of the hold towards us, beneath which this one must end in time.
    func outwardPlan(
        sale: Money?, quote: HashName?, beneath outer: Instant?, exchange: OperationID,
        now: Instant
    ) throws(A2AError) -> HoldPlan? {
        guard let peer = nextPeer, let tariff = gateway.tariff(with: peer, at: now) else {
            return nil
        }
        let outerDelta =
            caller.entity.flatMap { gateway.tariff(with: $0, at: now) }?.tariff.hold.delta ?? 0
        let longest = now.adding(seconds: gateway.settings.limits.holdSeconds)
        guard
            let latest = tariff.tariff.postBy(
                beneath: outer, outerDelta: outerDelta, now: now)
        else { throw A2AError(LedgerRefusal.deadline) }
        let postBy = min(latest, longest)
        let zero = Money.zero(tariff.tariff.currency)
        let price: Price
        do {
            price = try tariff.tariff.price(sale: sale ?? zero)
        } catch {
            throw A2AError(LedgerRefusal(error))
        }
        let request = HoldRequest(
            op: OperationID(at: now, random: gateway.random), charge: price.charge,
            commission: price.commission, sale: sale ?? zero, quote: quote ?? tariff.name,
            lifeMilliseconds: postBy - now, postBy: postBy)
        return HoldPlan(
            request: request,
            context: HoldContext(exchange: exchange, tariff: tariff, latest: latest),
            call: LedgerCall(
                peer: peer, origin: .us, request: Self.hash(request.node), now: now))
    }

    /// The hash by which the books tell two requests under one id apart.
    static func hash(_ node: JSONNode) -> HashName {
        guard let name = HashName(Base64URL.encode(Digest.sha256(node.bytes))) else {
            invariant(false, "32 bytes have a name")
            preconditionFailure()
        }
        return name
    }

    /// Lets go of what the caller held for a wish that came to nothing, and tells it.
    ///
    /// This gateway's own hold on the next hop stays until that one lets go in the same way, or
    /// until it ends: whether the next hop is at work may not be known. A journal that fails here
    /// leaves the hold to its end.
    func release(_ passage: Passage) async {
        guard passage.task == nil, let link = passage.undertaking?.inward else { return }
        let now = gateway.time.now()
        let void = HoldVoid(
            op: OperationID(at: now, random: gateway.random), hold: link.op, reason: .rejected)
        let call = LedgerCall(
            peer: link.peer, origin: .us, request: Self.hash(void.node), now: now)
        let entity = gateway.entity
        try? await gateway.write { tx in
            guard case .success = try Ledger(tx, of: entity).void(void, call) else { return }
            try tx.enqueue(
                .void(peer: link.peer, op: link.op.text, body: void.node.bytes), due: now)
        }
    }

    // MARK: Quotes

    /// Quotes an offer to the caller of this link, by the tariff in force.
    func quote(
        _ inward: Undertaking.LinkHold, _ sale: Money, terms: String, exchange: String,
        until: Instant
    ) throws(A2AError) -> (token: String, name: HashName) {
        let now = gateway.time.now()
        guard let tariff = gateway.tariff(with: inward.peer, at: now) else {
            throw A2AError(LedgerRefusal.tariffUnknown)
        }
        guard let exchange = OperationID(exchange), let terms = HashName(terms) else {
            throw A2AError(.internalError)
        }
        let price: Price
        do {
            price = try tariff.tariff.price(sale: sale)
        } catch {
            throw A2AError(LedgerRefusal(error))
        }
        let quote = Quote(
            issuer: gateway.entity, audience: inward.peer, exchange: exchange,
            tariff: tariff.name, terms: terms, sale: sale, price: price, validUntil: until)
        return gateway.sign(quote.node, type: AccountingType.quote)
    }

    /// Accepts the next hop's quote for an offer, if it is what the tariff makes of it.
    func acceptQuote(
        of event: StreamEvent, _ sale: Money, _ signed: SignedTerms,
        _ undertaking: inout Undertaking, now: Instant
    ) throws(A2AError) {
        guard let outward = undertaking.outward else { return }
        guard let tariff = gateway.tariff(with: outward.peer, at: now),
            let metadata = try AccountingMetadata.read(event.metadata(.accounting)),
            let token = metadata.quote
        else { throw A2AError(LedgerRefusal.tariffUnknown) }
        let (claims, name) = try gateway.verified(
            token, type: AccountingType.quote, by: outward.peer,
            certificates: metadata.certificates, now: now)
        do {
            let quote = try Quote(claims)
            guard quote.terms.text == signed.hash, quote.sale == sale else {
                throw LedgerRefusal.price
            }
            try quote.check(by: tariff, confirmed: sale, now: now)
            undertaking.outward?.quote = name
            undertaking.outward?.quoteUntil = quote.validUntil
        } catch let fault as FormatFault {
            throw A2AError(LedgerRefusal(fault))
        } catch let refusal as LedgerRefusal {
            throw A2AError(refusal)
        } catch {
            throw A2AError(.internalError)
        }
    }
}

extension AccountingMetadata {
    /// The accounting metadata of a request from a peer that activated the extension.
    static func read(
        _ request: SendMessageRequest, activated caller: Caller
    ) throws(A2AError) -> AccountingMetadata? {
        guard caller.entity != nil, caller.activated(.accounting) else { return nil }
        return try read(request.metadata(.accounting))
    }

    /// Reads the metadata where there is any.
    static func read(_ value: JSONValue?) throws(A2AError) -> AccountingMetadata? {
        guard let value else { return nil }
        do {
            return try AccountingMetadata(value)
        } catch {
            throw A2AError(LedgerRefusal(error))
        }
    }
}

extension GatewayState {
    /// The tariff in force on the link on which we stand on `side` of `peer`; nil where none was
    /// agreed.
    ///
    /// - Throws: `ACCT_TARIFF_UNKNOWN` where one was agreed and none is in force: nobody works
    ///   for free because a date has passed.
    func tariff(
        with peer: EntityID, as side: LinkSide, at now: Instant
    ) throws(A2AError) -> PinnedTariff? {
        let settings = settings
        guard let versions = settings.parties[peer]?.tariffs,
            versions.versions.first?.tariff.side(of: settings.entity) == side
        else { return nil }
        guard let tariff = versions.inForce(at: now) else {
            throw A2AError(LedgerRefusal.tariffUnknown)
        }
        return tariff
    }

    /// The version of the tariff with `peer` that is called `name`.
    func tariff(with peer: EntityID, named name: HashName) -> PinnedTariff? {
        settings.parties[peer]?.tariffs?.versions.first { $0.name == name }
    }

    /// The tariff in force on the link with `peer`.
    func tariff(with peer: EntityID, at now: Instant) -> PinnedTariff? {
        settings.parties[peer]?.tariffs?.inForce(at: now)
    }

    /// Books in one transaction; a refusal is remembered and thrown.
    func book(
        _ body: @escaping @Sendable (any JournalTransaction) throws -> LedgerRefusal?
    ) async throws(A2AError) {
        if let refusal = try await write(body) { throw A2AError(refusal) }
    }
}
