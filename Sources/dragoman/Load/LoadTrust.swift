// SPDX-License-Identifier: Apache-2.0
import Bytes
import Crypto
import HTTP
import IO
import Node
import TLS

/// The URL of `tool load`.
struct LoadURL {
    let authority: String
    let path: String
    /// For clear text: the address on this machine; nil under TLS.
    let clear: SocketAddress?

    init(_ text: String) throws(Failure) {
        if let local = LocalURL(text) {
            (authority, path, clear) = (local.authority, local.path, local.address)
            return
        }
        let prefix = "https://"
        guard text.hasPrefix(prefix) else {
            throw .misuse(
                "\(text) is neither https:// nor in clear text on this machine: http:// at its "
                    + "loopback, or unix:")
        }
        let rest = text.dropFirst(prefix.count)
        let end = rest.firstIndex { "/?".contains($0) } ?? rest.endIndex
        let tail = String(rest[end...])
        authority = String(rest[..<end])
        path = tail.hasPrefix("/") ? tail : "/" + tail
        clear = nil
        do {
            _ = try HTTPRequestHead(
                method: .get, scheme: .https, authority: authority, path: path)
        } catch {
            throw .misuse("\(text) is not a URL: \(error.rawValue)")
        }
        if authority.isEmpty { throw .misuse("\(text) names no host") }
    }

    /// The host as a certificate names it: without port and brackets, in lower case.
    var host: String {
        let bare =
            authority.hasPrefix("[")
            ? authority.drop { $0 == "[" }.prefix { $0 != "]" } : authority.prefix { $0 != ":" }
        return bare.lowercased()
    }

    /// `host:port`, with the port of https where none is written.
    var place: String {
        let afterHost = authority.drop { $0 != "]" }
        let hasPort = authority.hasPrefix("[") ? afterHost.contains(":") : authority.contains(":")
        return hasPort ? authority : authority + ":443"
    }
}

/// Who a server must prove to be, who may vouch for it, and what is shown to it.
struct LoadTrust {
    let destination: Destination
    let trust: PeerTrust
    let identity: TLSIdentity?
    /// `host:port` to connect to.
    let connect: String

    init(_ arguments: Arguments, _ url: LoadURL, _ shell: any Shell) throws(Failure) {
        guard arguments["--config"] == nil else {
            self = try Self.configured(arguments, url, shell)
            return
        }
        guard let file = arguments["--ca"] else {
            throw .misuse("https:// needs --ca FILE, or --config FILE of a gateway")
        }
        let anchors: TrustAnchors
        do {
            anchors = TrustAnchors(certificates: try Certificate.chain(pem: Input.text(file)))
        } catch let failure as Failure {
            throw failure
        } catch {
            throw .misuse("\(file) holds no certificates")
        }
        if let entity = try arguments.entity("--entity") {
            destination = .entity(entity)
            trust = PeerTrust(entities: [entity: anchors])
        } else {
            destination = .host(url.host)
            trust = PeerTrust(hosts: anchors)
        }
        switch (arguments["--cert"], arguments["--key"]) {
        case (let certificate?, let key?):
            identity = try Self.identity(Input.text(certificate), Input.text(key))
        case (nil, nil): identity = nil
        default: throw .misuse("--cert and --key belong together")
        }
        connect = arguments["--connect"] ?? url.place
    }

    private init(
        destination: Destination, trust: PeerTrust, identity: TLSIdentity, connect: String
    ) {
        self.destination = destination
        self.trust = trust
        self.identity = identity
        self.connect = connect
    }

    /// As the gateway of a configuration calls the partner whose URL it is.
    private static func configured(
        _ arguments: Arguments, _ url: LoadURL, _ shell: any Shell
    ) throws(Failure) -> LoadTrust {
        for option in ["--cert", "--key", "--ca", "--entity"] where arguments[option] != nil {
            throw .misuse("--config stands for \(option); give one of them")
        }
        let file = try arguments.required("--config")
        let assembly = try ServeCommand.assembly(file, shell)
        guard let entity = EntityID("https://" + url.authority), assembly.links[entity] != nil
        else { throw .misuse("\(file) knows no partner https://\(url.authority)") }
        let peer = assembly.configuration.peers.first { $0.entity == entity }
        return LoadTrust(
            destination: .entity(entity), trust: PeerTrust(entities: assembly.links),
            identity: try identity(assembly.identity.certificates, assembly.identity.key),
            connect: arguments["--connect"] ?? peer?.connect ?? url.place)
    }

    private static func identity(
        _ certificates: String, _ key: String
    ) throws(Failure) -> TLSIdentity {
        do {
            return try TLSIdentity(certificates: certificates, key: key)
        } catch {
            throw .misuse("the certificate cannot be used: \(error)")
        }
    }
}
