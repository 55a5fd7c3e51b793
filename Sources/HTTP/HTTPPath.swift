// SPDX-License-Identifier: Apache-2.0

/// A request target taken apart: segments and query, each decoded once and only when asked.
package struct HTTPPath: Sendable, Equatable {
    /// Everything before the first `?`, as written.
    package let path: Substring
    /// Everything after the first `?`, as written; `nil` when there is no `?`.
    package let query: Substring?

    /// Splits a target at its first `?`.
    package init(_ target: String) {
        if let mark = target.utf8.firstIndex(of: UInt8(ascii: "?")) {
            path = target[..<mark]
            query = target[target.utf8.index(after: mark)...]
        } else {
            path = target[...]
            query = nil
        }
    }

    /// The segments between the slashes, percent-decoded: `/a/b%2Fc/` is `a`, `b/c` and an empty
    /// one. `nil` if an escape is broken, a segment is not UTF-8, holds a control character, or
    /// is `.` or `..`, written plainly or escaped: such a path means different things to
    /// different readers.
    package var segments: [String]? {
        guard path.utf8.first == UInt8(ascii: "/") else { return nil }
        if path.utf8.allSatisfy({ HTTPCharacters.isHost($0) && $0 != 0x2E || $0 == 0x2F }) {
            // Nothing in it is escaped or could stand for another place.
            return path.utf8.dropFirst().split(
                separator: UInt8(ascii: "/"), omittingEmptySubsequences: false
            ).map { String(Substring($0)) }
        }
        var segments: [String] = []
        for part in path.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            guard let segment = Self.decode(part), segment != ".", segment != ".." else {
                return nil
            }
            segments.append(segment)
        }
        return segments
    }

    /// The parameters of the query in order, names and values percent-decoded, `+` read as a
    /// space (`application/x-www-form-urlencoded`). `nil` if one cannot be decoded.
    package var parameters: [(name: String, value: String)]? {
        guard let query else { return [] }
        var parameters: [(name: String, value: String)] = []
        for pair in query.split(separator: "&") {
            let parts = pair.split(
                separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = Self.decode(parts[0], plusIsSpace: true),
                let value = Self.decode(parts.count == 2 ? parts[1] : "", plusIsSpace: true)
            else { return nil }
            parameters.append((name, value))
        }
        return parameters
    }

    /// Decodes `%xx` escapes once. `nil` if an escape is broken, the result is not UTF-8 or holds
    /// a control character.
    package static func decode(_ text: Substring, plusIsSpace: Bool = false) -> String? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        var rest = text.utf8.makeIterator()
        while let byte = rest.next() {
            switch byte {
            case UInt8(ascii: "%"):
                guard let high = rest.next().flatMap(HTTPCharacters.hexValue),
                    let low = rest.next().flatMap(HTTPCharacters.hexValue)
                else { return nil }
                bytes.append(high << 4 | low)
            case UInt8(ascii: "+") where plusIsSpace:
                bytes.append(0x20)
            default:
                bytes.append(byte)
            }
        }
        guard bytes.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else { return nil }
        return String(validating: bytes, as: UTF8.self)
    }

    /// Escapes everything but the unreserved characters of RFC 3986 §2.3, so that the result is
    /// one segment, or one name or value of a query.
    package static func encode(_ text: some StringProtocol) -> String {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            if HTTPCharacters.isHost(byte) {
                bytes.append(byte)
            } else {
                bytes.append(UInt8(ascii: "%"))
                bytes.append(hexDigits[Int(byte >> 4)])
                bytes.append(hexDigits[Int(byte & 15)])
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    static func isTarget(_ path: String, of method: HTTPMethod) -> Bool {
        if path == "*" { return method == .options }
        return path.utf8.first == UInt8(ascii: "/")
            && path.utf8.allSatisfy(HTTPCharacters.isTarget)
    }

    private static let hexDigits = Array("0123456789ABCDEF".utf8)
}
