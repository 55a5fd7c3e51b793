// SPDX-License-Identifier: Apache-2.0
import A2A
import Bytes
import Consent
import Gateway
import HTTP
import HTTP2
import IO
import JSON
import TestSupport
import Testing

@testable import Node

/// Calls to peers over mutual TLS and to local agents, between two real nodes.
@Suite struct UpstreamTests {
    @Test("calls to a peer share one connection, and their heads say who asks for what")
    func sharedConnection() async throws {
        try await TwoNodes.with { nodes in
            let call = nodes.call("SendMessage", params: #"{"a":1}"#)
            await nodes.alpha.workers.withUpstreams { upstreams in
                for _ in 0..<50 { _ = try? await upstreams.call(call) }
            }
            #expect(nodes.alpha.counters.dialCount == 1)
            #expect(nodes.stub.calls.count == 50)
            let head = try #require(nodes.stub.calls.first)
            #expect(head.path == "/agents/cook" && head.authority == "beta.example")
            #expect(head.fields[.a2aVersion] == "1.0")
            #expect(head.fields[.a2aExtensions] == "https://x.example/e")
            #expect(head.fields[.dragomanCaller] == nil)
            #expect(nodes.stub.peers.first??.entity == nodes.organisations.alpha.entity)
            #expect(
                nodes.stub.bodies.first { !$0.isEmpty }
                    == #"{"jsonrpc":"2.0","id":1,"method":"SendMessage","params":{"a":1}}"#)
        }
    }

    @Test("three hundred calls at once wait their turn on two connections")
    func manyCalls() async throws {
        try await TwoNodes.with { nodes in
            let call = nodes.call("SendMessage")
            let worker = nodes.alpha.workers.all[0]
            let failures = await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<300 {
                    group.addTask(executorPreference: worker.loop) {
                        await nodes.failure(call) != nil
                    }
                }
                return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(failures == 0)
            #expect(nodes.stub.calls.count == 300)
            #expect(nodes.alpha.counters.dialCount <= 2)
        }
    }

    @Test("a connection takes many times its window in answers that come whole")
    func windows() async throws {
        let change: LimitsChange = { limits, _ in limits.http2.connectionWindow = 64 << 10 }
        try await TwoNodes.with(change) { nodes in
            let call = nodes.call("Page", timeout: .seconds(2))
            for _ in 0..<40 { #expect(await nodes.failure(call) == nil) }
            #expect(nodes.alpha.counters.dialCount == 1)
        }
    }

    @Test("what an agent answers is told apart from what is no answer")
    func answers() async throws {
        try await TwoNodes.with { nodes in
            for destination in [nodes.peer, .local(agent: "here")] {
                #expect(await nodes.failure(nodes.call("SendMessage", destination)) == nil)
                #expect(
                    await nodes.failure(nodes.call("Busy", destination))
                        == .status(503, retryAfter: 7))
                guard case .agent(let error) = await nodes.failure(nodes.call("Error", destination))
                else {
                    Issue.record("not the agent's own error")
                    continue
                }
                #expect(error.code == .taskNotFound)
                for method in ["Nonsense", "Large"] {
                    guard
                        case .malformed = await nodes.failure(nodes.call(method, destination))
                    else {
                        Issue.record("\(method) was taken for an answer")
                        continue
                    }
                }
                let late = nodes.call("Never", destination, timeout: .milliseconds(200))
                #expect(await nodes.failure(late) == .lost("its time was up"))
            }
            // Whoever was late was told that nobody listens.
            #expect(await eventually { nodes.stub.cancelled == 2 })
        }
    }

    @Test("events of a stream, from a peer and from a local agent")
    func streams() async throws {
        let change: LimitsChange = { limits, _ in
            limits.keepAlive = .milliseconds(50)
        }
        try await TwoNodes.with(change) { nodes in
            for destination in [nodes.peer, .local(agent: "here")] {
                let all = await nodes.stream(nodes.call("Stream", destination))
                #expect(all.tasks == ["t1", "t2", "t3", "t4", "t5"] && all.failure == nil)
                let error = await nodes.stream(nodes.call("StreamError", destination))
                #expect(error.tasks == ["t1"])
                #expect(error.failure == .agent(A2AError(.taskNotFound, "gone")))
                let broken = await nodes.stream(nodes.call("StreamBroken", destination))
                #expect(broken.tasks == ["t1"])
                guard case .malformed = broken.failure else {
                    Issue.record("a broken event was taken")
                    continue
                }
                let single = await nodes.stream(nodes.call("SendMessage", destination))
                #expect(single.tasks == [nil] && single.failure == nil)
            }
        }
    }

    @Test("comments keep a quiet stream alive; without a byte it is lost")
    func silence() async throws {
        let quick: LimitsChange = { limits, _ in
            limits.keepAlive = .milliseconds(50)
        }
        try await TwoNodes.with(quick) { nodes in
            let call = nodes.call("Quiet", timeout: .seconds(1))
            async let ended = nodes.stream(call)
            try await Task.sleep(for: .milliseconds(1500))
            #expect(nodes.stub.cancelled == 0)
            await nodes.beta.workers.drain()
            let failure = await ended.failure
            guard case .lost = failure else {
                Issue.record("the stream was not lost with its connection: \(failure as Any)")
                return
            }
        }
        try await TwoNodes.with { nodes in
            let ended = await nodes.stream(nodes.call("Quiet", timeout: .seconds(1)))
            #expect(ended.tasks == ["t1"])
            #expect(ended.failure == .lost("the agent's stream was silent for too long"))
            #expect(await eventually { nodes.stub.cancelled == 1 })
        }
    }

    @Test("a client that leaves ends the call that was made for it")
    func cancellation() async throws {
        try await TwoNodes.with { nodes in
            try await onLoop { lane in
                for (index, path) in ["/through/here/Never", "/through/cook/Never"].enumerated() {
                    let client = try await FrameClient.connect(to: nodes.alpha.local, on: lane)
                    await client.wait { client.hasSettings }
                    let id = try client.request(path, body: Array("{}".utf8))
                    client.touched()
                    #expect(
                        await eventually {
                            nodes.stub.bodies.filter { $0.contains("Never") }.count == index + 1
                        })
                    client.session.reset(id, .cancel)
                    client.touched()
                    #expect(await eventually { nodes.stub.cancelled == index + 1 })
                    client.channel.abort()
                }
            }
        }
    }

