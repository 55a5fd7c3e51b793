// SPDX-License-Identifier: Apache-2.0
import Bytes
import HTTP
import HTTP2
import IO
import TestSupport
import Testing

@testable import Node

/// Attacks by a peer with a good certificate, over real sockets and mutual TLS: it is cut and told
/// why, counted while it happens, and nobody else is hurt.
@Suite struct HTTP2AttackTests {
    /// What is sent again and again until the connection is cut.
    struct Flood: Sendable, CustomTestStringConvertible {
        let limit: String
        var before: [UInt8] = []
        let unit: @Sendable (Int) -> [UInt8]
        var testDescription: String { limit }
    }

    private static func stream(_ number: Int) -> Int32 { Int32(number) * 2 + 1 }

    static let floods: [Flood] = [
        Flood(limit: "early-resets") {
            Frames.request(stream($0), end: false) + Frames.reset(stream($0))
        },
        // A window that overflows is the stream's fault only (MadeYouReset); each is an invalid
        // frame and a reset of ours, and the sum of both is passed first.
        Flood(limit: "glitches") {
            Frames.request(stream($0), end: false)
                + Frames.windowUpdate(stream($0), 0x7FFF_FFFF)
        },
        Flood(limit: "empty-data", before: Frames.request(1, end: false)) { _ in
            Frames.data(1)
        },
        Flood(limit: "pings") { _ in Frames.ping() },
        Flood(limit: "settings") { _ in Frames.settings([]) },
        Flood(limit: "window-updates") { _ in Frames.windowUpdate(0, 1) },
        Flood(limit: "priorities") { _ in Frames.priority(1) },
        Flood(limit: "unknown-frames") { _ in Frames.frame(0xFA, [1]) },
        Flood(limit: "continuations", before: Frames.headers(1, Frames.head(), whole: false)) {
            _ in Frames.continuation(1, [], last: false)
        },
        Flood(limit: "header-block", before: Frames.headers(1, Frames.head(), whole: false)) {
            _ in
            Frames.continuation(1, [UInt8](repeating: 0x20, count: 16_000), last: false)
        },
        Flood(limit: "header-list", before: Frames.headers(1, bombSeed)) { number in
            Frames.headers(
                stream(number + 1), Frames.head() + [UInt8](repeating: 0xBE, count: 200))
        },
    ]

    /// Puts a field of 4 KiB into the table, of which one octet makes another (CVE-2026-49975).
    private static let bombSeed =
        Frames.head() + Frames.indexed("x", String(repeating: "a", count: 4_000))

    @Test("a flood is cut, told why, and counted; a bystander notices nothing", arguments: floods)
    func flood(_ flood: Flood) async throws {
        try await attack { node, attacker, lane in
            attacker.send(Frames.hello + Frames.ack + flood.before)
            var sent = 0
            while attacker.end == nil, !attacker.hasPeerFinished, sent < 2_000 {
                attacker.send(flood.unit(sent))
                sent += 1
                if sent.isMultiple(of: 20) { try await lane.loop.sleep(for: .milliseconds(1)) }
            }
            _ = await attacker.waitForEnd()
            #expect(attacker.end != nil || attacker.hasPeerFinished)
            #expect(attacker.frames.last?.type == 7)
            #expect(attacker.frames.last?.reason == HTTP2ErrorCode.enhanceYourCalm.rawValue)
            #expect(await eventually { node.counters.cuts(for: flood.limit) == 1 })
            let line = "limit=\"\(flood.limit)\"} 1\n"
            #expect(node.counters.exposition.contains("dragoman_http2_cuts_total{" + line))
            #expect(node.workers.parts.meters.exposition.contains(line))
        }
    }

    @Test("counters are in the metrics while the connection lives")
    func live() async throws {
        try await attack { node, client, _ in
            client.send(Frames.hello + Frames.ack)
            for _ in 0..<7 { client.send(Frames.ping()) }
            client.send(Frames.priority(1) + Frames.request(1))
            await client.wait { $0.type == 1 && $0.stream == 1 }
            let page = node.counters.exposition
            #expect(page.contains("dragoman_http2_events_total{event=\"pings\"} 7\n"))
            #expect(page.contains("dragoman_http2_events_total{event=\"priorities\"} 1\n"))
            #expect(page.contains("dragoman_http2_glitches_total 8\n"))
            #expect(page.contains("dragoman_http2_cuts_total{limit=\"pings\"} 0\n"))
            let meters = node.workers.parts.meters.exposition
            #expect(meters.contains("limit=\"pings\"} 7\n"))
            #expect(client.end == nil && !client.hasPeerFinished)
        }
    }

