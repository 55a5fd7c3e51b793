// SPDX-License-Identifier: Apache-2.0

/// Writes HTTP/1.1 messages out of validated parts.
///
/// Nothing that frames a message is taken over from elsewhere: hop-by-hop fields are dropped,
/// `content-length`, `transfer-encoding`, `connection` and `host` are written anew from the
/// arguments, so no field of a peer can move the end of a message.
package enum HTTP1Serializer {
    /// `HTTP/1.1 100 Continue`, complete.
    package static let continueResponse = Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)

    /// Appends a request's head; `closes` asks the server to close after its answer. The framing
    /// `untilClose` has no meaning for a request and is our own mistake.
    package static func write(
        _ head: HTTPRequestHead, framing: HTTP1Framing, closes: Bool = false,
        into output: inout [UInt8]
    ) {
        precondition(framing != .untilClose, "a request ends before its connection")
        put(
            head.method.text, " ", head.path, " HTTP/1.1\r\nhost: ", head.authority, "\r\n",
            into: &output)
        putFields(head.fields, into: &output)
        // A request without a body says so where its method suggests one (RFC 9110 §8.6).
        let saysZero = framing == .none && [.post, .put, .patch].contains(head.method)
        putFraming(saysZero ? .length(0) : framing, closes: closes, into: &output)
    }

    /// Appends a response's head. For the answer to HEAD give the framing that GET would have had
    /// and write no body. The framing is ignored for 1xx and 204, which have none.
    package static func write(
        _ head: HTTPResponseHead, framing: HTTP1Framing, closes: Bool,
        into output: inout [UInt8]
    ) {
        put("HTTP/1.1 ", String(head.status), " ", reason(head.status), "\r\n", into: &output)
        putFields(head.fields, into: &output)
        if head.isInformational {
            put("\r\n", into: &output)
        } else {
            let isBodiless = head.status == 204 || head.status == 304
            let saysZero = framing == .none && !isBodiless
            let own = head.status == 204 ? HTTP1Framing.none : framing
            putFraming(
                saysZero ? .length(0) : own, closes: closes || framing == .untilClose,
                into: &output)
        }
    }

    /// Appends one chunk; nothing for no bytes, since an empty chunk ends the body.
    package static func writeChunk(_ bytes: ArraySlice<UInt8>, into output: inout [UInt8]) {
        guard !bytes.isEmpty else { return }
        put(String(bytes.count, radix: 16), "\r\n", into: &output)
        output.append(contentsOf: bytes)
        put("\r\n", into: &output)
    }

    /// Appends the last chunk and the trailers.
    package static func writeEnd(trailers: HTTPFields = [:], into output: inout [UInt8]) {
        put("0\r\n", into: &output)
        putFields(trailers, into: &output)
        put("\r\n", into: &output)
    }

    private static func putFields(_ fields: HTTPFields, into output: inout [UInt8]) {
        for field in fields.withoutHopByHop where !ownFields.contains(field.name) {
            put(field.name.text, ": ", field.value.text, "\r\n", into: &output)
        }
    }

    private static func putFraming(
        _ framing: HTTP1Framing, closes: Bool, into output: inout [UInt8]
    ) {
        switch framing {
        case .none, .untilClose: break
        case .length(let length): put("content-length: ", String(length), "\r\n", into: &output)
        case .chunked: put("transfer-encoding: chunked\r\n", into: &output)
        }
        if closes { put("connection: close\r\n", into: &output) }
        put("\r\n", into: &output)
    }

    private static func put(_ parts: String..., into output: inout [UInt8]) {
        for part in parts { output.append(contentsOf: part.utf8) }
    }

    /// Fields that this writer makes itself. `expect` is a question to the next server only.
    private static let ownFields: Set<HTTPFieldName> = [.contentLength, .expect, .host]

    private static func reason(_ status: Int) -> String {
        switch status {
        case 100: "Continue"
        case 200: "OK"
        case 201: "Created"
        case 202: "Accepted"
        case 204: "No Content"
        case 304: "Not Modified"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 408: "Request Timeout"
        case 409: "Conflict"
        case 413: "Content Too Large"
        case 414: "URI Too Long"
        case 415: "Unsupported Media Type"
        case 417: "Expectation Failed"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 500: "Internal Server Error"
        case 501: "Not Implemented"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        case 505: "HTTP Version Not Supported"
        default: ""
        }
    }
}
