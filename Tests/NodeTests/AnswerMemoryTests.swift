// SPDX-License-Identifier: Apache-2.0
import Bytes
import Consent
import Gateway
import HTTP
import HTTP2
import IO
import Synchronization
import TestSupport
import Testing

@testable import Node

/// Whole answers that wait for slow clients, or come from next hops, hold bounded memory.
@Suite struct AnswerMemoryTests {
    private static let megabyte = 1 << 20
    private static let few: LimitsChange = { limits, _ in
        limits.answerBytes = 16 * megabyte
        limits.identityAnswerBytes = 4 * megabyte
    }

    @Test("clients that do not read have so much made for them, and are told to come later")
    func unread() async throws {
        let service = LargeService(bytes: Self.megabyte)
        try await TestNode.with(service, Self.few) { node, organisations in
            let material = try organisations.material(organisations.beta)
            let entity = organisations.alpha.entity
            let answers = node.workers.parts.answers
            try await onLoop { lane in
                var clients: [FrameClient] = []
                var first: [HTTP2StreamID] = []
                for _ in 0..<3 {
                    let client = try await FrameClient.connect(
                        to: node.link, as: material, entity, on: lane)
                    client.reads = false
                    for _ in 0..<30 {
                        let id = try client.request("/large", method: .get)
                        if clients.isEmpty { first.append(id) }
                    }
                    clients.append(client)
                    await client.wait(within: 1) {
                        client.heads.count == 30
                    }
                }
                let statuses = clients.flatMap { $0.heads.values.map(\.status) }
                #expect(statuses.count { $0 == 200 } <= 4, "four megabytes for one identity")
                #expect(statuses.count { $0 == 503 } >= 86)
                let busy = clients.flatMap { $0.heads.values }.first { $0.status == 503 }
                #expect(busy?.fields[.retryAfter] == "1")
                #expect(answers.held <= 4 * Self.megabyte)
                // Others still have theirs: here this gateway's own side.
                let other = try await FrameClient.connect(to: node.local, on: lane)
                let id = try other.request("/large", method: .get)
                #expect(await other.status(id) == 200)
                #expect(other.bodies[id]?.count == Self.megabyte)
                // Whoever goes leaves its memory behind.
                for client in clients { client.channel.abort() }
                #expect(await eventually { answers.held == 0 })
                let again = try await FrameClient.connect(
                    to: node.link, as: material, entity, on: lane)
                let last = try again.request("/large", method: .get)
                #expect(await again.status(last) == 200)
                #expect(await eventually { answers.held == 0 }, "what is read is given back")
                again.channel.abort()
                other.channel.abort()
            }
        }
    }

    @Test("an HTTP/1.1 client that asks ahead and does not read has one answer made at a time")
    func pipelined() async throws {
        let service = LargeService(bytes: 8 * Self.megabyte)
        try await TestNode.with(service) { node, _ in
            try await onLoop { lane in
                let client = try await RawClient.connect(to: node.local, on: lane)
                client.channel.pauseReading()
                let one = "GET /large HTTP/1.1\r\nhost: a\r\n\r\n"
                client.send(String(repeating: one, count: 50))
                #expect(await eventually { service.count > 0 })
                try await lane.loop.sleep(for: .milliseconds(300))
                #expect(service.count <= 2)
                #expect(node.workers.parts.answers.held <= 8 * Self.megabyte)
                client.channel.resumeReading()
                #expect(await eventually(within: 20) { service.count == 50 })
                client.channel.abort()
            }
            #expect(await eventually { node.workers.parts.answers.held == 0 })
        }
    }

    @Test("answers of next hops are read as far as there is memory, and then lost, said so")
    func upstream() async throws {
        let change: LimitsChange = { limits, _ in
            limits.answerBytes = 4 * Self.megabyte
            limits.identityAnswerBytes = 4 * Self.megabyte
        }
        try await TwoNodes.with(alpha: change) { nodes in
            let answers = nodes.alpha.workers.parts.answers
            let call = nodes.call("Sizeable")
            var failures: [UpstreamFailure?] = []
            await withTaskGroup(of: UpstreamFailure?.self) { group in
                for _ in 0..<6 { group.addTask { await nodes.failure(call) } }
                for await failure in group { failures.append(failure) }
            }
            #expect(failures.contains(nil))
            #expect(failures.contains(.lost("there is no memory for the answer now")))
            #expect(answers.held == 0)
            #expect(await nodes.failure(call) == nil)
            #expect(answers.exposition.contains("dragoman_answers_held_bytes 0\n"))
        }
    }
}

/// Answers with so many bytes, and counts.
private final class LargeService: Service {
    private let body: [UInt8]
    private let served = Mutex(0)

    init(bytes: Int) { body = [UInt8](repeating: 0x78, count: bytes) }

    var count: Int { served.withLock { $0 } }

    func refusal(
        of head: HTTPRequestHead, at listener: ListenerSettings, from peer: Presenter?
    ) -> ServiceResponse? { nil }

    func respond(
        to request: ServiceRequest, through upstreams: any Upstreams
    ) async -> ServiceResponse {
        served.withLock { $0 += 1 }
        return ServiceResponse(status: 200, body: .bytes(body))
    }
}
