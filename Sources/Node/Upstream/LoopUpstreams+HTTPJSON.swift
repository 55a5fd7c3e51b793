// SPDX-License-Identifier: Apache-2.0
import A2A
import Bindings
import Bytes
import Gateway
import HTTP
import IO
import JSON

extension LoopUpstreams {
    /// Sends a call as HTTP+JSON and waits for the head of an answer that says it succeeded.
    func sendHTTPJSON(
        _ call: UpstreamCall, at interface: AgentInterface, _ fields: HTTPFields,
        before deadline: MonotonicInstant, in scope: RequestUpstreams?
    ) async throws(UpstreamFailure) -> OutboundExchange {
        var form = try Self.form(call, interface.tenant)
        while true {
            let request = try Self.request(
                form.method, at: interface, interface.below(form.path),
                Self.fields(fields, of: form), form.body)
            let exchange = try await send(request, before: deadline, in: scope, anyStatus: true)
            guard let head = exchange.head, !(200..<300).contains(head.status) else {
                return exchange
            }
            defer { scope?.remove(exchange) }
            let body = try await body(of: exchange, before: deadline, in: scope)
            guard let other = HTTPJSON.retried(form, status: head.status, body) else {
                throw Self.failure(head, body)
            }
            form = other
        }
    }

    private static func form(
        _ call: UpstreamCall, _ tenant: String?
    ) throws(UpstreamFailure) -> HTTPJSON.Call {
        let params = try params(call, tenant)
        do {
            return try HTTPJSON.call(call.method, params: params)
        } catch {
            throw .unreachable("HTTP+JSON cannot say it: \(error.message)")
        }
    }

    /// The fields for one request: a type for what has a body, and what may be answered.
    private static func fields(_ fields: HTTPFields, of form: HTTPJSON.Call) -> HTTPFields {
        var fields = fields
        if form.body.isEmpty {
            fields.remove(.contentType)
        } else {
            fields.set(.contentType, .a2aJSON)
        }
        if fields[.accept] == "application/json" {
            fields.set(.accept, "application/a2a+json, application/json")
        }
        return fields
    }

    /// What an answer means that is not a success: the agent's own error, or its status.
    private static func failure(_ head: HTTPResponseHead, _ body: [UInt8]) -> UpstreamFailure {
        let retryAfter = head.fields[.retryAfter].flatMap { Int($0) }
        guard let document = try? JSONDocument(parsing: body),
            var error = HTTPJSON.error(document.root)
        else { return .status(head.status, retryAfter: retryAfter) }
        error.retryAfter = error.retryAfter ?? retryAfter
        return .agent(error)
    }
}
