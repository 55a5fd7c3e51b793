// SPDX-License-Identifier: Apache-2.0
import Bytes
import Crypto
import Gateway
import HTTP
import TestSupport
import Testing

@testable import Node

@Suite struct ObserveServiceTests {
    private let watched: Watched

    init() throws { watched = try Watched() }

    @Test func itIsAliveBeforeItIsReady() async throws {
        #expect(try await watched.ask(watched.observe, .get, "/live").status == 200)
        let ready = try await watched.ask(watched.observe, .get, "/ready")
        #expect(ready.status == 503)
        #expect(ready.text == "starting\n")
        watched.node.serve(at: [])
        #expect(try await watched.ask(watched.observe, .get, "/ready").status == 200)
    }

    @Test func aDrainingNodeIsAliveAndNotReady() async throws {
        watched.node.drain()
        watched.node.serve(at: [])
        let ready = try await watched.ask(watched.observe, .get, "/ready")
        #expect(ready.status == 503)
        #expect(ready.text == "draining\n", "a late listener does not undo the end")
        #expect(ready.fields[.retryAfter] == "10")
        #expect(try await watched.ask(watched.observe, .get, "/live").status == 200)
    }

    @Test func withoutACertificateInForceItIsNotReady() async throws {
        watched.node.serve(at: [])
        let company = try TestOrganisation("s.example")
        let settings = watched.gateway.settings
        watched.gateway.reload(
            GatewaySettings(
                entity: settings.entity, signingKey: company.key, certificates: company.chain,
                agents: [:], parties: settings.parties, anchors: settings.anchors, templates: [],
                limits: settings.limits, confirmationKey: nil))
        #expect(try await watched.ask(watched.observe, .get, "/ready").status == 200)
        watched.time.jump(to: company.certificate.notAfter)
        let ready = try await watched.ask(watched.observe, .get, "/ready")
        #expect(ready.status == 503)
        #expect(ready.text == "the certificate has ended\n")
    }

    @Test func aFullDiskIsNotReadyUntilAWriteReachesItAgain() async throws {
        watched.node.serve(at: [])
        watched.disk.fault = .full
        await #expect(throws: StorageFault.full) {
            try await watched.journal.write { try $0.probe(at: Instant(seconds: 0)) }
        }
        let ready = try await watched.ask(watched.observe, .get, "/ready")
        #expect(ready.status == 503)
        #expect(ready.text.contains("disk is full"))
        watched.disk.fault = nil
        #expect(
            try await watched.ask(watched.observe, .get, "/ready").status == 503,
            "it is not tried again at once")
        watched.time.advance(seconds: WatchedJournal.probeSeconds)
        #expect(try await watched.ask(watched.observe, .get, "/ready").status == 200)
    }

    @Test func aBrokenRuleOfTheTablesIsNoBrokenDisk() async throws {
        watched.disk.fault = .constraint("UNIQUE")
        await #expect(throws: StorageFault.self) {
            try await watched.journal.write { try $0.probe(at: Instant(seconds: 0)) }
        }
        #expect(await watched.journal.check() == nil)
        #expect(watched.journal.totals.failures == 0)
        #expect(watched.journal.totals.writes == 1)
    }

    @Test func metricsTellWhatWaits() async throws {
        try await watched.journal.write { tx in
            try tx.enqueue(.commit(task: "t"), due: Instant(seconds: 1_795_219_190))
        }
        let page = try await watched.ask(watched.observe, .get, "/metrics")
        #expect(page.status == 200)
        #expect(page.fields[.contentType]?.hasPrefix("text/plain; version=0.0.4") ?? false)
        let lines = page.text.split(separator: "\n")
        #expect(lines.contains("dragoman_build_info{version=\"1.2.3\"} 1"))
        #expect(lines.contains("dragoman_outbox_depth 1"))
        #expect(lines.contains("dragoman_outbox_oldest_seconds 10"))
        #expect(lines.contains("dragoman_holds_pending 0"))
        #expect(lines.contains("dragoman_journal_writes_total 1"))
        #expect(lines.contains("test_total 7"), "other sources stand on the page")
        #expect(page.text.hasSuffix("\n"))
    }

    @Test func everyFigureHasItsType() async throws {
        let page = try await watched.ask(watched.observe, .get, "/metrics")
        var typed: Set<Substring> = []
        for line in page.text.split(separator: "\n") {
            let words = line.split(separator: " ")
            if line.hasPrefix("# TYPE ") {
                #expect(typed.insert(words[2]).inserted, "\(words[2]) is declared twice")
            } else if !line.hasPrefix("#") {
                #expect(typed.contains(words[0].prefix { $0 != "{" }), "\(line)")
                #expect(Int64(words[words.count - 1]) != nil, "\(line)")
            }
        }
    }

    @Test func theBacklogIsCountedOnceASecondHoweverOftenItIsRead() async throws {
        let observe = watched.observe
        _ = try await watched.ask(observe, .get, "/metrics")
        try await watched.journal.write { tx in
            try tx.enqueue(.commit(task: "t"), due: Instant(seconds: 0))
        }
        let soon = try await watched.ask(observe, .get, "/metrics")
        #expect(soon.text.contains("dragoman_outbox_depth 0\n"))
        watched.time.advance(seconds: 1)
        let later = try await watched.ask(observe, .get, "/metrics")
        #expect(later.text.contains("dragoman_outbox_depth 1\n"))
    }

    @Test(arguments: ["/", "/live/", "/metrics?x=1", "/v1/status", "/../live"])
    func nothingElseIsThere(path: String) async throws {
        #expect(try await watched.ask(watched.observe, .get, path).status == 404)
    }

    @Test func itOnlyReads() async throws {
        let answer = try await watched.ask(watched.observe, .post, "/live")
        #expect(answer.status == 405)
        #expect(answer.fields[.allow] == "GET, HEAD")
        #expect(try await watched.ask(watched.observe, .head, "/live").status == 200)
    }
}
