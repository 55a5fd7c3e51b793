// SPDX-License-Identifier: Apache-2.0
import A2A
import Bindings
import Gateway
import HTTP
import JSON

/// The face of A2A 0.3, at the path of the JSON-RPC face of 1.0 (Spec/divergences.md).
extension AgentService {
    /// Whether a request is in 0.3, or in no version that it names. Only clients on this side are
    /// served so: gateways speak 1.0 among themselves (Spec §1.1).
    static func isV03(_ head: HTTPRequestHead, at listener: ListenerSettings) -> Bool {
        listener.kind == .local && ProtocolVersion(versionText(head)) == .v0_3
    }

    /// Carries out what a request of 0.3 asks of `agent`.
    func callV03(
        _ request: ServiceRequest, _ agent: AgentSettings, _ party: Caller.Party,
        _ line: AccessLog.Line, _ upstreams: any Upstreams
    ) async -> ServiceResponse {
        let call: JSONRPCV03.Call
        do {
            call = try JSONRPCV03.decode(request.body)
        } catch {
            return Self.refuse(error, of: request.head, line)
        }
        line.method = call.method.current
        let wanted = Self.wantedExtensions(request.head)
        var account: ExchangeAccount?
        do throws(A2AError) {
            let exchange = Exchange(
                gateway: gateway, upstreams: upstreams,
                caller: try Self.caller(request.head, party, wanted), agent: agent)
            account = exchange.account
            let reply = try await exchange.run(call.operation)
            var fields = Self.activated(wanted)
            if let active = fields[.a2aExtensions].flatMap({ try? HTTPFieldValue($0) }) {
                fields.append(.xA2AExtensions, active)
            }
            switch reply {
            case .value(let result):
                let body = try JSONRPCV03.response(id: call.id, result: result, of: call.method)
                line.end(status: 200, account: exchange.account)
                fields.append(.contentType, "application/json")
                return ServiceResponse(status: 200, fields: fields, body: .bytes(body))
            case .events(let events):
                return .events(V03Events(id: call.id, events, line, exchange.account), fields)
            }
        } catch {
            line.end(status: 200, account: account, refusal: error)
            return Self.answer(error, id: call.id, to: call.method)
        }
    }

    /// What was no request of 0.3. Who names no version and no method of 0.3's kind is told to name
    /// a version.
    private static func refuse(
        _ failure: JSONRPCV03.Failure, of head: HTTPRequestHead, _ line: AccessLog.Line
    ) -> ServiceResponse {
        if let method = failure.method, !method.contains("/"), versionText(head) ?? "" == "" {
            let error = A2AError(
                .versionNotSupported, "\(ProtocolVersion.parameter) is required: 1.0 is served")
            line.end(status: 200, refusal: error)
            return .json(JSONRPC.response(id: failure.id, error: error))
        }
        line.end(status: 200, refusal: failure.error)
        let method = failure.method.flatMap(V03Method.init(rawValue:))
        return answer(failure.error, id: failure.id, to: method)
    }

    /// An error where the client looks for it: clients of 0.3 that ask for a stream read nothing
    /// else.
    private static func answer(
        _ error: A2AError, id: [UInt8], to method: V03Method?
    ) -> ServiceResponse {
        let body = JSONRPCV03.response(id: id, error: error)
        guard method?.isStreaming ?? false else { return .json(body) }
        return .events(OneEvent(RPCEvents.frame(body)), [:])
    }
}

extension ServiceResponse {
    fileprivate static func events(
        _ events: any ServiceEvents, _ fields: HTTPFields
    ) -> ServiceResponse {
        var fields = fields
        fields.append(.contentType, "text/event-stream")
        fields.append(.cacheControl, "no-store")
        return ServiceResponse(status: 200, fields: fields, body: .events(events))
    }
}

/// A stream of one piece.
private final class OneEvent: ServiceEvents {
    private var piece: [UInt8]?

    init(_ piece: [UInt8]) { self.piece = piece }

    func next() async -> [UInt8]? { piece.take() }

    func cancel() { piece = nil }
}

/// A stream of events as JSON-RPC answers of 0.3 over server-sent events. Errors are events like
/// all others.
final class V03Events: ServiceEvents {
    private let id: [UInt8]
    private let events: any ExchangeEvents
    private let line: AccessLog.Line
    private let account: ExchangeAccount
    private var stream = V03Stream()
    private var isEnded = false

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
        while !isEnded {
            var sent: [JSONNode]
            do throws(A2AError) {
                if let event = try await events.next() {
                    let event = try event.read()
                    sent = stream.receive(event)
                    // A task that has ended ends its stream; one that waits may leave it open.
                    if stream.isOver, !(event.state?.isTerminal ?? false) {
                        events.cancel()
                        end()
                    }
                } else {
                    sent = stream.end()
                    end()
                }
            } catch {
                let body = JSONRPCV03.response(id: id, error: error)
                sent = stream.fail()
                end(refusal: error)
                return frames(sent) + RPCEvents.frame(body)
            }
            if !sent.isEmpty { return frames(sent) }
        }
        return nil
    }

    func cancel() {
        if isEnded { return }
        isEnded = true
        events.cancel()
        line.end(status: 499, account: account)
    }

    private func end(refusal: A2AError? = nil) {
        isEnded = true
        line.end(status: 200, account: account, refusal: refusal)
    }

    private func frames(_ nodes: [JSONNode]) -> [UInt8] {
        nodes.flatMap { RPCEvents.frame(JSONRPC.response(id: id, result: $0.bytes)) }
    }
}
