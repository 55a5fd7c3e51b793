// SPDX-License-Identifier: Apache-2.0
import A2A
import Accounting
import Bytes
import JSON

// Small fees are drawn on blocks (Spec/accounting.md §5.6). A draw is counted before its message is
// passed on, and given back where the message came to nothing.
extension Exchange {
    // MARK: From the caller

    /// Mirrors the block that the message opens, and counts its draw.
    func takeDraw(_ passage: Passage, now: Instant) async throws(A2AError) {
        guard let peer = caller.entity, let books = passage.books else { return }
        if let opening = books.block, !gateway.blocks.knows(opening, from: peer) {
            do throws(A2AError) {
                try await mirror(opening, books.certificates, from: peer, now: now)
            } catch {
                // A block that is opened ahead of need does not stop what is drawn on another.
                guard let draw = books.draw, gateway.blocks.counts(draw, from: peer) else {
                    throw error
                }
            }
        }
        guard let draw = books.draw else { return }
        do throws(LedgerRefusal) {
            passage.drawnHere = try gateway.blocks.admit(
                draw, from: peer, passage.exchange, now: now)
        } catch {
            throw A2AError(error)
        }
    }

    /// Books the mirror image of a block that the caller says it holds.
    private func mirror(
        _ opening: String, _ certificates: [String], from peer: EntityID, now: Instant
    ) async throws(A2AError) {
        let (claims, _) = try gateway.verified(
            opening, type: AccountingType.block, by: peer, certificates: certificates, now: now)
        let stated: BlockOpening
        do throws(FormatFault) {
            stated = try BlockOpening(claims)
        } catch {
            throw A2AError(LedgerRefusal(error))
        }
        guard stated.issuer == peer, stated.audience == gateway.entity else {
            throw A2AError(LedgerRefusal.signature)
        }
        let request = stated.request
        guard let tariff = gateway.tariff(with: peer, named: request.quote) else {
            throw A2AError(LedgerRefusal.tariffUnknown)
        }
        let record = try await place(
            request, tariff, opening,
            LedgerCall(peer: peer, origin: .peer, request: Self.hash(request.node), now: now))
        if record.state == .pending {
            gateway.blocks.accept(record, tariff.tariff, opening, now: now)
        }
    }

    /// Places a block with its first checkpoint.
    private func place(
        _ request: HoldRequest, _ tariff: PinnedTariff, _ opening: String, _ call: LedgerCall
    ) async throws(A2AError) -> HoldRecord {
        let entity = gateway.entity
        let result = try await gateway.write { tx -> LedgerResult in
            let result = try Ledger(tx, of: entity).place(
                request, HoldContext(block: tariff), call)
            if case .success(let receipt) = result, !receipt.isRepeated {
                try tx.saveBlockCheckpoint(
                    Block(opening: receipt.hold, tariff.tariff)
                        .checkpoint(call.peer, opening: opening, isWhole: false))
            }
            return result
        }
        switch result {
        case .success(let receipt): return receipt.hold
        case .failure(let refusal): throw A2AError(refusal)
        }
    }

    // MARK: Towards the next hop

    /// Draws the fee of the message's task on our block at `peer`, and opens the next block where
    /// it is time.
    func draw(
        _ passage: Passage, at peer: EntityID, _ tariff: PinnedTariff
    ) async throws(A2AError) {
        for _ in 0..<Self.openingAttempts {
            let now = gateway.time.now()
            switch gateway.blocks.draw(at: peer, tariff, passage.exchange, now: now) {
            case .drawn(let ticket, var opening, let isRenewalDue):
                passage.drawnThere = ticket
                // A block that cannot be opened now is tried again; this one still has room.
                if isRenewalDue, let next = try? await open(at: peer, tariff) { opening = next }
                var books = AccountingMetadata()
                books.exchange = passage.exchange
                books.block = opening
                if opening != nil { books.certificates = gateway.certificateTexts }
                books.draw = ticket.draw
                passage.booksOut = books
                account.held = "draw \(ticket.draw.number)"
                return
            case .open: _ = try await open(at: peer, tariff)
            case .wait: await gateway.blocks.opening(at: peer)
            case .refused(let refusal): throw A2AError(refusal)
            }
        }
        throw A2AError(LedgerRefusal.unavailable)
    }

    /// A message waits for so many openings at most: more means that blocks are used up faster
    /// than they can be written down.
    private static let openingAttempts = 4

