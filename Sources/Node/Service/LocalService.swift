// SPDX-License-Identifier: Apache-2.0
import A2A
import Bindings
import Bytes
package import Consent
import Crypto
package import Gateway
package import HTTP
import JSON

/// What clients on this side reach: the agents, and where a listener says so the consent service.
package struct LocalService: Service {
    let gateway: GatewayState
    let agents: AgentService
    let log: AccessLog

    package init(gateway: GatewayState, agents: AgentService, log: AccessLog) {
        self.gateway = gateway
        self.agents = agents
        self.log = log
    }

    /// What the head alone decides; `nil` has the body read.
    package func refusal(
        of head: HTTPRequestHead, at listener: ListenerSettings, from peer: Presenter?
    ) -> ServiceResponse? {
        // A page in a browser may reach loopback too; it is told apart by the origin it must send.
        if head.fields.contains(.origin) {
            return .plain(403, "Web pages are not served here")
        }
        guard Self.principal(head, listener) != nil else {
            var response = ServiceResponse.plain(401, "A bearer token is required")
            response.fields.append(.wwwAuthenticate, "Bearer")
            return response
        }
        if let resource = AgentService.resource(head) {
            if case .card = resource { return agents.refusal(of: head, resource) }
            return agents.refusal(of: head, resource) ?? Self.foreign(head, listener)
        }
        guard listener.servesConsent, let resource = ConsentResource(head) else {
            return .plain(404, "Nothing is here")
        }
        if head.method == resource.method { return Self.foreign(head, listener) }
        return .plain(405, "\(resource.method.text) is served here")
    }

    /// Refuses what may be a page that reads under a name of its own for this machine: a browser
    /// sends no origin then, but that name, and a page knows no token.
    private static func foreign(
        _ head: HTTPRequestHead, _ listener: ListenerSettings
    ) -> ServiceResponse? {
        guard head.method == .get, !head.fields.contains(.authorization),
            !listener.address.hasPrefix("unix:"), !head.authority.isEmpty,
            LocalURL.loopback(head.authority) == nil
        else { return nil }
        return .plain(403, "Without a token the host must be localhost or its address")
    }

    /// Answers one complete request.
    package func respond(
        to request: ServiceRequest, through upstreams: any Upstreams
    ) async -> ServiceResponse {
        guard let principal = Self.principal(request.head, request.listener) else {
            return .plain(401, "A bearer token is required")
        }
        let party = Caller.Party.local(listener: request.listener.name, principal: principal)
        if let resource = AgentService.resource(request.head) {
            return await agents.respond(to: request, resource, as: party, through: upstreams)
        }
        guard request.listener.servesConsent, let resource = ConsentResource(request.head) else {
            return .plain(404, "Nothing is here")
        }
        let line = log.begin(request, party: party, agent: nil)
        line.method = resource.name
        do {
            let answer = try await ConsentService(
                gateway: gateway, principal: principal, party: party, upstreams: upstreams
            ).respond(to: resource, request)
            line.end(status: 200)
            return .json(answer.bytes)
        } catch {
            line.end(status: error.code.httpStatus, refusal: error)
            return .json(HTTPJSON.body(of: error), status: error.code.httpStatus)
        }
    }

    /// Whom the request's credential stands for; `nil` refuses it.
    ///
    /// Every configured hash is compared, so that the time tells nothing about which one matched.
    static func principal(_ head: HTTPRequestHead, _ listener: ListenerSettings) -> String? {
        guard let value = head.fields[.authorization] else { return listener.anonymous }
        let parts = value.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
        let hash = Array(Hex.encode(Digest.sha256(Array(parts[1].utf8))).utf8)
        var found: String?
        for principal in listener.principals
        where constantTimeEqual(hash, Array(principal.tokenHash.utf8)) {
            found = principal.name
        }
        return found
    }
}

/// A resource of the consent service (Spec/consent.md).
enum ConsentResource: Equatable {
    case asks
    case decision(nonce: String)
    case grants

    init?(_ head: HTTPRequestHead) {
        guard let segments = head.target.segments, segments.count >= 3,
            segments[0] == "consent", segments[1] == "v1"
        else { return nil }
        switch (segments[2], segments.count) {
        case ("asks", 3): self = .asks
        case ("asks", 4) where !segments[3].isEmpty: self = .decision(nonce: segments[3])
        case ("grants", 3): self = .grants
        default: return nil
        }
    }

