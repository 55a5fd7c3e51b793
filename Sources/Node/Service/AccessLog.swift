// SPDX-License-Identifier: Apache-2.0
import A2A
package import Bytes
import Consent
import Gateway
import HTTP
import JSON
import Synchronization

/// Where log lines go. Lines arrive whole, each with its line feed.
package protocol LogSink: Sendable {
    func write(_ line: [UInt8])
}

/// One line of JSON per request: who, what, which task, what was held and posted, how long it took.
/// Message text, tokens and personal data are never given to it.
package struct AccessLog: Sendable {
    let sink: any LogSink
    let time: any TimeSource
    /// This gateway, so that lines of several can be read together.
    let entity: EntityID
    let counters: RequestCounters

    package init(
        sink: any LogSink, time: any TimeSource, entity: EntityID, counters: RequestCounters
    ) {
        self.sink = sink
        self.time = time
        self.entity = entity
        self.counters = counters
    }

    /// Begins the line of a request.
    func begin(_ request: ServiceRequest, party: Caller.Party, agent: String?) -> Line {
        let line = Line(self, began: time.monotonic())
        line.listener = request.listener.name
        line.http = request.httpVersion
        line.agent = agent
        line.trace = request.head.fields[.traceparent].flatMap(TraceContext.checked)
        switch party {
        case .peer(let presenter): line.peer = presenter.entity.text
        case .local(_, let principal): line.principal = principal
        }
        return line
    }

    /// A line about a file whose last contents are not used.
    func note(refused file: Assembly.RefusedFile) {
        note(
            "file_refused",
            [
                .init("member", .string(file.member)), .init("path", .string(file.path)),
                .init("reason", .string(file.reason)),
            ])
    }

    /// A line about files whose new contents are in force.
    func note(swapped members: [String], ends: Instant?) {
        var facts: [JSONNode.Member] = [
            .init("members", .array(members.map { .string($0) }))
        ]
        if let ends { facts.append(.init("certificate_ends", .string(ends.rfc3339))) }
        note("files_taken", facts)
    }

    /// A line that is about no request.
    func note(_ what: String, _ facts: [JSONNode.Member]) {
        let line: [JSONNode.Member] = [
            .init("time", .string(time.now().rfc3339)), .init("entity", .string(entity.text)),
            .init("log", .string(what)),
        ]
        sink.write(JSONNode.object(line + facts).bytes + [0x0A])
    }

    /// The line of one request while it is served. Used on one loop only.
    final class Line {
        private let log: AccessLog
        private let began: MonotonicInstant
        fileprivate var listener = ""
        fileprivate var http = ""
        fileprivate var agent: String?
        fileprivate var peer: String?
        fileprivate var principal: String?
        fileprivate var trace: String?
        /// Where the call goes from here.
        var hop: Gateway.Destination?
        var method: String?
        /// Which rule or failure decided, where no exchange says it.
        var rule: String?
        private var ended = false

        fileprivate init(_ log: AccessLog, began: MonotonicInstant) {
            self.log = log
            self.began = began
        }

        /// Writes the line, once.
        func end(status: Int, account: ExchangeAccount? = nil, refusal: A2AError? = nil) {
            if ended { return }
            ended = true
            let took = log.time.monotonic().milliseconds(since: began)
            log.counters.count(method: method, refused: refusal != nil, milliseconds: took)
            var writer = JSONWriter(capacity: 512)
            writer.beginObject()
            writer.member("time", log.time.now().rfc3339)
            writer.member("entity", log.entity.text)
            writer.member("listener", listener)
            writer.member("protocol", http)
            writer.member("peer", peer)
            writer.member("principal", principal)
            writer.member("agent", agent.map { LogText.clean($0) })
            writer.member("hop", hop.map(Self.name))
            writer.member("method", method.map { LogText.clean($0) })
            writer.member("task", account?.task)
            writer.member("exchange", account?.exchange)
            writer.member("grant", account?.grant)
            writer.member("held", account?.held)
            writer.member("posted", account?.posted)
            writer.member("status", Int64(status))
            if let refusal {
                writer.member("error", Int64(refusal.code.jsonRPC))
                writer.member("reason", LogText.clean(refusal.reason))
            }
            writer.member("rule", (rule ?? account?.refusal).map { LogText.clean($0) })
            writer.member("traceparent", trace)
            writer.member("upstream_ms", account?.upstreamMilliseconds)
            writer.member("ms", took)
            writer.endObject()
            log.sink.write(writer.line())
        }

        private static func name(_ hop: Gateway.Destination) -> String {
            switch hop {
            case .local: TaskRecord.localRoute
            case .peer(let peer, _): peer.text
            }
        }
    }
}

