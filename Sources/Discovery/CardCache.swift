// SPDX-License-Identifier: Apache-2.0
package import A2A
package import Bytes

/// Cards that were fetched, for as long as their servers allow. A value: its owner keeps it on one
/// loop.
package struct CardCache<Key: Hashable & Sendable>: Sendable {
    /// A card with its validators.
    package struct Entry: Sendable {
        package let card: AgentCard
        package let eTag: String?
        package let fetched: MonotonicInstant
        package let maxAgeSeconds: Int64

        /// An entry; a longer life than ``CardCache/maxAgeMax`` is cut to it.
        package init(
            card: AgentCard, eTag: String?, fetched: MonotonicInstant, maxAgeSeconds: Int64
        ) {
            self.card = card
            self.eTag = eTag
            self.fetched = fetched
            self.maxAgeSeconds = min(max(maxAgeSeconds, 0), CardCache.maxAgeMax)
        }
    }

    private var entries: [Key: Entry] = [:]

    /// A card is asked for again after so long whatever its server says: what binds the user
    /// stands in it.
    package static var maxAgeMax: Int64 { 300 }
    /// Most cards kept.
    package static var countMax: Int { 4096 }

    package init() {}

    /// The card, and whether it may be used without asking.
    package func entry(_ key: Key, now: MonotonicInstant) -> (entry: Entry, isFresh: Bool)? {
        guard let entry = entries[key] else { return nil }
        let age = now.milliseconds(since: entry.fetched)
        return (entry, age < entry.maxAgeSeconds * 1000)
    }

    /// Keeps a card.
    package mutating func put(_ entry: Entry, for key: Key) {
        if entries[key] == nil, entries.count >= Self.countMax, let some = entries.keys.first {
            entries[some] = nil
        }
        entries[key] = entry
    }

    /// Forgets a card.
    package mutating func remove(_ key: Key) { entries[key] = nil }
}
