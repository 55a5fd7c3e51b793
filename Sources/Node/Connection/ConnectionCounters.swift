// SPDX-License-Identifier: Apache-2.0
import HTTP2
import Synchronization
import TLS

/// What happened to the connections of all workers, for the metrics page.
package final class ConnectionCounters: Sendable {
    private struct State {
        var accepted: [String: UInt64] = [:]
        var closed: [String: UInt64] = [:]
        /// Connections ended or refused, by a word for the reason.
        var refused: [String: UInt64] = [:]
        /// Connections of HTTP/2 cut, by the name of the limit or deadline; all stand there from
        /// the beginning, so that the first one is a difference that an alarm sees.
        var cuts = Dictionary(uniqueKeysWithValues: State.limits.map { ($0, UInt64(0)) })
        var http2 = HTTP2Counters()
        var dialled: UInt64 = 0
        var dialFailures: UInt64 = 0

        private static let limits =
            HTTP2Abuse.allCases.map(\.rawValue) + HTTP2Deadline.allCases.map(\.rawValue)
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

    /// Adds what an HTTP/2 connection saw since it told the last time.
    func add(_ counters: HTTP2Counters) {
        state.withLock { $0.http2 += counters }
    }

    /// An HTTP/2 connection was cut for a limit or deadline.
    func cut(for limit: String) {
        state.withLock { $0.cuts[limit, default: 0] += 1 }
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

    /// What all HTTP/2 connections saw so far.
    var http2: HTTP2Counters { state.withLock { $0.http2 } }

    /// How many HTTP/2 connections were cut for a limit or deadline.
    func cuts(for limit: String) -> UInt64 { state.withLock { $0.cuts[limit] ?? 0 } }

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
        func put(_ name: String, _ value: UInt64, _ type: String = "counter") {
            text += "# TYPE \(name) \(type)\n\(name) \(value)\n"
        }
        put("dragoman_connections_accepted_total", "listener", state.accepted)
        put("dragoman_connections_closed_total", "listener", state.closed)
        put("dragoman_connections_refused_total", "reason", state.refused)
        put("dragoman_http2_cuts_total", "limit", state.cuts)
        put("dragoman_http2_glitches_total", state.http2.glitches)
        put(
            "dragoman_http2_events_total", "event",
            Dictionary(uniqueKeysWithValues: state.http2.events))
        put("dragoman_upstream_dials_total", state.dialled)
        put("dragoman_upstream_dial_failures_total", state.dialFailures)
        put(
            "dragoman_http2_header_block_bytes_max", state.http2.largestHeaderBlock,
            "gauge")
        put("dragoman_http2_waiting_frames_max", state.http2.mostOutboundFrames, "gauge")
        return text
    }
}
