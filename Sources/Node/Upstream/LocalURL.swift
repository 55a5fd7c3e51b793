// SPDX-License-Identifier: Apache-2.0
package import IO

/// Where an agent of this organisation is: `http://` on this machine's loopback, or a Unix socket
/// as `unix:/run/agent.sock` or `unix:/run/agent.sock:/path`.
///
/// Clear text never leaves the machine, so no other host is one.
package struct LocalURL: Hashable, Sendable {
    /// Where to connect.
    package let address: SocketAddress
    /// What `host` says.
    package let authority: String
    /// The path of requests, in origin form.
    package let path: String

    /// Reads a URL; nil when it is not of this form or leaves the machine.
    package init?(_ text: String) {
        if text.hasPrefix("unix:") {
            let parts = text.dropFirst(5).split(
                separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard let address = SocketAddress("unix:" + parts[0]) else { return nil }
            self.init(address, "localhost", parts.count == 2 ? String(parts[1]) : "/")
            return
        }
        guard text.hasPrefix("http://") else { return nil }
        let rest = text.dropFirst("http://".count)
        let end = rest.firstIndex(of: "/") ?? rest.endIndex
        let authority = String(rest[..<end])
        guard let address = Self.loopback(authority) else { return nil }
        self.init(address, authority, end == rest.endIndex ? "/" : String(rest[end...]))
    }

    private init?(_ address: SocketAddress, _ authority: String, _ path: String) {
        guard path.hasPrefix("/"), path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }),
            !path.contains("#")
        else { return nil }
        self.address = address
        self.authority = authority
        self.path = path
    }

    /// The address of the agent's resource `name` below this one.
    func below(_ name: String) -> String {
        let base = path.prefix { $0 != "?" }
        return (base.hasSuffix("/") ? String(base.dropLast()) : String(base)) + name
    }

    /// `host[:port]` of this machine; port 80 unless another is written.
    static func loopback(_ authority: String) -> SocketAddress? {
        var text = authority
        if let rest = Self.dropping("localhost", from: text) { text = "127.0.0.1" + rest }
        guard let address = SocketAddress(text) ?? SocketAddress(text + ":80"),
            let host = address.host
        else { return nil }
        let isLoopback = host.isV6 ? host == .loopbackV6 : host.bytes[0] == 127
        return isLoopback ? address : nil
    }

    /// What follows the host `name`, when that is the whole host.
    private static func dropping(_ name: String, from text: String) -> Substring? {
        guard text.lowercased().hasPrefix(name) else { return nil }
        let rest = text.dropFirst(name.count)
        return rest.isEmpty || rest.first == ":" ? rest : nil
    }
}

extension LocalURL {
    /// Whether it is an address of the loopback, not a Unix socket.
    var isTCP: Bool { address.host != nil }
}
