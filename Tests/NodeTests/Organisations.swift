// SPDX-License-Identifier: Apache-2.0
import Bytes
import Crypto
import IO
import TLS
import TestSupport

@testable import Node

/// Two companies that know each other, and one that calls itself by another's name.
struct Organisations: Sendable {
    let alpha: TestOrganisation
    let beta: TestOrganisation
    /// Its certificates say that they are beta's; its authority is its own.
    let rival: TestOrganisation

    /// Beta's name.
    static let beta = known("https://beta.example")

    private static func known(_ text: String) -> EntityID {
        guard let entity = EntityID(text) else { fatalError("\(text) is no entity") }
        return entity
    }

    init() throws {
        let now = Instant(seconds: SystemTime().now().seconds)
        alpha = try TestOrganisation("alpha.example", now: now, seed: 1)
        beta = try TestOrganisation("beta.example", now: now, seed: 2)
        rival = try TestOrganisation("beta.example", now: now, seed: 3)
    }

    var trust: PeerTrust {
        PeerTrust(entities: [alpha.entity: alpha.anchors, beta.entity: beta.anchors])
    }

    /// What `organisation` shows, and whom both believe.
    func material(
        _ organisation: TestOrganisation, time: any TimeSource = SystemTime(),
        chain: [Certificate]? = nil, trust: PeerTrust? = nil
    ) throws -> TrustMaterial {
        let identity = try TLSIdentity(
            chain: chain ?? organisation.chain, key: organisation.key)
        return try TrustMaterial(identity: identity, peers: trust ?? self.trust, time: time)
    }

    /// A certificate of `organisation` that ends so many seconds from now.
    func shortLived(_ organisation: TestOrganisation, seconds: Int64) throws -> Certificate {
        let end = Instant(seconds: SystemTime().now().seconds + seconds)
        return try organisation.certificate { $0.notAfter = end }
    }
}
