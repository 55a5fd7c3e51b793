// SPDX-License-Identifier: Apache-2.0
import A2A
import Accounting
import Bytes
import Crypto
import JSON

/// Writes the counts of blocks down, posts those that are over, and takes them up again after a
/// restart. Nothing of it is in the way of a task.
/// - SeeAlso: Spec/accounting.md §5.6.
struct BlockKeeper {
    let gateway: GatewayState

    /// One round: what changed is written in one transaction, what is over is posted.
    func round() async {
        await save()
        let now = gateway.time.now()
        for closing in gateway.blocks.closings(now: now) { await close(closing, now: now) }
        for key in gateway.blocks.sweep(now: now) { await report(key, now: now) }
    }

    /// Writes down what changed.
    ///
    /// - Parameter isLast: At an orderly end, after the last task: what is then on disk is all.
    func save(isLast: Bool = false) async {
        let pages = gateway.blocks.changes(isLast: isLast)
        if pages.isEmpty { return }
        do {
            try await gateway.write { tx in
                for page in pages { try page.write(to: tx) }
            }
        } catch {
            gateway.blocks.restore(pages)
        }
    }

    // MARK: The end of a block

    /// Posts what was billed, with the signed record, or releases what nobody used.
    private func close(_ closing: BlockBook.Closing, now: Instant) async {
        let (block, peer) = (closing.block, closing.key.peer)
        let entity = gateway.entity
        let op = OperationID(at: now, random: gateway.random)
        let zero = Money.zero(block.fee.currency)
        if block.calls == 0 {
            let void = HoldVoid(op: op, hold: block.hold, reason: .unused)
            let call = LedgerCall(
                peer: peer, origin: .us, request: Exchange.hash(void.node), now: now)
            await finish(closing) { tx in
                if case .success = try Ledger(tx, of: entity).void(void, call) {
                    try tx.enqueue(
                        .void(peer: peer, op: block.hold.text, body: void.node.bytes), due: now)
                }
            }
            return
        }
        let post = Post(
            op: op, hold: block.hold, charge: block.billed, commission: zero, sale: zero,
            booked: now, calls: block.calls)
        let call = LedgerCall(
            peer: peer, origin: .us, request: Exchange.hash(post.node), now: now)
        let record = HopRecord(
            kind: .block(HopPost(post, caller: peer, tariff: block.tariff)), exchange: nil,
            id: OperationID(at: now, random: gateway.random), task: nil, issuer: entity,
            booked: now, consent: nil, links: [])
        let (token, name) = gateway.sign(record.node, type: AccountingType.hop)
        var body = AccountingMetadata()
        body.post = post
        body.hop = token
        body.certificates = gateway.certificateTexts
        let sent = body.node.bytes
        await finish(closing) { tx in
            let ledger = Ledger(tx, of: entity)
            guard case .success = try ledger.post(post, call) else { return }
            _ = try ledger.file(
                HopEvidence(
                    peer: peer, name: name, post: post.op, exchange: nil, record: token))
            try tx.enqueue(.post(peer: peer, op: block.hold.text, body: sent), due: now)
        }
    }

    /// The callee ended a block of ours: what it was drawn for is written down a last time.
    func end(_ key: BlockBook.Key) async {
        guard gateway.blocks.ceiling(key) != nil else { return }
        await save()
        gateway.blocks.remove(key)
    }

    /// Lets go of a block of ours that the callee does not know.
    func release(_ key: BlockBook.Key, now: Instant) async {
        let void = HoldVoid(
            op: OperationID(at: now, random: gateway.random), hold: key.op, reason: .unsent)
        let call = LedgerCall(
            peer: key.peer, origin: .us, request: Exchange.hash(void.node), now: now)
        let entity = gateway.entity
        _ = try? await gateway.write { try Ledger($0, of: entity).void(void, call) }
        await end(key)
    }

    /// Writes the last count and what `body` books in one transaction.
    private func finish(
        _ closing: BlockBook.Closing,
        _ body: @escaping @Sendable (any JournalTransaction) throws -> Void
    ) async {
        do {
            try await gateway.write { tx in
                try closing.page.write(to: tx)
                try body(tx)
            }
            gateway.blocks.remove(closing.key)
        } catch {
            gateway.blocks.reopen(closing.key)
        }
    }

    /// People should hear of a peer that counts more than we do before it posts that.
    private func report(_ key: BlockBook.Key, now: Instant) async {
        let record = RefusalRecord(
            at: now, task: nil, exchange: key.op.text, party: key.peer.text, method: "usage",
            reason: LedgerRefusal.postExceedsHold.rawValue, rule: "block.usage",
            by: key.peer.text)
        _ = try? await gateway.journal.write { try $0.insert(record) }
    }

    // MARK: The beginning of the process

    /// Takes up the blocks on disk, once. From now on what is on disk is no longer all.
    func load() async throws {
        guard !gateway.blocks.isLoaded else { return }
        let entity = gateway.entity
        let blocks = try await gateway.journal.write { tx in
            let ledger = Ledger(tx, of: entity)
            var blocks: [BlockBook.Loaded] = []
            for record in try tx.pendingBlocks() {
                guard let checkpoint = try tx.blockCheckpoint(record.peer, record.op),
                    let tariff = try ledger.tariff(of: record)
                else { throw StorageFault.corrupt("block \(record.op.text)") }
                let open = try tx.draws(record.peer, on: record.op, .open)
                blocks.append(
                    BlockBook.Loaded(
                        record: record, tariff: tariff, checkpoint: checkpoint, open: open))
                if checkpoint.isWhole { try tx.saveBlockCheckpoint(checkpoint.broken) }
            }
            return blocks
        }
        gateway.blocks.load(blocks, now: gateway.time.now())
    }
}

extension BlockBook.Page {
    func write(to tx: any JournalTransaction) throws(StorageFault) {
        try tx.saveBlockCheckpoint(checkpoint)
        for draw in draws { try tx.saveDraw(draw) }
    }
}

extension BlockCheckpoint {
    /// The same, while more may be drawn.
    fileprivate var broken: BlockCheckpoint {
        BlockCheckpoint(
            peer: peer, hold: hold, opening: opening, calls: calls, amount: amount,
            highest: highest, isWhole: false)
    }
}
