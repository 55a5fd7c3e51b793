// SPDX-License-Identifier: Apache-2.0
import Bytes
import HTTP2
import IO
import Synchronization
import TestSupport
import Testing

@testable import Node

/// The small parts, without sockets.
@Suite struct PartsTests {
    @Test(
        "addresses of local agents",
        arguments: [
            ("http://127.0.0.1:9000/a2a", "127.0.0.1:9000", "127.0.0.1:9000", "/a2a"),
            ("http://127.0.0.1:9000", "127.0.0.1:9000", "127.0.0.1:9000", "/"),
            ("http://localhost/x?y=1", "127.0.0.1:80", "localhost", "/x?y=1"),
            ("http://LocalHost:81/", "127.0.0.1:81", "LocalHost:81", "/"),
            ("http://[::1]:9000/", "[::1]:9000", "[::1]:9000", "/"),
            ("unix:/run/a.sock", "unix:/run/a.sock", "localhost", "/"),
            ("unix:/run/a.sock:/rpc", "unix:/run/a.sock", "localhost", "/rpc"),
        ])
    func localURL(text: String, address: String, authority: String, path: String) throws {
        let url = try #require(LocalURL(text))
        #expect(url.address.description == address)
        #expect(url.authority == authority && url.path == path)
    }

    @Test(
        "what leaves the machine, or is no address, is none",
        arguments: [
            "http://192.0.2.1/", "http://example.com/", "https://127.0.0.1/", "http://0.0.0.0:1/",
            "http://localhost.example/", "http://127.0.0.1@evil.example/", "http://127.1/",
            "http://a@127.0.0.1/", "http://127.0.0.1:99999/", "http://127.0.0.1/a b",
            "http://127.0.0.1/#x", "unix:", "unix:/a:rpc", "127.0.0.1:80", "",
        ])
    func notLocal(text: String) {
        #expect(LocalURL(text) == nil)
    }

    @Test("the place of a card below an agent's address")
    func below() throws {
        let name = "/.well-known/agent-card.json"
        #expect(LocalURL("http://localhost/a/")?.below(name) == "/a" + name)
        #expect(LocalURL("http://localhost/a?b")?.below(name) == "/a" + name)
        #expect(LocalURL("http://localhost")?.below(name) == name)
    }

    @Test("where peers are dialled")
    func targets() {
        #expect(DialTarget("peer.example:443") != nil)
        #expect(DialTarget("[::1]:443")?.host == "[::1]")
        for text in ["peer.example", "peer.example:0", ":443", "::1:443", "a:b", "a:65536"] {
            #expect(DialTarget(text) == nil)
        }
    }

    @Test("a connection ends with the certificate, by whatever the wall clock says then")
    func certificateEnd() {
        let time = VirtualTime()
        let end = CertificateEnd(
            time.now().adding(seconds: 100_000), drain: .seconds(10), now: time.now())
        func kind() -> String {
            switch end.verdict(time) {
            case .goOn: "go on"
            case .drain: "drain"
            case .cut: "cut"
            }
        }
        #expect(kind() == "go on")
        if case .goOn(let next) = end.verdict(time) {
            // It looks again within the hour, since the clock may be set.
            #expect(next == time.monotonic().adding(.seconds(3600)))
        }
        time.advance(seconds: 99_989)
        #expect(kind() == "go on")
        time.advance(seconds: 1)
        #expect(kind() == "drain")
        time.jump(to: time.now().adding(seconds: 10))
        #expect(kind() == "cut")
    }

    @Test("a short certificate leaves half of its time for work")
    func shortCertificate() {
        let time = VirtualTime()
        let end = CertificateEnd(
            time.now().adding(seconds: 4), drain: .seconds(10), now: time.now())
        guard case .goOn(let next) = end.verdict(time) else {
            Issue.record("it drains at once")
            return
        }
        #expect(next == time.monotonic().adding(.seconds(2)))
    }

    @Test("an identity over its limit is refused for a while, and others are not")
    func meters() throws {
        let one = try #require(EntityID("https://one.example"))
        let two = try #require(EntityID("https://two.example"))
        var limits = ConnectionLimits()
        limits.identityGlitches = HTTP2Rate(burst: 10, perSecond: 1)
        limits.identityRefusal = .seconds(60)
        let meters = PeerMeters(limits)
        let told = Mutex<[EntityID]>([])
        meters.whenRefused { entity in told.withLock { $0.append(entity) } }
        var now = MonotonicInstant(nanoseconds: 0)
        func note(_ weight: UInt64, _ entity: EntityID) -> Bool {
            var counters = HTTP2Counters()
            counters.glitches = weight
            return meters.note(counters, of: entity, now: now)
        }
        #expect(note(10, one))
        #expect(!meters.refuses(one, now: now))
        #expect(!note(1, one))
        #expect(meters.refuses(one, now: now) && !meters.refuses(two, now: now))
        #expect(note(10, two))
        now = now.adding(.seconds(59))
        #expect(meters.refuses(one, now: now))
        // Forgiven weight does not shorten the refusal, and it is begun once.
        #expect(note(10, one) && meters.refuses(one, now: now))
        #expect(!note(1, one) && told.withLock { $0 } == [one])
        now = now.adding(.seconds(1))
        #expect(!meters.refuses(one, now: now))
        #expect(note(1, one))
        meters.noteCut(for: "pings", of: two, now: now)
        let lines = meters.exposition.split(separator: "\n")
        func line(_ what: String, _ who: String, _ limit: String, _ count: Int) -> String {
            "dragoman_peer_http2_\(what)_total"
                + "{peer=\"https://\(who).example\",limit=\"\(limit)\"} \(count)"
        }
        #expect(
            lines.filter { !$0.hasPrefix("#") }.map(String.init) == [
                line("oddities", "one", "glitches", 23), line("oddities", "two", "glitches", 10),
                line("cuts", "two", "pings", 1), line("refusals", "one", "glitches", 1),
            ])
    }

    @Test("memory for bodies is bounded for each connection and for all")
    func budget() {
        let shared = BodyBudget(limit: 100)
        var one = BodyAllowance(shared, limit: 60)
        var two = BodyAllowance(shared, limit: 60)
        #expect(one.take(60) && !one.take(1))
        #expect(two.take(40) && !two.take(1))
        one.give(60)
        #expect(two.take(20) && !two.take(1))
        two.give(60)
        #expect(shared.used == 0)
    }

    @Test("output is taken in order, however it was put in")
    func output() {
        var output = HTTP1Output()
        var expected: [UInt8] = []
        var taken: [UInt8] = []
        for index in 0..<200 {
            let piece = [UInt8](repeating: UInt8(index), count: index * 13)
            expected += piece
            index % 2 == 0 ? output.append(piece) : output.write { $0 += piece }
            output.take(atMost: 1000, into: &taken)
        }
        while !output.isEmpty { output.take(atMost: 1000, into: &taken) }
        #expect(taken == expected && output.count == 0)
    }
}
