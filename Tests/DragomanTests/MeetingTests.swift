// SPDX-License-Identifier: Apache-2.0
import Bytes
import Crypto
import JSON
import Node
import TestSupport
import Testing

@testable import dragoman

/// Two companies meet, by the commands alone (Spec §6.1).
@Suite struct MeetingTests {
    private let scratch: Scratch

    init() async throws {
        scratch = try Scratch()
        _ = try await run(
            "init", "entrance", "--entity", "https://phone.example", "--dir", at("phone"))
        _ = try await run(
            "init", "sidecar", "--entity", "https://inn.example", "--agent", "http://127.0.0.1:1",
            "--agent-name", "table", "--dir", at("inn"))
    }

    private func at(_ name: String) -> String { "\(scratch.path)/\(name)" }

    /// Runs a command that must end well.
    private func run(_ words: String...) async throws -> String {
        let shell = RecordingShell()
        let status = await Program(groups: Commands.groups, shell: shell).run(words)
        try #require(status == .success, "\(words): \(shell.complaints)")
        return shell.text
    }

    /// Runs a command that must end with no, or as misuse; what it complains of.
    private func refusal(_ words: String...) async throws -> String {
        let shell = RecordingShell()
        let status = await Program(groups: Commands.groups, shell: shell).run(words)
        try #require(status != .success, "\(words)")
        return shell.complaints.first ?? ""
    }

    /// The fingerprint of a fresh descriptor of `name`, written to `name.peer`.
    private func invite(_ name: String, _ more: String...) async throws -> String {
        let shell = RecordingShell()
        let words =
            ["peer", "invite", "--config", at("\(name)/dragoman.json"), "--json"]
            + ["--out", at("\(name).peer")] + more
        let status = await Program(groups: Commands.groups, shell: shell).run(words)
        try #require(status == .success, "\(shell.complaints)")
        return try #require(try JSONDocument(parsing: shell.text).root["fingerprint"]?.string)
    }

    private func tariff() async throws -> String {
        _ = try await run(
            "ledger", "tariff", "propose", "--config", at("inn/dragoman.json"), "--with",
            "https://phone.example", "--direction", "in", "--currency", "CNY", "--fee", "0.20",
            "--commission", "5 %", "--cap", "15.00", "--credit", "50000.00", "--out",
            at("tariff.json"))
        return at("tariff.json")
    }

    private func configuration(_ name: String) throws -> Configuration {
        try Configuration(parsing: Files.bytes(at("\(name)/dragoman.json")))
    }

