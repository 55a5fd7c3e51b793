// SPDX-License-Identifier: Apache-2.0
import Bytes

/// A dictionary of at most `capacity` entries, which forgets the one that was longest not asked
/// for. Every operation takes constant time.
package struct LeastRecentlyUsed<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    package let capacity: Int
    /// How many entries there are.
    package var count: Int { places.count }

    /// Entries are linked by index in order of use, newest first; indices never move.
    private struct Entry: Sendable {
        var key: Key
        var value: Value
        var newer: Int?
        var older: Int?
    }
    private var entries: [Entry] = []
    private var places: [Key: Int] = [:]
    private var newest: Int?
    private var oldest: Int?

    /// An empty cache for at least one entry.
    package init(capacity: Int) {
        invariant(capacity > 0, "a cache holds something")
        self.capacity = capacity
    }

    /// The value of `key`, which becomes the newest.
    package mutating func value(for key: Key) -> Value? {
        guard let place = places[key] else { return nil }
        moveToFront(place)
        return entries[place].value
    }

    /// Keeps `value` as the newest; the oldest goes when there is no room.
    package mutating func insert(_ value: Value, for key: Key) {
        if let place = places[key] {
            entries[place].value = value
            moveToFront(place)
        } else if entries.count < capacity {
            entries.append(Entry(key: key, value: value, newer: nil, older: nil))
            places[key] = entries.count - 1
            linkAtFront(entries.count - 1)
        } else if let place = oldest {
            unlink(place)
            places[entries[place].key] = nil
            entries[place] = Entry(key: key, value: value, newer: nil, older: nil)
            places[key] = place
            linkAtFront(place)
        }
    }

    private mutating func moveToFront(_ place: Int) {
        guard newest != place else { return }
        unlink(place)
        linkAtFront(place)
    }

    private mutating func unlink(_ place: Int) {
        let (newer, older) = (entries[place].newer, entries[place].older)
        if let newer { entries[newer].older = older } else { newest = older }
        if let older { entries[older].newer = newer } else { oldest = newer }
        entries[place].newer = nil
        entries[place].older = nil
    }

    private mutating func linkAtFront(_ place: Int) {
        entries[place].older = newest
        if let newest { entries[newest].newer = place } else { oldest = place }
        newest = place
    }
}
