// SPDX-License-Identifier: Apache-2.0

/// The name of an organisation on the network: `https://host[:port]`.
///
/// The same string is the SAN URI of its certificate, the `iss`, `client_id` and `aud` of tokens,
/// and the owner of accounts and tasks. It is compared byte for byte and never normalised, hence
/// only one spelling is accepted: ASCII lower case, a domain name of letters, digits and hyphens
/// (internationalised names as punycode), no path, user, query or trailing dot, and a port from 1
/// to 65535 without leading zeros. `https://a.example` and `https://a.example:443` are two
/// identifiers.
/// - SeeAlso: Spec §1.2.
package struct EntityID: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The whole identifier.
    package let text: String

    /// Reads an identifier, or nil when `text` is not exactly of the form above.
    package init?(_ text: some StringProtocol) {
        self.init(String(text))
    }

    /// Not generic: other modules would call it unspecialised, which costs ten times as much.
    private init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard bytes.starts(with: EntityID.scheme) else { return nil }
        let rest = bytes[EntityID.scheme.count...]
        let colon = rest.firstIndex(of: 0x3A) ?? rest.endIndex
        guard EntityID.isHost(rest[..<colon]) else { return nil }
        if colon < rest.endIndex, !EntityID.isPort(rest[(colon + 1)...]) { return nil }
        self.text = text
    }

    private static let scheme = Array("https://".utf8)

    /// The domain name, without the port.
    package var host: String { String(authority.prefix { $0 != ":" }) }

    /// The port, 443 unless another is written.
    package var port: UInt16 {
        guard let colon = authority.firstIndex(of: ":") else { return 443 }
        return UInt16(authority[authority.index(after: colon)...]) ?? 443
    }

    /// The identifier without its scheme: `host[:port]`.
    package var authority: Substring { text.dropFirst("https://".count) }

    package var description: String { text }

    package static func < (a: EntityID, b: EntityID) -> Bool {
        a.text.utf8.lexicographicallyPrecedes(b.text.utf8)
    }

    /// RFC 1123 §2.1 and RFC 1035 §2.3.4: labels of 1 to 63, names of at most 253 characters.
    private static func isHost(_ host: ArraySlice<UInt8>) -> Bool {
        guard (1...253).contains(host.count) else { return false }
        var start = host.startIndex
        while true {
            let end = host[start...].firstIndex(of: 0x2E) ?? host.endIndex
            let label = host[start..<end]
            guard (1...63).contains(label.count), label.first != 0x2D, label.last != 0x2D,
                label.allSatisfy({
                    (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D
                })
            else { return false }
            if end == host.endIndex { return true }
            start = end + 1
        }
    }

    private static func isPort(_ digits: ArraySlice<UInt8>) -> Bool {
        guard (1...5).contains(digits.count), digits.first != 0x30,
            digits.allSatisfy({ (0x30...0x39).contains($0) })
        else { return false }
        return digits.reduce(0) { $0 * 10 + Int($1 - 0x30) } <= 65_535
    }
}
