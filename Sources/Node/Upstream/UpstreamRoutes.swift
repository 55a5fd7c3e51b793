// SPDX-License-Identifier: Apache-2.0
package import Bytes
package import IO

/// Where peers and local agents are, as one value that is swapped whole.
package struct UpstreamRoutes: Sendable {
    /// `host:port` to dial for each peer; whoever answers there must prove to be the peer.
    package var peers: [EntityID: String]
    /// The agents of this organisation, by name.
    package var agents: [String: LocalURL]

    package init(peers: [EntityID: String] = [:], agents: [String: LocalURL] = [:]) {
        self.peers = peers
        self.agents = agents
    }
}

/// Addresses of a host name; empty when it has none or cannot be asked for.
package typealias AddressLookup =
    @Sendable (_ host: String, _ port: UInt16) async -> [SocketAddress]

extension NameResolver {
    /// The system's resolver, as the ways out ask it.
    package var lookup: AddressLookup {
        { host, port in (try? await self.socketAddresses(of: host, port: port)) ?? [] }
    }
}

/// `host:port` as it is dialled.
struct DialTarget: Hashable {
    let host: String
    let port: UInt16

    /// Reads `host:port`, also with an IPv6 address in brackets; nil for anything else.
    init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"),
            let port = UInt16(text[text.index(after: colon)...]), port > 0
        else { return nil }
        let host = String(text[..<colon])
        guard Self.isHost(host) else { return nil }
        self.host = host
        self.port = port
    }

    /// Whether `text` is the number of an address, IPv6 in brackets, or a name of labels that a
    /// resolver takes for a name: one that ends in digits it might read as a number (RFC 3696 §2).
    static func isHost(_ text: String) -> Bool {
        if text.contains(":") || text.hasPrefix("[") {
            return text.hasPrefix("[") && text.hasSuffix("]") && IPAddress(text) != nil
        }
        if IPAddress(text) != nil { return true }
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        guard text.utf8.count <= 253, labels.allSatisfy(isLabel), let last = labels.last?.utf8
        else { return false }
        return !last.allSatisfy { (0x30...0x39).contains($0) } && !last.starts(with: "0x".utf8)
    }

    private static func isLabel(_ label: Substring) -> Bool {
        (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
            && label.utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x41...0x5A).contains($0)
                    || (0x61...0x7A).contains($0) || $0 == 0x2D || $0 == 0x5F
            }
    }

    /// Numeric addresses are answered at once; names are looked up.
    func addresses(_ lookup: AddressLookup) async -> [SocketAddress] {
        if let address = IPAddress(host) { return [.ip(address, port: port)] }
        return await lookup(host, port)
    }
}
