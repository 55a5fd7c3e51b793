// SPDX-License-Identifier: Apache-2.0
import A2A
import Accounting
import Bytes
import Crypto
import JSON

/// What the end of one task writes into the books, and what is signed about it.
struct Settlement: Sendable {
    let now: Instant
    /// The link to the caller.
    var inwardHold: HoldRecord?
    var inwardPost: Post?
    var inwardVoid: HoldVoid?
    /// Our signed record of it.
    var inwardEvidence: HopEvidence?
    /// The entrance's own record of what the user pays.
    var total: UserTotal?
    /// The link to the next hop.
    var outwardPeer: EntityID?
    var outwardPost: Post?
    var outwardVoid: HoldVoid?
    /// Whether the void below is this gateway's own word, because the next hop has no such hold.
    var isOutwardVoidOurs = false
    var outwardRecord: HopRecord?
    var outwardEvidence: HopEvidence?
    /// The count of the block on which the caller drew the fee.
    var usage: UsageCounter?
    /// Messages that are owed because of it.
    var outbox: [OutboxItem] = []

    init(now: Instant) { self.now = now }

    /// What was posted, for the access log.
    var posted: String? {
        let post = inwardPost ?? outwardPost
        return post.map { "\($0.charge) \($0.commission) \($0.sale)" }
    }

    /// Signs the record of the post to the caller, linked to the record it relies on, or at the
    /// entrance the record of what the user pays.
    mutating func sign(_ task: TaskRecord, _ gateway: GatewayState) throws(A2AError) {
        guard let exchange = OperationID(task.exchange) else { return }
        let consent =
            (task.undertaking?.confirmation ?? task.undertaking?.rootName)
            .flatMap { HashName($0) }
        let links = outwardEvidence.map { [$0.name] } ?? []
        let id = OperationID(at: now, random: gateway.random)
        if let post = inwardPost, let hold = inwardHold {
            let record = HopRecord(
                kind: .post(HopPost(post, caller: hold.peer, tariff: hold.tariff)),
                exchange: exchange, id: id, task: task.id, issuer: gateway.entity,
                booked: post.booked, consent: consent, links: links)
            let (token, name) = gateway.sign(record.node, type: AccountingType.hop)
            inwardEvidence = HopEvidence(
                peer: hold.peer, name: name, post: post.op, exchange: exchange, record: token)
            var body = AccountingMetadata()
            body.exchange = exchange
            body.post = post
            body.hop = token
            body.certificates = gateway.certificateTexts
            outbox.append(
                .post(peer: hold.peer, op: post.hold.text, body: body.node.bytes))
        } else if let void = inwardVoid, let hold = inwardHold {
            outbox.append(
                .void(peer: hold.peer, op: void.hold.text, body: void.node.bytes))
        } else if inwardHold == nil, let post = outwardPost, post.sale.micros > 0,
            let consented = task.undertaking?.sale, post.sale.isAtMost(consented)
        {
            let record = HopRecord(
                kind: .total(paid: post.sale, consented: consented), exchange: exchange, id: id,
                task: task.id, issuer: gateway.entity, booked: now, consent: consent,
                links: links)
            let (token, name) = gateway.sign(record.node, type: AccountingType.hop)
            total = UserTotal(
                exchange: exchange, name: name, record: token,
                key: gateway.settings.signingKey.verifying.jwk.node.bytes, paid: post.sale,
                consented: consented, booked: now)
        }
    }

    /// What rides on the answer to the caller.
    func metadata(_ task: TaskRecord, _ gateway: GatewayState) -> AccountingMetadata? {
        guard inwardPost != nil || inwardVoid != nil || usage != nil else { return nil }
        var metadata = AccountingMetadata()
        metadata.usage = usage
        metadata.exchange = OperationID(task.exchange)
        metadata.post = inwardPost
        metadata.void = inwardVoid
        metadata.hop = inwardEvidence?.record
        if metadata.hop != nil { metadata.certificates = gateway.certificateTexts }
        return metadata
    }

    /// Books it all in one transaction, the link below first.
    ///
    /// - Returns: The first refusal; what else could be booked is booked.
    func book(in ledger: Ledger, of entity: EntityID) throws(StorageFault) -> LedgerRefusal? {
        var first: LedgerRefusal?
        func note(_ result: LedgerResult) {
            if case .failure(let refusal) = result { first = first ?? refusal }
        }
        func note(_ refusal: LedgerRefusal?) { first = first ?? refusal }
        if let peer = outwardPeer {
            if let post = outwardPost {
                note(
                    try LinkBooks(ledger: ledger, ourselves: entity, peer: peer, now: now)
                        .take(post, outwardRecord, outwardEvidence))
            } else if let void = outwardVoid {
                let call = LedgerCall(
                    peer: peer, origin: isOutwardVoidOurs ? .us : .peer,
                    request: Exchange.hash(void.node), now: now)
                note(try ledger.void(void, call))
            }
        }
        if let total, first == nil { note(try ledger.file(total)) }
        guard let peer = inwardHold?.peer else { return first }
        if let post = inwardPost {
            let call = LedgerCall(
                peer: peer, origin: .us, request: Exchange.hash(post.node), now: now)
            note(try ledger.post(post, call))
            if let evidence = inwardEvidence { note(try ledger.file(evidence)) }
        } else if let void = inwardVoid {
            let call = LedgerCall(
                peer: peer, origin: .us, request: Exchange.hash(void.node), now: now)
            note(try ledger.void(void, call))
        }
        return first
    }
}

/// The books of one link, as its other side writes to them.
struct LinkBooks {
    let ledger: Ledger
    /// Whose books they are.
    let ourselves: EntityID
    let peer: EntityID
    let now: Instant

    /// Books the callee's post and files its record, if the two say the same.
    ///
    /// - Parameter ceiling: The most that our own count of a block admits.
    func take(
        _ post: Post, _ record: HopRecord?, _ evidence: HopEvidence?, ceiling: Money? = nil
    ) throws(StorageFault) -> LedgerRefusal? {
        let call = LedgerCall(
            peer: peer, origin: .peer, request: Exchange.hash(post.node), now: now)
        let receipt: LedgerReceipt
        switch try ledger.post(post, ceiling: ceiling, call) {
        case .success(let done): receipt = done
        case .failure(let refusal): return refusal
        }
        guard let record, let evidence else { return nil }
        do throws(LedgerRefusal) {
            try record.check(post, of: receipt.hold, by: peer, for: ourselves)
        } catch {
            return error
        }
        return try ledger.file(evidence)
    }
}
