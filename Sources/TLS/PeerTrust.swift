// SPDX-License-Identifier: Apache-2.0
package import Bytes
package import Crypto

/// Whose certificates are believed, and about whom: trust is kept per entity, never in one pool, so
/// an authority vouches for nobody but the entities it is listed with. A rival's well-formed
/// certificate with another's name is refused.
/// - SeeAlso: `Spec` §1.2, §1.3.
package struct PeerTrust: Sendable {
    /// The anchors of each entity.
    package var entities: [EntityID: TrustAnchors]
    /// SPIFFE ids that stand for an entity, in whose certificates they replace its id.
    package var spiffe: [String: EntityID]
    /// The anchors for servers outside the network, which are known by DNS name only.
    package var hosts: TrustAnchors

    package init(
        entities: [EntityID: TrustAnchors] = [:], spiffe: [String: EntityID] = [:],
        hosts: TrustAnchors = TrustAnchors(certificates: [])
    ) {
        self.entities = entities
        self.spiffe = spiffe
        self.hosts = hosts
    }

    /// Says who the peer is, as of `now`.
    ///
    /// The leaf's one URI names the entity, and only that entity's anchors are asked. A server
    /// must moreover be the entity that was dialled, and carry its host; with a SPIFFE
    /// certificate, which has no host, the configured map stands for that.
    ///
    /// - Throws: ``CertificateFault``: `identity` without exactly one usable URI, `untrusted` for
    ///   an entity or SPIFFE id that is not known here, `host` for another entity than was dialled,
    ///   and whatever ``CertificatePath`` finds.
    package func identify(
        _ peer: PeerPresentation, at now: Instant
    ) throws(CertificateFault) -> PeerIdentity {
        guard let leaf = peer.chain.first else { throw .emptyChain }
        if case .host(let name) = peer.destination {
            try verify(peer, hosts, name, now)
            return PeerIdentity(name: .host(name), certificate: leaf)
        }
        let owner = try CertificatePath.identity(of: leaf)
        guard let entity = entity(of: owner), let anchors = entities[entity] else {
            throw .untrusted
        }
        if let destination = peer.destination, destination != .entity(entity) { throw .host }
        var host = peer.destination?.host
        if case .spiffe = owner { host = nil }
        try verify(peer, anchors, host, now)
        return PeerIdentity(name: .entity(entity), certificate: leaf)
    }

    /// A verifier that judges by this trust and `time`.
    package func verifier(time: any TimeSource) -> PeerVerifier {
        { (peer) throws(CertificateFault) in try identify(peer, at: time.now()) }
    }

    private func entity(of owner: CertificateIdentity) -> EntityID? {
        switch owner {
        case .entity(let entity): entity
        case .spiffe(let uri): spiffe[uri]
        }
    }

    private func verify(
        _ peer: PeerPresentation, _ anchors: TrustAnchors, _ host: String?, _ now: Instant
    ) throws(CertificateFault) {
        _ = try CertificatePath.verify(
            chain: peer.chain, anchors: anchors, purpose: peer.purpose, host: host, at: now)
    }
}
