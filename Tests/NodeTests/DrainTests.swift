// SPDX-License-Identifier: Apache-2.0
import Bytes
import HTTP
import HTTP2
import IO
import TestSupport
import Testing

@testable import Node

/// The end of a whole gateway while requests are under way on both versions of HTTP.
@Suite struct DrainTests {
    private static let json: HTTPFields = [.contentType: "application/json"]

    @Test("half-sent requests are answered on both versions, peers get GOAWAY, and it ends soon")
    func halfSent() async throws {
        let gateway = try await WholeGateway.start(limits: #"{"drain_seconds": 10}"#)
        let apps = try gateway.address("apps")
        let began = SystemTime().monotonic()
        try await onLoop { lane in
            let peer = try await gateway.link(lane)
            let half = try peer.request(
                "/agents/x", fields: Self.json, body: Array("{".utf8), finish: false)
            let old = try await RawClient.connect(to: apps, on: lane)
            old.send(
                "POST /agents/x HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n"
                    + "content-length: 2\r\n\r\n{")
            let ahead = try await RawClient.connect(to: apps, on: lane)
            ahead.send("POST /agents/x HTTP/1.1\r\nho")
            let idle = try await RawClient.connect(to: apps, on: lane)
            await settle(gateway, peers: 1, apps: 3, lane)
            async let stopped: Void = gateway.server.stop()
            await peer.wait { peer.goAways.count == 2 }
            #expect(peer.goAways == [.noError, .noError])
            #expect(await idle.waitForEnd() == "", "whoever asks nothing is let go at once")
            let ready = try await gateway.get("/ready", at: "watch")
            #expect(ready.status == 503 && ready.body == "draining\n")
            await #expect(throws: (any Error).self) {
                _ = try await RawClient.connect(to: apps, on: lane)
            }
            _ = peer.session.write(Array("}".utf8), on: half)
            peer.session.finish(half)
            peer.touched()
            old.send("}")
            ahead.send("st: a\r\ncontent-type: text/plain\r\ncontent-length: 0\r\n\r\n")
            #expect(await peer.status(half) == 404)
            let texts = [await old.waitForEnd(), await ahead.waitForEnd()]
            #expect(texts[0].hasPrefix("HTTP/1.1 404 ") && texts[1].hasPrefix("HTTP/1.1 200 "))
            #expect(texts.allSatisfy { $0.contains("connection: close\r\n") })
            await peer.wait { peer.end != nil }
            #expect(peer.end != nil)
            await stopped
        }
        #expect(SystemTime().monotonic().duration(since: began) < .seconds(5))
    }

    @Test("what never ends is cut in the time of the configuration")
    func stuck() async throws {
        let gateway = try await WholeGateway.start(limits: #"{"drain_seconds": 2}"#)
        let apps = try gateway.address("apps")
        try await onLoop { lane in
            let peer = try await gateway.link(lane)
            let half = try peer.request(
                "/agents/x", fields: Self.json, body: Array("{".utf8), finish: false)
            let old = try await RawClient.connect(to: apps, on: lane)
            old.send("POST /agents/x HTTP/1.1\r\nho")
            await settle(gateway, peers: 1, apps: 1, lane)
            let began = lane.loop.now
            await gateway.server.stop()
            let took = lane.loop.now.duration(since: began)
            #expect(took > .milliseconds(1500), "they had their time")
            #expect(took < .milliseconds(2500))
            await peer.wait { peer.end != nil }
            #expect(peer.end != nil && peer.heads[half] == nil)
            #expect(await old.waitForEnd() == "")
        }
    }

    /// Waits until so many connections were accepted and what was sent has been read.
    private func settle(
        _ gateway: WholeGateway, peers: Int, apps: Int, _ lane: isolated Lane
    ) async {
        for (listener, count) in [("peers", peers), ("apps", apps)] {
            let line = "dragoman_connections_accepted_total{listener=\"\(listener)\"} \(count)\n"
            #expect(await eventually { gateway.server.connections.exposition.contains(line) })
        }
        try? await lane.loop.sleep(for: .milliseconds(200))
    }
}
