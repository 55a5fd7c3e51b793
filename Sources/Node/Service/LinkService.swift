// SPDX-License-Identifier: Apache-2.0
import A2A
import Bindings
package import Consent
package import Gateway
package import HTTP
import JSON

/// What peers reach over a link: agents and their cards, the budget keeper, the books.
package struct LinkService: Service {
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
        guard let peer else { return .plain(401, "A client certificate is required") }
        let isSuspended = gateway.standing.suspended(peer.entity) != nil
        if let resource = AgentService.resource(head) {
            return isSuspended ? Self.suspended : agents.refusal(of: head, resource)
        }
        guard let resource = PeerDesk.Resource(path: head.target.path) else {
            return .plain(404, "Nothing is here")
        }
        // What is owed for earlier requests is still taken, so that both books come out equal.
        if isSuspended, resource == .reservations { return Self.suspended }
        return head.method == .post ? nil : .plain(405, "POST is served here")
    }

    /// Answers one complete request.
    package func respond(
        to request: ServiceRequest, through upstreams: any Upstreams
    ) async -> ServiceResponse {
        guard let peer = request.peer else { return .plain(401, "Who are you?") }
        if let resource = AgentService.resource(request.head) {
            return await agents.respond(
                to: request, resource, as: .peer(peer), through: upstreams)
        }
        guard let resource = PeerDesk.Resource(path: request.head.target.path) else {
            return .plain(404, "Nothing is here")
        }
        let line = log.begin(request, party: .peer(peer), agent: nil)
        line.method = resource.name
        let desk = PeerDesk(gateway: gateway, peer: peer)
        do {
            let answer = try await desk.respond(to: resource, body: request.body)
            line.end(status: 200)
            return .json(answer)
        } catch {
            line.end(status: error.code.httpStatus, refusal: error)
            return .json(
                HTTPJSON.body(of: error),
                status: error.code.httpStatus)
        }
    }

    private static var suspended: ServiceResponse {
        .plain(403, "This peer is suspended here; its operator knows why")
    }
}
