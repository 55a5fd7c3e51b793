// SPDX-License-Identifier: Apache-2.0
import HTTP

/// The header block that is being received; there is one at a time on a connection.
///
/// Size and number are counted before anything is kept, so a bomb costs no memory: over the limit
/// the fields are only counted on.
final class HeaderBlock {
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

    /// Forgets the block before.
    func begin() {
        fields = HTTPFields()
        status = nil
        size = 0
        count = 0
        isOversized = false
        isMalformed = false
        method = nil
        scheme = nil
        authority = nil
        path = nil
        if !cookies.isEmpty { cookies = [] }
    }

    func add(
        name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>, limits: HTTP2Limits
    ) {
        count += 1
        size += name.count + value.count + 32
        guard count <= limits.headerFields, size <= limits.headerListSize else {
            isOversized = true
            return
        }
        if unsafe name.first == UInt8(ascii: ":") { return unsafe addPseudo(name, value) }
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

    private func addPseudo(
        _ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>
    ) {
        let text = unsafe String(decoding: value, as: UTF8.self)
        switch unsafe String(decoding: name, as: UTF8.self) {
        case ":method": method = text
        case ":scheme": scheme = text
        case ":authority": authority = text
        case ":path": path = text
        case ":status": status = Int(text)
        default: isMalformed = true
        }
    }
}
