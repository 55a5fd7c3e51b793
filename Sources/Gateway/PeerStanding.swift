// SPDX-License-Identifier: Apache-2.0
package import A2A
package import Bytes
import Synchronization

/// Which peers the operator has suspended. A suspended peer's new requests are refused before they
/// are read; what it owes or is owed for earlier ones is still settled, because the books of both
/// sides must come out equal.
package final class PeerStanding: Sendable {
    private let suspended = Mutex<[EntityID: Instant]>([:])

    init() {}

    /// Since when `peer` is suspended; `nil` when it is not.
    package func suspended(_ peer: EntityID) -> Instant? { suspended.withLock { $0[peer] } }

    /// Every suspended peer.
    package var all: [EntityID: Instant] { suspended.withLock { $0 } }

    fileprivate func set(_ peers: [EntityID: Instant]) { suspended.withLock { $0 = peers } }
}

extension GatewayState {
    /// Reads from the journal which peers are suspended.
    func loadStanding() async throws {
        let rows = try await journal.read { try $0.suspensions() }
        standing.set(Dictionary(rows.map { ($0.peer, $0.since) }) { first, _ in first })
    }

    /// Refuses a peer's new requests from now on, also after a restart.
    ///
    /// - Throws: `RETRY_LATER` when it could not be written down: then nothing changed.
    package func suspend(_ peer: EntityID) async throws(A2AError) {
        let now = time.now()
        try await write { try $0.suspend(peer, at: now) }
        await reloadStanding()
    }

    /// Takes a peer's requests again.
    package func resume(_ peer: EntityID) async throws(A2AError) {
        try await write { try $0.resume(peer) }
        await reloadStanding()
    }

    /// The journal decides what holds, so that two calls at once cannot leave another order here.
    private func reloadStanding() async {
        // A read that fails leaves the old state; the next start reads it again.
        try? await loadStanding()
    }
}
