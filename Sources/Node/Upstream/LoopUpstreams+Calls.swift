// SPDX-License-Identifier: Apache-2.0
import A2A
import Bindings
import Bytes
import Gateway
import HTTP
import IO
import JSON

extension LoopUpstreams {
    /// Calls a method whose answer is one value.
    func call(
        _ call: UpstreamCall, in scope: RequestUpstreams?
    ) async throws(UpstreamFailure) -> JSONValue {
        let deadline = loop.now.adding(call.timeout)
        let interface = try await interface(of: call.destination, before: deadline, in: scope)
        let exchange = try await begin(
            call, at: interface, accept: "application/json", before: deadline, in: scope)
        defer { scope?.remove(exchange) }
        let body = try await body(of: exchange, before: deadline, in: scope)
        return try AnswerReader(interface.binding, of: call).value(body)
    }

    /// Calls a method whose answer is a stream. Its timeout bounds the wait for the head and then
    /// each silence: a stream may go on as long as its task does.
    func stream(
        _ call: UpstreamCall, in scope: RequestUpstreams?
    ) async throws(UpstreamFailure) -> any UpstreamEvents {
        let deadline = loop.now.adding(call.timeout)
        let interface = try await interface(of: call.destination, before: deadline, in: scope)
        if interface.binding == .jsonRPCV03 {
            return try await streamV03(call, at: interface, before: deadline, in: scope)
        }
        return try await stream(call, at: interface, before: deadline, in: scope)
    }

    func stream(
        _ call: UpstreamCall, at interface: AgentInterface, before deadline: MonotonicInstant,
        in scope: RequestUpstreams?
    ) async throws(UpstreamFailure) -> any UpstreamEvents {
        let exchange = try await begin(
            call, at: interface, accept: "text/event-stream", before: deadline, in: scope)
        let reader = AnswerReader(interface.binding, of: call)
        let type = exchange.head?.fields[.contentType].map(AgentService.mediaType)
        if type == "text/event-stream" {
            return UpstreamStream(exchange, reader, on: loop, silence: call.timeout, of: scope)
        }
        defer { scope?.remove(exchange) }
        let body = try await body(of: exchange, before: deadline, in: scope)
        return SingleEvent(try reader.event(body).event)
    }

    /// Puts a call in the form of its binding and waits for the head of the answer to it.
    private func begin(
        _ call: UpstreamCall, at interface: AgentInterface, accept: HTTPFieldValue,
        before deadline: MonotonicInstant, in scope: RequestUpstreams?
    ) async throws(UpstreamFailure) -> OutboundExchange {
        let fields = try fields(of: call, at: interface, accept: accept)
        switch interface.binding {
        case .jsonRPC:
            let request = try request(call, at: interface, fields)
            return try await send(request, before: deadline, in: scope)
        case .httpJSON:
            return try await sendHTTPJSON(
                call, at: interface, fields, before: deadline, in: scope)
        case .jsonRPCV03:
            let request = try requestV03(call, at: interface, fields)
            return try await send(request, before: deadline, in: scope)
        }
    }

    /// Posts to a peer outside A2A.
    func post(
        _ body: [UInt8], to path: String, at peer: EntityID, in scope: RequestUpstreams?
    ) async throws(UpstreamFailure) -> PeerAnswer {
        let deadline = loop.now.adding(parts.upstream.shortCall)
        let fields: HTTPFields = [
            .contentType: "application/json", .accept: "application/json",
        ]
        let request = Request(
            route: .peer(peer), head: try Self.head(.post, peer, path, fields), body: body)
        let exchange = try await send(request, before: deadline, in: scope, anyStatus: true)
        defer { scope?.remove(exchange) }
        let answer = try await self.body(of: exchange, before: deadline, in: scope)
        let status = exchange.head?.status ?? 0
        let document = try? JSONDocument(parsing: answer, limits: .standard)
        if document == nil, !answer.isEmpty, status == 200 {
            throw .malformed("the peer's answer is not JSON")
        }
        return PeerAnswer(status: status, body: document)
    }

    // MARK: Requests

    /// A request and over which pool it goes.
    struct Request {
        enum Route {
            case peer(EntityID)
            case local(SocketAddress)
        }
        var route: Route
        var head: HTTPRequestHead
        var body: [UInt8]
    }

