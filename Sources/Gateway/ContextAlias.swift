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
    private let key: [UInt8]

    /// - Parameter key: 32 secret random bytes, the same after a restart.
    package init(key: [UInt8]) { self.key = key }

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
        for text in [way, owner.party, owner.user, agent, id] {
            message += Array("\(text.utf8.count):".utf8)
            message += Array(text.utf8)
        }
        return Base64URL.encode(Digest.hmacSHA256(key: key, message).prefix(16))
    }
}
