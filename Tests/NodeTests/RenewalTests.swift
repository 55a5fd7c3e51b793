// SPDX-License-Identifier: Apache-2.0
import Bytes
import Crypto
import Gateway
import Glibc
import HTTP
import HTTP2
import IO
import JSON
import TLS
import TestSupport
import Testing

@testable import Node

/// Files of keys and certificates that are replaced under a gateway that runs.
@Suite struct RenewalTests {
    @Test("a renewed certificate is shown to new connections, and an old one keeps its stream")
    func renewal() async throws {
        try await WholeGateway.with(try await WholeGateway.start()) { gateway in
            let (certificate, key) = try gateway.renewed()
            let before = gateway.organisations.alpha.certificate.thumbprint
            try await onLoop { lane in
                let old = try await gateway.link(lane)
                let json: HTTPFields = [.contentType: "application/json"]
                let half = try old.request(
                    "/agents/nobody", fields: json, body: Array("{".utf8), finish: false)
                await old.wait { old.hasSettings }
                #expect(old.channel.peer?.thumbprint == before)
                try gateway.scratch.file("tls/key.pem", key.pem)
                try gateway.scratch.file("tls/cert.pem", certificate.pem)
                await old.wait { !old.goAways.isEmpty }
                #expect(old.goAways.first == .noError, "it is asked to come again")
                let new = try await gateway.link(lane)
                await new.wait { new.hasSettings }
                #expect(new.channel.peer?.thumbprint == certificate.thumbprint)
                let who = try new.request("/agents/nobody", fields: json, body: Array("{}".utf8))
                #expect(await new.status(who) == 404)
                #expect(old.closures[half] == nil && old.end == nil, "what began goes on")
                _ = old.session.write(Array("}".utf8), on: half)
                old.session.finish(half)
                old.touched()
                #expect(await old.status(half) == 404)
                await old.wait { old.end != nil }
                #expect(old.end != nil, "the connection ends with its last stream")
                new.channel.abort()
            }
            #expect(gateway.server.gateway.settings.signingKey.verifying == key.verifying)
            #expect(
                try await eventually {
                    try await gateway.metric("dragoman_files_taken_total") == 1
                })
            #expect(gateway.lines.all.contains { $0.contains(#""log":"files_taken""#) })
            #expect(try await gateway.status()["files"]?["refused"]?.count == 0)
        }
    }

    @Test(
        "a file that cannot be used is named, and the last good one stays",
        arguments: ["foreign key", "ended", "half", "gone", "other company's"])
    func badFile(_ fault: String) async throws {
        try await WholeGateway.with(try await WholeGateway.start()) { gateway in
            let scratch = gateway.scratch
            let alpha = gateway.organisations.alpha
            let member: String
            switch fault {
            case "foreign key":
                try scratch.file("tls/key.pem", SigningKey.generate(.p256).pem)
                member = "identity.key"
            case "ended":
                let ended = try gateway.renewed {
                    $0.notAfter = Instant(seconds: SystemTime().now().seconds - 60)
                }
                try scratch.file("tls/cert.pem", ended.certificate.pem)
                try scratch.file("tls/key.pem", ended.key.pem)
                member = "identity.certificate"
            case "half":
                try scratch.file("tls/cert.pem", String(alpha.certificate.pem.prefix(200)))
                member = "identity.certificate"
            case "gone":
                _ = unsafe unlink(scratch.path + "/tls/cert.pem")
                member = "identity.certificate"
            default:
                try scratch.file(
                    "beta.pem",
                    gateway.organisations.rival.certificate.pem
                        + alpha.certificate.pem)
                member = "entities[1].trust"
            }
            #expect(await eventually(within: 8) { !gateway.server.keyFiles.refused.isEmpty })
            let refused = try await gateway.status()["files"]?["refused"]
            #expect(refused?.elements.contains { $0["member"]?.string == member } == true)
            #expect(try #require(await gateway.metric("dragoman_files_refused")) > 0)
            let noted = gateway.lines.all.filter { $0.contains(#""log":"file_refused""#) }
            #expect(noted.contains { $0.contains("\"member\":\"\(member)\"") }, "\(noted)")
            #expect(!noted.contains { $0.contains("PRIVATE") })
            try await onLoop { lane in
                let client = try await gateway.link(lane)
                await client.wait { client.hasSettings }
                #expect(client.channel.peer?.thumbprint == alpha.certificate.thumbprint)
                client.channel.abort()
            }
            // Mended, it is taken and the complaint is gone.
            let (certificate, key) = try gateway.renewed()
            try scratch.file("tls/key.pem", key.pem)
            try scratch.file("tls/cert.pem", certificate.pem)
            try scratch.file("beta.pem", gateway.organisations.beta.authority.certificate.pem)
            #expect(await eventually(within: 8) { gateway.server.keyFiles.refused.isEmpty })
            #expect(try await gateway.metric("dragoman_files_refused") == 0)
            #expect(gateway.server.gateway.settings.certificates == [certificate])
        }
    }

    @Test("one company's broken trust file does not keep our own certificate from being renewed")
    func othersFault() async throws {
        try await WholeGateway.with(try await WholeGateway.start()) { gateway in
            try gateway.scratch.file("beta.pem", "nothing")
            #expect(await eventually(within: 8) { gateway.server.keyFiles.refused.count == 1 })
            let (certificate, key) = try gateway.renewed()
            try gateway.scratch.file("tls/key.pem", key.pem)
            try gateway.scratch.file("tls/cert.pem", certificate.pem)
            #expect(
                await eventually(within: 8) {
                    gateway.server.gateway.settings.certificates == [certificate]
                })
            #expect(gateway.server.keyFiles.refused.map(\.file.member) == ["entities[1].trust"])
            let trust = gateway.server.gateway.settings.parties[Organisations.beta]?.trust
            #expect(
                trust?.certificates == [gateway.organisations.beta.authority.certificate],
                "the last good one")
        }
    }

    @Test("files behind a symbolic link that is swapped, as Kubernetes mounts them, are taken")
    func swappedLink() async throws {
        // tls -> ..data -> ..1, and then ..data is renamed to ..2 in one step.
        func data(_ scratch: Scratch, _ name: String, _ certificate: String, _ key: String) throws {
            try scratch.file("\(name)/cert.pem", certificate)
            Scratch.setMode(try scratch.file("\(name)/key.pem", key), 0o600)
            _ = unsafe symlink(name, scratch.path + "/..new")
            _ = unsafe rename(scratch.path + "/..new", scratch.path + "/..data")
        }
        let start = try await WholeGateway.start { scratch, organisations in
            try scratch.file("ca.pem", organisations.alpha.authority.certificate.pem)
            try scratch.file("beta.pem", organisations.beta.authority.certificate.pem)
            try data(
                scratch, "..1", organisations.alpha.certificate.pem, organisations.alpha.key.pem)
            _ = unsafe symlink("..data", scratch.path + "/tls")
        }
        try await WholeGateway.with(start) { gateway in
            let (certificate, key) = try gateway.renewed()
            try data(gateway.scratch, "..2", certificate.pem, key.pem)
            #expect(
                await eventually(within: 8) {
                    gateway.server.gateway.settings.certificates == [certificate]
                })
            #expect(gateway.server.keyFiles.refused == [])
        }
    }
}
