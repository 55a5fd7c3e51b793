// SPDX-License-Identifier: Apache-2.0
package import Crypto
import JSON

/// Checks signatures, remembering those that held.
package struct SignatureCheck: Sendable {
    private let cache: VerifiedTokenCache?

    /// - Parameter cache: Shared by everything that verifies; nil checks every time.
    package init(cache: VerifiedTokenCache? = nil) {
        self.cache = cache
    }

    /// The claims of `token` if `key` signed it as `type`.
    ///
    /// - Parameters:
    ///   - step: The step of the verification, for the rule of a refusal.
    ///   - stranger: The refusal when the token names another key.
    func verify(
        _ token: UnverifiedToken, by key: VerifyingKey, type: String, step: String,
        stranger: ConsentError
    ) throws(Refusal) -> JSONDocument {
        // Who signed comes before how: a token of another key is another's, whatever its `alg`.
        try require(token.type == type, .type, "\(step).type")
        try require(token.keyID == key.thumbprint, stranger, "\(step).kid")
        do throws(TokenFault) {
            if let cache { return try cache.verified(token, by: key, type: type).claims }
            return try token.verified(by: key, type: type).claims
        } catch {
            throw Refusal(error, step: step, stranger: stranger)
        }
    }
}

extension UnverifiedToken {
    /// Splits a compact token and checks its header.
    init(_ text: String, step: String) throws(Refusal) {
        do { try self.init(compact: text) } catch {
            throw Refusal(error, step: step, stranger: .link)
        }
    }
}

extension VerifyingKey {
    /// A key named by a claim that was read as a valid JWK.
    convenience init(claim jwk: JWK, _ rule: String) throws(Refusal) {
        do { try self.init(jwk: jwk) } catch { throw Refusal(.malformed, rule) }
    }
}

extension Refusal {
    /// What a token's fault is in this module's words.
    init(_ fault: TokenFault, step: String, stranger: ConsentError) {
        switch fault {
        case .malformed(let rule): self.init(.malformed, "\(step).token.\(rule)")
        case .header: self.init(.header, "\(step).header")
        case .type: self.init(.type, "\(step).type")
        case .algorithm: self.init(.algorithm, "\(step).alg")
        case .key: self.init(stranger, "\(step).kid")
        case .signature: self.init(.signature, "\(step).signature")
        case .tooLarge: self.init(.tooLarge, "\(step).size")
        }
    }
}
