// SPDX-License-Identifier: Apache-2.0
package import Bytes

/// What an executor does with a presented act.
package enum Decision: Sendable {
    /// The act was done before: answer what was answered then, whatever has expired since.
    case finished(result: [UInt8])
    /// Everything but the user's yes is there: put the question with
    /// ``EnforcementPoint/open(_:level:entry:under:now:random:in:)``.
    case needsConfirmation(Coverage, SignedTerms)
    /// Everything holds and is recorded as used: cause the effect, then
    /// ``EnforcementPoint/conclude(holder:act:result:in:)``.
    case authorized(Authority)
}

extension EnforcementPoint {
    /// Steps 0, 12, 21 and 23 around those of the assessment. Call it inside one transaction
    /// together with whatever else must be durable before the effect.
    ///
    /// - Parameters:
    ///   - status: As known now; looked at again if it changed since the assessment.
    ///   - now: The transaction's own reading; expiry is checked again.
    /// - Throws: The first refusal in the order of the steps. Nothing is recorded then.
    package func decide(
        _ assessment: Assessment, status: StatusKnowledge, now: Instant,
        in storage: any ConsentStorage
    ) throws(ConsentFault) -> Decision {
        if let result = try finished(assessment, storage) { return .finished(result: result) }
        try assessment.throwIfRefused(.act)
        guard let chain = assessment.chain, let act = assessment.act,
            let actHash = assessment.actHash
        else { throw .refused(Refusal(.malformed, "11.act")) }

        let earlier = try stored { () throws(StorageFault) in
            try storage.act(holder: act.issuer, id: act.id)
        }
        try refusing { () throws(Refusal) in
            try require(earlier == nil, .replay, "12.jti")
        }
        try assessment.throwIfRefused(.entry)
        guard let coverage = assessment.coverage else {
            throw .refused(Refusal(.action, "13.ad"))
        }
        if assessment.refusal?.error == .confirmRequired, let terms = assessment.terms {
            return .needsConfirmation(coverage, terms)
        }
        try assessment.throwIfRefused(.question)
        try checkUnused(assessment, act, storage)
        try assessment.throwIfRefused(.answer)
        try assessment.throwIfRefused(.counter)

        if status.epoch != assessment.epoch || chain.expires <= now.seconds {
            try refusing { () throws(Refusal) in try chain.recheck(status, now: now) }
        }
        try record(assessment, act, actHash, chain, now.seconds, storage)
        return .authorized(
            Authority(
                chain: chain, coverage: coverage, action: act.action, act: act,
                actHash: actHash, terms: assessment.terms,
                confirmationHash: assessment.confirmationHash,
                reservation: assessment.reservation))
    }

    /// Step 24: keeps the answer for retries of the same act.
    package func conclude(
        holder: EntityID, act id: String, result: [UInt8], in storage: any ConsentStorage
    ) throws(StorageFault) {
        guard var record = try storage.act(holder: holder, id: id) else {
            throw .corrupt("no act to conclude")
        }
        record.result = result
        try storage.put(record)
    }

    /// Step 0: the same bytes from the same holder.
    private func finished(
        _ assessment: Assessment, _ storage: any ConsentStorage
    ) throws(ConsentFault) -> [UInt8]? {
        guard let presenter = assessment.presenter, let hash = assessment.actHash else {
            return nil
        }
        let record = try stored { () throws(StorageFault) in
            try storage.act(holder: presenter.entity, hash: hash)
        }
        guard let record else { return nil }
        guard let result = record.result else {
            throw .refused(Refusal(.replay, "0.in_flight", isInFlight: true))
        }
        return result
    }

    /// Step 21 and the nonce of step 18: a confirmation used before is a replay, whatever became
    /// of its nonce.
    private func checkUnused(
        _ assessment: Assessment, _ act: Act, _ storage: any ConsentStorage
    ) throws(ConsentFault) {
        guard let confirmation = assessment.confirmation else { return }
        let isUsed = try stored { () throws(StorageFault) in
            try storage.isUsed(confirmation.key)
        }
        let ask = try stored { () throws(StorageFault) in
            try storage.ask(nonce: confirmation.nonce)
        }
        try refusing { () throws(Refusal) in
            try require(!isUsed, .replay, "21.jti")
            try checkNonce(confirmation, ask, entry: act.entry)
        }
    }

    /// The nonce is one that this executor issued for this question and that is still open.
    func checkNonce(
        _ confirmation: Confirmation, _ ask: AskRecord?, entry: String
    ) throws(Refusal) {
        guard let ask else { throw Refusal(.confirmInvalid, "18.nonce.unknown") }
        try require(!ask.isClosed, .confirmInvalid, "18.nonce.closed")
        try require(
            ask.root == confirmation.root && ask.terms == confirmation.terms
                && ask.entry == entry, .confirmInvalid, "18.nonce.other")
        try require(
            confirmation.issuedAt <= ask.expires + ChainVerifier.skew, .confirmInvalid,
            "18.nonce.late")
    }

    /// Step 23: uses up what the act uses up.
    private func record(
        _ assessment: Assessment, _ act: Act, _ actHash: String, _ chain: VerifiedChain,
        _ now: Int64, _ storage: any ConsentStorage
    ) throws(ConsentFault) {
        if let slice = assessment.slice {
            let book = SliceBook(storage: storage)
            try book.take(slice, of: act.entry, act: act.id, in: chain.grants)
        }
        try stored { () throws(StorageFault) in
            try storage.put(
                ActRecord(
                    holder: act.issuer, id: act.id, hash: actHash, root: chain.root.id,
                    committed: now,
                    retained: max(now, act.expires + ChainVerifier.skew) + Self.retention,
                    result: nil))
            guard let confirmation = assessment.confirmation else { return }
            try storage.put(
                UsedConfirmation(
                    key: confirmation.key,
                    retained: confirmation.expires + 2 * ChainVerifier.skew))
            if var ask = try storage.ask(nonce: confirmation.nonce) {
                ask.isClosed = true
                try storage.put(ask)
            }
        }
    }
}

extension Assessment {
    fileprivate func throwIfRefused(_ stage: Stage) throws(ConsentFault) {
        if let refusal, self.stage <= stage { throw .refused(refusal) }
    }
}

extension Confirmation {
    var key: UsedConfirmation.Key { UsedConfirmation.Key(issuer: issuer, id: id) }
}

/// Runs a check whose refusal is a fault here.
func refusing<Value>(_ body: () throws(Refusal) -> Value) throws(ConsentFault) -> Value {
    do throws(Refusal) { return try body() } catch { throw .refused(error) }
}

/// Runs a storage call whose failure is a fault here.
func stored<Value>(_ body: () throws(StorageFault) -> Value) throws(ConsentFault) -> Value {
    do throws(StorageFault) { return try body() } catch { throw .storage(error) }
}
