// SPDX-License-Identifier: Apache-2.0
import A2A
import Bindings
import Bytes
import Gateway
import HTTP
import JSON

/// Where an agent takes calls, and in which binding.
struct AgentInterface {
    /// The bindings that this gateway calls in.
    enum Binding {
        case jsonRPC
        case httpJSON
        /// JSON-RPC of A2A 0.3, in which local agents only are called (Spec/divergences.md).
        case jsonRPCV03
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
        let older = card.jsonRPCInV03.map { (Binding.jsonRPCV03, $0) }
        guard let (binding, offered) = Self.first(of: card) ?? older else { return nil }
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
            switch interface.binding {
            case "JSONRPC": return (.jsonRPC, interface)
            case "HTTP+JSON": return (.httpJSON, interface)
            default: continue
            }
        }
        return nil
    }
}

/// How the answer to one call is read.
struct AnswerReader {
    let binding: AgentInterface.Binding
    /// For 0.3: the method and how much of a task's history was asked for.
    private let older: (method: V03Method, historyLength: Int?)?

    init(_ binding: AgentInterface.Binding, of call: UpstreamCall) {
        self.binding = binding
        guard binding == .jsonRPCV03, let method = V03Method(current: call.method) else {
            older = nil
            return
        }
        older = (method, call.historyLength)
    }

    /// What the answer says, in the form of 1.0; the agent's own error, or what is wrong with the
    /// answer.
    func value(_ body: [UInt8]) throws(UpstreamFailure) -> JSONValue {
        try read(body).value
    }

    /// One event of a stream, and whether the agent says that it is the last.
    func event(_ body: [UInt8]) throws(UpstreamFailure) -> (event: StreamEvent, isLast: Bool) {
        let (value, isLast) = try read(body)
        return (try LoopUpstreams.event(value), isLast)
    }

    private func read(
        _ body: [UInt8]
    ) throws(UpstreamFailure) -> (value: JSONValue, isLast: Bool) {
        do throws(A2AError) {
            switch binding {
            case .jsonRPC: return (try JSONRPC.result(body), false)
            case .httpJSON: return (try HTTPJSON.result(body), false)
            case .jsonRPCV03:
                guard let older else { throw A2AError(.unsupportedOperation) }
                let answer = try JSONRPCV03.result(
                    body, of: older.method, historyLength: older.historyLength)
                return (answer.value, answer.isFinal)
            }
        } catch {
            throw error.code == .invalidAgentResponse ? .malformed(error.message) : .agent(error)
        }
    }
}