    /// The fields of a call. They are built from nothing: no field of an inbound request is ever
    /// passed on.
    private func fields(
        of call: UpstreamCall, at interface: AgentInterface, accept: HTTPFieldValue
    ) throws(UpstreamFailure) -> HTTPFields {
        var fields: HTTPFields = [
            .contentType: "application/json", .accept: accept,
            .a2aVersion: interface.binding == .jsonRPCV03 ? "0.3" : "1.0",
        ]
        func add(_ name: HTTPFieldName, _ value: String?) throws(UpstreamFailure) {
            guard let value else { return }
            guard let value = try? HTTPFieldValue(value) else {
                throw .unreachable("\(name) cannot be written as a field")
            }
            fields.append(name, value)
        }
        if call.extensions == ExtensionURI.betweenGateways {
            fields.append(.a2aExtensions, Self.betweenGateways)
        } else {
            try add(.a2aExtensions, call.extensions)
        }
        try add(.traceparent, call.traceparent)
        try add(.consentUser, call.user.map(ConsentUser.field))
        if case .local = interface.place { try add(.dragomanCaller, call.onBehalfOf) }
        return fields
    }

    /// What nearly every call between gateways says, checked once.
    private static let betweenGateways = HTTPFieldValue(
        stringLiteral: ExtensionURI.betweenGateways)

    /// A call as JSON-RPC.
    private func request(
        _ call: UpstreamCall, at interface: AgentInterface, _ fields: HTTPFields
    ) throws(UpstreamFailure) -> Request {
        var params = call.params
        if interface.tenant != nil || Self.mayNameTenant(params) {
            params = Array(try Self.params(call, interface.tenant).raw)
        }
        let body = JSONRPC.request(id: 1, method: call.method, params: params)
        return try Self.request(.post, at: interface, interface.path, fields, body)
    }

    /// Whether a text may hold the member `tenant`, in letters or escaped: most requests do not,
    /// and need not be read once more.
    private static func mayNameTenant(_ text: [UInt8]) -> Bool {
        let name = Array("tenant".utf8)
        for (place, byte) in text.enumerated() where byte == name[0] || byte == 0x5C {
            let rest = text[place...]
            if byte == 0x5C ? rest.dropFirst().first == 0x75 : rest.starts(with: name) {
                return true
            }
        }
        return false
    }

    /// A request to an interface.
    static func request(
        _ method: HTTPMethod, at interface: AgentInterface, _ path: String, _ fields: HTTPFields,
        _ body: [UInt8]
    ) throws(UpstreamFailure) -> Request {
        switch interface.place {
        case .peer(let peer):
            Request(route: .peer(peer), head: try head(method, peer, path, fields), body: body)
        case .local(let url):
            Request(
                route: .local(url.address), head: try head(method, url, path, fields), body: body)
        }
    }

    /// The request object of a call, with the tenant that the interface wants and no other: a
    /// tenant is between two neighbours.
    static func params(
        _ call: UpstreamCall, _ tenant: String?
    ) throws(UpstreamFailure) -> JSONValue {
        do {
            let object = try JSONDocument(parsing: call.params).root
            var splice = JSONSplice(within: object)
            if let tenant {
                splice.set(ProtoField("tenant"), tenant, in: object)
            } else if let foreign = object["tenant"] {
                // protobuf JSON reads null as absent.
                splice.replace(foreign, with: .null)
            }
            if splice.isEmpty { return object }
            return try JSONDocument(parsing: splice.applied()).root
        } catch {
            throw .unreachable("the request cannot be written anew: \(error)")
        }
    }

    static func head(
        _ method: HTTPMethod, _ peer: EntityID, _ path: String, _ fields: HTTPFields
    ) throws(UpstreamFailure) -> HTTPRequestHead {
        do {
            return try HTTPRequestHead(
                method: method, scheme: .https, authority: String(peer.authority), path: path,
                fields: fields)
        } catch {
            throw .unreachable("the address is not valid: \(error.rawValue)")
        }
    }

