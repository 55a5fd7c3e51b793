// SPDX-License-Identifier: Apache-2.0
import A2A
import Bindings
import Bytes
package import Consent
package import Gateway
package import HTTP
import JSON

/// The control socket: all that changes this gateway or reads its books.
///
/// Whoever can open the socket is the operator; the file's permissions (0600) are the credential.
/// A web page cannot open a Unix socket, but a careless bridge from a port to it could be opened by
/// one, so what browsers send along is refused all the same.
package struct ControlService: Service {
    let desk: ControlDesk
    let log: AccessLog

    /// - Parameter observe: Asked whether the gateway is ready.
    package init(
        gateway: GatewayState, node: NodeState, observe: ObserveService,
        control: any NodeControl, log: AccessLog
    ) {
        desk = ControlDesk(gateway: gateway, node: node, observe: observe, control: control)
        self.log = log
    }

    /// What the head alone decides; `nil` has the request answered by ``respond(to:through:)``.
    package func refusal(
        of head: HTTPRequestHead, at listener: ListenerSettings, from peer: Presenter?
    ) -> ServiceResponse? {
        if head.fields.contains(.origin) || head.fields.contains("sec-fetch-site") {
            return .plain(403, "Web pages are not served here")
        }
        guard Self.isLocal(head.authority) else {
            return .plain(403, "This is a socket of one machine; its host is localhost")
        }
        do {
            _ = try ControlResource(head)
            return nil
        } catch {
            return Self.response(error)
        }
    }

    /// Answers one complete request.
    package func respond(
        to request: ServiceRequest, through upstreams: any Upstreams
    ) async -> ServiceResponse {
        let party = Caller.Party.local(
            listener: request.listener.name, principal: Self.principal)
        let line = log.begin(request, party: party, agent: nil)
        let resource: ControlResource
        do throws(ControlResource.Fault) {
            resource = try ControlResource(request.head)
        } catch {
            let response = Self.response(error)
            line.end(status: response.status)
            return response
        }
        line.method = resource.name
        do throws(A2AError) {
            let response = try await desk.respond(to: resource)
            line.end(status: response.status)
            return response
        } catch {
            line.end(status: error.code.httpStatus, refusal: error)
            return .json(HTTPJSON.body(of: error), status: error.code.httpStatus)
        }
    }

    /// Whom the access log names.
    private static let principal = "operator"

    /// Whether a `Host` is one that only a client of this machine would write: the name that it
    /// resolved may be an attacker's, but then it is written here.
    static func isLocal(_ authority: String) -> Bool {
        let end = authority.hasPrefix("[") ? authority.firstIndex(of: "]") : nil
        let name = end.map { authority[...$0] } ?? authority.prefix { $0 != ":" }
        let rest = authority[name.endIndex...]
        return ["", "localhost", "127.0.0.1", "[::1]"].contains(name.lowercased())
            && (rest.isEmpty || rest.first == ":")
    }

    private static func response(_ fault: ControlResource.Fault) -> ServiceResponse {
        switch fault {
        case .notFound: return .plain(404, "Nothing is here")
        case .parameter(let rule): return .plain(400, rule)
        case .method(let method):
            var response = ServiceResponse.plain(405, "\(method.text) is served here")
            response.fields.append(.allow, method == .get ? "GET" : "POST")
            return response
        }
    }
}

extension ListenerSettings {
    /// What logs call the control socket.
    package static let controlName = "control"

    /// The control socket, which is no entry of `listeners`: every gateway has exactly one, and it
    /// is a Unix socket that its owner alone can open.
    package static func control(path: String) -> ListenerSettings {
        ListenerSettings(
            name: controlName, kind: .control, address: "unix:\(path)", principals: [],
            anonymous: nil, servesConsent: false)
    }
}
