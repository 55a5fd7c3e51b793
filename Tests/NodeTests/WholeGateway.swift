// SPDX-License-Identifier: Apache-2.0
import Bytes
import Crypto
import Gateway
import HTTP
import IO
import JSON
import TestSupport
import Testing

@testable import Node

/// A gateway as `serve` runs it, from a configuration and files on disk, on the real clock; the
/// companies are those of ``Organisations``, and it is alpha's.
final class WholeGateway: Sendable {
    let organisations: Organisations
    let scratch: Scratch
    let lines = RecordingSink()
    let server: Server

    /// Members of the configuration that a test adds, without the comma behind them.
    static func start(
        agents: String = "[]", peers: String = #"[{"entity": "https://beta.example"}]"#,
        limits: String = #"{"drain_seconds": 3}"#,
        organisations given: Organisations? = nil,
        files prepare: (Scratch, Organisations) throws -> Void = WholeGateway.writeFiles
    ) async throws -> WholeGateway {
        let organisations = try given ?? Organisations()
        let scratch = try Scratch()
        try prepare(scratch, organisations)
        let text = """
            {
                "entity": "https://alpha.example",
                "identity": {"certificate": "tls/cert.pem", "key": "tls/key.pem"},
                "entities": [
                    {"entity": "https://alpha.example", "name": "Alpha", "trust": "ca.pem"},
                    {"entity": "https://beta.example", "name": "Beta", "trust": "beta.pem"}
                ],
                "listeners": [
                    {"name": "peers", "kind": "link", "address": "127.0.0.1:0"},
                    {
                        "name": "apps", "kind": "local", "address": "127.0.0.1:0",
                        "anonymous": "test"
                    },
                    {"name": "watch", "kind": "observe", "address": "127.0.0.1:0"}
                ],
                "peers": \(peers), "agents": \(agents), "limits": \(limits)
            }
            """
        let path = try scratch.file("dragoman.json", text)
        let assembly = try Assembly(
            parsing: Array(text.utf8), from: path, now: SystemTime().now())
        return try await WholeGateway(organisations, scratch, assembly)
    }

    private init(
        _ organisations: Organisations, _ scratch: Scratch, _ assembly: Assembly
    ) async throws {
        self.organisations = organisations
        self.scratch = scratch
        server = try await Server.start(
            assembly, folder: scratch.path, workers: 1, sink: lines, time: SystemTime(),
            random: SystemRandom())
    }

    /// Runs `body` with a gateway and ends it afterwards.
    static func with(
        _ gateway: WholeGateway, _ body: (WholeGateway) async throws -> Void
    ) async throws {
        do {
            try await body(gateway)
        } catch {
            await gateway.server.stop()
            throw error
        }
        await gateway.server.stop()
    }

    /// The files that the configuration names.
    static func writeFiles(_ scratch: Scratch, _ organisations: Organisations) throws {
        try scratch.file("ca.pem", organisations.alpha.authority.certificate.pem)
        try scratch.file("beta.pem", organisations.beta.authority.certificate.pem)
        try scratch.file("tls/cert.pem", organisations.alpha.certificate.pem)
        Scratch.setMode(try scratch.file("tls/key.pem", organisations.alpha.key.pem), 0o600)
    }

    /// Another key of alpha with a certificate of it.
    func renewed(
        _ change: (inout CertificateTemplate) -> Void = { _ in }
    ) throws -> (certificate: Certificate, key: SigningKey) {
        let key = SigningKey.generate(.p256)
        let alpha = organisations.alpha
        var template = CertificateTemplate(
            commonName: alpha.entity.host,
            serial: CertificateTemplate.randomSerial(from: SystemRandom()),
            notBefore: alpha.certificate.notBefore, notAfter: alpha.certificate.notAfter)
        template.uris = alpha.certificate.uriSANs
        template.dnsNames = [alpha.entity.host]
        template.usages = [.serverAuth, .clientAuth]
        change(&template)
        return (try alpha.authority.sign(template, for: key.verifying), key)
    }

    // MARK: Asking

    func address(_ listener: String) throws -> SocketAddress {
        try #require(server.addresses[listener])
    }

    /// Beta's connection to alpha's link.
    func link(_ lane: isolated Lane) async throws -> FrameClient {
        try await FrameClient.connect(
            to: try address("peers"), as: try organisations.material(organisations.beta),
            organisations.alpha.entity, on: lane)
    }

    /// Answers of the control socket and the observed port, by one plain request.
    func get(_ path: String, at listener: String) async throws -> (status: Int, body: String) {
        let address = try address(listener)
        let text = try await onLoop { lane in
            let client = try await RawClient.connect(to: address, on: lane)
            client.send("GET \(path) HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
            return await client.waitForEnd()
        }
        let status = Int(text.dropFirst("HTTP/1.1 ".count).prefix(3)) ?? 0
        let end = text.firstRange(of: "\r\n\r\n")?.upperBound ?? text.endIndex
        return (status, String(text[end...]))
    }

    func status() async throws -> JSONValue {
        try JSONDocument(parsing: try await get("/v1/status", at: "control").body).root
    }

    /// A figure of the metrics page.
    func metric(_ name: String) async throws -> Int? {
        let page = try await get("/metrics", at: "watch").body
        return page.split(separator: "\n").first { $0.hasPrefix(name + " ") }
            .flatMap { Int($0.dropFirst(name.count + 1)) }
    }
}
