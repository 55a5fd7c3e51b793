// SPDX-License-Identifier: Apache-2.0

/// A request method, a token compared by case (RFC 9110 §9.1).
package struct HTTPMethod: Hashable, Sendable, CustomStringConvertible {
    package let text: String

    /// - Throws: ``HTTPFault/method`` if it is not a token.
    package init(_ text: String) throws(HTTPFault) {
        guard !text.isEmpty, text.utf8.allSatisfy(HTTPCharacters.isToken) else { throw .method }
        self.text = text
    }

    private init(known text: String) {
        self.text = text
    }

    package var description: String { text }

    package static let get = HTTPMethod(known: "GET")
    package static let head = HTTPMethod(known: "HEAD")
    package static let post = HTTPMethod(known: "POST")
    package static let put = HTTPMethod(known: "PUT")
    package static let patch = HTTPMethod(known: "PATCH")
    package static let delete = HTTPMethod(known: "DELETE")
    package static let options = HTTPMethod(known: "OPTIONS")
    package static let connect = HTTPMethod(known: "CONNECT")
}

/// The two schemes that are served.
package enum HTTPScheme: String, Sendable {
    case http, https
}

/// The head of a request, the same for every version of HTTP.
package struct HTTPRequestHead: Sendable, Equatable {
    package let method: HTTPMethod
    package let scheme: HTTPScheme
    /// `host[:port]` as the client wrote it; empty only in HTTP/1.0.
    package let authority: String
    /// The target in origin form with its query, or `*` for OPTIONS. Nothing is decoded.
    package let path: String
    /// All other fields; `host` is not among them, it is ``authority``.
    package var fields: HTTPFields

    /// - Throws: ``HTTPFault/authority``, ``HTTPFault/userinfo`` or ``HTTPFault/path``.
    package init(
        method: HTTPMethod, scheme: HTTPScheme, authority: String, path: String,
        fields: HTTPFields = [:]
    ) throws(HTTPFault) {
        if !authority.isEmpty { try HTTPAuthority.check(authority) }
        guard HTTPPath.isTarget(path, of: method) else { throw .path }
        self.method = method
        self.scheme = scheme
        self.authority = authority
        self.path = path
        self.fields = fields
        self.fields.remove(.host)
    }

    /// The path without the query, and both in their decoded parts.
    package var target: HTTPPath { HTTPPath(path) }
}

/// The head of a response, the same for every version of HTTP.
package struct HTTPResponseHead: Sendable, Equatable {
    /// 100…599.
    package let status: Int
    package var fields: HTTPFields

    /// - Throws: ``HTTPFault/status`` outside 100…599.
    package init(validating status: Int, fields: HTTPFields = [:]) throws(HTTPFault) {
        guard (100...599).contains(status) else { throw .status }
        self.status = status
        self.fields = fields
    }

    /// A status that the program itself chose.
    package init(status: Int, fields: HTTPFields = [:]) {
        precondition((100...599).contains(status), "not a status")
        self.status = status
        self.fields = fields
    }

    /// An interim answer, which another head follows.
    package var isInformational: Bool { status < 200 }
}
