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
        guard !host.isEmpty, host.hasPrefix("[") || !host.contains(":") else { return nil }
        self.host = host
        self.port = port
    }

    /// Numeric addresses are answered at once; names are looked up.
    func addresses(_ lookup: AddressLookup) async -> [SocketAddress] {
        if let address = IPAddress(host) { return [.ip(address, port: port)] }
        return await lookup(host, port)
    }
}
