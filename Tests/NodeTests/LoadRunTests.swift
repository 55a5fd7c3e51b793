// SPDX-License-Identifier: Apache-2.0
import Bytes
import Consent
import Gateway
import HTTP
import HTTP2
import IO
import Synchronization
import TLS
import TestSupport
import Testing

@testable import Node

/// Load on real listeners: TLS with both certificates, errors, stalls, connections that end.
@Suite(.serialized, .timeLimit(.minutes(1))) struct LoadRunTests {
    /// Answers by path: `/fine`, `/third` (every third is 500), `/error` (200 with a JSON-RPC
    /// error), `/pause` (the hundredth and what comes in the next 400 ms wait for their end),
    /// `/never`.
    private final class Answering: Service {
        private let state = Mutex<(count: Int, until: ContinuousClock.Instant?)>((0, nil))
        var count: Int { state.withLock { $0.count } }

        func refusal(
            of head: HTTPRequestHead, at listener: ListenerSettings, from peer: Presenter?
        ) -> ServiceResponse? { nil }

        func respond(
            to request: ServiceRequest, through upstreams: any Upstreams
        ) async -> ServiceResponse {
            let number = state.withLock { state in
                state.count += 1
                if state.count == 100 { state.until = .now + .milliseconds(400) }
                return state.count
            }
            switch request.head.path {
            case "/third": return .plain(number % 3 == 0 ? 500 : 200, "as counted")
            case "/error": return .plain(200, #"{"jsonrpc":"2.0","id":1,"error":{"code":-32000}}"#)
            case "/never": try? await Task.sleep(for: .seconds(3))
            case "/pause":
                let until = state.withLock { $0.until }
                if let until, until > .now { try? await Task.sleep(until: until) }
            default: break
            }
            return .plain(200, "fine")
        }
    }

    private func request(_ path: String, body: String = "") -> LoadRequest {
        LoadRequest(
            method: body.isEmpty ? .get : .post, path: path, fields: [:],
            body: Array(body.utf8), isFilled: true, random: SeededRandom(seed: 2),
            time: SystemTime())
    }

    /// A plan for the node's link, as beta unless another identity is given.
    private func plan(
        _ path: String, _ amount: LoadPlan.Amount, to node: TestNode,
        _ organisations: Organisations, as identity: TLSIdentity? = nil, body: String = ""
    ) throws -> LoadPlan {
        let own = try TLSIdentity(chain: organisations.beta.chain, key: organisations.beta.key)
        let target = try LoadTarget(
            secure: "alpha.example", at: [node.link], .http2, as: identity ?? own,
            to: .entity(organisations.alpha.entity), trust: organisations.trust,
            time: SystemTime())
        return LoadPlan(target: target, request: request(path, body: body), amount: amount)
    }

    private func run(_ plan: LoadPlan) async throws -> LoadReport {
        let run = try await LoadRun(connecting: plan)
        let report = try await run.report()
        await run.close(after: .zero)
        return report
    }

    @Test("every request is sent once and counted once", arguments: [1, 2])
    func counted(threads: Int) async throws {
        let service = Answering()
        try await TestNode.with(service) { node, organisations in
            var plan = try plan(
                "/fine", .requests(501), to: node, organisations, body: "{{uuid}}")
            (plan.connections, plan.streams, plan.threads) = (3, 7, threads)
            let report = try await run(plan)
            #expect(report.requests == 501 && report.failed == 0)
            #expect(service.count == 501)
            #expect(report.latency.count == 501 && report.latency.least > 0)
            #expect(report.connections == 3 && report.reconnections == 0)
            #expect(report.rate > 0 && report.bytesReceived > 501 && report.bytesSent > 501 * 36)
            #expect(await node.isEmpty(), "the connections are ended")
        }
    }

    @Test("statuses are checked, and failures are not among the times")
    func statuses() async throws {
        try await TestNode.with(Answering()) { node, organisations in
            var plan = try plan("/third", .requests(30), to: node, organisations)
            let report = try await run(plan)
            #expect(report.failures == [.status(500): 10])
            #expect(report.requests == 30 && report.latency.count == 20)
            plan.expectation.statuses = [200, 500]
            #expect(try await run(plan).failed == 0)
        }
    }

    @Test("an error with status 200 is found by what its body lacks")
    func bodies() async throws {
        try await TestNode.with(Answering()) { node, organisations in
            var plan = try plan("/error", .requests(5), to: node, organisations)
            #expect(try await run(plan).failed == 0)
            plan.expectation.pointer = JSONPointer("/result")
            #expect(try await run(plan).failures == [.body: 5])
            plan.expectation.pointer = JSONPointer("/error/code")
            plan.expectation.text = Array("-32000".utf8)
            #expect(try await run(plan).failed == 0)
        }
    }

    @Test("a stall that a closed loop hides shows in an open one")
    func coordinatedOmission() async throws {
        try await TestNode.with(Answering()) { node, organisations in
            let closed = try await run(
                plan("/pause", .requests(400), to: node, organisations))
            #expect(closed.failed == 0 && closed.latency.greatest > 300_000_000)
            #expect(closed.latency.quantile(0.99) < 300_000_000, "one of four hundred")
        }
        try await TestNode.with(Answering()) { node, organisations in
            var plan = try plan("/pause", .requests(400), to: node, organisations)
            plan.pace = .open(perSecond: 400)
            let open = try await run(plan)
            // 160 requests should have begun in those 400 ms; they were kept waiting 200 ms in the
            // mean although only one of them was sent.
            #expect(open.failed == 0 && open.requests == 400)
            #expect(open.latency.quantile(0.9) > 100_000_000)
            #expect(open.delay.quantile(0.9) > 100_000_000)
        }
    }

    @Test("a server that never answers: what was sent is late, what was due is unsent")
    func stalled() async throws {
        try await TestNode.with(Answering()) { node, organisations in
            var plan = try plan("/never", .duration(.milliseconds(500)), to: node, organisations)
            plan.timeout = .milliseconds(200)
            plan.pace = .open(perSecond: 100)
            plan.streams = 2
            let report = try await run(plan)
            #expect(report.requests == 50)
            #expect(report.failed == 50)
            #expect(report.failures[.late, default: 0] >= 2)
            #expect(report.failures[.unsent, default: 0] >= 20)
            #expect(Set(report.failures.keys).isSubset(of: [.late, .unsent]))
            // Their times count, as long as they were waited for.
            #expect(report.latency.count == 50 && report.latency.least >= 200_000_000)
        }
    }

    @Test("the warm-up and what is not of the run is left out")
    func warmUp() async throws {
        let service = Answering()
        try await TestNode.with(service) { node, organisations in
            var plan = try plan("/third", .requests(9), to: node, organisations)
            plan.warmUp = .milliseconds(100)
            plan.pace = .open(perSecond: 90)
            let report = try await run(plan)
            #expect(report.requests == 9 && report.failures == [.status(500): 3])
            #expect(report.warmUpRequests == 9 && report.warmUpFailures == 3)
            #expect(service.count == 18 && report.latency.count == 6)
        }
    }

    @Test("whose certificate is not believed, on either side, makes no connection")
    func certificates() async throws {
        let service = Answering()
        try await TestNode.with(service) { node, organisations in
            let rival = try TLSIdentity(
                chain: organisations.rival.chain, key: organisations.rival.key)
            let refused = try plan(
                "/fine", .requests(1), to: node, organisations, as: rival)
            await #expect(
                throws: LoadFault.unconnected(
                    made: 0, of: 1, "it refused us: unknown CA")
            ) { try await LoadRun(connecting: refused) }
            let target = try LoadTarget(
                secure: "alpha.example", at: [node.link], .http2, as: rival,
                to: .host("alpha.example"), trust: PeerTrust(hosts: organisations.beta.anchors),
                time: SystemTime())
            let stranger = LoadPlan(
                target: target, request: request("/fine"), amount: .requests(1))
            await #expect(
                throws: LoadFault.unconnected(
                    made: 0, of: 1, "its certificate is refused: untrusted")
            ) { try await LoadRun(connecting: stranger) }
            #expect(service.count == 0)
        }
    }

    @Test("in clear text: HTTP/1.1 over several connections, HTTP/2 by prior knowledge")
    func clear() async throws {
        let service = Answering()
        try await TestNode.with(service) { node, _ in
            for version in [LoadTarget.Version.http1, .http2] {
                let target = LoadTarget(clear: node.local.description, at: node.local, version)
                var plan = LoadPlan(
                    target: target, request: request("/third", body: "{{number}}"),
                    amount: .requests(60))
                plan.connections = 4
                let before = service.count
                let report = try await run(plan)
                #expect(report.requests == 60 && report.failures == [.status(500): 20])
                #expect(service.count - before == 60)
            }
        }
    }

    @Test("a connection that the server ends is made again; HTTP/1.1 gives up by closing")
    func madeAgain() async throws {
        try await TestNode.with(Answering()) { node, _ in
            let target = LoadTarget(clear: node.local.description, at: node.local, .http1)
            var plan = LoadPlan(
                target: target, request: request("/never"), amount: .requests(3))
            plan.timeout = .milliseconds(100)
            let report = try await run(plan)
            #expect(report.failures == [.late: 3])
            #expect(report.connections == 1 && report.reconnections >= 2)
        }
    }

    @Test("a server that goes away: its requests fail, and the run ends all the same")
    func goneAway() async throws {
        let organisations = try Organisations()
        let node = try await TestNode.start(Answering(), organisations)
        var plan = try plan("/fine", .duration(.milliseconds(600)), to: node, organisations)
        plan.connections = 2
        let load = try await LoadRun(connecting: plan)
        async let stopping: Void = { try? await Task.sleep(for: .milliseconds(200)) }()
        async let report = load.report()
        await stopping
        await node.stop()
        let result = try await report
        await load.close(after: .zero)
        #expect(result.requests > result.failed && result.failed > 0)
        #expect(result.failures[.unconnected, default: 0] > 0 && result.failedDials > 0)
        #expect(result.lastDialFault != nil)
    }

    @Test("streams are no more than the server allows, which is said")
    func allowed() async throws {
        try await TestNode.with(Answering()) { limits, _ in
            limits.http2.concurrentStreams = 4
        } body: { node, organisations in
            var plan = try plan("/fine", .requests(100), to: node, organisations)
            plan.streams = 50
            let report = try await run(plan)
            #expect(report.requests == 100 && report.failed == 0)
            #expect(report.streamsAllowed == 4)
        }
    }
}
