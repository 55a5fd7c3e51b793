// SPDX-License-Identifier: Apache-2.0
import A2A
import Bytes
import IO
import JSON
import TestSupport
import Testing

@testable import Node

/// A suspended peer is not called for the sake of a request, and is again when it is resumed.
@Suite struct SuspensionTests {
    private static let message =
        #"{"jsonrpc":"2.0","id":1,"method":"SendMessage","params":{"message":"#
        + #"{"messageId":"m1","role":"ROLE_USER","parts":[{"text":"hello"}]}}}"#

    private func post(
        _ path: String, _ body: String, at listener: String, _ gateway: WholeGateway
    ) async throws -> String {
        let address = try gateway.address(listener)
        return try await onLoop { lane in
            let client = try await RawClient.connect(to: address, on: lane)
            client.send(
                "POST \(path) HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
                    + "a2a-version: 1.0\r\ncontent-length: \(body.utf8.count)\r\n"
                    + "connection: close\r\n\r\n\(body)")
            return await client.waitForEnd()
        }
    }

    @Test func aSuspendedPeerIsNotCalled() async throws {
        let organisations = try Organisations()
        let stub = AgentStub()
        stub.offerCard(interface: "https://beta.example/agents/cook")
        let beta = try await TestNode.start(
            stub, organisations, material: try organisations.material(organisations.beta))
        let start = try await WholeGateway.start(
            peers: """
                [
                    {
                        "entity": "https://beta.example", "connect": "\(beta.link)",
                        "agents": [{"name": "cook", "listeners": ["apps"]}]
                    }
                ]
                """, organisations: organisations)
        try await WholeGateway.with(start) { gateway in
            let call = { try await post("/agents/cook", Self.message, at: "apps", gateway) }
            #expect(try await call().contains(#""result""#))
            #expect(
                gateway.lines.all.contains {
                    $0.contains(#""agent":"cook","hop":"https://beta.example""#)
                }, "the log names the next hop")
            let before = stub.heads.count
            let suspend = "/v1/peers/beta.example/suspend"
            #expect(
                try await post(suspend, "", at: "control", gateway).hasPrefix("HTTP/1.1 200 "))
            let refused = try await call()
            #expect(refused.contains(#""code":-32050"#))
            #expect(refused.contains("is suspended at this gateway"))
            let card = "/agents/cook/.well-known/agent-card.json"
            #expect(try await gateway.get(card, at: "apps").status == 403)
            #expect(stub.heads.count == before, "nothing was sent")
            let resume = "/v1/peers/beta.example/resume"
            #expect(
                try await post(resume, "", at: "control", gateway).hasPrefix("HTTP/1.1 200 "))
            #expect(try await call().contains(#""result""#))
            #expect(stub.heads.count > before)
        }
        await beta.stop()
    }
}
