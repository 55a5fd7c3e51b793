// SPDX-License-Identifier: Apache-2.0
import Bytes
import HTTP
import IO
import Testing

@testable import Node

/// HTTP/1.1 over real sockets in clear text.
@Suite struct HTTP1ServerTests {
    @Test("requests sent ahead are answered one after the other")
    func pipelining() async throws {
        try await TestNode.with(EchoService()) { node, _ in
            let text = try await onLoop { lane in
                let client = try await RawClient.connect(to: node.local, on: lane)
                let one = "POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\none"
                let two = "POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\ntwo"
                let last = "GET /who HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"
                client.send(one + two + last)
                return await client.waitForEnd()
            }
            let answers = text.split(separator: "HTTP/1.1 200 OK\r\n")
            try #require(answers.count == 3)
            #expect(answers[0].hasSuffix("\r\n\r\none"))
            #expect(answers[1].hasSuffix("\r\n\r\ntwo"))
            #expect(answers[2].hasSuffix("nobody\n"))
            #expect(answers[2].contains("connection: close\r\n"))
            #expect(answers.allSatisfy { $0.contains("date: ") && $0.contains(" GMT\r\n") })
        }
    }

    @Test("a client that asks is told to send its body")
    func expectContinue() async throws {
        try await TestNode.with(EchoService()) { node, _ in
            let text = try await onLoop { lane in
                let client = try await RawClient.connect(to: node.local, on: lane)
                client.send(
                    "POST /echo HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\n"
                        + "content-length: 2\r\nconnection: close\r\n\r\n")
                _ = await client.wait(for: "100 Continue\r\n\r\n")
                client.send("ok")
                return await client.waitForEnd()
            }
            #expect(text.hasPrefix("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"))
            #expect(text.hasSuffix("\r\n\r\nok"))
        }
    }

    @Test("a body over the limit is refused by its length, or when it has come so far")
    func tooLarge() async throws {
        let change: LimitsChange = { limits, _ in limits.localBodyBytes = 1000 }
        try await TestNode.with(EchoService(), change) { node, _ in
            let texts = try await onLoop { lane -> [String] in
                var texts: [String] = []
                let head = "POST /echo HTTP/1.1\r\nhost: a\r\n"
                let chunk = "3e8\r\n" + String(repeating: "x", count: 1000) + "\r\n"
                for rest in [
                    "content-length: 1001\r\n\r\n",
                    "transfer-encoding: chunked\r\n\r\n" + chunk + "1\r\n",
                ] {
                    let client = try await RawClient.connect(to: node.local, on: lane)
                    client.send(head + rest)
                    texts.append(await client.waitForEnd())
                }
                return texts
            }
            for text in texts {
                #expect(text.hasPrefix("HTTP/1.1 413 "))
                #expect(text.contains("connection: close\r\n"))
            }
        }
    }

    @Test("a refusal by the head does not wait for the body")
    func earlyRefusal() async throws {
        let service = EchoService()
        try await TestNode.with(service) { node, _ in
            let text = try await onLoop { lane in
                let client = try await RawClient.connect(to: node.local, on: lane)
                client.send("POST /refused HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\n")
                return await client.waitForEnd()
            }
            #expect(text.hasPrefix("HTTP/1.1 401 "))
            #expect(text.contains("connection: close\r\n"))
            #expect(service.count("refused") == 0)
        }
    }

