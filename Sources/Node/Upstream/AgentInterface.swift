// SPDX-License-Identifier: Apache-2.0
import A2A
import Bindings
import Bytes
import Gateway
import HTTP
import JSON

/// Where an agent takes calls, and in which binding.
struct AgentInterface {
    /// The bindings that this gateway calls in; the raw value is the name in a card.
    enum Binding: String {
        case jsonRPC = "JSONRPC"
        case httpJSON = "HTTP+JSON"
    }

    /// At whose door.
    enum Place {
        case peer(EntityID)
        case local(LocalURL)
    }
    let binding: Binding
    let place: Place
    /// The path of the interface; for a local agent that of its URL.
    let path: String
    /// What the card wants repeated in each request (A2A §4.4.6).
    let tenant: String?

    /// The path of something below the interface.
    func below(_ name: String) -> String {
        let base = path.prefix { $0 != "?" }
        return (base.hasSuffix("/") ? String(base.dropLast()) : String(base)) + name
    }
}

extension AgentInterface {
    /// The agent without a card: JSON-RPC where the configuration says, or where every gateway has
    /// its agents.
    init(peer: EntityID, agent: String) {
        self.init(
            binding: .jsonRPC, place: .peer(peer), path: "/agents/" + HTTPPath.encode(agent),
            tenant: nil)
    }

    init(local url: LocalURL) {
        self.init(binding: .jsonRPC, place: .local(url), path: url.path, tenant: nil)
    }

    /// The first interface of the card that can be called (A2A §5.2), `nil` where there is none.
    /// A card that names an address which is not on this machine is believed in its binding only,
    /// and so is every card of an agent on a Unix socket.
    init?(_ card: AgentCard, at configured: LocalURL) {
        guard let (binding, offered) = Self.first(of: card) else { return nil }
        var url = configured
        if let named = LocalURL(offered.url), named.isTCP, configured.isTCP { url = named }
        self.init(
            binding: binding, place: .local(url), path: url.path, tenant: offered.tenant)
    }

    /// As above, of a card that was found to name nothing but addresses of `peer`.
    init?(_ card: AgentCard, of peer: EntityID) {
        guard let (binding, offered) = Self.first(of: card), offered.url.hasPrefix(peer.text)
        else { return nil }
        let path = String(offered.url.dropFirst(peer.text.count))
        self.init(
            binding: binding, place: .peer(peer), path: path.isEmpty ? "/" : path,
            tenant: offered.tenant)
    }

    private static func first(of card: AgentCard) -> (Binding, AgentCard.Interface)? {
        for interface in card.interfaces where interface.version.hasPrefix("1.") {
            if let binding = Binding(rawValue: interface.binding) { return (binding, interface) }
        }
        return nil
    }
}

extension AgentInterface.Binding {
    /// What an agent's answer says, or one event of its stream; its own error, or what is wrong
    /// with the answer.
    func result(_ body: [UInt8]) throws(UpstreamFailure) -> JSONValue {
        do {
            switch self {
            case .jsonRPC: return try JSONRPC.result(body)
            case .httpJSON: return try HTTPJSON.result(body)
            }
        } catch {
            throw error.code == .invalidAgentResponse ? .malformed(error.message) : .agent(error)
        }
    }
}
