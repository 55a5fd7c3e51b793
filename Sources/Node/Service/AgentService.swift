// SPDX-License-Identifier: Apache-2.0
import A2A
import Bindings
import Bytes
import Consent
import Crypto
package import Gateway
import HTTP
import JSON

/// The agents of this gateway, each under `/agents/{name}`: JSON-RPC of 1.0 and on this side of 0.3
/// at that path, HTTP+JSON and the card below it (A2A §8, §9, §11).
package struct AgentService: Sendable {
    let gateway: GatewayState
    let cards: CardDesk
    let log: AccessLog

    package init(gateway: GatewayState, cards: CardDesk, log: AccessLog) {
        self.gateway = gateway
        self.cards = cards
        self.log = log
    }

    /// Which resource of an agent a path names.
    enum Resource: Equatable {
        case rpc(agent: String)
        case card(agent: String)
        /// What HTTP+JSON has below the agent; `nil` where it has nothing of that path.
        case httpJSON(agent: String, HTTPJSON.Route?)
    }

    /// Reads `/agents/{name}`, with or without a slash at the end, and what is below it.
    static func resource(_ head: HTTPRequestHead) -> Resource? {
        if let name = plainName(head.path) { return .rpc(agent: name) }
        guard let segments = head.target.segments, segments.count >= 2, segments[0] == "agents"
        else { return nil }
        let rest = Array(segments.dropFirst(2))
        if rest.isEmpty || rest == [""] { return .rpc(agent: segments[1]) }
        if rest == [".well-known", "agent-card.json"] { return .card(agent: segments[1]) }
        return .httpJSON(agent: segments[1], HTTPJSON.Route(rest))
    }

    /// The name in `/agents/{name}` where nothing in it is escaped and nothing follows, as in
    /// nearly all requests; nil settles nothing.
    private static func plainName(_ path: String) -> String? {
        let prefix = "/agents/"
        guard path.hasPrefix(prefix) else { return nil }
        let name = path.utf8.dropFirst(prefix.utf8.count)
        let isPlain = name.allSatisfy { byte in
            (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x2D
        }
        return isPlain && !name.isEmpty ? String(Substring(name)) : nil
    }

    func refusal(of head: HTTPRequestHead, _ resource: Resource) -> ServiceResponse? {
        switch resource {
        case .card:
            if head.method == .get || head.method == .head { return nil }
            return Self.methodNotAllowed("GET, HEAD")
        case .rpc:
            guard head.method == .post else { return Self.methodNotAllowed("POST") }
            let type = head.fields[.contentType].map(Self.mediaType)
            if type == "application/json" || type == "application/a2a+json" { return nil }
            // The binding has a word of its own for this, so the answer is one of the binding's.
            let rule = "Content-Type must be application/json"
            var response = ServiceResponse.json(
                JSONRPC.response(
                    id: Array("null".utf8), error: A2AError(.contentTypeNotSupported, rule)))
            response.reason = rule
            return response
        case .httpJSON(_, let route):
            return Self.refusal(of: head, route)
        }
    }

    private static func methodNotAllowed(_ allowed: HTTPFieldValue) -> ServiceResponse {
        var response = ServiceResponse.plain(405, "This method is not served here")
        response.fields.append(.allow, allowed)
        return response
    }

    /// The media type without its parameters, in lower case.
    static func mediaType(_ value: String) -> String {
        if value == "application/json" || value == "application/a2a+json" { return value }
        let type = value.prefix { $0 != ";" }
        return String(type.filter { $0 != " " && $0 != "\t" }).lowercased()
    }

    func respond(
        to request: ServiceRequest, _ resource: Resource, as party: Caller.Party,
        through upstreams: any Upstreams
    ) async -> ServiceResponse {
        switch resource {
        case .card(let name):
            let line = log.begin(request, party: party, agent: name)
            line.method = "card"
            guard let agent = gateway.agent(name, for: party) else {
                line.end(status: 404)
                return .plain(404, "No such agent")
            }
            line.hop = agent.destination
            let response = await cards.respond(to: request, agent, line, through: upstreams)
            line.end(status: response.status)
            return response
        case .rpc(let name):
            let line = log.begin(request, party: party, agent: name)
            guard let agent = gateway.agent(name, for: party) else {
                line.end(status: 404)
                return .plain(404, "No such agent")
            }
            line.hop = agent.destination
            return await call(request, agent, party, line, upstreams)
        case .httpJSON(_, nil):
            return .httpJSON(A2AError(.methodNotFound))
        case .httpJSON(let name, let route?):
            let line = log.begin(request, party: party, agent: name)
            guard let agent = gateway.agent(name, for: party) else {
                line.end(status: 404)
                return .httpJSON(A2AError(.methodNotFound, "No such agent"))
            }
            line.hop = agent.destination
            return await callHTTPJSON(request, route, agent, party, line, upstreams)
        }
    }

    private func call(
        _ request: ServiceRequest, _ agent: AgentSettings, _ party: Caller.Party,
        _ line: AccessLog.Line, _ upstreams: any Upstreams
    ) async -> ServiceResponse {
        let head = request.head
        if Self.isV03(head, at: request.listener) {
            return await callV03(request, agent, party, line, upstreams)
        }
        let call: JSONRPC.Call
        do {
            call = try JSONRPC.decode(request.body)
        } catch {
            line.end(status: 200, refusal: error.error)
            return .json(JSONRPC.response(id: error.id, error: error.error))
        }
        line.method = call.operation.method
        if let error = Self.versionFault(head) {
            line.end(status: 200, refusal: error)
            return .json(JSONRPC.response(id: call.id, error: error))
        }
        let wanted = Self.wantedExtensions(head)
        let caller: Caller
        do { caller = try Self.caller(head, party, wanted) } catch {
            line.end(status: 200, refusal: error)
            return .json(JSONRPC.response(id: call.id, error: error))
        }
        let exchange = Exchange(
            gateway: gateway, upstreams: upstreams, caller: caller, agent: agent)
        do {
            let reply = try await exchange.run(call.operation)
            var fields = Self.activated(wanted)
            switch reply {
            case .value(let result):
                line.end(status: 200, account: exchange.account)
                fields.append(.contentType, "application/json")
                return ServiceResponse(
                    status: 200, fields: fields,
                    body: .bytes(JSONRPC.response(id: call.id, result: result)))
            case .events(let events):
                fields.append(.contentType, "text/event-stream")
                fields.append(.cacheControl, "no-store")
                return ServiceResponse(
                    status: 200, fields: fields,
                    body: .events(
                        RPCEvents(id: call.id, events, line, exchange.account)))
            }
        } catch {
            line.end(status: 200, account: exchange.account, refusal: error)
            return .json(JSONRPC.response(id: call.id, error: error))
        }
    }

    /// The extensions that a request wants, in the order in which it names them.
    static func wantedExtensions(_ head: HTTPRequestHead) -> [String] {
        ExtensionURI.list(head.fields.all(.a2aExtensions) + head.fields.all(.xA2AExtensions))
    }

    /// Who calls, with what a head says beside the operation.
    /// - Throws: What ``ConsentUser/read(_:of:)`` throws.
    static func caller(
        _ head: HTTPRequestHead, _ party: Caller.Party, _ wanted: [String]
    ) throws(A2AError) -> Caller {
        Caller(
            party: party, extensions: Set(wanted),
            user: try ConsentUser.read(head.fields, of: party),
            traceparent: head.fields[.traceparent].flatMap(TraceContext.checked))
    }

    /// The header that repeats which of the wanted extensions are active.
    static func activated(_ wanted: [String]) -> HTTPFields {
        var fields: HTTPFields = [:]
        let active = wanted.filter { ExtensionURI(rawValue: $0) != nil }
        if !active.isEmpty, let value = try? HTTPFieldValue(active.joined(separator: ", ")) {
            fields.append(.a2aExtensions, value)
        }
        return fields
    }

    /// The version that a request names, in its header or else in its query.
    static func versionText(_ head: HTTPRequestHead) -> String? {
        head.fields[.a2aVersion]
            ?? head.target.parameters?.first { $0.name == ProtocolVersion.parameter }?.value
    }

    /// The error for a version that this face does not serve (A2A §3.6).
    static func versionFault(_ head: HTTPRequestHead) -> A2AError? {
        guard let version = ProtocolVersion(versionText(head)) else {
            return A2AError(.versionNotSupported, "A2A-Version must be Major.Minor")
        }
        if version.isServedAs1 { return nil }
        return A2AError(
            .versionNotSupported, "A2A version \(version.text) is not served here, 1.0 is")
    }
}

/// A stream of events as JSON-RPC answers over server-sent events (A2A §9.4.2).
final class RPCEvents: ServiceEvents {
    private let id: [UInt8]
    private let events: any ExchangeEvents
    private let line: AccessLog.Line
    private let account: ExchangeAccount
    private var ended = false

    init(
        id: [UInt8], _ events: any ExchangeEvents, _ line: AccessLog.Line,
        _ account: ExchangeAccount
    ) {
        self.id = id
        self.events = events
        self.line = line
        self.account = account
    }

    func next() async -> [UInt8]? {
        if ended { return nil }
        do {
            guard let event = try await events.next() else {
                ended = true
                line.end(status: 200, account: account)
                return nil
            }
            return Self.frame(JSONRPC.response(id: id, result: event.wrapped))
        } catch {
            ended = true
            line.end(status: 200, account: account, refusal: error)
            return Self.frame(JSONRPC.response(id: id, error: error), event: "error")
        }
    }

    func cancel() {
        if ended { return }
        ended = true
        events.cancel()
        line.end(status: 499, account: account)
    }

    /// One event; JSON written here is on one line, so it needs no splitting.
    static func frame(_ data: [UInt8], event: String? = nil) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(data.count + 24)
        if let event { out += Array("event: \(event)\n".utf8) }
        out += Array("data: ".utf8)
        out += data
        out += Array("\n\n".utf8)
        return out
    }
}

/// The W3C trace context, passed on unread.
enum TraceContext {
    /// `version-traceid-parentid-flags` in lower-case hex (W3C Trace Context §3.2), or nothing.
    static func checked(_ text: String) -> String? {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count >= 4, parts[0].utf8.count == 2, parts[1].utf8.count == 32,
            parts[2].utf8.count == 16, parts[3].utf8.count == 2, text.utf8.count <= 128,
            parts.allSatisfy({
                $0.utf8.allSatisfy { ($0 >= 48 && $0 <= 57) || ($0 >= 97 && $0 <= 102) }
            })
        else { return nil }
        return text
    }
}
