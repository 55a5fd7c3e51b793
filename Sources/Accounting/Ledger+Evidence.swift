// SPDX-License-Identifier: Apache-2.0

package import Bytes

extension Ledger {
    /// Files the signed record of a post, ours or the callee's. The signature was verified and the
    /// record compared with the post (``HopRecord/check(_:of:by:for:)``) before.
    ///
    /// - Returns: nil when it is filed, now or before; ``LedgerRefusal/holdUnknown`` when nothing
    ///   was posted by that id, ``LedgerRefusal/idempotencyConflict`` when another record of the
    ///   same post is filed: then one key signed two stories.
    package func file(_ evidence: HopEvidence) throws(StorageFault) -> LedgerRefusal? {
        if let filed = try storage.hopEvidence(evidence.peer, post: evidence.post) {
            return filed.name == evidence.name ? nil : .idempotencyConflict
        }
        guard let outcome = try storage.operationOutcome(evidence.peer, evidence.post),
            outcome.refusal == nil, let name = outcome.hold,
            let hold = try storage.hold(evidence.peer, name), hold.state == .posted,
            hold.resolution?.op == evidence.post
        else { return .holdUnknown }
        try storage.insertHopEvidence(evidence)
        return nil
    }

    /// Files the caller's acknowledgement of a record, which countersigns the post.
    ///
    /// - Returns: nil when it is filed, now or before; ``LedgerRefusal/holdUnknown`` when there is
    ///   no such record on the link with `peer`, ``LedgerRefusal/price`` when the acknowledgement
    ///   is of another post than ours.
    package func file(
        _ acknowledgement: Acknowledgement, token: String, from peer: EntityID
    ) throws(StorageFault) -> LedgerRefusal? {
        guard let filed = try storage.hopEvidence(named: acknowledgement.record),
            filed.peer == peer, filed.post == acknowledgement.post.op,
            let hold = try storage.hold(peer, acknowledgement.post.hold)
        else { return .holdUnknown }
        // A block's post says how many fees it is, which the ledger checked when it was booked.
        let booked = hold.resolution.map { resolution in
            Post(
                op: resolution.op, hold: hold.op, charge: resolution.charge,
                commission: resolution.commission, sale: resolution.sale,
                booked: acknowledgement.post.booked,
                calls: hold.kind == .block ? acknowledgement.post.calls : nil)
        }
        if booked != acknowledgement.post { return .price }
        _ = try storage.acknowledgeHop(filed.name, token)
        return nil
    }
}