    @Test func twoCompaniesMeet() async throws {
        let fingerprint = try await invite("inn", "--address", "gw.inn.example:8443")
        let other = try await invite("phone")
        let tariff = try await tariff()
        let (phone, inn) = (at("phone/dragoman.json"), at("inn/dragoman.json"))
        _ = try await run(
            "ledger", "tariff", "accept", tariff, "--config", phone, "--peer", at("inn.peer"),
            "--yes")
        let before = try Files.text(phone)
        let text = try await run(
            "peer", "add", at("inn.peer"), "--config", phone, "--tariff", tariff,
            "--fingerprint", fingerprint)
        #expect(text.contains("For each completed task https://phone.example pays"))
        _ = try await run(
            "peer", "add", at("phone.peer"), "--config", inn, "--tariff", tariff, "--grants", "4",
            "--per-act", "CNY=1000.00", "--fingerprint", other.lowercased())
        _ = try await run("check", phone)
        _ = try await run("check", inn)

        let peer = try #require(try configuration("phone").peers.first)
        #expect(peer.connect == "gw.inn.example:8443")
        #expect(peer.agents.map(\.name) == ["table"])
        #expect(peer.agents.first?.listeners == ["apps"])
        #expect(peer.agents.first?.callers == [], "no other peer may call it")
        let known = try #require(try configuration("inn").entities.last)
        #expect(known.grants?.maxPerAct == ["CNY": 100_000])
        #expect(known.grants?.keys.count == 1)
        let lines = Set(try Files.text(phone).split(separator: "\n"))
        let comments = before.split(separator: "\n").filter { $0.contains("//") }
        #expect(comments.allSatisfy(lines.contains), "comments stay")
        #expect(
            try await run("ledger", "tariff", "show", tariff, "--config", inn)
                .contains("Both signatures hold."))
    }

    @Test func withoutTheFingerprintNothingChanges() async throws {
        let fingerprint = try await invite("inn")
        let phone = at("phone/dragoman.json")
        let before = try Files.bytes(phone)
        let shown = RecordingShell()
        let status = await Program(groups: Commands.groups, shell: shown).run(
            ["peer", "add", at("inn.peer"), "--config", phone])
        #expect(status == .no)
        #expect(shown.text.contains(fingerprint))
        let wrong = String(fingerprint.reversed())
        #expect(
            try await refusal(
                "peer", "add", at("inn.peer"), "--config", phone, "--fingerprint", wrong
            )
            .contains("do not trust this file"))
        #expect(try Files.bytes(phone) == before)
        #expect(!Files.exists(at("phone/peers")))
    }

    @Test func aCompanyIsAddedOnce() async throws {
        let fingerprint = try await invite("inn")
        let phone = at("phone/dragoman.json")
        _ = try await run(
            "peer", "add", at("inn.peer"), "--config", phone, "--fingerprint", fingerprint,
            "--known-only")
        #expect(try configuration("phone").peers.isEmpty)
        #expect(
            try await refusal("peer", "add", at("inn.peer"), "--config", phone)
                .contains("is in \(phone) already"))
        #expect(
            try await refusal(
                "peer", "add", at("phone.peer"), "--config", phone) != "")
    }

    @Test func aNameThatIsTakenGetsAnother() async throws {
        let fingerprint = try await invite("inn")
        _ = try await run(
            "init", "sidecar", "--entity", "https://bar.example", "--agent", "http://127.0.0.1:2",
            "--agent-name", "table", "--dir", at("bar"))
        _ = try await run(
            "peer", "add", at("inn.peer"), "--config", at("bar/dragoman.json"), "--fingerprint",
            fingerprint, "--caller", "https://phone.example")
        let agent = try #require(try configuration("bar").peers.first?.agents.first)
        #expect(agent.name == "table")
        #expect(agent.alias == "inn-table")
        #expect(agent.callers?.map(\.text) == ["https://phone.example"])
    }

    @Test func aProposalIsReadBeforeItIsSigned() async throws {
        _ = try await invite("inn")
        let tariff = try await tariff()
        let before = try Files.bytes(tariff)
        let phone = at("phone/dragoman.json")
        let words = ["ledger", "tariff", "accept", tariff, "--config", phone]
        let shell = RecordingShell()
        let shown = await Program(groups: Commands.groups, shell: shell).run(
            words + ["--peer", at("inn.peer")])
        #expect(shown == .no)
        #expect(shell.text.contains("5 % of the price"))
        #expect(try Files.bytes(tariff) == before)
        let stranger = RecordingShell()
        let refused = await Program(groups: Commands.groups, shell: stranger).run(words + ["--yes"])
        #expect(refused == .no)
        #expect(stranger.complaints[0].hasSuffix("https://inn.example is not known here"))
        let proposed = try await refusal(
            "peer", "add", at("inn.peer"), "--config", phone, "--tariff", tariff)
        #expect(proposed.hasSuffix("https://phone.example has not signed version 1"))
    }

    @Test func aSecondVersionFollows() async throws {
        _ = try await invite("inn")
        let tariff = try await tariff()
        let phone = at("phone/dragoman.json")
        _ = try await run(
            "ledger", "tariff", "accept", tariff, "--config", phone, "--peer", at("inn.peer"),
            "--yes")
        let next = at("next.json")
        _ = try await run(
            "ledger", "tariff", "propose", "--config", phone, "--with", "https://inn.example",
            "--direction", "out", "--currency", "CNY", "--fee", "0.30", "--credit", "50000.00",
            "--from", "2026-12-01T00:00:00Z", "--after", tariff, "--out", next)
        _ = try await invite("phone")
        _ = try await run(
            "ledger", "tariff", "accept", next, "--config", at("inn/dragoman.json"), "--peer",
            at("phone.peer"), "--yes")
        let shown = try JSONDocument(
            parsing: try await run("ledger", "tariff", "show", next, "--json"))
        let versions = try #require(shown.root["versions"])
        #expect(versions.count == 2)
        #expect(versions[1]?["tariff"]?["prev"]?.string == versions[0]?["name"]?.string)
        #expect(versions[1]?["tariff"]?["ver"]?.int == 2)
    }

    @Test(arguments: [
        (["--fee", "0.2"], "--fee must be an exact amount"),
        (["--commission", "5"], "--commission must be a rate"),
        (["--cap", "1.00"], "--cap belongs to --commission"),
        (["--block", "0.10", "--fee", "0.20"], "the tariff breaks a rule: block.amt: conflict"),
        (["--offset", "8"], "the tariff breaks a rule: settle.tz: text"),
    ])
    func aBrokenTariffIsNotSigned(_ more: [String], _ part: String) async throws {
        let shell = RecordingShell()
        let words =
            ["ledger", "tariff", "propose", "--config", at("inn/dragoman.json"), "--with"]
            + ["https://phone.example", "--direction", "in", "--currency", "CNY", "--credit"]
            + ["50000.00", "--out", at("bad.json")] + more
        #expect(await Program(groups: Commands.groups, shell: shell).run(words) == .misuse)
        #expect(shell.complaints.first?.contains(part) == true, "\(shell.complaints)")
        #expect(!Files.exists(at("bad.json")))
    }
}
