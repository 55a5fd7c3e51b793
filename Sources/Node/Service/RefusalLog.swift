// SPDX-License-Identifier: Apache-2.0
import Bytes
import Consent
import Gateway
import HTTP
import JSON
import Synchronization

/// Lines about what was refused before a service saw it: by its head, by a limit, for want of
/// memory, or as no HTTP at all.
///
/// Whoever is refused a thousand times a second must not fill the log, nor keep others' lines out
/// of it: each peer, and each listener for those who are not known, has so many lines a second.
/// What is not written is counted, in a line of its own and in the metrics.
package final class RefusalLog: Sendable {
    /// Lines in one second about one peer or one listener.
    package static let perSecond = 20
    /// Lines in one second in all.
    package static let inAllPerSecond = 100

    /// One refusal, with what is known of it.
    struct Entry {
        let listener: String
        /// `HTTP/2`, `HTTP/1.1`, or nothing where it was not said.
        var version: String?
        var peer: Presenter?
        var head: HTTPRequestHead?
        /// Of the answer; `nil` where the connection was closed without one.
        var status: Int?
        /// Fixed words of this program.
        let reason: String
    }

    private struct State {
        var second: Int64 = 0
        var lines: [String: Int] = [:]
        var inAll = 0
        var skipped: Int64 = 0
    }

    private let log: AccessLog
    private let state = Mutex(State())

    package init(_ log: AccessLog) { self.log = log }

    /// Writes the line, or counts it.
    func note(_ entry: Entry) {
        let now = log.time.now()
        let key = entry.peer?.entity.text ?? entry.listener
        let (isWritten, skipped) = state.withLock { state -> (Bool, Int64) in
            var skipped: Int64 = 0
            if state.second != now.seconds {
                skipped = state.skipped
                state = State(second: now.seconds)
            }
            let count = state.lines[key, default: 0]
            guard count < Self.perSecond, state.inAll < Self.inAllPerSecond else {
                state.skipped += 1
                return (false, skipped)
            }
            state.lines[key] = count + 1
            state.inAll += 1
            return (true, skipped)
        }
        log.counters.count(early: entry.status ?? 0, isLogged: isWritten)
        if skipped > 0 { log.note("refusals_skipped", [.init("count", .int(skipped))]) }
        if isWritten { write(entry, now) }
    }

    private func write(_ entry: Entry, _ now: Instant) {
        var writer = JSONWriter(capacity: 512)
        writer.beginObject()
        writer.member("time", now.rfc3339)
        writer.member("entity", log.entity.text)
        writer.member("listener", entry.listener)
        writer.member("protocol", entry.version)
        writer.member("peer", entry.peer?.entity.text)
        if let head = entry.head {
            writer.member("agent", Self.agent(head).map { LogText.clean($0) })
            writer.member("http_method", LogText.clean(head.method.text))
            writer.member("path", Self.kind(of: head))
            writer.member("traceparent", head.fields[.traceparent].flatMap(TraceContext.checked))
        }
        writer.member("status", entry.status.map { Int64($0) })
        writer.member("refused", entry.reason)
        writer.endObject()
        log.sink.write(writer.bytes + [0x0A])
    }

    private static func agent(_ head: HTTPRequestHead) -> String? {
        switch AgentService.resource(head) {
        case .rpc(let agent), .card(let agent), .httpJSON(let agent, _): agent
        case nil: nil
        }
    }

    /// Which kind of resource a path names: one of a closed list, since the path itself is a
    /// stranger's text and may hold what does not belong into a log.
    static func kind(of head: HTTPRequestHead) -> String {
        switch AgentService.resource(head) {
        case .rpc, .httpJSON(_, _?): return "agent"
        case .card: return "card"
        case .httpJSON(_, nil): return "other"
        case nil: break
        }
        if let resource = PeerDesk.Resource(path: head.target.path) { return resource.name }
        if ConsentResource(head) != nil { return "consent" }
        if (try? ControlResource(head)) != nil { return "control" }
        return "other"
    }
}
