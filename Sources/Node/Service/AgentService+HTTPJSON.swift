// SPDX-License-Identifier: Apache-2.0
import A2A
import Bindings
import Gateway
import HTTP
import JSON

/// The HTTP+JSON face of an agent (A2A §11), below the address of its JSON-RPC face.
extension AgentService {
    /// What the head alone decides of a request to `route`, which is `nil` where the path names
    /// nothing that an agent has.
    static func refusal(of head: HTTPRequestHead, _ route: HTTPJSON.Route?) -> ServiceResponse? {
        guard let route else {
            return refused(A2AError(.methodNotFound, "Nothing of A2A has this path"))
        }
        guard route.methods.contains(head.method) else {
            var response = refused(
                A2AError(.unsupportedOperation, "This method is not served here"), status: 405)
            let allowed = route.methods.map(\.text).joined(separator: ", ")
            if let value = try? HTTPFieldValue(allowed) { response.fields.append(.allow, value) }
            return response
        }
        guard route.takesBody(head.method) else { return nil }
        switch head.fields[.contentType].map(mediaType) {
        case "application/json", HTTPJSON.mediaType: return nil
        default:
            return refused(
                A2AError(
                    .contentTypeNotSupported, "Content-Type must be \(HTTPJSON.mediaType)"))
        }
    }

    private static func refused(_ error: A2AError, status: Int? = nil) -> ServiceResponse {
        var response = ServiceResponse.httpJSON(error, status: status)
        response.reason = error.message
        return response
    }

    /// Carries out what a request to `route` asks of `agent`.
    func callHTTPJSON(
        _ request: ServiceRequest, _ route: HTTPJSON.Route, _ agent: AgentSettings,
        _ party: Caller.Party, _ line: AccessLog.Line, _ upstreams: any Upstreams
    ) async -> ServiceResponse {
        let head = request.head
        line.method = route.operationName(head.method)
        let wanted = Self.wantedExtensions(head)
        var account: ExchangeAccount?
        do throws(A2AError) {
            if let error = Self.versionFault(head) { throw error }
            let operation = try route.operation(
                head.method, parameters: head.target.parameters, body: request.body)
            let exchange = Exchange(
                gateway: gateway, upstreams: upstreams,
                caller: try Self.caller(head, party, wanted), agent: agent)
            account = exchange.account
            let reply = try await exchange.run(operation)
            var fields = Self.activated(wanted)
            switch reply {
            case .value(let result):
                line.end(status: 200, account: exchange.account)
                fields.append(.contentType, .a2aJSON)
                return ServiceResponse(status: 200, fields: fields, body: .bytes(result))
            case .events(let events):
                fields.append(.contentType, "text/event-stream")
                fields.append(.cacheControl, "no-store")
                return ServiceResponse(
                    status: 200, fields: fields,
                    body: .events(HTTPJSONEvents(events, line, exchange.account)))
            }
        } catch {
            line.end(status: error.code.httpStatus, account: account, refusal: error)
            return .httpJSON(error)
        }
    }
}

extension HTTPFieldValue {
    static let a2aJSON: HTTPFieldValue = "application/a2a+json"
}

extension ServiceResponse {
    /// An error in the form of HTTP+JSON, with the status that the error has there.
    static func httpJSON(_ error: A2AError, status: Int? = nil) -> ServiceResponse {
        var response = ServiceResponse(
            status: status ?? error.code.httpStatus, fields: [.contentType: .a2aJSON],
            body: .bytes(HTTPJSON.body(of: error)))
        if let seconds = error.retryAfter {
            response.fields.append(.retryAfter, HTTPFieldValue(seconds))
        }
        return response
    }
}

/// A stream of bare events over server-sent events (A2A §11.7).
final class HTTPJSONEvents: ServiceEvents {
    private let events: any ExchangeEvents
    private let line: AccessLog.Line
    private let account: ExchangeAccount
    private var ended = false

    init(_ events: any ExchangeEvents, _ line: AccessLog.Line, _ account: ExchangeAccount) {
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
            return RPCEvents.frame(event.wrapped)
        } catch {
            ended = true
            line.end(status: 200, account: account, refusal: error)
            return RPCEvents.frame(HTTPJSON.body(of: error), event: "error")
        }
    }

    func cancel() {
        if ended { return }
        ended = true
        events.cancel()
        line.end(status: 499, account: account)
    }
}
