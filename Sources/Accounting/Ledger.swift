// SPDX-License-Identifier: Apache-2.0

package import Bytes
import JSON

/// The books of one company with its peers: a deterministic state machine over ``LedgerStorage``.
///
/// Every operation is one linked set of postings, all or nothing, and carries an id made by
/// whoever began it. The same id with the same request has one effect however often it comes; a
/// refusal is remembered and repeated. Refusals are returned, not thrown, because a thrown error
/// would roll the memory of them back; only a ``StorageFault`` is thrown, and then nothing
/// happened.
///
/// A broken invariant stops the process: continuing would move other people's money wrongly.
/// - SeeAlso: Spec §5.5 and Spec §5.7.
package struct Ledger {
    let storage: any LedgerStorage
    /// Whose books these are.
    let ourselves: EntityID

    /// The books of `ourselves` in the transaction that `storage` is.
    package init(_ storage: any LedgerStorage, of ourselves: EntityID) {
        self.storage = storage
        self.ourselves = ourselves
    }
}

/// Who asks for an operation, and under which request.
package struct LedgerCall: Hashable, Sendable {
    /// Who began the operation.
    package enum Origin: Sendable {
        case us
        case peer
    }

    /// The other company of the link, authenticated when it is the origin.
    package let peer: EntityID
    /// Whether we began the operation or received it.
    package let origin: Origin
    /// The hash of the request: of the bytes received, or of those about to be sent.
    package let request: HashName
    /// Our clock.
    package let now: Instant

    /// A call with these values.
    package init(peer: EntityID, origin: Origin, request: HashName, now: Instant) {
        self.peer = peer
        self.origin = origin
        self.request = request
        self.now = now
    }
}

/// The effect of an operation.
package struct LedgerReceipt: Hashable, Sendable {
    /// The hold concerned, as it is now.
    package let hold: HoldRecord
    /// Whether the operation had been done before, so that nothing happened this time.
    package let isRepeated: Bool
}

/// What an operation came to.
package typealias LedgerResult = Result<LedgerReceipt, LedgerRefusal>

// MARK: - Opening the books with a peer

extension Ledger {
    /// Makes `tariffs`, all that are in force or about to be with `peer`, known to the books, and
    /// sets what either may owe the other to the sum of what they allow.
    ///
    /// Repeated at every start and whenever another version comes into force. A limit below what
    /// is already owed lets holds end as they may and refuses new ones.
    package func adopt(
        _ tariffs: [PinnedTariff], with peer: EntityID, now: Instant
    ) throws(StorageFault) {
        var limits: [(key: AccountKey, limit: Int64)] = []
        for pinned in tariffs {
            let tariff = pinned.tariff
            guard let ours = tariff.side(of: ourselves), tariff.side(of: peer) == ours.other
            else { continue }
            try storage.insertTariff(
                TariffRecord(
                    name: pinned.name, peer: peer, agreement: tariff.agreement,
                    version: tariff.version, body: tariff.node.bytes, tokens: pinned.tokens))
            let (theyOwe, weOwe) =
                ours == .callee
                ? (tariff.credit.callerOwes, tariff.credit.calleeOwes)
                : (tariff.credit.calleeOwes, tariff.credit.callerOwes)
            let isInForce = tariff.covers(now)
            for (code, limit) in [(AccountCode.receivable, theyOwe), (.payable, weOwe)] {
                let key = AccountKey(peer: peer, code: code, currency: tariff.currency)
                let place = limits.firstIndex { $0.key == key } ?? limits.count
                if place == limits.count { limits.append((key, 0)) }
                let (sum, overflow) = limits[place].limit
                    .addingReportingOverflow(isInForce ? limit.micros : 0)
                limits[place].limit = overflow ? .max : sum
            }
        }
        for (key, limit) in limits {
            if try storage.accountBalance(key) == nil {
                try storage.openAccount(key, limit: limit)
            } else {
                try storage.setAccountLimit(key, limit)
            }
        }
    }

    /// The tariff by which a hold was rated; nil when the books do not know it.
    package func tariff(of hold: HoldRecord) throws(StorageFault) -> Tariff? {
        try tariff(named: hold.tariff)
    }

    /// A tariff that the books know, parsed.
    func tariff(named name: HashName) throws(StorageFault) -> Tariff? {
        guard let record = try storage.tariff(named: name) else { return nil }
        if let tariff = ParsedTariffs.shared[record] { return tariff }
        do {
            let tariff = try Tariff(JSONDocument(parsing: record.body).root)
            ParsedTariffs.shared[record] = tariff
            return tariff
        } catch {
            throw .corrupt("tariff \(name.text)")
        }
    }
}

// MARK: - Idempotency

extension Ledger {
    /// Days for which the ids of operations are remembered at least, and beyond which they are
    /// refused for their age. It outlives every hold and the usual window for disputes.
    static let memoryDays: Int64 = 45

    /// An id may be this many seconds ahead of our clock.
    static let idLead: Int64 = 300

    /// What a decision came to, before it is remembered.
    enum Decision {
        case done(HoldRecord)
        /// Refused; `hold` is the one that the operation would have placed or resolved.
        case refused(LedgerRefusal, hold: OperationID?)
    }

    /// Runs `decide` once per id: repeats the stored outcome for the same request, refuses another
    /// request under the same id, and stores the outcome of a first one.
    func once(
        _ op: OperationID, _ call: LedgerCall,
        decide: () throws(StorageFault) -> Decision
    ) throws(StorageFault) -> LedgerResult {
        if let stored = try storage.operationOutcome(call.peer, op) {
            if stored.request != call.request { return .failure(.idempotencyConflict) }
            if let refusal = stored.refusal { return .failure(refusal) }
            guard let name = stored.hold, let hold = try storage.hold(call.peer, name) else {
                throw .corrupt("an outcome without its hold")
            }
            return .success(LedgerReceipt(hold: hold, isRepeated: true))
        }
        let age = call.now - op.instant
        guard age <= Ledger.memoryDays * 86_400_000, age >= -Ledger.idLead * 1000 else {
            return .failure(.operationExpired)
        }
        let decision = try decide()
        var refusal: LedgerRefusal?
        let name: OperationID?
        switch decision {
        case .done(let hold): name = hold.op
        case .refused(let reason, let hold):
            refusal = reason
            name = hold
        }
        if refusal?.isSticky ?? true {
            try storage.insertOperationOutcome(
                OperationOutcome(
                    peer: call.peer, op: op, request: call.request, hold: name, refusal: refusal,
                    forgetAfter: forgetAfter(call.now)))
        }
        switch decision {
        case .done(let hold): return .success(LedgerReceipt(hold: hold, isRepeated: false))
        case .refused(let reason, _): return .failure(reason)
        }
    }

    /// A day more than the memory, so that no id is forgotten before it is too old to be new.
    func forgetAfter(_ now: Instant) -> Instant {
        now.adding(seconds: (Ledger.memoryDays + 1) * 86_400)
    }
}
