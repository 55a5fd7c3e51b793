// SPDX-License-Identifier: Apache-2.0
import Bytes
import HTTP
import HTTP2
import IO
import JSON
import TestSupport
import Testing

@testable import Node

/// Refusals before a service sees the request: each has its line, and a flood of them does not.
@Suite struct EarlyRefusalTests {
    /// The lines about refusals, as objects.
    private func refusals(_ gateway: WholeGateway) throws -> [JSONValue] {
        try gateway.lines.all.map { try JSONDocument(parsing: $0).root }
            .filter { $0["refused"] != nil }
    }

    private func send(_ text: String, to listener: String, _ gateway: WholeGateway) async throws {
        let address = try gateway.address(listener)
        _ = try await onLoop { lane in
            let client = try await RawClient.connect(to: address, on: lane)
            client.send(text)
            return await client.waitForEnd(within: 30)
        }
    }

    @Test("on a link the line names the peer and what it wanted")
    func links() async throws {
        try await WholeGateway.with(try await WholeGateway.start()) { gateway in
            try await onLoop { lane in
                let client = try await gateway.link(lane)
                let json: HTTPFields = [.contentType: "application/json"]
                var large = json
                large.append(.contentLength, "99999999")
                var huge = HTTPFields()
                try huge.append("x-huge", text: String(repeating: "x", count: 60_000))
                for (id, status) in [
                    (try client.request("/secret?token=hush", method: .get), 404),
                    (try client.request("/agents/table", method: .get), 405),
                    (try client.request("/agents/table"), 200),
                    (
                        try client.request(
                            "/agents/table", fields: large, body: [1], finish: false), 413
                    ),
                    (try client.request("/agents/table", fields: huge), 431),
                ] { #expect(await client.status(id) == status) }
                client.channel.abort()
            }
            let lines = try refusals(gateway)
            let told = lines.map { line in
                ["path", "http_method", "agent", "status", "refused"].map { name in
                    line[name]?.string ?? line[name]?.rawText ?? "-"
                }.joined(separator: " ")
            }
            #expect(
                told == [
                    "other GET - 404 Nothing is here",
                    "agent GET table 405 This method is not served here",
                    "agent POST table 200 Content-Type must be application/json",
                    "agent POST table 413 The request body is too large",
                    "- - - 431 header-list-too-large",
                ])
            for line in lines {
                #expect(line["peer"]?.string == "https://beta.example")
                #expect(line["listener"]?.string == "peers")
                #expect(line["protocol"]?.string == "HTTP/2")
            }
            #expect(!gateway.lines.all.contains { $0.contains("hush") })
            let page = try await gateway.get("/metrics", at: "watch").body
            #expect(page.contains("dragoman_early_refusals_total{status=\"431\"} 1\n"))
        }
    }

    @Test(
        "everything else has its line too",
        arguments: [
            ("apps", "GET /secret HTTP/1.1\r\nhost: a\r\n\r\n", 404, "Nothing is here"),
            (
                "apps", "GET / HTTP/1.1\r\nhost: a\r\norigin: https://e.example\r\n\r\n", 403,
                "Web pages are not served here"
            ),
            ("apps", "nonsense\r\n\r\n", 400, "This is not HTTP/1.1 (RFC 9112): start-line"),
            (
                "apps", "GET / HTTP/1.1\r\nhost: a\r\nx: \(String(repeating: "x", count: 99_999))",
                431, "This is not HTTP/1.1 (RFC 9112): fields-too-large"
            ),
            (
                "apps",
                "POST /agents/x HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n"
                    + "content-length: 99999999\r\n\r\n", 413, ""
            ),
            ("watch", "POST /ready HTTP/1.1\r\nhost: a\r\n\r\n", 405, "GET and HEAD are"),
            ("control", "GET /v1/nothing HTTP/1.1\r\nhost: localhost\r\n\r\n", 404, "Nothing"),
            ("peers", "GET / HTTP/1.1\r\nhost: a\r\n\r\n", 0, "TLS failed"),
        ])
    func others(_ listener: String, _ text: String, _ status: Int64, _ words: String) async throws {
        try await WholeGateway.with(try await WholeGateway.start()) { gateway in
            let rest = text.hasSuffix("\r\n\r\n") ? "connection: close\r\n\r\n" : ""
            try await send(
                rest.isEmpty || text.hasPrefix("nonsense") ? text : text.dropLast() + rest,
                to: listener, gateway)
            #expect(await eventually { (try? refusals(gateway).count) == 1 })
            let line = try #require(try refusals(gateway).first)
            #expect(line["listener"]?.string == listener)
            #expect(line["status"]?.int ?? 0 == status)
            #expect(line["refused"]?.string?.hasPrefix(words) == true, "\(line.rawText)")
        }
    }

    @Test("a card of no agent has its line")
    func cards() async throws {
        try await WholeGateway.with(try await WholeGateway.start()) { gateway in
            let path = "/agents/nobody/.well-known/agent-card.json"
            #expect(try await gateway.get(path, at: "apps").status == 404)
            let line = try #require(gateway.lines.all.last { $0.contains(#""method":"card""#) })
            #expect(line.contains(#""status":404"#) && line.contains(#""agent":"nobody""#))
        }
    }

    @Test("a flood of refusals fills neither the log nor anybody else's lines in it")
    func flood() async throws {
        try await WholeGateway.with(try await WholeGateway.start()) { gateway in
            let began = SystemTime().now().seconds
            let one = "GET /secret HTTP/1.1\r\nhost: a\r\n\r\n"
            try await send(
                String(repeating: one, count: 1000)
                    + "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n", to: "apps",
                gateway)
            let seconds = Int(SystemTime().now().seconds - began) + 1
            let written = try refusals(gateway).count
            #expect(written >= RefusalLog.perSecond)
            #expect(written <= RefusalLog.perSecond * seconds)
            _ = try await gateway.get("/secret", at: "watch")
            #expect(try refusals(gateway).last?["listener"]?.string == "watch")
            #expect(
                try #require(await gateway.metric("dragoman_early_refusals_unlogged_total"))
                    == 1001 - written)
            // The next second says how many there were.
            let counted = try await eventually {
                _ = try await gateway.get("/secret", at: "watch")
                return gateway.lines.all.contains { $0.contains(#""log":"refusals_skipped""#) }
            }
            #expect(counted)
        }
    }
}