    /// Opens a block at `peer`: durable here before anything is drawn on it.
    ///
    /// - Returns: The signed opening.
    private func open(at peer: EntityID, _ tariff: PinnedTariff) async throws(A2AError) -> String {
        let now = gateway.time.now()
        guard let terms = tariff.tariff.block else { throw A2AError(LedgerRefusal.holdRequired) }
        let zero = Money.zero(tariff.tariff.currency)
        let request = HoldRequest(
            op: OperationID(at: now, random: gateway.random), charge: terms.amount,
            commission: zero, sale: zero, quote: tariff.name,
            lifeMilliseconds: terms.longest * 1000, postBy: now.adding(seconds: terms.longest))
        let opening = gateway.sign(
            BlockOpening(issuer: gateway.entity, audience: peer, request: request).node,
            type: AccountingType.block
        ).token
        do throws(A2AError) {
            let record = try await place(
                request, tariff, opening,
                LedgerCall(peer: peer, origin: .us, request: Self.hash(request.node), now: now))
            gateway.blocks.opened(record, tariff.tariff, opening, now: now)
            return opening
        } catch {
            gateway.blocks.notOpened(at: peer, LedgerRefusal(rawValue: error.reason), now: now)
            throw error
        }
    }

    /// What the next hop's answer says of blocks.
    func hear(_ event: StreamEvent, _ passage: Passage) {
        guard let ticket = passage.drawnThere else { return }
        if let opening = passage.booksOut?.block {
            gateway.blocks.confirm(opening, at: ticket.key.peer)
        }
        // A counter that cannot be read says nothing; the post will be checked all the same.
        if let value = event.metadata(.accounting),
            let usage = (try? AccountingMetadata(value))?.usage
        {
            gateway.blocks.learn(usage, from: ticket.key.peer)
        }
    }

    // MARK: Ends

    /// The next hop refused the message for what was drawn: no more is drawn on that block, and one
    /// that it does not know is let go.
    ///
    /// - Returns: Whether another block may help.
    func retire(_ passage: Passage) async -> Bool {
        guard let ticket = passage.drawnThere, case .failed(.agent(let error)) = reach,
            error.domain == AccountingExtension.uri, error.metadata[A2AError.beyond] == nil,
            let refusal = LedgerRefusal(rawValue: error.reason)
        else { return false }
        let now = gateway.time.now()
        gateway.blocks.conclude([ticket], .rejected, now: now)
        passage.drawnThere = nil
        let isUnknown = gateway.blocks.retire(ticket.key, now: now)
        if isUnknown { await BlockKeeper(gateway: gateway).release(ticket.key, now: now) }
        switch refusal {
        case .holdUnknown, .holdExpired, .holdResolved, .blockExhausted, .idempotencyConflict:
            return true
        default:
            // The block itself was refused, as another one would be: not at once again.
            gateway.blocks.notOpened(at: ticket.key.peer, refusal, now: now)
            return false
        }
    }

    /// Draws on another block.
    ///
    /// - Returns: Whether the message can be sent again.
    func redraw(_ passage: Passage) async throws(A2AError) -> Bool {
        guard let peer = nextPeer,
            let tariff = try gateway.tariff(with: peer, as: .caller, at: gateway.time.now())
        else { return false }
        reach = .unsent
        try await draw(passage, at: peer, tariff)
        return true
    }

    /// Gives back what was drawn for a message that came to nothing. Whether the next hop was at
    /// work may not be known; then its draw stays counted, and it may bill it.
    func giveBack(_ passage: Passage) {
        let now = gateway.time.now()
        if let ticket = passage.drawnHere {
            gateway.blocks.conclude([ticket], .rejected, now: now)
        }
        guard let ticket = passage.drawnThere else { return }
        switch reach {
        case .failed(.status(let status, _)) where status >= 500 && status != 503:
            // Something between us and the work broke; 503 alone says that nothing has begun.
            break
        case .unsent, .failed(.suspended), .failed(.unreachable), .failed(.status),
            .failed(.agent):
            gateway.blocks.conclude([ticket], .rejected, now: now)
        case .answered, .failed(.lost), .failed(.malformed):
            break
        }
    }

    /// What this hop says beside an answer to a message whose fee was drawn here.
    func counted(_ passage: Passage?) -> MetadataEdit {
        guard let key = passage?.drawnHere?.key, let usage = gateway.blocks.counter(key) else {
            return .strip
        }
        var books = AccountingMetadata()
        books.usage = usage
        return MetadataEdit(put: [(.accounting, books.node.bytes)])
    }

    /// A message without a task is a whole answer: what was drawn or held for it is due.
    func concludeMessage(
        _ event: StreamEvent, _ passage: Passage?
    ) async throws(A2AError) -> MetadataEdit {
        guard let passage, passage.task == nil else { return .strip }
        gateway.blocks.conclude(passage.tickets, .completed, now: gateway.time.now())
        guard passage.undertaking?.inward != nil || passage.undertaking?.outward != nil else {
            return counted(passage)
        }
        return try await settleMessage(event, passage)
    }
}

extension BlockBook.End {
    /// The end that a task's state is; nil for a state that is none.
    init?(_ state: TaskState) {
        switch state {
        case .completed: self = .completed
        case .failed: self = .failed
        case .canceled: self = .canceled
        case .rejected: self = .rejected
        default: return nil
        }
    }
}