    static func head(
        _ method: HTTPMethod, _ url: LocalURL, _ path: String, _ fields: HTTPFields
    ) throws(UpstreamFailure) -> HTTPRequestHead {
        do {
            return try HTTPRequestHead(
                method: method, scheme: .http, authority: url.authority, path: path,
                fields: fields)
        } catch {
            throw .unreachable("the address is not valid: \(error.rawValue)")
        }
    }

    // MARK: Exchanges

    /// Sends a request and waits for the head of its answer. What a server certainly did nothing
    /// with is sent once more over another connection, and nothing else ever is (RFC 9113 §8.7).
    ///
    /// - Parameter anyStatus: Whether an answer other than 200 is one too.
    func send(
        _ request: Request, before deadline: MonotonicInstant, in scope: RequestUpstreams?,
        anyStatus: Bool = false
    ) async throws(UpstreamFailure) -> OutboundExchange {
        let exchange: OutboundExchange
        do throws(OutboundFailure) {
            do throws(OutboundFailure) {
                exchange = try await attempt(request, before: deadline, in: scope)
            } catch .refused {
                exchange = try await attempt(request, before: deadline, in: scope)
            }
        } catch {
            throw UpstreamFailure(error)
        }
        guard let head = exchange.head, head.status != 200, !anyStatus else { return exchange }
        scope?.remove(exchange)
        exchange.stop(.cancelled)
        throw .status(head.status, retryAfter: head.fields[.retryAfter].flatMap { Int($0) })
    }

    private func attempt(
        _ request: Request, before deadline: MonotonicInstant, in scope: RequestUpstreams?
    ) async throws(OutboundFailure) -> OutboundExchange {
        let exchange = try await begin(request, before: deadline)
        if let scope, !scope.add(exchange) {
            exchange.stop(.cancelled)
            throw .cancelled
        }
        do throws(OutboundFailure) {
            _ = try await response(of: exchange, before: deadline)
            return exchange
        } catch {
            scope?.remove(exchange)
            throw error
        }
    }

    private func begin(
        _ request: Request, before deadline: MonotonicInstant
    ) async throws(OutboundFailure) -> OutboundExchange {
        let out = OutboundRequest(head: request.head, body: request.body)
        switch request.route {
        case .peer(let peer): return try await pool(of: peer).send(out, before: deadline)
        case .local(let address): return try await pool(at: address).send(out, before: deadline)
        }
    }

    private func response(
        of exchange: OutboundExchange, before deadline: MonotonicInstant
    ) async throws(OutboundFailure) -> HTTPResponseHead {
        let timer = loop.schedule(at: deadline) { exchange.stop(.late) }
        defer { loop.cancel(timer) }
        return try await exchange.response()
    }

    /// The whole body of an answer. Its memory is the request's for as long as that lasts.
    func body(
        of exchange: OutboundExchange, before deadline: MonotonicInstant,
        in scope: RequestUpstreams?
    ) async throws(UpstreamFailure) -> [UInt8] {
        let share = scope?.share ?? AnswerShare(parts.answers, for: Self.ownErrands)
        // Most answers have come whole by the time their heads are looked at.
        let timer = exchange.isComplete ? nil : loop.schedule(at: deadline) { exchange.stop(.late) }
        defer { if let timer { loop.cancel(timer) } }
        do {
            return try await exchange.body(atMost: parts.upstream.answerBytes, of: share)
        } catch {
            throw UpstreamFailure(error)
        }
    }

    // MARK: Answers

    /// Whose memory housekeeping takes; no entity is called so.
    private static let ownErrands = "housekeeping"

    static func event(_ result: JSONValue) throws(UpstreamFailure) -> StreamEvent {
        do {
            return try StreamEvent(wrapped: result)
        } catch {
            throw .malformed(error.message)
        }
    }
}

extension HTTPFieldName {
    /// Tells a local agent whom it acts for: the caller's entity, as its certificate proved it.
    static let dragomanCaller: HTTPFieldName = "x-dragoman-caller"
}

extension UpstreamFailure {
    init(_ failure: OutboundFailure) {
        switch failure {
        case .refused(let reason): self = .unreachable(reason)
        case .lost(let reason): self = .lost(reason)
        case .late: self = .lost("its time was up")
        case .malformed(let rule): self = .malformed(rule)
        case .cancelled: self = .lost("the call was cancelled")
        }
    }
}