    var method: HTTPMethod { self == .asks ? .get : .post }

    var name: String {
        switch self {
        case .asks: "asks"
        case .decision: "decide"
        case .grants: "grant"
        }
    }
}

/// The consent service of an entrance over HTTP: what a phone maker's backend or page talks to.
struct ConsentService {
    let gateway: GatewayState
    let principal: String
    let party: Caller.Party
    let upstreams: any Upstreams

    func respond(
        to resource: ConsentResource, _ request: ServiceRequest
    ) async throws(A2AError) -> JSONNode {
        let desk = ConsentDesk(gateway: gateway, principal: principal)
        let language = Self.language(request.head)
        switch resource {
        case .asks:
            return try await desk.asks(language: language)
        case .decision(let nonce):
            return try await decide(nonce, try body(request), desk, language)
        case .grants:
            let body = try body(request)
            guard let name = body["agent"]?.string, let agent = gateway.agent(name, for: party)
            else { throw .invalid("agent", "is not an agent of this listener") }
            guard let executor = body["executor"]?.string else {
                throw .invalid("executor", "is required")
            }
            return try desk.grant(
                agent: agent, listener: request.listener.name, executor: executor)
        }
    }

    private func decide(
        _ nonce: String, _ body: JSONValue, _ desk: ConsentDesk, _ language: String
    ) async throws(A2AError) -> JSONNode {
        let word = try Self.word(body)
        let methods = body["amr"]?.elements.compactMap(\.string) ?? []
        let (task, answer) = try await desk.decide(
            nonce: nonce, word, methods: methods.isEmpty ? ["pwd"] : methods,
            language: language)
        guard let agent = gateway.settings.agents[task.agent] else {
            throw A2AError(.taskNotFound)
        }
        let exchange = Exchange(
            gateway: gateway, upstreams: upstreams,
            caller: Caller(party: owner(of: task)), agent: agent)
        return try await exchange.resume(task, answer)
    }

    private static func word(_ body: JSONValue) throws(A2AError) -> UsersWord {
        let approves: Bool
        switch body["decision"]?.string {
        case "approve": approves = true
        case "deny": approves = false
        default: throw .invalid("decision", "must be approve or deny")
        }
        if let confirmation = body["confirmation"]?.string {
            return .signed(
                SignedWord(
                    confirmation: confirmation, disclosed: body["disclosed"]?.string))
        }
        if !approves { return .no }
        guard let given = body["data"] else { return .yes(data: [:]) }
        guard given.kind == .object else { throw .invalid("data", "must be an object") }
        var data: [String: String] = [:]
        for member in given.members {
            guard let value = member.value.string else {
                throw .invalid("data", "must hold strings")
            }
            data[member.name] = value
        }
        return .yes(data: data)
    }

    /// The task goes on in the name of whoever began it, at whichever listener that was.
    private func owner(of task: TaskRecord) -> Caller.Party {
        let parts = task.owner.party.dropFirst("edge:".count).split(
            separator: "/", maxSplits: 1)
        guard parts.count == 2 else { return party }
        return .local(listener: String(parts[0]), principal: String(parts[1]))
    }

    private func body(_ request: ServiceRequest) throws(A2AError) -> JSONValue {
        do {
            return try JSONDocument(parsing: request.body).root
        } catch {
            throw A2AError(.parse, "Invalid JSON: \(error.description)")
        }
    }

    /// The first language that the client wants; labels come in Chinese or English.
    static func language(_ head: HTTPRequestHead) -> String {
        let wanted = head.fields[.acceptLanguage].map { $0.prefix { $0 != "," && $0 != ";" } }
        let tag = String(wanted ?? "en")
        let isTag = tag.utf8.allSatisfy {
            ($0 >= 48 && $0 <= 57) || ($0 >= 65 && $0 <= 90) || ($0 >= 97 && $0 <= 122) || $0 == 45
        }
        return isTag && !tag.isEmpty && tag.utf8.count <= 35 ? tag : "en"
    }
}
