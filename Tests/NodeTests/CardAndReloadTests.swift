// SPDX-License-Identifier: Apache-2.0
import A2A
import Bytes
import Crypto
import Gateway
import HTTP
import IO
import TLS
import TestSupport
import Testing

@testable import Node

/// Cards, facts and posts over the pools, and what a reload changes for them.
@Suite struct CardAndReloadTests {
    @Test("facts are what the connection proved, posts and cards go over the same one")
    func factsAndPosts() async throws {
        try await TwoNodes.with { nodes in
            let beta = nodes.organisations.beta
            nodes.stub.offerCard(interface: "https://beta.example/agents/cook")
            let destination = nodes.peer
            await nodes.alpha.workers.withUpstreams { upstreams in
                let facts = try? await upstreams.facts(of: beta.entity)
                #expect(facts?.entity == beta.entity)
                #expect(facts?.key == beta.key.verifying)
                #expect(facts?.thumbprint == beta.certificate.thumbprint)
                let answer = try? await upstreams.post(
                    Array(#"{"jsonrpc":"2.0"}"#.utf8), to: "/books/x", at: beta.entity)
                #expect(answer?.status == 200)
                // Its max-age is zero, so it is asked for each time, with its tag.
                for _ in 0..<3 {
                    #expect((try? await upstreams.card(of: destination))?.name == "Stub")
                }
            }
            let cards = nodes.stub.heads.filter { $0.path.hasSuffix("agent-card.json") }
            #expect(cards.count == 3)
            #expect(cards.first?.path == "/agents/cook/.well-known/agent-card.json")
            #expect(cards.map { $0.fields[.ifNoneMatch] } == [nil, "\"one\"", "\"one\""])
            #expect(nodes.stub.heads.contains { $0.path == "/books/x" })
            #expect(nodes.alpha.counters.dialCount == 1)
        }
    }

    @Test("a peer's card that names another company's address is not taken")
    func foreignCard() async throws {
        try await TwoNodes.with { nodes in
            nodes.stub.offerCard(interface: "https://beta.example.evil.example/agents/cook")
            let destination = nodes.peer
            let failure = await nodes.alpha.workers.withUpstreams { upstreams -> UpstreamFailure? in
                do throws(UpstreamFailure) {
                    _ = try await upstreams.card(of: destination)
                    return nil
                } catch {
                    return error
                }
            }
            #expect(failure == .malformed("the agent card is refused: foreign-interface"))
        }
    }

    @Test("a peer's name is looked up; one without an address is unreachable, and costs nothing")
    func names() async throws {
        try await TwoNodes.with { nodes in
            let port = nodes.beta.link.port ?? 0
            let known = nodes.alpha.workers.parts.trust.current
            var routes = UpstreamRoutes()
            routes.peers[Organisations.beta] = "localhost:\(port)"
            await nodes.alpha.workers.adopt(known, routes)
            #expect(await nodes.failure(nodes.call("SendMessage")) == nil)
            routes.peers[Organisations.beta] = "nowhere.invalid:\(port)"
            await nodes.alpha.workers.adopt(known, routes)
            // What is connected stays so.
            #expect(await nodes.failure(nodes.call("SendMessage")) == nil)
            await nodes.beta.workers.drain()
            #expect(
                await nodes.failure(nodes.call("SendMessage"))
                    == .unreachable("its name has no address"))
            let stranger = try #require(EntityID("https://gamma.example"))
            #expect(
                await nodes.failure(nodes.call("SendMessage", .peer(stranger, agent: "x")))
                    == .unreachable("no address is configured for this peer"))
        }
    }

    @Test("a reload moves a local agent at once")
    func localReload() async throws {
        try await TwoNodes.with { nodes in
            let call = nodes.call("SendMessage", .local(agent: "here"))
            #expect(await nodes.failure(call) == nil)
            var routes = nodes.alpha.workers.parts.routes.current
            routes.agents["here"] = LocalURL("http://\(nodes.beta.local)/other")
            await nodes.alpha.workers.adopt(
                nodes.alpha.workers.parts.trust.current, routes)
            #expect(await nodes.failure(call) == nil)
            #expect(nodes.stub.heads.last?.path == "/other")
        }
    }

    @Test("our own certificate's end, and a peer that is known no more, end connections")
    func ending() async throws {
        try await TwoNodes.with { nodes in
            #expect(await nodes.failure(nodes.call("SendMessage")) == nil)
            let alone = try nodes.organisations.material(
                nodes.organisations.alpha,
                trust: .init(entities: [
                    nodes.organisations.alpha.entity: nodes.organisations.alpha.anchors
                ]))
            await nodes.alpha.workers.adopt(
                alone, nodes.alpha.workers.parts.routes.current)
            #expect(await nodes.beta.isEmpty())
            #expect(
                await nodes.failure(nodes.call("SendMessage"))
                    == .unreachable("its certificate is refused: untrusted"))
        }
    }
}
