// SPDX-License-Identifier: Apache-2.0
import Crypto
import JSON
import TestSupport
import Testing

@testable import dragoman

@Suite struct ToolTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    @Test func jsonIsCheckedWithPlaceAndRule() async throws {
        let good = try scratch.file("good.json", "{\"a\": [1, 2]}")
        let bad = try scratch.file("bad.json", "{\"a\": 1,\n \"a\": 2}")
        #expect(await RecordingShell.run("tool", "json", "check", good).0 == .success)
        let (status, shell) = await RecordingShell.run(
            "tool", "json", "check", bad, "--as", "message")
        #expect(status == .no)
        #expect(shell.complaints == ["\(bad):2:2: duplicate-name"])
        let (_, answer) = await RecordingShell.run(
            "tool", "json", "check", bad, "--json", "--as", "message")
        let expected = #"{"valid":false,"line":2,"column":2,"offset":10,"rule":"duplicate-name"}"#
        #expect(answer.text == expected + "\n")
    }

    @Test func textThatIsNoMessageIsSaidToBeSo() async throws {
        let twice = try scratch.file("twice.json", "{\"a\": 1,\n \"\\u0061\": 2}")
        let (status, shell) = await RecordingShell.run("tool", "json", "check", twice)
        #expect(status == .success)
        #expect(shell.text == "\(twice): valid, but no message: 2:2: duplicate-name\n")
        let (_, answer) = await RecordingShell.run("tool", "json", "check", twice, "--json")
        #expect(answer.text == #"{"valid":true,"message":false}"# + "\n")
        let (canonical, _) = await RecordingShell.run("tool", "json", "canonical", twice)
        #expect(canonical == .no)
        let fraction = try scratch.file("fraction.json", "{\"a\": 1.5}")
        let (token, _) = await RecordingShell.run(
            "tool", "json", "check", fraction, "--as", "token")
        #expect(token == .no)
    }

    @Test func aFileThatIsNotThereIsMisuse() async {
        let (status, shell) = await RecordingShell.run("tool", "json", "check", "/nowhere/x.json")
        #expect(status == .misuse)
        #expect(shell.complaints[0].contains("/nowhere/x.json: No such file or directory"))
    }

    @Test func canonicalFormIsBytesAlone() async throws {
        let file = try scratch.file("a.json", "{\"b\": 1.0, \"a\": \"\\u00e9\"}\n")
        let (status, shell) = await RecordingShell.run("tool", "json", "canonical", file)
        #expect(status == .success)
        #expect(shell.text == "{\"a\":\"é\",\"b\":1}")
    }

    @Test func aSignatureIsVerifiedWithTheKeyNamed() async throws {
        let key = SigningKey.generate(.ed25519)
        let token = JWS.sign(Array("hello".utf8), key: key)
        let jwk = try scratch.file("key.json", key.verifying.jwk.node.text)
        let other = try scratch.file(
            "other.json", SigningKey.generate(.ed25519).verifying.jwk.node.text)
        let (status, shell) = await RecordingShell.run("tool", "jws", "verify", "--jwk", jwk, token)
        #expect(status == .success)
        #expect(shell.text == "hello")
        let (refused, complaint) = await RecordingShell.run(
            "tool", "jws", "verify", "--jwk", other, token)
        #expect(refused == .no)
        #expect(complaint.complaints == ["dragoman tool jws verify: signature: signature"])
    }

    @Test func aPrivateKeyIsNoPublicOne() async throws {
        let jwk = try scratch.file(
            "key.json",
            #"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","#
                + #""d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}"#)
        let (status, shell) = await RecordingShell.run(
            "tool", "jws", "verify", "--jwk", jwk, "a.b.c")
        #expect(status == .no)
        #expect(shell.complaints == ["dragoman tool jws verify: key: privateMember"])
    }

    @Test func whatIsMadeIsVerified() async throws {
        let folder = "\(scratch.path)/inn"
        let (made, _) = await RecordingShell.run(
            "tool", "pki", "make", "--entity", "https://inn.example", "--dir", folder,
            "--key", "ed25519")
        #expect(made == .success)
        #expect(Scratch.mode("\(folder)/key.pem") == 0o600)
        #expect(Scratch.mode("\(folder)/ca-key.pem") == 0o600)
        func verify(_ words: String...) async -> (ExitCode, RecordingShell) {
            let shell = RecordingShell()
            let all =
                ["tool", "pki", "verify", "--ca", "\(folder)/ca.pem", "\(folder)/cert.pem"] + words
            return (await Program(groups: Commands.groups, shell: shell).run(all), shell)
        }
        let (status, shell) = await verify("--for", "server", "--host", "inn.example")
        #expect(status == .success)
        #expect(shell.text.contains("identity: https://inn.example\n"))
        let (_, host) = await verify("--for", "server", "--host", "bar.example")
        #expect(host.complaints == ["dragoman tool pki verify: refused: host"])
        let (late, old) = await verify(
            "--for", "client", "--time", "2050-01-01T00:00:00Z", "--json")
        #expect(late == .no)
        #expect(old.text == #"{"valid":false,"rule":"expired"}"# + "\n")
    }

    @Test func whatIsThereStays() async throws {
        let folder = scratch.path
        let words = ["tool", "pki", "make", "--entity", "https://inn.example", "--dir", folder]
        let first = RecordingShell()
        #expect(await Program(groups: Commands.groups, shell: first).run(words) == .success)
        let shell = RecordingShell()
        #expect(await Program(groups: Commands.groups, shell: shell).run(words) == .misuse)
        #expect(shell.complaints[0].contains("is there already"))
        let (renewed, _) = await RecordingShell.run(
            "tool", "pki", "make", "--entity", "https://inn.example", "--dir", "\(folder)/new",
            "--ca", "\(folder)/ca.pem", "--ca-key", "\(folder)/ca-key.pem")
        #expect(renewed == .success)
        let (status, _) = await RecordingShell.run(
            "tool", "pki", "verify", "--ca", "\(folder)/ca.pem", "--for", "client",
            "\(folder)/new/cert.pem")
        #expect(status == .success)
    }
}
