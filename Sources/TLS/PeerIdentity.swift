// SPDX-License-Identifier: Apache-2.0
package import Bytes
package import Crypto

/// Who is at the other end, proven by a certificate that was accepted and a signature made with its
/// key in this very handshake.
package struct PeerIdentity: Sendable {
    /// What the certificate's subject alternative name says, never its common name.
    package enum Name: Hashable, Sendable {
        /// An organisation of the network, by its URI SAN or by the configured map of SPIFFE ids.
        case entity(EntityID)
        /// Another URI, such as a SPIFFE id that is not mapped to an entity.
        case uri(String)
        /// A server known by the DNS name we dialled, outside the network.
        case host(String)
    }

    package let name: Name
    /// The leaf.
    package let certificate: Certificate

    package init(name: Name, certificate: Certificate) {
        self.name = name
        self.certificate = certificate
    }

    /// The organisation, when the peer is one.
    package var entity: EntityID? {
        guard case .entity(let entity) = name else { return nil }
        return entity
    }

    /// RFC 8705 §3.1 `x5t#S256`: base64url of the SHA-256 of the certificate.
    package var thumbprint: String { certificate.thumbprint }

    /// RFC 7638 thumbprint of the certificate's key; nil for key types that sign no tokens.
    package var publicKeyThumbprint: String? { certificate.publicKeyThumbprint }

    /// When the connection must end at the latest: nothing re-checks a certificate later.
    package var notAfter: Instant { certificate.notAfter }
}

/// Whom a client means to reach. It decides the server name indication, and the verifier holds the
/// server's certificate against it.
package enum Destination: Hashable, Sendable {
    /// An organisation of the network: its certificate must carry this entity id and its host.
    case entity(EntityID)
    /// A server outside the network, by DNS name in lower case.
    case host(String)

    /// The DNS name to indicate and to find in the certificate.
    package var host: String {
        switch self {
        case .entity(let entity): entity.host
        case .host(let name): name
        }
    }

    /// The host for the server name indication, which has no place for addresses (RFC 6066 §3):
    /// nil when the last label is a number.
    var serverName: String? {
        guard let last = host.utf8.split(separator: 0x2E).last else { return nil }
        return last.allSatisfy { (0x30...0x39).contains($0) } ? nil : host
    }
}

/// What a peer shows in the handshake, as its verifier gets it. Nothing in it is proven yet.
package struct PeerPresentation: Sendable {
    /// As presented, leaf first; at least one and at most ``TLSLimits/chainLength`` certificates.
    package let chain: [Certificate]
    /// What the peer is in this session.
    package let purpose: CertificatePath.Purpose
    /// Whom we dialled; nil on a server.
    package let destination: Destination?

    package init(
        chain: [Certificate], purpose: CertificatePath.Purpose, destination: Destination?
    ) {
        self.chain = chain
        self.purpose = purpose
        self.destination = destination
    }
}

/// Decides who the peer is. It runs once per handshake, on the loop's thread, before any
/// application byte is released; what it throws is told to the peer as a TLS alert.
package typealias PeerVerifier =
    @Sendable (PeerPresentation) throws(CertificateFault) -> PeerIdentity
