// SPDX-License-Identifier: Apache-2.0
import A2A
import Bytes
import Discovery
import Gateway
import HTTP
import IO
import JSON

extension LoopUpstreams {
    /// The card of an agent: from the cache while it is fresh, else asked for with its validator.
    func card(
        of destination: Gateway.Destination, in scope: RequestUpstreams?
    ) async throws(UpstreamFailure) -> AgentCard {
        let deadline = loop.now.adding(parts.upstream.shortCall)
        return try await card(of: destination, before: deadline, in: scope)
    }

    /// Where and how an agent is called: as its card says, else by JSON-RPC at its configured
    /// address or at the path that every gateway gives its agents.
    func interface(
        of destination: Gateway.Destination, before deadline: MonotonicInstant,
        in scope: RequestUpstreams?
    ) async throws(UpstreamFailure) -> AgentInterface {
        if let known = interfaces[destination], loop.now < known.until { return known.interface }
        var configured: LocalURL?
        var interface: AgentInterface
        switch destination {
        case .peer(let peer, let agent): interface = AgentInterface(peer: peer, agent: agent)
        case .local(let agent):
            guard let url = parts.routes.current.agents[agent] else {
                throw .unreachable("no such agent is configured")
            }
            configured = url
            interface = AgentInterface(local: url)
        }
        do throws(UpstreamFailure) {
            let card = try await card(of: destination, before: deadline, in: scope)
            switch destination {
            case .peer(let peer, _): interface = AgentInterface(card, of: peer) ?? interface
            case .local:
                interface = configured.flatMap { AgentInterface(card, at: $0) } ?? interface
            }
        } catch {
            switch error {
            case .suspended, .unreachable, .lost: throw error
            // An agent without a card we can use may still answer.
            case .malformed, .status, .agent: break
            }
        }
        interfaces[destination] = (interface, loop.now.adding(parts.upstream.interfaceAge))
        return interface
    }

    private func card(
        of destination: Gateway.Destination, before deadline: MonotonicInstant,
        in scope: RequestUpstreams?
    ) async throws(UpstreamFailure) -> AgentCard {
        let known = cards.entry(destination, now: loop.now)
        if let known, known.isFresh { return known.entry.card }
        let request = try cardRequest(destination, eTag: known?.entry.eTag)
        let exchange = try await send(request, before: deadline, in: scope, anyStatus: true)
        defer { scope?.remove(exchange) }
        guard let head = exchange.head else { throw .lost("the answer has no head") }
        let fresh: AgentCard
        switch head.status {
        case 200:
            let body = try await cardBody(of: exchange, before: deadline, in: scope)
            fresh = try check(body, of: destination)
        case 304:
            guard let known else { throw .malformed("304 to a request without a condition") }
            fresh = known.entry.card
        default:
            exchange.stop(.cancelled)
            cards.remove(destination)
            throw .status(
                head.status, retryAfter: head.fields[.retryAfter].flatMap { Int($0) })
        }
        let eTag = head.fields[.eTag] ?? (head.status == 304 ? known?.entry.eTag : nil)
        cards.put(
            CardCache.Entry(
                card: fresh, eTag: eTag, fetched: loop.now, maxAgeSeconds: age(head)),
            for: destination)
        return fresh
    }

    private func cardRequest(
        _ destination: Gateway.Destination, eTag: String?
    ) throws(UpstreamFailure) -> Request {
        var fields: HTTPFields = [.accept: "application/json", .a2aVersion: "1.0"]
        if let eTag, let value = try? HTTPFieldValue(eTag) { fields.append(.ifNoneMatch, value) }
        let name = "/.well-known/agent-card.json"
        switch destination {
        case .peer(let peer, let agent):
            let path = "/agents/" + HTTPPath.encode(agent) + name
            return Request(
                route: .peer(peer), head: try Self.head(.get, peer, path, fields), body: [])
        case .local(let agent):
            guard let url = parts.routes.current.agents[agent] else {
                throw .unreachable("no such agent is configured")
            }
            return Request(
                route: .local(url.address),
                head: try Self.head(.get, url, url.below(name), fields), body: [])
        }
    }

    private func cardBody(
        of exchange: OutboundExchange, before deadline: MonotonicInstant,
        in scope: RequestUpstreams?
    ) async throws(UpstreamFailure) -> [UInt8] {
        let body = try await body(of: exchange, before: deadline, in: scope)
        guard body.count <= AgentCard.bytesMax else {
            throw .malformed("the agent card is larger than \(AgentCard.bytesMax) bytes")
        }
        return body
    }

    /// Reads a card and holds it against who served it.
    private func check(
        _ body: [UInt8], of destination: Gateway.Destination
    ) throws(UpstreamFailure) -> AgentCard {
        let document: JSONDocument
        do {
            document = try JSONDocument(parsing: body, limits: .standard)
        } catch {
            throw .malformed("the agent card is not JSON: \(error)")
        }
        let card: AgentCard
        do {
            card = try AgentCard(document.root)
        } catch {
            throw .malformed(error.message)
        }
        do throws(CardCheck.Fault) {
            switch destination {
            case .peer(let peer, _): try CardCheck.check(card, servedBy: peer)
            case .local: try CardCheck.checkTexts(card)
            }
        } catch {
            throw .malformed("the agent card is refused: \(error.rawValue)")
        }
        return card
    }

    /// `max-age` of the answer, in seconds; zero where it may not be kept.
    private func age(_ head: HTTPResponseHead) -> Int64 {
        for directive in head.fields.list(.cacheControl) {
            let text = directive.lowercased()
            if text == "no-store" || text == "no-cache" { return 0 }
            if text.hasPrefix("max-age="), let seconds = Int64(text.dropFirst(8)) {
                return seconds
            }
        }
        return parts.upstream.cardAgeSeconds
    }
}