    // MARK: Slowness

    @Test(
        "who is silent, or dribbles a head, is cut at the deadline, whatever trickles in",
        arguments: ["preface", "settings-ack", "headers"])
    func slowHeads(_ deadline: String) async throws {
        let change: LimitsChange = { limits, _ in
            limits.http2.preface = .milliseconds(deadline == "preface" ? 300 : 5000)
            limits.http2.settingsAck = .milliseconds(deadline == "settings-ack" ? 300 : 5000)
            limits.http2.headers = .milliseconds(deadline == "headers" ? 300 : 5000)
        }
        try await attack(change) { node, attacker, lane in
            var bytes = Frames.preface.dropLast()[...]
            switch deadline {
            case "preface": break
            case "settings-ack": bytes = [UInt8](repeating: 0, count: 0)[...]
            default:
                bytes = Frames.headers(1, Frames.head() + [UInt8](repeating: 0x20, count: 99))[...]
            }
            if deadline != "preface" { attacker.send(Frames.hello) }
            if deadline == "headers" { attacker.send(Frames.ack) }
            let start = lane.loop.now
            while attacker.end == nil, !attacker.hasPeerFinished,
                lane.loop.now < start.adding(.seconds(4))
            {
                attacker.send(Array(bytes.prefix(1)))
                bytes = bytes.dropFirst()
                try await lane.loop.sleep(for: .milliseconds(20))
            }
            #expect(attacker.end != nil || attacker.hasPeerFinished)
            #expect(attacker.frames.last?.type == 7)
            #expect(await eventually { node.counters.cuts(for: deadline) == 1 })
        }
    }

    @Test("who reads nothing of an answer loses the stream; a window of one octet does not help")
    func slowRead() async throws {
        let change: LimitsChange = { limits, _ in
            limits.http2.writeProgress = .milliseconds(500)
        }
        try await attack(change) { node, attacker, lane in
            attacker.send(Frames.preface + Frames.settings([(4, 0)]) + Frames.ack)
            attacker.send(Frames.headers(1, Frames.head(path: "/large/100000")))
            for _ in 0..<40 where attacker.frames.allSatisfy({ $0.type != 3 }) {
                attacker.send(Frames.windowUpdate(1, 1))
                try await lane.loop.sleep(for: .milliseconds(100))
            }
            let reset = attacker.frames.first { $0.type == 3 }
            #expect(reset?.stream == 1 && reset?.reason == HTTP2ErrorCode.cancel.rawValue)
            #expect(node.counters.http2.stalledWrites == 1)
            // Small windows made few frames, each at a tick.
            #expect(attacker.frames.filter { $0.type == 0 && $0.stream == 1 }.count < 40)
            #expect(attacker.end == nil)
        }
    }

    @Test("who does not take what the socket holds is cut, and no more requests are read")
    func unreadSocket() async throws {
        let change: LimitsChange = { limits, _ in
            limits.progress = .milliseconds(500)
            limits.http2.writeProgress = .seconds(60)
        }
        try await attack(change) { node, attacker, _ in
            let window = Frames.settings([(4, 0x7FFF_FFFF)]) + Frames.windowUpdate(0, 0x7000_0000)
            attacker.send(Frames.preface + window + Frames.ack)
            attacker.channel.pauseReading()
            for number in 0..<20 {
                attacker.send(
                    Frames.headers(Self.stream(number), Frames.head(path: "/large/2000000")))
            }
            #expect(await eventually(within: 5) { node.counters.count(of: .write) == 1 })
        }
    }

    // MARK: One identity, many connections

