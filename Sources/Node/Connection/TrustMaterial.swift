// SPDX-License-Identifier: Apache-2.0
package import Bytes
package import Crypto
package import TLS

/// Whom this gateway believes and what it shows, as one value that is swapped whole: connections
/// that run keep what they began with, new ones begin with the new.
package struct TrustMaterial: Sendable {
    /// The certificate authorities of each known entity.
    package let peers: PeerTrust
    /// Keys that sign for an entity instead of its certificate's.
    package let signingKeys: [EntityID: VerifyingKey]
    /// When our own certificate ends; connections end with it.
    package let notAfter: Instant
    /// The certificate that we show, by its thumbprint.
    let leaf: String?
    let server: TLSContext
    let client: TLSContext

    /// Makes the contexts of links: TLS 1.3, both certificates, HTTP/2 and nothing else.
    ///
    /// - Throws: ``TLSContextError``; whoever reloads keeps the last good value.
    package init(
        identity: TLSIdentity, peers: PeerTrust, signingKeys: [EntityID: VerifyingKey] = [:],
        time: any TimeSource
    ) throws(TLSContextError) {
        let verifier = peers.verifier(time: time)
        self.peers = peers
        self.signingKeys = signingKeys
        notAfter = identity.chain.map(\.notAfter).min() ?? Instant(seconds: 0)
        leaf = identity.chain.first?.thumbprint
        server = try TLSContext(server: identity, peers: verifier, protocols: [.h2])
        client = try TLSContext(client: identity, peers: verifier, protocols: [.h2])
    }

    /// Whether `entity` is still believed at all.
    func knows(_ entity: EntityID) -> Bool { peers.entities[entity] != nil }
}
