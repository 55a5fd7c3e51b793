// SPDX-License-Identifier: Apache-2.0
import Bytes
import Crypto

/// Context ids that prove whose they are, so that no table of contexts is needed.
///
/// An agent's context id leaves this gateway as `g1.<tag>.<id>`, where the tag is an HMAC over the
/// owner, the agent and the id. A caller's own id, which names nothing here yet, goes to the agent
/// as an HMAC over owner, agent and id: two callers that invent the same id never meet in one
/// context (A2A §13.1).
package struct ContextAlias: Sendable {
    private let coder: MessageCoder

    /// - Parameter key: 32 secret random bytes, the same after a restart.
    package init(key: [UInt8]) { coder = MessageCoder(key: key) }

    /// The id to show to `owner` for the agent's id `upstream`.
    package func outward(_ upstream: String, owner: Owner, agent: String) -> String {
        "\(Self.prefix)\(tag("out", upstream, owner, agent)).\(upstream)"
    }

    /// The id to give to the agent for the id that `owner` sent.
    package func inward(_ shown: String, owner: Owner, agent: String) -> String {
        if let upstream = opened(shown, owner: owner, agent: agent) { return upstream }
        return "u1-\(tag("in", shown, owner, agent))"
    }

    /// A name for `owner` that only this gateway can tell from a random one.
    func pseudonym(_ owner: Owner, towards other: String) -> String {
        "u.\(tag("sub", other, owner, ""))"
    }

    private func opened(_ shown: String, owner: Owner, agent: String) -> String? {
        guard shown.hasPrefix(Self.prefix) else { return nil }
        let rest = shown.dropFirst(Self.prefix.count)
        guard let dot = rest.firstIndex(of: ".") else { return nil }
        let upstream = String(rest[rest.index(after: dot)...])
        let expected = Array(tag("out", upstream, owner, agent).utf8)
        guard constantTimeEqual(expected, Array(rest[..<dot].utf8)) else { return nil }
        return upstream
    }

    private static let prefix = "g1."

    private func tag(_ way: String, _ id: String, _ owner: Owner, _ agent: String) -> String {
        // Lengths stand before the texts, so that no two different tuples give the same bytes.
        var message: [UInt8] = []
        message.reserveCapacity(
            way.utf8.count + owner.party.utf8.count + owner.user.utf8.count + agent.utf8.count
                + id.utf8.count + 32)
        func add(_ text: String) {
            message.append(contentsOf: String(text.utf8.count).utf8)
            message.append(UInt8(ascii: ":"))
            message.append(contentsOf: text.utf8)
        }
        add(way)
        add(owner.party)
        add(owner.user)
        add(agent)
        add(id)
        return Base64URL.encode(Array(coder.code(of: message)[..<16]))
    }
}
