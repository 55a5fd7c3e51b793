// SPDX-License-Identifier: Apache-2.0
import Bytes
import Crypto
import JSON
import TestSupport
import Testing

@testable import dragoman

@Suite struct InitTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func start(_ words: String...) async -> (ExitCode, RecordingShell) {
        let shell = RecordingShell()
        let all = ["init"] + words + ["--dir", scratch.path]
        return (await Program(groups: Commands.groups, shell: shell).run(all), shell)
    }

    @Test func anEntranceHasItsTokenShownOnceAndHashed() async throws {
        let (status, shell) = await start("entrance", "--entity", "https://phone.example", "--json")
        #expect(status == .success)
        let token = try #require(try JSONDocument(parsing: shell.text).root["token"]?.string)
        let text = try Files.text("\(scratch.path)/dragoman.json")
        #expect(!text.contains(token))
        #expect(text.contains(Hex.encode(Digest.sha256(Array(token.utf8)))))
        #expect(Base64URL.decode(token)?.count == 32)
        #expect(Scratch.mode("\(scratch.path)/keys/confirmation-key.pem") == 0o600)
    }

    @Test func keysAreTheOwnersAlone() async throws {
        _ = await start("orchestrator", "--entity", "https://super.example")
        for name in ["key.pem", "ca-key.pem"] {
            #expect(Scratch.mode("\(scratch.path)/keys/\(name)") == 0o600, "\(name)")
        }
        #expect(Scratch.mode("\(scratch.path)/data") == 0o700)
        #expect(!Files.exists("\(scratch.path)/keys/confirmation-key.pem"))
    }

    @Test func theCertificateIsTheEntitys() async throws {
        _ = await start("sidecar", "--entity", "https://inn.example:8443", "--agent", "http://x")
        let chain = try Certificate.chain(pem: Files.text("\(scratch.path)/keys/cert.pem"))
        #expect(chain[0].uriSANs == ["https://inn.example:8443"])
        let key = try SigningKey(pem: Files.text("\(scratch.path)/keys/key.pem"))
        #expect(chain[0].publicKeyThumbprint == key.verifying.thumbprint)
    }

    @Test func nothingIsOverwrittenNorHalfWritten() async throws {
        let path = try scratch.file("dragoman.json", "mine")
        let (status, shell) = await start("orchestrator", "--entity", "https://super.example")
        #expect(status == .misuse)
        #expect(shell.complaints[0].hasSuffix("dragoman.json is there already and stays as it is"))
        #expect(try Files.text(path) == "mine")
        #expect(!Files.exists("\(scratch.path)/keys"))
    }

    @Test(arguments: [
        (["sidecar", "--entity", "https://inn.example"], "say --agent URL"),
        (["orchestrator", "--agent", "http://x"], "--agent belongs to a sidecar"),
        (["entrence"], "did you mean entrance?"),
        (["entrance", "--entity", "inn.example"], "--entity must be an entity id"),
        (["entrance", "--listen", "8443"], "--listen must be an address"),
    ])
    func misuseIsNamed(_ words: [String], _ part: String) async {
        let shell = RecordingShell()
        let all = ["init"] + words + ["--dir", scratch.path]
        #expect(await Program(groups: Commands.groups, shell: shell).run(all) == .misuse)
        #expect(shell.complaints.first?.contains(part) == true, "\(shell.complaints)")
    }

    @Test func aNameWithQuotesIsStillJSON() async throws {
        _ = await start(
            "orchestrator", "--entity", "https://super.example", "--name", #"The "Super" \ App"#)
        let bytes = try Files.bytes("\(scratch.path)/dragoman.json")
        let root = try JSONDocument(parsing: JSONComments.strip(bytes)).root
        #expect(root["name"]?.string == #"The "Super" \ App"#)
    }
}
