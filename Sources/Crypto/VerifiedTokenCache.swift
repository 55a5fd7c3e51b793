// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// Remembers which signatures held, because verifying one costs as much as thirteen whole
/// requests. Shared by all that verify; the least recently used is forgotten first.
///
/// A hit says that this key signed these very bytes, which stays true for ever, and nothing else:
/// time, revocation, audience, budget and presenter are the caller's to check each time. Refusals
/// are not remembered, so that nobody can fill the cache without a key.
package final class VerifiedTokenCache: Sendable {
    /// The compact token and the key, both by their SHA-256.
    private struct Key: Hashable, Sendable {
        let token: [UInt8]
        let thumbprint: String
    }

    private let known: Mutex<LeastRecentlyUsed<Key, VerifiedToken>>

    /// An empty cache. 4,096 tokens are the chains of some thousand running tasks: 20 MiB of usual
    /// tokens, 200 MiB if each were the worst that the profile allows.
    package init(capacity: Int = 4096) {
        known = Mutex(LeastRecentlyUsed(capacity: capacity))
    }

    /// As ``UnverifiedToken/verified(by:type:)``, with the same errors in the same order, but a
    /// signature that held before is not computed again.
    package func verified(
        _ token: UnverifiedToken, by key: VerifyingKey, type: String
    ) throws(TokenFault) -> VerifiedToken {
        try token.checkHeader(against: key, type: type)
        let name = Key(
            token: Digest.sha256(Array(token.compact.utf8)), thumbprint: key.thumbprint)
        if let hit = known.withLock({ $0.value(for: name) }) { return hit }
        let verified = try token.verifiedSignature(by: key)
        known.withLock { $0.insert(verified, for: name) }
        return verified
    }

    /// How many tokens are remembered.
    package var count: Int { known.withLock { $0.count } }
}
