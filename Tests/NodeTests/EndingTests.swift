// SPDX-License-Identifier: Apache-2.0
import Bytes
import Crypto
import HTTP
import HTTP2
import IO
import TLS
import TestSupport
import Testing

@testable import Node

/// How connections are refused and ended: drains, certificates, deadlines, abuse.
@Suite struct EndingTests {
    @Test("a drain serves what has begun to arrive, then the connection ends with GOAWAY")
    func drain() async throws {
        let organisations = try Organisations()
        let service = EchoService()
        let node = try await TestNode.start(service, organisations) { limits, _ in
            limits.drain = .seconds(40)
        }
        let material = try organisations.material(organisations.beta)
        let entity = organisations.alpha.entity
        let began = SystemTime().monotonic()
        try await onLoop { lane in
            let client = try await FrameClient.connect(
                to: node.link, as: material, entity, on: lane)
            let half = try client.request("/echo", body: Array("ha".utf8), finish: false)
            let slow = try client.request("/slow", method: .get)
            #expect(await eventually { service.count("slow") == 1 })
            async let drained: Void = node.workers.drain()
            // First the announcement, a round trip later the last stream.
            await client.wait { client.goAways.count == 2 }
            #expect(client.goAways == [.noError, .noError])
            #expect(throws: HTTP2SubmitError.goingAway) { try client.request("/who") }
            _ = client.session.write(Array("lf".utf8), on: half)
            client.session.finish(half)
            client.touched()
            #expect(await client.status(half) == 200)
            #expect(client.text(half) == "half")
            service.openGate()
            #expect(await client.status(slow) == 200)
            await client.wait { client.end != nil }
            #expect(client.end != nil)
            await drained
        }
        #expect(
            SystemTime().monotonic().duration(since: began) < .seconds(20), "not at its last moment"
        )
        await #expect(throws: (any Error).self) {
            try await onLoop { lane in _ = try await RawClient.connect(to: node.local, on: lane) }
        }
        node.workers.stop()
    }

    @Test("what does not end in the time of a drain is cut")
    func drainDeadline() async throws {
        let organisations = try Organisations()
        let service = EchoService()
        let node = try await TestNode.start(service, organisations) { limits, _ in
            limits.drain = .milliseconds(500)
        }
        try await onLoop { lane in
            let client = try await FrameClient.connect(to: node.local, on: lane)
            let id = try client.request("/quiet", method: .get)
            await client.wait { client.bodies[id] != nil }
            let began = lane.loop.now
            await node.workers.drain()
            await client.wait { client.closures[id] != nil }
            #expect(client.closures[id]?.initiator == .connection)
            #expect(lane.loop.now.duration(since: began) < .seconds(2))
        }
        #expect(service.cancelled == 1)
        node.workers.stop()
    }

    @Test("a connection ends when the peer's certificate does")
    func certificateEnds() async throws {
        let service = EchoService()
        try await TestNode.with(service) { node, organisations in
            let leaf = try organisations.shortLived(organisations.beta, seconds: 3)
            let material = try organisations.material(organisations.beta, chain: [leaf])
            let entity = organisations.alpha.entity
            try await onLoop { lane in
                let client = try await FrameClient.connect(
                    to: node.link, as: material, entity, on: lane)
                let id = try client.request("/quiet", method: .get)
                await client.wait { client.bodies[id] != nil }
                // What runs is told before, so that it may end in order, and cut at the end.
                await client.wait { !client.goAways.isEmpty }
                #expect(client.goAways.first == .noError)
                #expect(client.end == nil && SystemTime().now() < leaf.notAfter)
                await client.wait { client.end != nil }
                #expect(client.end != nil)
                #expect(SystemTime().now() >= leaf.notAfter)
                #expect(SystemTime().now() - leaf.notAfter < 1000)
            }
            #expect(service.cancelled == 1)
            #expect(node.counters.count(of: .certificate) == 1)
        }
    }

    @Test("whoever is not vouched for under its own name gets no connection")
    func strangers() async throws {
        try await TestNode.with(EchoService()) { node, organisations in
            let entity = organisations.alpha.entity
            let unknown = try TestOrganisation(
                "gamma.example", now: organisations.alpha.certificate.notBefore, seed: 9)
            let ends = try await onLoop { lane -> [ChannelEnd?] in
                var ends: [ChannelEnd?] = []
                for stranger in [organisations.rival, unknown] {
                    let client = try await FrameClient.connect(
                        to: node.link, as: try organisations.material(stranger), entity, on: lane)
                    let id = try client.request("/who", method: .get)
                    #expect(await client.status(id) == nil)
                    await client.wait { client.end != nil }
                    ends.append(client.end)
                }
                return ends
            }
            #expect(ends == [.tls(.alert(.unknownCA)), .tls(.alert(.unknownCA))])
            #expect(await eventually { node.counters.count(of: .tls) == 2 })
        }
    }

    @Test("a server that is another than was dialled is refused by the client")
    func wrongServer() async throws {
        try await TestNode.with(EchoService()) { node, organisations in
            let material = try organisations.material(organisations.beta)
            let wanted = organisations.beta.entity
            let end = try await onLoop { lane -> ChannelEnd? in
                let client = try await FrameClient.connect(
                    to: node.link, as: material, wanted, on: lane)
                await client.wait { client.end != nil }
                return client.end
            }
            #expect(end == .tls(.peerRejected(.host)))
        }
    }

    @Test("a handshake that does not come is given up")
    func handshakeDeadline() async throws {
        let change: LimitsChange = { limits, _ in limits.handshake = .milliseconds(150) }
        try await TestNode.with(EchoService(), change) { node, _ in
            let text = try await onLoop { lane in
                let client = try await RawClient.connect(to: node.link, on: lane)
                return await client.waitForEnd()
            }
            #expect(text.isEmpty)
            #expect(node.counters.count(of: .handshake) == 1)
        }
    }

    @Test("clear text on a link is refused by TLS")
    func clearTextOnLink() async throws {
        try await TestNode.with(EchoService()) { node, _ in
            let text = try await onLoop { lane in
                let client = try await RawClient.connect(to: node.link, on: lane)
                client.send("GET /who HTTP/1.1\r\nhost: a\r\n\r\n")
                return await client.waitForEnd()
            }
            #expect(!text.contains("HTTP/1.1"))
            #expect(await eventually { node.counters.count(of: .tls) == 1 })
        }
    }

    @Test("a reload drops whoever is not known any more, and nobody else")
    func reload() async throws {
        try await TestNode.with(EchoService()) { node, organisations in
            let material = try organisations.material(organisations.beta)
            let entity = organisations.alpha.entity
            try await onLoop { lane in
                let client = try await FrameClient.connect(
                    to: node.link, as: material, entity, on: lane)
                let first = try client.request("/who", method: .get)
                #expect(await client.status(first) == 200)
                await node.workers.adopt(
                    try organisations.material(organisations.alpha), UpstreamRoutes())
                let second = try client.request("/who", method: .get)
                #expect(await client.status(second) == 200)
                let fewer = PeerTrust(
                    entities: [entity: organisations.alpha.anchors])
                await node.workers.adopt(
                    try organisations.material(organisations.alpha, trust: fewer),
                    UpstreamRoutes())
                await client.wait { client.end != nil }
                #expect(client.end != nil)
                let again = try await FrameClient.connect(
                    to: node.link, as: material, entity, on: lane)
                await again.wait { again.end != nil }
                #expect(again.end == .tls(.alert(.unknownCA)))
            }
        }
    }
}
