// SPDX-License-Identifier: Apache-2.0
package import Bytes

/// What is known about revocation at one moment: status lists as last read and grants that were
/// revoked by push. Reading lists and receiving events happen elsewhere; this is their result.
package struct StatusKnowledge: Sendable {
    /// Grows with every change, so that the last step can tell whether to look again.
    package var epoch: UInt64
    /// Grants revoked by push, by `jti`.
    package var revokedGrants: Set<String>
    /// Bits that are set in the lists.
    package var revoked: Set<StatusReference>
    /// When each list was last read and found well signed.
    package var readings: [String: Instant]

    /// Nothing is revoked and no list was read.
    package static let none = StatusKnowledge()

    /// Knowledge as gathered.
    package init(
        epoch: UInt64 = 0, revokedGrants: Set<String> = [], revoked: Set<StatusReference> = [],
        readings: [String: Instant] = [:]
    ) {
        self.epoch = epoch
        self.revokedGrants = revokedGrants
        self.revoked = revoked
        self.readings = readings
    }

    /// Step 9 for one link: not revoked, and known recently enough for what is to be done.
    func check(_ grant: Grant, maximumAge: Int64?, now: Instant) throws(Refusal) {
        try require(!revokedGrants.contains(grant.id), .revoked, "9.pushed")
        guard let reference = grant.status else { return }
        try require(!revoked.contains(reference), .revoked, "9.listed")
        guard let maximumAge else { return }
        guard let read = readings[reference.uri] else { throw Refusal(.status, "9.unread") }
        try require(now - read <= maximumAge * 1000, .status, "9.stale")
    }
}
