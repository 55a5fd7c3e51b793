// SPDX-License-Identifier: Apache-2.0

/// `host[:port]` of RFC 3986 §3.2, without user information.
package enum HTTPAuthority {
    /// - Throws: ``HTTPFault/userinfo`` or ``HTTPFault/authority``.
    package static func check(_ text: String) throws(HTTPFault) {
        let bytes = Array(text.utf8)
        // A name without a port is what nearly all are.
        if !bytes.isEmpty, bytes.allSatisfy(HTTPCharacters.isHost) { return }
        guard !bytes.contains(UInt8(ascii: "@")) else { throw .userinfo }
        var index = 0
        if bytes.first == UInt8(ascii: "[") {
            guard let close = bytes.firstIndex(of: UInt8(ascii: "]")), close > 2 else {
                throw .authority
            }
            guard bytes[1..<close].allSatisfy(isAddress) else { throw .authority }
            index = close + 1
        } else {
            while index < bytes.count, HTTPCharacters.isHost(bytes[index]) { index += 1 }
            guard index > 0 else { throw .authority }
        }
        guard index < bytes.count else { return }
        guard bytes[index] == UInt8(ascii: ":") else { throw .authority }
        let port = bytes[(index + 1)...]
        guard (1...5).contains(port.count), port.allSatisfy(HTTPCharacters.isDigit) else {
            throw .authority
        }
        guard port.reduce(0, { $0 * 10 + Int($1 - UInt8(ascii: "0")) }) <= 65_535 else {
            throw .authority
        }
    }

    /// Whether both name the same host and port; letters in either case.
    package static func isSame(_ left: String, _ right: String) -> Bool {
        HTTPCharacters.lowered(left) == HTTPCharacters.lowered(right)
    }

    private static func isAddress(_ byte: UInt8) -> Bool {
        HTTPCharacters.hexValue(byte) != nil || byte == UInt8(ascii: ":")
            || byte == UInt8(ascii: ".")
    }
}
