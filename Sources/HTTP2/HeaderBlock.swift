// SPDX-License-Identifier: Apache-2.0
import HTTP

/// The header block that is being received; there is one at a time on a connection.
///
/// Size and number are counted before anything is kept, so a bomb costs no memory: over the limit
/// the fields are only counted on.
struct HeaderBlock {
    private(set) var fields = HTTPFields()
    private(set) var status: Int?
    private(set) var size = 0
    private(set) var count = 0
    private(set) var isOversized = false
    private var isMalformed = false
    private var method: String?
    private var scheme: String?
    private var authority: String?
    private var path: String?
    private var cookies: [String] = []

    mutating func add(
        name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>, limits: HTTP2Limits
    ) {
        count += 1
        size += name.count + value.count + 32
        guard count <= limits.headerFields, size <= limits.headerListSize else {
            isOversized = true
            return
        }
        if unsafe name.first == UInt8(ascii: ":") {
            unsafe addPseudo(
                String(decoding: name, as: UTF8.self), String(decoding: value, as: UTF8.self))
            return
        }
        guard let fieldName = unsafe HTTPFieldName(bytes: name.span),
            let fieldValue = unsafe try? HTTPFieldValue(bytes: value.span)
        else {
            isMalformed = true
            return
        }
        if fieldName == .cookie {
            if !fieldValue.text.isEmpty { cookies.append(fieldValue.text) }
        } else {
            fields.append(fieldName, fieldValue)
        }
    }

    /// Whether it is so far over the limit that no honest peer sent it.
    func isFarOver(_ limits: HTTP2Limits) -> Bool {
        count > limits.headerFields * limits.headerListExcess
            || size > limits.headerListSize * limits.headerListExcess
    }

    /// The rules that the library leaves to us (RFC 9113 §8.3.1).
    func request() throws(HTTP2Rejection) -> HTTPRequestHead {
        guard !isOversized else { throw .headerListTooLarge }
        guard !isMalformed, let method = method.flatMap({ try? HTTPMethod($0) }) else {
            throw .malformed
        }
        guard method != .connect else { throw .tunnel }
        guard let scheme = scheme.flatMap(HTTPScheme.init(rawValue:)) else { throw .scheme }
        let hosts = fields.all(.host)
        guard let authority = authority ?? hosts.first, !authority.isEmpty else {
            throw .authority
        }
        guard hosts.count <= 1, hosts.allSatisfy({ HTTPAuthority.isSame($0, authority) }) else {
            throw .hostMismatch
        }
        do {
            return try HTTPRequestHead(
                method: method, scheme: scheme, authority: authority, path: path ?? "",
                fields: joined)
        } catch {
            switch error {
            case .userinfo: throw .userinfo
            case .authority: throw .authority
            case .path: throw .path
            default: throw .malformed
            }
        }
    }

    /// The head of a response; `nil` when it is over a limit or malformed.
    func response() -> HTTPResponseHead? {
        guard !isOversized, !isMalformed, let status else { return nil }
        return try? HTTPResponseHead(validating: status, fields: joined)
    }

    /// The trailers; `nil` when they are over a limit or malformed.
    func trailers() -> HTTPFields? {
        isOversized || isMalformed ? nil : joined
    }

    /// Cookie crumbs are joined before anything outside HTTP/2 sees them (RFC 9113 §8.2.3).
    private var joined: HTTPFields {
        guard !cookies.isEmpty else { return fields }
        var whole = fields
        if let value = try? HTTPFieldValue(cookies.joined(separator: "; ")) {
            whole.append(.cookie, value)
        }
        return whole
    }

    private mutating func addPseudo(_ name: String, _ value: String) {
        switch name {
        case ":method": method = value
        case ":scheme": scheme = value
        case ":authority": authority = value
        case ":path": path = value
        case ":status": status = Int(value)
        default: isMalformed = true
        }
    }
}
