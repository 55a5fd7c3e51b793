// SPDX-License-Identifier: Apache-2.0
package import Bytes
package import HTTP2
import Synchronization

/// What is held against each certificate identity, over all its connections on all workers: a flood
/// that is spread over twenty connections stays below the limit of each.
///
/// Only identities that TLS has verified are entered, so it grows no larger than the configured
/// list of entities.
package final class PeerMeters: Sendable {
    private struct Entry {
        var meter: GlitchMeter
        var refusedUntil: MonotonicInstant?
    }
    private let rate: HTTP2Rate
    private let refusal: Duration
    private let entries = Mutex<[EntityID: Entry]>([:])

    /// - Parameter refusal: How long an identity over the limit is refused.
    package init(_ rate: HTTP2Rate, refusal: Duration) {
        self.rate = rate
        self.refusal = refusal
    }

    /// Holds `weight` against `entity`; `false` when it is to be cut.
    package func note(_ weight: Int, of entity: EntityID, now: MonotonicInstant) -> Bool {
        entries.withLock { entries in
            var entry = entries[entity] ?? Entry(meter: GlitchMeter(rate, now: now))
            defer { entries[entity] = entry }
            if let until = entry.refusedUntil, now < until { return false }
            if entry.meter.note(weight, now: now) { return true }
            entry.refusedUntil = now.adding(refusal)
            return false
        }
    }

    /// Whether a new connection of `entity` is refused.
    package func refuses(_ entity: EntityID, now: MonotonicInstant) -> Bool {
        entries.withLock { entries in
            guard let until = entries[entity]?.refusedUntil else { return false }
            return now < until
        }
    }

    /// The sums so far, for metrics.
    package var totals: [EntityID: UInt64] {
        entries.withLock { $0.mapValues(\.meter.total) }
    }
}
