// SPDX-License-Identifier: Apache-2.0
package import Bytes
import Crypto
import JSON

/// Hidden limits, shown to the budget keeper alone: an RFC 9901 disclosure
/// `[salt, "limits", {…}]` whose SHA-256 stands in the entry's `_sd`.
package struct LimitsDisclosure: Sendable, Hashable {
    /// The base64url text that travels to the keeper.
    package let text: String
    /// The base64url SHA-256 of `text`: what the entry carries.
    package let digest: String
    /// What is hidden.
    package let limits: Limits

    /// Hides limits behind 128 random bits.
    package init(hiding limits: Limits, random: some RandomBytes) {
        let node: JSONNode = [
            .string(Base64URL.encode(random.bytes(16))), "limits", limits.node,
        ]
        self.init(text: Base64URL.encode(node.bytes), limits: limits)
    }

    private init(text: String, limits: Limits) {
        self.text = text
        digest = Base64URL.encode(Digest.sha256(Array(text.utf8)))
        self.limits = limits
    }

    /// Reads a disclosure.
    ///
    /// - Throws: `malformed`: not base64url of JSON, a salt below 128 bits, another member than
    ///   `limits`; as ``Limits`` for what it shows.
    package init(_ text: String) throws(Refusal) {
        guard let bytes = Base64URL.decode(text),
            let document = try? JSONDocument(parsing: bytes, limits: .token)
        else { throw Refusal(.malformed, "1.disclosure") }
        let value = document.root
        guard value.kind == .array, value.count == 3, let salt = value[0]?.string,
            ClaimText.isNonce(salt), value[1]?.string == "limits", let hidden = value[2]
        else { throw Refusal(.malformed, "1.disclosure") }
        self.init(text: text, limits: try Limits(hidden))
    }
}
