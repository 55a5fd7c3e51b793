// SPDX-License-Identifier: Apache-2.0
import Bytes
import HTTP
import HTTP2
import IO
import TestSupport
import Testing

@testable import Node

/// HTTP/2 over real sockets, in clear text and under mutual TLS.
@Suite struct HTTP2ServerTests {
    @Test("in clear text by prior knowledge; under TLS the caller is who its certificate says")
    func versions() async throws {
        try await TestNode.with(EchoService()) { node, organisations in
            let material = try organisations.material(organisations.beta)
            let entity = organisations.alpha.entity
            let texts = try await onLoop { lane -> [String] in
                let clear = try await FrameClient.connect(to: node.local, on: lane)
                let secure = try await FrameClient.connect(
                    to: node.link, as: material, entity, on: lane)
                var texts: [String] = []
                for client in [clear, secure] {
                    let id = try client.request("/who", method: .get)
                    #expect(await client.status(id) == 200)
                    #expect(client.heads[id]?.fields[.date] != nil)
                    texts.append(client.text(id))
                    client.channel.abort()
                }
                return texts
            }
            #expect(texts == ["nobody\n", "https://beta.example\n"])
        }
    }

    @Test("a hundred requests at once, on several workers", arguments: [1, 3])
    func concurrent(workers: Int) async throws {
        try await TestNode.with(EchoService(), workers: workers) { node, organisations in
            let material = try organisations.material(organisations.beta)
            let entity = organisations.alpha.entity
            try await onLoop { lane in
                for _ in 0..<4 {
                    let client = try await FrameClient.connect(
                        to: node.link, as: material, entity, on: lane)
                    await client.wait { client.hasSettings }
                    var sent: [HTTP2StreamID: [UInt8]] = [:]
                    for index in 0..<100 {
                        let body = [UInt8](repeating: UInt8(index), count: 1 + index * 700)
                        sent[try client.request("/echo", body: body)] = body
                    }
                    await client.wait(within: 20) { client.closures.count == 100 }
                    #expect(client.bodies == sent)
                    client.channel.abort()
                }
            }
        }
    }

    @Test("a client that does not read holds up the source, not the memory")
    func slowReader() async throws {
        let service = EchoService()
        try await TestNode.with(service) { node, _ in
            try await onLoop { lane in
                let client = try await FrameClient.connect(to: node.local, on: lane)
                client.reads = false
                let id = try client.request("/events/500/1000", method: .get)
                // 64 KiB fill the window and as much waits here.
                await client.wait { client.bodies[id] != nil }
                #expect(await steady { service.pieces } < 150)
                client.reads = true
                client.session.consume(client.bodies[id]?.count ?? 0, on: id)
                client.touched()
                #expect(await client.status(id, within: 20) == 200)
                #expect(client.text(id).hasSuffix("\n\n"))
                #expect(service.pieces == 500)
                client.channel.abort()
            }
        }
    }

    @Test("a full socket stops reading, and nothing is lost when it empties")
    func fullSocket() async throws {
        let service = EchoService()
        let change: LimitsChange = { limits, _ in limits.identityAnswerBytes = 256 << 20 }
        try await TestNode.with(service, change) { node, _ in
            try await onLoop { lane in
                var limits = HTTP2Limits()
                limits.streamWindow = 8 << 20
                limits.connectionWindow = 1 << 30
                let client = try await FrameClient.connect(
                    to: node.local, on: lane, limits: limits)
                await client.wait { client.hasSettings }
                client.channel.pauseReading()
                func ask() throws -> [HTTP2StreamID] {
                    try (0..<20).map { _ in try client.request("/large/2000000", method: .get) }
                }
                var ids = try ask()
                #expect(await eventually { service.count("large") == 20 })
                // Long enough for the answers to fill the kernel's buffers.
                try await lane.loop.sleep(for: .milliseconds(500))
                // With so much waiting for the socket, these stay unread.
                ids += try ask()
                #expect(await steady { service.count("large") } == 20)
                client.channel.resumeReading()
                await client.wait(within: 20) { client.closures.count == ids.count }
                #expect(ids.allSatisfy { client.bodies[$0]?.count == 2_000_000 })
                client.channel.abort()
            }
        }
    }