    @Test("a local agent hears for whom it acts, and its connection is used again")
    func localAgent() async throws {
        let change: LimitsChange = { _, upstream in upstream.localIdleTime = .seconds(60) }
        try await TwoNodes.with(alpha: change) { nodes in
            let call = nodes.call("SendMessage", .local(agent: "here"))
            for _ in 0..<5 { #expect(await nodes.failure(call) == nil) }
            // The card is asked for once, then the calls; all over one connection.
            #expect(nodes.stub.heads.map(\.path).first == "/rpc/.well-known/agent-card.json")
            let calls = nodes.stub.heads.filter { $0.method == .post }
            #expect(calls.count == 5 && calls.allSatisfy { $0.path == "/rpc" })
            #expect(
                calls.allSatisfy { $0.fields[.dragomanCaller] == "https://caller.example" })
            #expect(nodes.alpha.counters.dialCount == 1)
        }
    }

    @Test("a local agent's card names its interface, on this machine only")
    func localInterface() async throws {
        try await TwoNodes.with { nodes in
            nodes.stub.offerCard(interface: "http://localhost:\(nodes.beta.local.port ?? 0)/a2a")
            let call = nodes.call("SendMessage", .local(agent: "here"))
            #expect(await nodes.failure(call) == nil)
            #expect(nodes.stub.heads.last?.path == "/a2a")
        }
        try await TwoNodes.with { nodes in
            nodes.stub.offerCard(interface: "http://192.0.2.1:80/a2a")
            let call = nodes.call("SendMessage", .local(agent: "here"))
            #expect(await nodes.failure(call) == nil)
            #expect(nodes.stub.heads.last?.path == "/rpc")
        }
    }

    @Test("a request's path stays on its loop's thread")
    func noHops() async throws {
        let change: LimitsChange = { _, _ in }
        try await TwoNodes.with(change) { nodes in
            let worker = nodes.alpha.workers.all[0]
            try await onLoop { lane in
                let client = try await FrameClient.connect(to: nodes.alpha.local, on: lane)
                func round() async throws {
                    let id = try client.request("/through/here/SendMessage", body: Array("{}".utf8))
                    #expect(await client.status(id) == 200)
                }
                for _ in 0..<3 { try await round() }
                let before = await worker.remoteJobs
                for _ in 0..<200 { try await round() }
                let after = await worker.remoteJobs
                // Asking for the figure is itself a job from elsewhere.
                #expect(after - before <= 3)
                client.channel.abort()
            }
        }
    }
}

extension Worker {
    /// Jobs that other threads brought to this loop.
    fileprivate var remoteJobs: UInt64 { loop.counters.jobs - loop.counters.localJobs }
}
