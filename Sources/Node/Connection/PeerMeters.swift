// SPDX-License-Identifier: Apache-2.0
package import Bytes
package import HTTP2
import Synchronization

/// What is held against each certificate identity, over all its connections on all workers, in and
/// out: a flood that is spread over twenty connections stays below the limit of each.
///
/// An identity that passes a limit is refused for a while: the connection that did it is cut, those
/// that behave end after their requests, new ones are not let in, and it is not dialled. Only
/// identities that TLS has verified are entered, so there are no more of them than entities in the
/// configuration.
package final class PeerMeters: Sendable {
    private struct Entry {
        var allowance: HTTP2Allowance
        var counters = HTTP2Counters()
        /// Connections cut, by the name of the limit.
        var cuts: [String: UInt64] = [:]
        /// How often it was refused, by the name of the limit that it had passed.
        var refusals: [String: UInt64] = [:]
        var refusedUntil: MonotonicInstant?
    }
    private let limits: ConnectionLimits
    private let entries = Mutex<[EntityID: Entry]>([:])
    private let watchers = Mutex<[@Sendable (EntityID) -> Void]>([])

    /// With nothing held against anybody.
    package init(_ limits: ConnectionLimits) { self.limits = limits }

    /// Holds what a connection counted since the last time against `entity`; `false` when the
    /// connection is to be cut.
    package func note(
        _ counters: HTTP2Counters, of entity: EntityID, now: MonotonicInstant
    ) -> Bool {
        let (isFine, isNew) = update(entity, now) { entry in
            entry.counters += counters
            guard let passed = entry.allowance.take(counters, now: now) else {
                return (true, false)
            }
            if let until = entry.refusedUntil, now < until { return (false, false) }
            entry.refusals[passed.rawValue, default: 0] += 1
            entry.refusedUntil = now.adding(limits.identityRefusal)
            return (false, true)
        }
        if isNew {
            for watcher in watchers.withLock({ $0 }) { watcher(entity) }
        }
        return isFine
    }

    /// Counts a connection of `entity` that was cut.
    func noteCut(for limit: String, of entity: EntityID, now: MonotonicInstant) {
        update(entity, now) { $0.cuts[limit, default: 0] += 1 }
    }

    /// Whether nothing new is begun with `entity`.
    package func refuses(_ entity: EntityID, now: MonotonicInstant) -> Bool {
        entries.withLock { entries in
            guard let until = entries[entity]?.refusedUntil else { return false }
            return now < until
        }
    }

    /// Calls `body` for each identity that begins to be refused, on whatever thread finds it.
    func whenRefused(_ body: @escaping @Sendable (EntityID) -> Void) {
        watchers.withLock { $0.append(body) }
    }

    private func update<Result>(
        _ entity: EntityID, _ now: MonotonicInstant, _ body: (inout Entry) -> Result
    ) -> Result {
        entries.withLock { entries in
            var entry = entries[entity] ?? Entry(allowance: fullAllowance(now))
            defer { entries[entity] = entry }
            return body(&entry)
        }
    }

    private func fullAllowance(_ now: MonotonicInstant) -> HTTP2Allowance {
        HTTP2Allowance(
            limits.http2, share: limits.identityShare, glitches: limits.identityGlitches, now: now)
    }
}

extension PeerMeters: MetricSource {
    /// The counters in the text format of Prometheus, sorted by peer.
    package var exposition: String {
        let known = entries.withLock { $0 }.sorted { $0.key.text < $1.key.text }
        var text = ""
        func put(
            _ name: String, _ label: String, _ values: (Entry) -> [(name: String, count: UInt64)]
        ) {
            text += "# TYPE \(name) counter\n"
            for (entity, entry) in known {
                for (value, count) in values(entry) where count > 0 {
                    text += "\(name){peer=\"\(entity.text)\",\(label)=\"\(value)\"} \(count)\n"
                }
            }
        }
        func sorted(_ values: [String: UInt64]) -> [(name: String, count: UInt64)] {
            values.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        }
        put("dragoman_peer_http2_oddities_total", "limit") { entry in
            HTTP2Allowance.kinds.map { ($0.rawValue, entry.counters.figure(of: $0)) }
        }
        put("dragoman_peer_http2_cuts_total", "limit") { sorted($0.cuts) }
        put("dragoman_peer_http2_refusals_total", "limit") { sorted($0.refusals) }
        return text
    }
}