    @Test("a reset ends the stream of events, and leaves the connection")
    func reset() async throws {
        let service = EchoService()
        try await TestNode.with(service) { node, _ in
            try await onLoop { lane in
                let client = try await FrameClient.connect(to: node.local, on: lane)
                let id = try client.request("/quiet", method: .get)
                await client.wait { client.bodies[id] != nil }
                client.session.reset(id, .cancel)
                client.touched()
                #expect(await eventually { service.cancelled == 1 })
                let next = try client.request("/who", method: .get)
                #expect(await client.status(next) == 200)
                client.channel.abort()
            }
            #expect(await node.isEmpty())
        }
    }

    @Test("bodies over the limit, over the memory, and of refused requests are not waited for")
    func refusals() async throws {
        let service = EchoService()
        let change: LimitsChange = { limits, _ in
            limits.localBodyBytes = 2000
            limits.connectionBodyBytes = 3000
        }
        try await TestNode.with(service, change) { node, _ in
            try await onLoop { lane in
                let client = try await FrameClient.connect(to: node.local, on: lane)
                let some = [UInt8](repeating: 0x61, count: 1800)
                let refused = try client.request("/refused", body: [0x61], finish: false)
                let large = try client.request("/echo", body: some + some, finish: false)
                #expect(await client.status(refused) == 401)
                #expect(await client.status(large) == 413)
                let held = try client.request("/echo", body: some, finish: false)
                let over = try client.request("/echo", body: some, finish: false)
                #expect(await client.status(over) == 503)
                #expect(client.heads[over]?.fields[.retryAfter] == "1")
                client.session.finish(held)
                client.touched()
                #expect(await client.status(held) == 200)
                // What was held is free again.
                let after = try client.request("/echo", body: some)
                #expect(await client.status(after) == 200)
                client.channel.abort()
            }
            #expect(node.counters.count(of: .body) == 1)
            #expect(service.count("echo") == 2)
        }
    }

    @Test("silence on a stream is filled with comments")
    func keepAlive() async throws {
        let change: LimitsChange = { limits, _ in limits.keepAlive = .milliseconds(60) }
        try await TestNode.with(EchoService(), change) { node, _ in
            try await onLoop { lane in
                let client = try await FrameClient.connect(to: node.local, on: lane)
                let id = try client.request("/quiet", method: .get)
                let expected = "data: 1 \n\n" + String(repeating: ": keep-alive\n\n", count: 3)
                await client.wait { client.text(id).utf8.count >= expected.utf8.count }
                #expect(client.text(id).hasPrefix(expected))
                client.channel.abort()
            }
        }
    }

    @Test("a client that asks is told to send its body")
    func expectContinue() async throws {
        try await TestNode.with(EchoService()) { node, _ in
            try await onLoop { lane in
                let client = try await FrameClient.connect(to: node.local, on: lane)
                let id = try client.request(
                    "/echo", fields: [.expect: "100-continue"], body: [0x61], finish: false)
                await client.wait { client.session.counters.interimResponses == 1 }
                #expect(client.session.counters.interimResponses == 1)
                client.session.finish(id)
                client.touched()
                #expect(await client.status(id) == 200)
                client.channel.abort()
            }
        }
    }

    @Test("HEAD has the length of the body and no body")
    func head() async throws {
        try await TestNode.with(EchoService()) { node, _ in
            try await onLoop { lane in
                let client = try await FrameClient.connect(to: node.local, on: lane)
                let id = try client.request("/who", method: .head)
                #expect(await client.status(id) == 200)
                #expect(client.heads[id]?.fields[.contentLength] == "7")
                #expect(client.bodies[id] == nil)
                client.channel.abort()
            }
        }
    }
}
