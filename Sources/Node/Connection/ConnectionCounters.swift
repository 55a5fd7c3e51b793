// SPDX-License-Identifier: Apache-2.0
import HTTP2
import Synchronization
import TLS

/// What happened to the connections of all workers, for the metrics page. Counted when a connection
/// begins and ends, never within a request.
package final class ConnectionCounters: Sendable {
    private struct State {
        var accepted: [String: UInt64] = [:]
        var closed: [String: UInt64] = [:]
        /// Connections ended or refused, by a word for the reason.
        var refused: [String: UInt64] = [:]
        var abuses: [String: UInt64] = [:]
        var glitches: UInt64 = 0
        var streams: UInt64 = 0
        var dialled: UInt64 = 0
        var dialFailures: UInt64 = 0
    }
    private let state = Mutex(State())

    package init() {}

    /// Why a connection was refused or cut, a label of `dragoman_connections_refused_total`.
    enum Refusal: String, CaseIterable {
        case full, handshake, tls, identity, glitches, headers, idle, write, certificate
        case body
    }

    func accepted(at listener: String) {
        state.withLock { $0.accepted[listener, default: 0] += 1 }
    }

    func closed(at listener: String) {
        state.withLock { $0.closed[listener, default: 0] += 1 }
    }

    func refused(_ reason: Refusal) {
        state.withLock { $0.refused[reason.rawValue, default: 0] += 1 }
    }

    /// Adds what an HTTP/2 connection saw in its life.
    func add(_ counters: HTTP2Counters, failure: HTTP2Error?) {
        state.withLock { state in
            state.glitches += counters.glitches
            state.streams += counters.streams
            switch failure {
            case .abuse(let abuse): state.abuses[abuse.rawValue, default: 0] += 1
            case .late(let deadline): state.abuses[deadline.rawValue, default: 0] += 1
            case .violation, .ended, nil: break
            }
        }
    }

    func dialled(failed: Bool) {
        state.withLock { state in
            state.dialled += 1
            if failed { state.dialFailures += 1 }
        }
    }

    /// How often a connection was refused or cut for `reason`.
    func count(of reason: Refusal) -> UInt64 {
        state.withLock { $0.refused[reason.rawValue] ?? 0 }
    }

    /// Connections that were dialled, with and without success.
    package var dialCount: UInt64 { state.withLock { $0.dialled } }

    /// The counters in the text format of Prometheus, sorted by name.
    package var exposition: String {
        let state = state.withLock { $0 }
        var text = ""
        func put(_ name: String, _ label: String, _ values: [String: UInt64]) {
            text += "# TYPE \(name) counter\n"
            for (value, count) in values.sorted(by: { $0.key < $1.key }) {
                text += "\(name){\(label)=\"\(value)\"} \(count)\n"
            }
        }
        func put(_ name: String, _ value: UInt64) {
            text += "# TYPE \(name) counter\n\(name) \(value)\n"
        }
        put("dragoman_connections_accepted_total", "listener", state.accepted)
        put("dragoman_connections_closed_total", "listener", state.closed)
        put("dragoman_connections_refused_total", "reason", state.refused)
        put("dragoman_http2_cuts_total", "limit", state.abuses)
        put("dragoman_http2_glitches_total", state.glitches)
        put("dragoman_http2_streams_total", state.streams)
        put("dragoman_upstream_dials_total", state.dialled)
        put("dragoman_upstream_dial_failures_total", state.dialFailures)
        return text
    }
}
