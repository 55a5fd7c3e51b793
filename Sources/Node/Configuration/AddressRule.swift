// SPDX-License-Identifier: Apache-2.0
import IO

/// What an address in a configuration breaks, and what to write instead.
struct AddressRule: Error, Equatable {
    let rule: String
    let mend: String

    private init(_ rule: String, _ mend: String) {
        self.rule = rule
        self.mend = mend
    }

    /// Checks where to listen: `host:port` with the number of an address, `localhost:port`, or
    /// `unix:path`. With port 0 the system chooses one.
    static func checkListener(
        _ text: String, isLocal: Bool
    ) throws(AddressRule) {
        let mend = "Write 127.0.0.1:8443, [::1]:8443 or unix:/run/name.sock"
        if text.hasPrefix("unix:") { return try checkSocket(text.dropFirst("unix:".count)) }
        let parts = try parts(of: text, mend)
        guard let port = port(parts.port) else {
            throw AddressRule("has no port from 0 to 65535", mend)
        }
        guard let address = Workers.address("\(parts.host):\(port)"), let host = address.host else {
            throw AddressRule("must be the number of an address of this machine, not a name", mend)
        }
        if isLocal, LocalURL.loopback("\(address)") == nil {
            throw AddressRule(
                "is not on this machine alone, and a local listener speaks clear text to "
                    + (host == .any ? "everybody" : "\(host)"), mend)
        }
    }

    /// Checks what to dial: `host:port` with a name or the number of an address.
    static func checkConnect(_ text: String) throws(AddressRule) {
        let mend = "Write gw.inn.example:8443, 192.0.2.7:8443 or [2001:db8::7]:8443"
        let parts = try parts(of: text, mend)
        guard let port = port(parts.port), port > 0 else {
            throw AddressRule("has no port from 1 to 65535", mend)
        }
        guard DialTarget.isHost(parts.host) else {
            throw AddressRule("does not begin with the name or the number of a host", mend)
        }
    }

    /// Checks where an agent of this organisation is.
    static func checkAgent(_ text: String) throws(AddressRule) {
        let mend = "Write http://127.0.0.1:9999/path or unix:/run/agent.sock:/path"
        if let url = LocalURL(text), url.address.port != 0 { return }
        if text.hasPrefix("unix:") {
            try checkSocket(text.dropFirst("unix:".count).prefix { $0 != ":" })
        }
        guard text.hasPrefix("unix:") || text.hasPrefix("http://") else {
            throw AddressRule("does not begin with http:// or unix:", mend)
        }
        let authority = text.dropFirst("http://".count).prefix { $0 != "/" }
        if text.hasPrefix("http://") {
            guard let address = LocalURL.loopback(String(authority)) else {
                throw AddressRule(
                    "does not lead to this machine, and it is called in clear text", mend)
            }
            if address.port == 0 { throw AddressRule("has no port from 1 to 65535", mend) }
        }
        throw AddressRule("has a path that no request can have", mend)
    }

    private static func checkSocket(_ path: Substring) throws(AddressRule) {
        guard SocketAddress("unix:\(path)") == nil else { return }
        let most = SocketAddress.longestUnixPath
        throw AddressRule("has a path that is not 1 to \(most) bytes long", "Shorten the path")
    }

    /// Splits `host:port`.
    private static func parts(
        of text: String, _ mend: String
    ) throws(AddressRule) -> (host: String, port: Substring) {
        if text.contains("/") {
            throw AddressRule("must be host:port, without scheme or path", mend)
        }
        guard let colon = text.lastIndex(of: ":"), colon > text.startIndex else {
            throw AddressRule("must be host:port", mend)
        }
        return (String(text[..<colon]), text[text.index(after: colon)...])
    }

    /// A port in digits without zeros before it: one spelling for each.
    private static func port(_ text: Substring) -> UInt16? {
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = UInt16(text),
            String(port) == text
        else { return nil }
        return port
    }
}
