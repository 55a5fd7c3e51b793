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
        let prefix = "https://"
        guard text.hasPrefix(prefix) else { return nil }
        let parts = text.utf8.dropFirst(prefix.utf8.count).split(
            separator: 0x3A, maxSplits: 1, omittingEmptySubsequences: false)
        guard EntityID.isHost(Array(parts[0])) else { return nil }
        if parts.count == 2, !EntityID.isPort(Array(parts[1])) { return nil }
        self.text = String(text)
    }

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
    private static func isHost(_ host: [UInt8]) -> Bool {
        guard (1...253).contains(host.count) else { return false }
        return host.split(separator: 0x2E, omittingEmptySubsequences: false).allSatisfy { label in
            (1...63).contains(label.count) && label.first != 0x2D && label.last != 0x2D
                && label.allSatisfy {
                    (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D
                }
        }
    }

    private static func isPort(_ digits: [UInt8]) -> Bool {
        guard (1...5).contains(digits.count), digits[0] != 0x30,
            digits.allSatisfy({ (0x30...0x39).contains($0) }),
            let port = Int(String(decoding: digits, as: UTF8.self))
        else { return false }
        return port <= 65_535
    }
}
