// SPDX-License-Identifier: Apache-2.0
import Bytes
import Crypto

/// Tokens that look like a chain: steps 1 and 2. Nothing of their payloads was read.
struct UnverifiedChain {
    let tokens: [String]
    let keyLink: UnverifiedToken?
    let links: [UnverifiedToken]

    init(_ tokens: [String]) throws(Refusal) {
        // A key link may stand before the seven.
        try require(!tokens.isEmpty, .malformed, "1.empty")
        try require(tokens.count <= ChainVerifier.Size.links + 1, .tooLarge, "1.links")
        let bytes = tokens.reduce(0) { $0 + $1.utf8.count }
        try require(bytes <= ChainVerifier.Size.bytes, .tooLarge, "1.bytes")
        var parsed: [UnverifiedToken] = []
        for (index, text) in tokens.enumerated() {
            do {
                parsed.append(try UnverifiedToken(text, step: "2"))
            } catch { throw error.at(link: index) }
        }
        let hasKeyLink = parsed[0].type == KeyLink.type
        let links = Array(parsed.dropFirst(hasKeyLink ? 1 : 0))
        try require(!links.isEmpty, .malformed, "1.empty")
        try require(links.count <= ChainVerifier.Size.links, .tooLarge, "1.links")
        for (index, link) in links.enumerated() where link.type != Grant.type {
            throw Refusal(.type, "2.type", link: index)
        }
        self.tokens = tokens
        keyLink = hasKeyLink ? parsed[0] : nil
        self.links = links
    }
}

/// Links whose signatures, claims and order hold; who may use them is not decided yet.
struct ChainLinks {
    struct Link {
        let grant: Grant
        /// The base64url SHA-256 of the signing input: what names a grant.
        let name: String
        /// The key that signed it.
        let signer: VerifyingKey
        /// `cnf.jwk`, ready to verify.
        let holderKey: VerifyingKey
    }

    let tokens: [String]
    let links: [Link]
    let anchor: TrustAnchor
    let keyLink: KeyLink?

    var root: Link { links[0] }
    var leaf: Link { links[links.count - 1] }
}

/// A chain that its presenter may use here and now. Only ``ChainVerifier`` makes one.
package struct VerifiedChain: Sendable {
    /// The grants, root first.
    package let grants: [Grant]
    /// Who presented it.
    package let presenter: Presenter
    /// The compact tokens, the key link included where there is one.
    package let tokens: [String]
    /// The leaf's name hash, which an act refers to.
    package let leafName: String
    /// The ceilings under which the root stands.
    package let anchor: TrustAnchor
    /// The keys that may sign confirmations.
    let confirmers: [VerifyingKey]
    /// The key that signs acts.
    let holderKey: VerifyingKey

    /// The first link.
    package var root: Grant { grants[0] }
    /// The last link, against which acts are checked.
    package var leaf: Grant { grants[grants.count - 1] }
    /// The user's pseudonym: half of the owner of what is done here.
    package var subject: String { root.subject ?? "" }
    /// When the first of the links expires, in seconds since the epoch.
    package var expires: Int64 { leaf.expires }

    init(links: ChainLinks, presenter: Presenter) throws(Refusal) {
        grants = links.links.map(\.grant)
        self.presenter = presenter
        tokens = links.tokens
        leafName = links.leaf.name
        anchor = links.anchor
        holderKey = links.leaf.holderKey
        if let keys = links.root.grant.confirmers {
            var confirmers: [VerifyingKey] = []
            for key in keys {
                confirmers.append(try VerifyingKey(claim: key, "4.grant.confirmers"))
            }
            self.confirmers = confirmers
        } else {
            confirmers = [links.root.signer]
        }
    }

    /// The part of step 23 that looks again: no link was revoked or has expired meanwhile.
    func recheck(_ status: StatusKnowledge, now: Instant) throws(Refusal) {
        for (index, grant) in grants.enumerated() {
            do {
                try status.check(grant, maximumAge: nil, now: now)
                try require(grant.expires > now.seconds, .expired, "23.expired")
            } catch { throw error.at(link: index) }
        }
    }
}