/// Text of strangers on its way into a log.
enum LogText {
    /// Longest text of a stranger in a log line, in characters.
    static let charactersMax = 128

    /// Cut to length, control characters replaced; JSON escapes the rest.
    static func clean(_ text: String) -> String {
        if text.utf8.count <= charactersMax, text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) {
            return text
        }
        return String(
            String.UnicodeScalarView(
                text.unicodeScalars.prefix(charactersMax).map { scalar in
                    switch scalar.value {
                    case 0..<0x20, 0x7F..<0xA0, 0x202A...0x202E, 0x2066...0x2069, 0x200B...0x200F:
                        "\u{FFFD}"
                    default: scalar
                    }
                }))
    }
}

/// Counts of requests, for the metrics page.
package final class RequestCounters: Sendable {
    private struct Counts {
        var requests: Int64 = 0
        var refusals: Int64 = 0
        var milliseconds: Int64 = 0
    }
    private struct State {
        /// By method as in ``names``.
        var methods = [Counts](repeating: Counts(), count: names.count)
        /// Requests that no service saw, by the status of their answer.
        var early: [Int: Int64] = [:]
        var unlogged: Int64 = 0
    }
    private let state = Mutex(State())

    package init() {}

    /// Methods that a stranger invents are counted together, so that he cannot grow the table.
    func count(method: String?, refused: Bool, milliseconds: Int64) {
        let index = method.flatMap { Self.names.dropLast().firstIndex(of: $0) }
        let place = index ?? Self.names.count - 1
        state.withLock { state in
            state.methods[place].requests += 1
            state.methods[place].milliseconds += milliseconds
            if refused { state.methods[place].refusals += 1 }
        }
    }

    /// Counts a request that was refused before a service saw it, by the status that our own code
    /// gave it; 0 where the connection was closed instead.
    func count(early status: Int, isLogged: Bool) {
        state.withLock { state in
            state.early[status, default: 0] += 1
            if !isLogged { state.unlogged += 1 }
        }
    }

    /// The most frequent first, and at last all that have no name here.
    private static let names = [
        "SendMessage", "SendStreamingMessage", "GetTask", "ListTasks", "CancelTask",
        "SubscribeToTask", "GetExtendedAgentCard", "other",
    ]

    /// The counters in the text format of Prometheus, sorted by name.
    package var exposition: String {
        let state = state.withLock { $0 }
        let named = zip(Self.names, state.methods).filter { $1.requests > 0 }.sorted { $0.0 < $1.0 }
        var text = "# TYPE dragoman_requests_total counter\n"
        for (name, counts) in named {
            text += "dragoman_requests_total{method=\"\(name)\"} \(counts.requests)\n"
        }
        text += "# TYPE dragoman_refusals_total counter\n"
        for (name, counts) in named where counts.refusals > 0 {
            text += "dragoman_refusals_total{method=\"\(name)\"} \(counts.refusals)\n"
        }
        text += "# TYPE dragoman_request_milliseconds_total counter\n"
        for (name, counts) in named {
            text +=
                "dragoman_request_milliseconds_total{method=\"\(name)\"} \(counts.milliseconds)\n"
        }
        text += "# TYPE dragoman_early_refusals_total counter\n"
        for (status, count) in state.early.sorted(by: { $0.key < $1.key }) {
            text += "dragoman_early_refusals_total{status=\"\(status)\"} \(count)\n"
        }
        text += "# TYPE dragoman_early_refusals_unlogged_total counter\n"
        text += "dragoman_early_refusals_unlogged_total \(state.unlogged)\n"
        return text
    }
}
