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

    @Test(arguments: ["entrance", "orchestrator", "sidecar"])
    func whatIsWrittenIsGood(_ role: String) async throws {
        let more = role == "sidecar" ? ["--agent", "http://127.0.0.1:9999"] : []
        let shell = RecordingShell()
        let words = ["init", role, "--entity", "https://a.example", "--dir", scratch.path] + more
        let status = await Program(groups: Commands.groups, shell: shell).run(words)
        #expect(status == .success)
        let (checked, answer) = await RecordingShell.run(
            "check", "\(scratch.path)/dragoman.json", "--json")
        #expect(checked == .success)
        #expect(answer.text == "{\"valid\":true}\n")
        let schema = try Files.text("\(Files.repository)/Spec/schemas/configuration.json")
        let bytes = try Files.bytes("\(scratch.path)/dragoman.json")
        let document = try JSONDocument(parsing: JSONComments.strip(bytes))
        let check = SchemaCheck(try JSONDocument(parsing: schema).root)
        #expect(check.faults(in: document.root) == [])
    }

    @Test func aFaultIsAnAnswer() async throws {
        _ = await start("orchestrator", "--entity", "https://a.example")
        let path = "\(scratch.path)/dragoman.json"
        let broken = try Files.text(path).replacing("keys/key.pem", with: "keys/ca-key.pem")
        try scratch.file("dragoman.json", broken)
        let (status, shell) = await RecordingShell.run("check", path)
        #expect(status == .no)
        #expect(
            shell.text == "\(path):18:16: identity.key: is not the key of the certificate. "
                + "Name the two files that were made together.\n")
    }

    @Test func aNameWithQuotesIsStillJSON() async throws {
        _ = await start(
            "orchestrator", "--entity", "https://super.example", "--name", #"The "Super" \ App"#)
        let bytes = try Files.bytes("\(scratch.path)/dragoman.json")
        let root = try JSONDocument(parsing: JSONComments.strip(bytes)).root
        #expect(root["name"]?.string == #"The "Super" \ App"#)
    }
}
