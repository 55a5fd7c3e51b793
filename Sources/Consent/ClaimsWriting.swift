// SPDX-License-Identifier: Apache-2.0
import Bytes
import Crypto
import JSON

/// Signing claims only after reading them back under the rules of whoever will receive them, so
/// that nothing leaves this gateway that another must refuse.
enum ClaimsWriting {
    /// Claims as the token profile sees them.
    ///
    /// - Throws: `malformed` when a value breaks the profile, `too_large` for the document.
    static func document(_ node: JSONNode, _ rule: String) throws(Refusal) -> JSONValue {
        do throws(JSONFault) {
            return try JSONDocument(parsing: node.bytes, limits: .token).root
        } catch {
            throw Refusal(error.rule == .tooLarge ? .tooLarge : .malformed, rule)
        }
    }

    /// Signs; refuses a token that is longer than the profile allows.
    static func sign(
        _ node: JSONNode, type: String, key: SigningKey, _ rule: String
    ) throws(Refusal) -> UnverifiedToken {
        let text = TokenSigner.sign(node, type: type, key: key)
        return try UnverifiedToken(text, step: rule)
    }
}
