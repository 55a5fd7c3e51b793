// SPDX-License-Identifier: Apache-2.0
package import Consent
package import Gateway
package import HTTP

/// A request as a listener received it, whatever the version of HTTP.
package final class ServiceRequest: Sendable {
    package let head: HTTPRequestHead
    /// The whole body; its size was limited while it was read.
    package let body: [UInt8]
    package let listener: ListenerSettings
    /// The peer on a link; `nil` on this side of the gateway.
    package let peer: Presenter?
    /// `HTTP/2` or `HTTP/1.1`, for the access log.
    package let httpVersion: String

    package init(
        head: HTTPRequestHead, body: [UInt8], listener: ListenerSettings, peer: Presenter?,
        httpVersion: String
    ) {
        self.head = head
        self.body = body
        self.listener = listener
        self.peer = peer
        self.httpVersion = httpVersion
    }
}

/// An answer to a request.
package struct ServiceResponse {
    package var status: Int
    package var fields: HTTPFields
    package var body: Body
    /// For the log, where nothing but the answer says why: fixed words of this program.
    package var reason: String?

    /// What follows the head.
    package enum Body {
        case bytes([UInt8])
        /// Server-sent events; the connection adds a comment where they are far apart.
        case events(any ServiceEvents)
    }

    package init(
        status: Int, fields: HTTPFields = [:], body: Body = .bytes([]), reason: String? = nil
    ) {
        self.reason = reason
        self.status = status
        self.fields = fields
        self.body = body
    }
}

/// The pieces of a streaming answer, in order. Used on one loop only.
package protocol ServiceEvents: AnyObject {
    /// The next piece, whole events; `nil` at the end.
    func next() async -> [UInt8]?
    /// The client does not listen any more.
    func cancel()
}

/// What a listener serves.
package protocol Service: Sendable {
    /// Answers by the head alone where the body does not matter; `nil` has the body read.
    func refusal(
        of head: HTTPRequestHead, at listener: ListenerSettings, from peer: Presenter?
    ) -> ServiceResponse?
    /// Answers `request`. Runs on the loop of its connection, with that loop's ways out.
    func respond(
        to request: ServiceRequest, through upstreams: any Upstreams
    ) async -> ServiceResponse
}

extension ServiceResponse {
    /// A JSON answer.
    static func json(_ body: [UInt8], status: Int = 200) -> ServiceResponse {
        ServiceResponse(
            status: status, fields: [.contentType: "application/json"], body: .bytes(body))
    }

    /// An answer for people and programs that carries no more than its status.
    static func plain(_ status: Int, _ text: String) -> ServiceResponse {
        ServiceResponse(
            status: status, fields: [.contentType: "text/plain; charset=utf-8"],
            body: .bytes(Array((text + "\n").utf8)), reason: text)
    }
}
