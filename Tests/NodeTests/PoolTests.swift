// SPDX-License-Identifier: Apache-2.0
import A2A
import Bytes
import Crypto
import Gateway
import HTTP
import HTTP2
import IO
import TLS
import TestSupport
import Testing

@testable import Node

/// What the pools do when peers misbehave, are away, or are someone else.
@Suite struct PoolTests {
    /// Runs alpha against a peer in the test's hand.
    private func withPeer(
        _ change: @escaping LimitsChange = {
            _, _ in
        },
        _ body: @escaping @Sendable (isolated Lane, TestNode, PeerServer) async throws -> Void
    ) async throws {
        let organisations = try Organisations()
        try await onLoop { lane in
            let server = try PeerServer(
                as: try organisations.material(organisations.beta), on: lane)
            var routes = UpstreamRoutes()
            routes.peers[Organisations.beta] = server.address.description
            let alpha = try await TestNode.start(
                EchoService(), organisations, routes: routes, change)
            do {
                try await body(lane, alpha, server)
                server.close()
                await alpha.stop()
            } catch {
                server.close()
                await alpha.stop()
                throw error
            }
        }
    }

    @Sendable private func call(_ alpha: TestNode) async -> UpstreamFailure? {
        await alpha.workers.withUpstreams { upstreams -> UpstreamFailure? in
            do throws(UpstreamFailure) {
                // Whatever it is about: the pool does not know what it carries.
                _ = try await upstreams.post(
                    Array("{}".utf8), to: "/books", at: Organisations.beta)
                return nil
            } catch {
                return error
            }
        }
    }

    @Test("a stream that was refused is sent once more; one that was reset is not")
    func retries() async throws {
        try await withPeer { [call] lane, alpha, server in
            async let answered = call(alpha)
            let (peer, refused) = try #require(await server.request(1))
            peer.session.reset(refused, .refusedStream)
            peer.touched()
            let (again, id) = try #require(await server.request(2))
            try again.answer(id)
            #expect(await answered == nil)

            async let lost = call(alpha)
            let (other, reset) = try #require(await server.request(3))
            other.session.reset(reset, .internalError)
            other.touched()
            guard case .lost = await lost else {
                Issue.record("it was not lost")
                return
            }
            #expect(server.requestCount == 3)
            #expect(server.accepted == 1)
        }
    }

    @Test("refused twice, it is not sent a third time")
    func refusedTwice() async throws {
        try await withPeer { [call] lane, alpha, server in
            async let failed = call(alpha)
            for number in 1...2 {
                let (peer, id) = try #require(await server.request(number))
                peer.session.reset(id, .refusedStream)
                peer.touched()
            }
            guard case .unreachable = await failed else {
                Issue.record("it was not refused")
                return
            }
            #expect(server.requestCount == 2)
        }
    }

    @Test("a server that floods its caller is cut, counted, and not called for a while")
    func flood() async throws {
        let change: LimitsChange = { limits, _ in
            limits.identityGlitches = HTTP2Rate(burst: 100, perSecond: 0)
        }
        try await withPeer(change) { [call] lane, alpha, server in
            async let lost = call(alpha)
            let (peer, _) = try #require(await server.request(1))
            for number in 0..<30 { peer.session.ping(UInt64(number)) }
            peer.touched()
            guard case .lost = await lost else {
                Issue.record("it was not lost")
                return
            }
            // Its own end may hear of it later than the call.
            #expect(await eventually { peer.goAways == [.enhanceYourCalm] })
            #expect(await eventually { alpha.counters.cuts(for: "pings") == 1 })
            #expect(alpha.counters.http2.pings == 21)
            guard case .unreachable = await call(alpha) else {
                Issue.record("it was called")
                return
            }
            #expect(server.accepted == 1)
        }
    }

    @Test("after GOAWAY calls go over a new connection, and those it left out are sent again")
    func goAway() async throws {
        try await withPeer { [call] lane, alpha, server in
            async let first = call(alpha)
            let (peer, id) = try #require(await server.request(1))
            peer.session.goAway()
            peer.touched()
            async let second = call(alpha)
            let (fresh, next) = try #require(await server.request(2))
            #expect(peer !== fresh)
            try fresh.answer(next)
            #expect(await second == nil)
            // The old connection still gives the answer that it owes.
            try peer.answer(id)
            #expect(await first == nil)
            #expect(server.accepted == 2)
        }
    }