    @Test("an identity over its limit is not let in, and its quiet connections end in order")
    func identity() async throws {
        let change: LimitsChange = { limits, _ in
            limits.identityGlitches = HTTP2Rate(burst: 40, perSecond: 1)
        }
        try await TestNode.with(EchoService(), workers: 2, change) { node, organisations in
            let material = try organisations.material(organisations.beta)
            let entity = organisations.alpha.entity
            try await onLoop { lane in
                let quiet = try await FrameClient.connect(
                    to: node.link, as: material, entity, on: lane)
                let running = try quiet.request("/quiet", method: .get)
                await quiet.wait { quiet.bodies[running] != nil }
                var codes: [HTTP2ErrorCode?] = []
                for _ in 0..<3 {
                    let client = try await FrameClient.connect(
                        to: node.link, as: material, entity, on: lane)
                    await client.wait { client.hasSettings }
                    // Each stays below the limit of one connection.
                    for number in 0..<15 { client.session.ping(UInt64(number)) }
                    client.touched()
                    await client.wait(within: 1) { client.end != nil }
                    codes.append(client.goAways.first)
                    client.channel.abort()
                }
                #expect(codes == [nil, nil, .enhanceYourCalm])
                let late = try await FrameClient.connect(
                    to: node.link, as: material, entity, on: lane)
                await late.wait { late.end != nil }
                #expect(late.end != nil && !late.hasSettings)
                // What ran goes on, and nothing new begins.
                await quiet.wait { quiet.session.isGoingAway }
                #expect(quiet.goAways.allSatisfy { $0 == .noError } && quiet.end == nil)
                #expect(quiet.closures[running] == nil)
                quiet.session.reset(running, .cancel)
                quiet.touched()
                await quiet.wait { quiet.end != nil }
                #expect(quiet.end != nil)
            }
            #expect(node.counters.count(of: .glitches) == 1)
            #expect(node.counters.count(of: .identity) == 1)
        }
    }

    @Test("honest connections of one identity are let in, however many at once")
    func manyConnections() async throws {
        let change: LimitsChange = { limits, _ in
            limits.identityGlitches = HTTP2Rate(burst: 20, perSecond: 0)
            limits.http2.settings = HTTP2Rate(burst: 5, perSecond: 0)
        }
        try await TestNode.with(EchoService(), change) { node, organisations in
            let material = try organisations.material(organisations.beta)
            let entity = organisations.alpha.entity
            try await onLoop { lane in
                for _ in 0..<30 {
                    let client = try await FrameClient.connect(
                        to: node.link, as: material, entity, on: lane)
                    let id = try client.request("/who", method: .get)
                    #expect(await client.status(id) == 200)
                    client.channel.abort()
                }
            }
            #expect(node.counters.http2.glitches == 0)
        }
    }

    // MARK: Odd but honest

    /// The head of a CONTINUATION in nine pieces, of which libnghttp2 1.52 would make nine frames.
    @Test("a CONTINUATION in nine pieces is served")
    func dribbledContinuation() async throws {
        try await attack { _, client, lane in
            client.send(Frames.hello + Frames.ack)
            let block = Frames.head(path: "/who")
            client.send(Frames.headers(1, Array(block.prefix(10)), whole: false))
            let rest = Frames.continuation(1, Array(block.dropFirst(10)), last: true)
            for octet in rest.prefix(9) {
                client.send([octet])
                try await lane.loop.sleep(for: .milliseconds(5))
            }
            client.send(Array(rest.dropFirst(9)))
            await client.wait { $0.type == 0 && $0.stream == 1 }
            let body = client.frames.first { $0.type == 0 && $0.stream == 1 }?.payload ?? []
            #expect(String(decoding: body, as: UTF8.self) == "https://beta.example\n")
        }
    }

    // MARK: How it is set up

    /// Runs an attack of beta's on alpha. A bystander asks all the time and must be answered.
    private func attack(
        _ change: @escaping LimitsChange = { _, _ in },
        _ body: @escaping @Sendable (TestNode, RawClient, isolated Lane) async throws -> Void
    ) async throws {
        try await TestNode.with(EchoService(), change) { node, organisations in
            let material = try organisations.material(organisations.beta)
            let entity = organisations.alpha.entity
            try await onLoop { lane in
                let bystander = try await FrameClient.connect(to: node.local, on: lane)
                let first = try bystander.request("/who", method: .get)
                #expect(await bystander.status(first) == 200)
                let attacker = try await RawClient.connect(
                    to: node.link, as: material, entity, on: lane)
                try await body(node, attacker, lane)
                let last = try bystander.request("/who", method: .get)
                #expect(await bystander.status(last) == 200)
                bystander.channel.abort()
                attacker.channel.abort()
            }
        }
    }
}
