// SPDX-License-Identifier: Apache-2.0

/// The name of a field, a valid token in lower case (RFC 9110 §5.1; HTTP/2 knows no other case).
package struct HTTPFieldName: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The name as it goes on the wire.
    package let text: String

    /// Takes a name in any case.
    /// - Throws: ``HTTPFault/fieldName`` if it is empty or not a token.
    package init(_ text: String) throws(HTTPFault) {
        guard !text.isEmpty, text.utf8.allSatisfy(HTTPCharacters.isToken) else {
            throw .fieldName
        }
        self.text = HTTPCharacters.lowered(text)
    }

    /// Takes the bytes of a name in any case; `nil` if it is empty or not a token.
    package init?(bytes: Span<UInt8>) {
        guard !bytes.isEmpty else { return nil }
        var isLower = true
        for index in bytes.indices {
            guard HTTPCharacters.isToken(bytes[index]) else { return nil }
            if HTTPCharacters.lowered(bytes[index]) != bytes[index] { isLower = false }
        }
        guard let utf8 = try? UTF8Span(validating: bytes) else { return nil }
        let whole = String(copying: utf8)
        text = isLower ? whole : HTTPCharacters.lowered(whole)
    }

    /// Whether it concerns one connection only and never crosses a hop (RFC 9110 §7.6.1).
    package var isHopByHop: Bool {
        // Asked of every field that is forwarded; the length settles nearly all of them.
        switch text.utf8.count {
        case 2: self == .te
        case 7: self == .trailer || self == .upgrade
        case 10: self == .connection || self == .keepAlive
        case 14: self == "http2-settings"
        case 16: self == .proxyConnection
        case 17: self == .transferEncoding
        case 18: self == "proxy-authenticate"
        case 19: self == .proxyAuthorization
        default: false
        }
    }

    /// Whether its values are secrets, which no compression table should keep.
    package var isSecret: Bool {
        switch text.utf8.count {
        case 6: self == .cookie
        case 10: self == .setCookie
        case 13: self == .authorization
        default: false
        }
    }

    package var description: String { text }

    package static func < (left: HTTPFieldName, right: HTTPFieldName) -> Bool {
        left.text < right.text
    }
}

extension HTTPFieldName: ExpressibleByStringLiteral {
    /// A name written in the source; one that is not a lower-case token is our own mistake.
    package init(stringLiteral text: String) {
        precondition(
            !text.isEmpty
                && text.utf8.allSatisfy {
                    HTTPCharacters.isToken($0) && HTTPCharacters.lowered($0) == $0
                }, "not a field name")
        self.text = text
    }
}

/// The names that this program speaks of.
extension HTTPFieldName {
    package static let a2aExtensions: HTTPFieldName = "a2a-extensions"
    package static let a2aVersion: HTTPFieldName = "a2a-version"
    package static let accept: HTTPFieldName = "accept"
    package static let acceptEncoding: HTTPFieldName = "accept-encoding"
    package static let acceptLanguage: HTTPFieldName = "accept-language"
    package static let allow: HTTPFieldName = "allow"
    package static let authorization: HTTPFieldName = "authorization"
    package static let cacheControl: HTTPFieldName = "cache-control"
    package static let connection: HTTPFieldName = "connection"
    package static let contentEncoding: HTTPFieldName = "content-encoding"
    package static let contentLength: HTTPFieldName = "content-length"
    package static let contentType: HTTPFieldName = "content-type"
    package static let cookie: HTTPFieldName = "cookie"
    package static let date: HTTPFieldName = "date"
    package static let eTag: HTTPFieldName = "etag"
    package static let expect: HTTPFieldName = "expect"
    package static let grpcMessage: HTTPFieldName = "grpc-message"
    package static let grpcStatus: HTTPFieldName = "grpc-status"
    package static let grpcTimeout: HTTPFieldName = "grpc-timeout"
    package static let host: HTTPFieldName = "host"
    package static let ifModifiedSince: HTTPFieldName = "if-modified-since"
    package static let ifNoneMatch: HTTPFieldName = "if-none-match"
    package static let keepAlive: HTTPFieldName = "keep-alive"
    package static let lastEventID: HTTPFieldName = "last-event-id"
    package static let lastModified: HTTPFieldName = "last-modified"
    package static let location: HTTPFieldName = "location"
    package static let origin: HTTPFieldName = "origin"
    package static let proxyAuthorization: HTTPFieldName = "proxy-authorization"
    package static let proxyConnection: HTTPFieldName = "proxy-connection"
    package static let retryAfter: HTTPFieldName = "retry-after"
    package static let server: HTTPFieldName = "server"
    package static let setCookie: HTTPFieldName = "set-cookie"
    package static let te: HTTPFieldName = "te"
    package static let traceparent: HTTPFieldName = "traceparent"
    package static let trailer: HTTPFieldName = "trailer"
    package static let transferEncoding: HTTPFieldName = "transfer-encoding"
    package static let upgrade: HTTPFieldName = "upgrade"
    package static let userAgent: HTTPFieldName = "user-agent"
    package static let vary: HTTPFieldName = "vary"
    package static let via: HTTPFieldName = "via"
    package static let wwwAuthenticate: HTTPFieldName = "www-authenticate"
    /// The name that A2A 0.3 gave to ``a2aExtensions``.
    package static let xA2AExtensions: HTTPFieldName = "x-a2a-extensions"
}
