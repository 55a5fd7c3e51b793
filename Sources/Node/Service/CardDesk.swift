// SPDX-License-Identifier: Apache-2.0
import A2A
import Bytes
import Crypto
package import Gateway
import HTTP
import JSON
import Synchronization

/// Serves the cards of this gateway's agents: fetched from the next hop, rewritten to this
/// gateway's addresses, with the validators that caches need (A2A §8.6).
package final class CardDesk: Sendable {
    private struct Entry {
        let body: [UInt8]
        let tag: String
        let changed: Instant
    }
    private let gateway: GatewayState
    private let entries = Mutex<[String: Entry]>([:])

    /// How long a client may keep a card without asking again; short, because prices and skills
    /// that bind the user stand in it.
    package static let maxAgeSeconds = 60

    package init(gateway: GatewayState) { self.gateway = gateway }

    func respond(
        to request: ServiceRequest, _ agent: AgentSettings, _ line: AccessLog.Line,
        through upstreams: any Upstreams
    ) async -> ServiceResponse {
        let body: [UInt8]
        do {
            let card = try await upstreams.card(of: agent.destination)
            let published = card.published(
                at: Self.interfaces(of: agent, request, gateway.settings),
                extensions: gateway.cardExtensions(agent, card))
            body = Self.forBoth(published, of: agent, at: request)
        } catch {
            line.rule = error.description
            if error == .suspended {
                return .plain(403, "The company behind this agent is suspended here")
            }
            var response = ServiceResponse.plain(503, "The agent's card cannot be had now")
            response.fields.append(.retryAfter, "2")
            return response
        }
        let entry = remember(body, of: agent, at: request.listener)
        var fields: HTTPFields = [
            .contentType: "application/json",
            .cacheControl: "public, max-age=60",
        ]
        if let tag = try? HTTPFieldValue("\"\(entry.tag)\"") { fields.append(.eTag, tag) }
        if let date = try? HTTPFieldValue(entry.changed.httpDate) {
            fields.append(.lastModified, date)
        }
        if request.head.fields.list(.ifNoneMatch).contains(where: {
            $0 == "\"\(entry.tag)\"" || $0 == "W/\"\(entry.tag)\"" || $0 == "*"
        }) {
            return ServiceResponse(status: 304, fields: fields)
        }
        return ServiceResponse(status: 200, fields: fields, body: .bytes(body))
    }

    /// The agent's addresses at this gateway: under the entity on a link, under the address that
    /// the client itself used on this side. One path serves both bindings, since HTTP+JSON begins
    /// below it.
    private static func interfaces(
        of agent: AgentSettings, _ request: ServiceRequest, _ settings: GatewaySettings
    ) -> [AgentCard.Interface] {
        let base =
            switch request.listener.kind {
            case .link: settings.entity.text
            case .local, .observe, .control: localBase(request)
            }
        let url = "\(base)/agents/\(agent.name)"
        return [
            AgentCard.Interface(url: url, binding: "JSONRPC", version: "1.0"),
            AgentCard.Interface(url: url, binding: "HTTP+JSON", version: "1.0"),
        ]
    }

    private static func localBase(_ request: ServiceRequest) -> String {
        "http://\(request.head.authority)"
    }

    /// On this side, where 0.3 is served too, the card is one for readers of either version.
    private static func forBoth(
        _ card: [UInt8], of agent: AgentSettings, at request: ServiceRequest
    ) -> [UInt8] {
        guard request.listener.kind == .local, let read = try? JSONDocument(parsing: card) else {
            return card
        }
        let url = "\(localBase(request))/agents/\(agent.name)"
        return ToV03.hybridCard(read.root, at: url).bytes
    }

    private func remember(
        _ body: [UInt8], of agent: AgentSettings, at listener: ListenerSettings
    ) -> Entry {
        let key = "\(listener.name) \(agent.name)"
        let tag = Base64URL.encode(Digest.sha256(body).prefix(16))
        let now = gateway.time.now()
        return entries.withLock { entries in
            if let entry = entries[key], entry.tag == tag { return entry }
            let entry = Entry(body: body, tag: tag, changed: now)
            entries[key] = entry
            return entry
        }
    }
}

extension Instant {
    /// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 §5.6.7).
    package var httpDate: String {
        let text = rfc3339
        let year = text.prefix(4)
        let month = Int(text.dropFirst(5).prefix(2)) ?? 1
        let day = text.dropFirst(8).prefix(2)
        let time = text.dropFirst(11).prefix(8)
        // 1970-01-01 was a Thursday.
        let days = milliseconds >= 0 ? milliseconds / 86_400_000 : 0
        let weekday = Self.weekdays[Int((days + 4) % 7)]
        return "\(weekday), \(day) \(Self.months[month - 1]) \(year) \(time) GMT"
    }

    private static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
}
