// SPDX-License-Identifier: Apache-2.0
import Bytes
import Crypto
import IO
import JSON
import Node
import TestSupport
import Testing

@testable import dragoman

/// `tool load` against a gateway that really runs, as one of its partners, and what it refuses.
@Suite struct ToolLoadTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func at(_ name: String) -> String { "\(scratch.path)/\(name)" }

    private func run(_ words: [String]) async -> (ExitCode, RecordingShell) {
        let shell = RecordingShell()
        return (await Program(groups: Commands.groups, shell: shell).run(words), shell)
    }

    private func must(_ words: String...) async throws -> String {
        let (status, shell) = await run(words)
        try #require(status == .success, "\(words): \(shell.complaints)")
        return shell.text
    }

    /// Makes the phone maker and the inn, lets them meet, and runs the inn's gateway for `body`,
    /// which is given where it listens.
    private func withInn(
        _ body: (_ link: String, _ observe: String) async throws -> Void
    ) async throws {
        _ = try await must(
            "init", "entrance", "--entity", "https://phone.example", "--dir", at("phone"))
        _ = try await must(
            "init", "sidecar", "--entity", "https://inn.example", "--agent", "http://127.0.0.1:1",
            "--dir", at("inn"), "--listen", "127.0.0.1:0", "--local", "127.0.0.1:0", "--observe",
            "127.0.0.1:0")
        for (one, other) in [("phone", "inn"), ("inn", "phone")] {
            let invited = try await must(
                "peer", "invite", "--config", at("\(one)/dragoman.json"), "--json", "--out",
                at("\(one).peer"))
            let fingerprint = try JSONDocument(parsing: invited).root["fingerprint"]?.string
            _ = try await must(
                "peer", "add", at("\(one).peer"), "--config", at("\(other)/dragoman.json"),
                "--fingerprint", try #require(fingerprint))
        }
        let time = VirtualTime()
        let file = at("inn/dragoman.json")
        let assembly = try Assembly(parsing: LocalFile.read(file), from: file, now: time.now())
        let server = try await Server.start(
            assembly, folder: at("inn"), workers: 1, sink: Silence(), time: time,
            random: SystemRandom(), version: "9.9")
        do {
            let link = try #require(server.addresses["peers"])
            let observe = try #require(server.addresses["observe"])
            try await body(link.description, observe.description)
        } catch {
            await server.stop()
            throw error
        }
        await server.stop()
    }

    private struct Silence: LogSink {
        func write(_ line: [UInt8]) {}
    }

    @Test func aPartnerLoadsAPartner() async throws {
        try await withInn { link, _ in
            let keys = at("phone/keys")
            let common = [
                "tool", "load", "https://inn.example/nothing", "--connect", link, "--requests",
                "200", "--connections", "2", "--streams", "10", "--json", "--expect-status",
            ]
            let files = [
                "--cert", "\(keys)/cert.pem", "--key", "\(keys)/key.pem", "--ca",
                at("inn/keys/ca.pem"),
            ]
            let ways = [
                files, files + ["--entity", "https://inn.example"],
                ["--config", at("phone/dragoman.json")],
            ]
            for way in ways {
                let (status, shell) = await run(common + ["404"] + way)
                try #require(status == .success, "\(way): \(shell.complaints)")
                let report = try JSONDocument(parsing: shell.text).root
                #expect(report["requests"]?.int == 200 && report["failed"]?.int == 0)
                #expect(report["connections"]?.int == 2)
                let p50 = try #require(report["latency"]?["p50"]?.int)
                let most = try #require(report["latency"]?["max"]?.int)
                #expect(p50 > 0 && p50 <= most)
            }
            let (failed, shell) = await run(common + ["200-299"] + files)
            #expect(failed == .no)
            let report = try JSONDocument(parsing: shell.text).root
            #expect(report["failures"]?["status 404"]?.int == 200)
            #expect(report["latency"]?["count"]?.int == 0)
        }
    }

    @Test func whoShowsNothingIsRefused() async throws {
        try await withInn { link, _ in
            let words = [
                "tool", "load", "https://inn.example/", "--connect", link, "--requests", "1",
                "--ca",
            ]
            let (status, shell) = await run(words + [at("inn/keys/ca.pem")])
            #expect(status == .no)
            #expect(
                shell.complaints == [
                    "dragoman tool load: 0 of 1 connections were made: "
                        + "it refused us: certificate required"
                ])
            let (other, stranger) = await run(words + [at("phone/keys/ca.pem")])
            #expect(other == .no)
            #expect(stranger.complaints[0].hasSuffix("its certificate is refused: untrusted"))
        }
    }

    @Test func theReportIsForPeopleToo() async throws {
        try await withInn { _, observe in
            let (status, shell) = await run([
                "tool", "load", "http://\(observe)/live", "--rate", "500", "--requests", "50",
                "--warm-up", "0.05", "--connections", "2", "--hold", "0.01",
            ])
            #expect(status == .success, "\(shell.complaints)")
            let lines = shell.text.split(separator: "\n").map(String.init)
            #expect(
                lines[0] == "GET http://\(observe)/live, HTTP/1.1, 2 connections of 1 streams, "
                    + "open loop, 500.0/s")
            for word in ["latency", "late start"] {
                let line = try #require(lines.first { $0.hasPrefix(word) })
                for part in ["p50 ", "p90 ", "p99 ", "max "] { #expect(line.contains(part)) }
            }
            #expect(lines.contains("requests     50"))
            #expect(
                shell.progressLines == [
                    "making 2 connections",
                    "warming up for 0.05 seconds, then sending 50 requests",
                    "keeping the connections for 0.01 seconds",
                ])
            #expect(lines.contains("failed       0"))
            #expect(lines.contains("warm-up      25 requests, 0 failed"))
        }
    }

    @Test(arguments: [
        (["http://example.com/"], "neither https:// nor in clear text on this machine"),
        (["ftp://127.0.0.1/"], "neither https://"),
        (["https://"], "names no host"),
        (["https://inn.example/"], "https:// needs --ca FILE"),
        (["http://127.0.0.1:1/", "--ca", "x"], "--ca is for https:// URLs"),
        (["http://127.0.0.1:1/", "--streams", "2"], "HTTP/1.1 has one request at a time"),
        (["http://127.0.0.1:1/", "--connections", "10001"], "a number from 1 to 10000"),
        (["http://127.0.0.1:1/", "--rate", "0"], "a number above 0, at most 1000000"),
        (["http://127.0.0.1:1/", "--timeout", "-1"], "seconds above 0, at most 3600"),
        (["http://127.0.0.1:1/", "--requests", "5", "--duration", "5"], "are two ends"),
        (["http://127.0.0.1:1/", "--header", "no colon"], "must be \"name: value\""),
        (["http://127.0.0.1:1/", "--expect-status", "299-200"], "statuses from 200 to 599"),
        (["http://127.0.0.1:1/", "--expect-json", "result"], "a JSON Pointer, as /result"),
        (["http://127.0.0.1:1/", "--fill"], "--fill needs --body"),
        (["http://127.0.0.1:1/", "--http1", "--http2"], "exclude each other"),
    ])
    func misuseIsNamed(_ words: [String], _ complaint: String) async {
        let (status, shell) = await run(["tool", "load"] + words)
        #expect(status == .misuse)
        #expect(shell.complaints[0].contains(complaint), "\(shell.complaints)")
    }

    @Test func whereNobodyListensTheAnswerIsNo() async {
        let (status, shell) = await run(["tool", "load", "http://127.0.0.1:1/"])
        #expect(status == .no)
        #expect(shell.complaints[0].contains("0 of 1 connections were made: connect"))
    }

    @Test func statusesAreListsAndRanges() {
        #expect(LoadArguments.statuses("200") == [200])
        #expect(LoadArguments.statuses("200-202,404") == [200, 201, 202, 404])
        for text in ["", "100", "600", "200-", "-200", "200,", "a", "200-300-400"] {
            #expect(LoadArguments.statuses(text) == nil, "\(text)")
        }
    }

    @Test(arguments: [
        ("https://inn.example", "inn.example", "inn.example:443", "/"),
        ("https://INN.example:8443?a=b", "inn.example", "INN.example:8443", "/?a=b"),
        ("https://[::1]:8443/x", "::1", "[::1]:8443", "/x"),
        ("https://[::1]/x", "::1", "[::1]:443", "/x"),
    ])
    func urlsAreTakenApart(
        _ text: String, _ host: String, _ place: String, _ path: String
    ) throws {
        let url = try LoadURL(text)
        #expect(url.host == host && url.place == place && url.path == path)
        #expect(url.clear == nil)
    }

    @Test func timesHaveTheUnitThatPeopleRead() {
        #expect(LoadText.time(1_500) == "1.5 us")
        #expect(LoadText.time(12_345_678) == "12.35 ms")
        #expect(LoadText.time(3_000_000_000) == "3.00 s")
    }
}