    @Test("a connection that is lost loses its calls, and the next call makes another")
    func reconnect() async throws {
        try await withPeer { [call] lane, alpha, server in
            async let lost = call(alpha)
            let (peer, _) = try #require(await server.request(1))
            peer.channel.abort()
            guard case .lost = await lost else {
                Issue.record("it was not lost")
                return
            }
            async let answered = call(alpha)
            let (fresh, id) = try #require(await server.request(2))
            try fresh.answer(id)
            #expect(await answered == nil)
            #expect(server.requestCount == 2)
        }
    }

    @Test("a peer that falls silent with calls open is lost when it does not answer a PING")
    func silence() async throws {
        let change: LimitsChange = {
            _, upstream in
            upstream.silence = .milliseconds(100)
            upstream.pong = .milliseconds(100)
        }
        try await withPeer(change) { [call] lane, alpha, server in
            async let answered = call(alpha)
            let (peer, id) = try #require(await server.request(1))
            // A peer that thinks answers the PING and is waited for.
            try await lane.loop.sleep(for: .milliseconds(500))
            try peer.answer(id)
            #expect(await answered == nil)
            async let lost = call(alpha)
            _ = try #require(await server.request(2))
            peer.channel.pauseReading()
            guard case .lost = await lost else {
                Issue.record("it was not lost")
                return
            }
        }
    }

    @Test("a peer that is away fails at once after the first attempt, and is found when it is back")
    func failFast() async throws {
        let organisations = try Organisations()
        let first = try await TestNode.start(
            AgentStub(), organisations, material: try organisations.material(organisations.beta))
        let port = try #require(first.link.port)
        await first.stop()
        var routes = UpstreamRoutes()
        routes.peers[Organisations.beta] = first.link.description
        let alpha = try await TestNode.start(EchoService(), organisations, routes: routes) {
            _, upstream in
            upstream.backoff = .milliseconds(300)
            upstream.backoffMost = .milliseconds(300)
        }
        let began = SystemTime().monotonic()
        for _ in 0..<20 {
            #expect(await call(alpha) == .unreachable("connect: Connection refused (111)"))
        }
        // Each pause lets one attempt through; without them there would be forty.
        let pauses = SystemTime().monotonic().duration(since: began) / .milliseconds(300)
        #expect(Double(alpha.counters.dialCount) <= 2 + pauses)
        let back = try await TestNode.start(
            AgentStub(), organisations, material: try organisations.material(organisations.beta),
            port: port)
        #expect(await eventually { await call(alpha) == nil })
        await alpha.stop()
        await back.stop()
    }

    @Test("whoever answers at a peer's address must be that peer")
    func impostors() async throws {
        let organisations = try Organisations()
        for (who, reason) in [
            (organisations.alpha, "its certificate is refused: host"),
            (organisations.rival, "its certificate is refused: untrusted"),
        ] {
            let stub = AgentStub()
            let impostor = try await TestNode.start(
                stub, organisations, material: try organisations.material(who))
            var routes = UpstreamRoutes()
            routes.peers[Organisations.beta] = impostor.link.description
            let alpha = try await TestNode.start(EchoService(), organisations, routes: routes)
            #expect(await call(alpha) == .unreachable(reason))
            #expect(stub.heads.isEmpty)
            await alpha.stop()
            await impostor.stop()
        }
    }

    @Test("a peer that does not believe us is unreachable, not half-answered")
    func refusedByPeer() async throws {
        let organisations = try Organisations()
        let stub = AgentStub()
        let beta = try await TestNode.start(
            stub, organisations, material: try organisations.material(organisations.beta))
        var routes = UpstreamRoutes()
        routes.peers[Organisations.beta] = beta.link.description
        let stranger = try TestOrganisation(
            "gamma.example", now: organisations.alpha.certificate.notBefore, seed: 9)
        let alpha = try await TestNode.start(
            EchoService(), organisations, material: try organisations.material(stranger),
            routes: routes)
        #expect(await call(alpha) == .unreachable("it refused us: unknown CA"))
        #expect(stub.heads.isEmpty)
        await alpha.stop()
        await beta.stop()
    }
}