    @Test("a refusal without a body keeps the connection")
    func refusalKeepsConnection() async throws {
        try await TestNode.with(EchoService()) { node, _ in
            let text = try await onLoop { lane in
                let client = try await RawClient.connect(to: node.local, on: lane)
                client.send("GET /refused HTTP/1.1\r\nhost: a\r\n\r\n")
                client.send("GET /who HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
                return await client.waitForEnd()
            }
            #expect(text.hasPrefix("HTTP/1.1 401 "))
            #expect(text.hasSuffix("nobody\n"))
        }
    }

    @Test(
        "what is no request is answered with the rule that it breaks, and the connection ends",
        arguments: [
            ("GET / HTTP/1.1\r\n\r\n", "400", "host-missing"),
            ("GET / HTTP/1.1\r\nhost: a\r\nx : y\r\n\r\n", "400", "space-before-colon"),
            (
                "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ntransfer-encoding: chunked"
                    + "\r\n\r\n", "400", "both-length-and-encoding"
            ),
            ("GET / HTTP/2.5\r\nhost: a\r\n\r\n", "505", "version-unsupported"),
        ])
    func malformed(request: String, status: String, rule: String) async throws {
        try await TestNode.with(EchoService()) { node, _ in
            let text = try await onLoop { lane in
                let client = try await RawClient.connect(to: node.local, on: lane)
                client.send(request)
                return await client.waitForEnd()
            }
            #expect(text.hasPrefix("HTTP/1.1 \(status) "))
            #expect(text.contains(rule))
            #expect(text.contains("connection: close\r\n"))
        }
    }

    @Test("a head or a body that trickles in is given up")
    func slowRequest() async throws {
        let change: LimitsChange = { limits, _ in
            limits.headers = .milliseconds(150)
            limits.progress = .milliseconds(150)
        }
        try await TestNode.with(EchoService(), change) { node, _ in
            let texts = try await onLoop { lane -> [String] in
                var texts: [String] = []
                for part in [
                    "GET /who HT", "POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nabc",
                ] {
                    let client = try await RawClient.connect(to: node.local, on: lane)
                    client.send(part)
                    texts.append(await client.waitForEnd())
                }
                return texts
            }
            #expect(texts.allSatisfy { $0.hasPrefix("HTTP/1.1 408 ") })
        }
    }

    @Test("a connection that says nothing, or nothing more, is closed without a word")
    func idle() async throws {
        let change: LimitsChange = { limits, _ in
            limits.headers = .milliseconds(150)
            limits.idle = .milliseconds(150)
        }
        try await TestNode.with(EchoService(), change) { node, _ in
            let texts = try await onLoop { lane -> [String] in
                let silent = try await RawClient.connect(to: node.local, on: lane)
                let done = try await RawClient.connect(to: node.local, on: lane)
                done.send("GET /who HTTP/1.1\r\nhost: a\r\n\r\n")
                return [await silent.waitForEnd(), await done.waitForEnd()]
            }
            #expect(texts[0].isEmpty)
            #expect(texts[1].hasPrefix("HTTP/1.1 200 ") && texts[1].hasSuffix("nobody\n"))
            #expect(await node.isEmpty())
        }
    }

    @Test("events come in chunks, to a client of 1.0 until the end of the connection")
    func events() async throws {
        try await TestNode.with(EchoService()) { node, _ in
            let texts = try await onLoop { lane -> [String] in
                let new = try await RawClient.connect(to: node.local, on: lane)
                new.send("GET /events/3/1 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
                let old = try await RawClient.connect(to: node.local, on: lane)
                old.send("GET /events/3/1 HTTP/1.0\r\n\r\n")
                return [await new.waitForEnd(), await old.waitForEnd()]
            }
            #expect(texts[0].contains("transfer-encoding: chunked\r\n"))
            #expect(texts[0].hasSuffix("b\r\ndata: 3 x\n\n\r\n0\r\n\r\n"))
            #expect(!texts[1].contains("transfer-encoding"))
            #expect(texts[1].hasSuffix("\r\n\r\ndata: 1 x\n\ndata: 2 x\n\ndata: 3 x\n\n"))
        }
    }

    @Test("a client that leaves ends its stream of events")
    func leaving() async throws {
        let service = EchoService()
        try await TestNode.with(service) { node, _ in
            try await onLoop { lane in
                let client = try await RawClient.connect(to: node.local, on: lane)
                client.send("GET /quiet HTTP/1.1\r\nhost: a\r\n\r\n")
                _ = await client.wait(for: "data: 1")
                client.channel.abort()
            }
            #expect(await eventually { service.cancelled == 1 })
            #expect(await node.isEmpty())
        }
    }

    @Test("silence on a stream is filled with comments")
    func keepAlive() async throws {
        let change: LimitsChange = { limits, _ in limits.keepAlive = .milliseconds(60) }
        try await TestNode.with(EchoService(), change) { node, _ in
            let text = try await onLoop { lane in
                let client = try await RawClient.connect(to: node.local, on: lane)
                client.send("GET /quiet HTTP/1.1\r\nhost: a\r\n\r\n")
                defer { client.channel.abort() }
                return await client.wait(for: ": keep-alive\n\n", count: 3)
            }
            #expect(text.contains("data: 1 \n\n"))
            #expect(text.split(separator: ": keep-alive\n\n").count >= 3)
        }
    }

    @Test("a client that does not read holds up the source, not the memory")
    func slowReader() async throws {
        let service = EchoService()
        try await TestNode.with(service) { node, _ in
            let received = try await onLoop { lane -> Int in
                let client = try await RawClient.connect(to: node.local, on: lane)
                client.channel.pauseReading()
                client.send(
                    "GET /events/20000/1000 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
                // The kernel's buffers take some megabytes; then nothing moves.
                #expect(await steady { service.pieces } < 15_000)
                client.channel.resumeReading()
                return await client.waitForEnd(within: 20).utf8.count
            }
            #expect(service.pieces == 20_000)
            #expect(received > 20_000_000)
        }
    }

    @Test("a listener on a Unix socket serves the same")
    func unixSocket() async throws {
        try await TestNode.with(EchoService()) { node, _ in
            let path = "/tmp/dragoman-node-\(SystemTime().monotonic().nanoseconds).sock"
            let address = try await node.workers.listen(
                .test("unix", .local, "unix:" + path), EchoService())
            #expect(address == .unix(path: path))
            let text = try await onLoop { lane in
                let client = try await RawClient.connect(to: address, on: lane)
                client.send("GET /who HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
                return await client.waitForEnd()
            }
            #expect(text.hasSuffix("nobody\n"))
        }
    }

    @Test("a connection over the listener's limit is told so")
    func full() async throws {
        let change: LimitsChange = { limits, _ in limits.connections = 1 }
        try await TestNode.with(EchoService(), change) { node, _ in
            let text = try await onLoop { lane in
                let first = try await RawClient.connect(to: node.local, on: lane)
                first.send("GET /who HTTP/1.1\r\nhost: a\r\n\r\n")
                _ = await first.wait(for: "nobody")
                let second = try await RawClient.connect(to: node.local, on: lane)
                second.send("GET /who HTTP/1.1\r\nhost: a\r\n\r\n")
                defer { first.channel.abort() }
                return await second.waitForEnd()
            }
            #expect(text.hasPrefix("HTTP/1.1 503 "))
            #expect(text.contains("retry-after: 1\r\n"))
            #expect(node.counters.count(of: .full) == 1)
        }
    }

    @Test("while draining a request that has begun is answered, and the connection ends")
    func drain() async throws {
        let service = EchoService()
        let organisations = try Organisations()
        let node = try await TestNode.start(service, organisations)
        let text = try await onLoop { lane in
            let idle = try await RawClient.connect(to: node.local, on: lane)
            idle.send("GET /who HTTP/1.1\r\nhost: a\r\n\r\n")
            _ = await idle.wait(for: "nobody")
            let half = try await RawClient.connect(to: node.local, on: lane)
            half.send("POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n\r\nha")
            try await lane.loop.sleep(for: .milliseconds(50))
            async let drained: Void = node.workers.drain()
            _ = await idle.waitForEnd()
            half.send("lf")
            let text = await half.waitForEnd()
            await drained
            return text
        }
        node.workers.stop()
        #expect(text.contains("connection: close\r\n"))
        #expect(text.hasSuffix("\r\n\r\nhalf"))
    }
}
