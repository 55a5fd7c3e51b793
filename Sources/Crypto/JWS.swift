// SPDX-License-Identifier: Apache-2.0
import Bytes
package import JSON

/// Why a general JWS was refused. Nothing of its contents is ever in it.
package enum JWSFault: Error, Equatable, Sendable {
    /// Its form; the text names the rule.
    case malformed(String)
    /// A `crit` header: an extension must be understood (RFC 7515 §4.1.11), and none is.
    case critical
    /// The `alg` is not that of the given key.
    case algorithm
    /// The signature does not hold under the given key.
    case signature
    /// More bytes than ``JWS/maximumBytes``.
    case tooLarge
}

/// JSON Web Signature, RFC 7515, with a key that the caller chose: for agent cards and for test
/// suites. Tokens are stricter, see ``UnverifiedToken``.
///
/// One algorithm per key: `alg` must be the key's. Keys in the header (`jwk`, `x5c`) and addresses
/// of keys (`jku`, `x5u`) are never used.
package enum JWS {
    /// The longest input, in bytes: more than any agent card.
    package static let maximumBytes = 4 << 20

    /// The protected header, read but not yet shown to be signed.
    package struct Header: Sendable {
        /// The `alg` as written; not necessarily one that is spoken here.
        package let algorithm: String
        /// The `typ`, if there is one.
        package let type: String?
        /// The `kid`, by which the caller may choose a key.
        package let keyID: String?
        /// The whole object.
        package let members: JSONValue

        /// Reads the base64url text of a protected header.
        ///
        /// - Throws: ``JWSFault``: `malformed`, or `critical`.
        package init(protected text: some StringProtocol) throws(JWSFault) {
            guard text.utf8.count <= JWS.maximumBytes else { throw .tooLarge }
            guard let bytes = Base64URL.decode(text) else { throw .malformed("header-base64url") }
            let members: JSONValue
            do { members = try JSONDocument(parsing: bytes).root } catch {
                throw .malformed("header-\(error.rule.rawValue)")
            }
            guard members.kind == .object else { throw .malformed("header-object") }
            guard members["crit"] == nil, members["b64"] == nil else { throw .critical }
            guard let algorithm = members["alg"]?.string else { throw .malformed("header-alg") }
            self.algorithm = algorithm
            type = try Self.text(members, "typ")
            keyID = try Self.text(members, "kid")
            self.members = members
        }

        private static func text(
            _ members: JSONValue, _ name: String
        ) throws(JWSFault) -> String? {
            guard let member = members[name] else { return nil }
            guard let text = member.string else { throw .malformed("header-\(name)") }
            return text
        }
    }

    /// A signature apart from its payload, as agent cards carry it: the two base64url texts.
    package struct Detached: Hashable, Sendable {
        package let protected: String
        package let signature: String

        package init(protected: String, signature: String) {
            self.protected = protected
            self.signature = signature
        }
    }

    /// Verifies the compact serialisation (§7.1).
    ///
    /// - Throws: ``JWSFault``, in this order: `tooLarge`, `malformed` and `critical` for the form,
    ///   `algorithm`, `signature`.
    package static func verify(
        compact: String, key: VerifyingKey
    ) throws(JWSFault) -> (header: Header, payload: [UInt8]) {
        guard compact.utf8.count <= maximumBytes else { throw .tooLarge }
        let parts = compact.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3 else { throw .malformed("parts") }
        guard let payload = Base64URL.decode(parts[1]) else {
            throw .malformed("payload-base64url")
        }
        let input = Array(compact.utf8[..<parts[1].endIndex])
        let header = try verify(parts[0], parts[2], input: input, key: key)
        return (header, payload)
    }

    /// Verifies a signature over a payload that travels beside it (§7.2.2 with Appendix F).
    ///
    /// - Parameter payload: The bytes that were signed; for a card its canonical form.
    /// - Throws: ``JWSFault``, as ``verify(compact:key:)``.
    package static func verify(
        _ detached: Detached, payload: [UInt8], key: VerifyingKey
    ) throws(JWSFault) -> Header {
        guard payload.count <= maximumBytes else { throw .tooLarge }
        let input = Array("\(detached.protected).\(Base64URL.encode(payload))".utf8)
        return try verify(detached.protected, detached.signature, input: input, key: key)
    }

    /// Verifies the flattened JSON serialisation (§7.2.2): an object with `protected`, `signature`
    /// and `payload`. The unprotected `header` must repeat no name of the protected one and
    /// carries no weight.
    ///
    /// - Throws: ``JWSFault``, as ``verify(compact:key:)``.
    package static func verify(
        flattened value: JSONValue, key: VerifyingKey
    ) throws(JWSFault) -> (header: Header, payload: [UInt8]) {
        guard let protected = value["protected"]?.string,
            let signature = value["signature"]?.string, let text = value["payload"]?.string
        else { throw .malformed("flattened-members") }
        guard text.utf8.count <= maximumBytes else { throw .tooLarge }
        guard let payload = Base64URL.decode(text) else { throw .malformed("payload-base64url") }
        let detached = Detached(protected: protected, signature: signature)
        let header = try verify(detached, payload: payload, key: key)
        if let unprotected = value["header"] {
            let repeats = unprotected.members.contains { header.members[$0.name] != nil }
            guard unprotected.kind == .object, !repeats else {
                throw .malformed("unprotected-header")
            }
        }
        return (header, payload)
    }

    /// The compact serialisation of `payload`; `members` follow the `alg` in the header.
    package static func sign(
        _ payload: [UInt8], members: [JSONNode.Member] = [], key: SigningKey
    ) -> String {
        let detached = signDetached(payload, members: members, key: key)
        return "\(detached.protected).\(Base64URL.encode(payload)).\(detached.signature)"
    }

    /// A signature of `payload` to travel beside it; `members` follow the `alg` in the header.
    package static func signDetached(
        _ payload: [UInt8], members: [JSONNode.Member] = [], key: SigningKey
    ) -> Detached {
        let header = JSONNode.object(
            [JSONNode.Member("alg", .string(key.algorithm.name))] + members)
        let protected = Base64URL.encode(header.bytes)
        let input = Array("\(protected).\(Base64URL.encode(payload))".utf8)
        return Detached(protected: protected, signature: Base64URL.encode(key.sign(input)))
    }

    private static func verify(
        _ protected: some StringProtocol, _ signature: some StringProtocol, input: [UInt8],
        key: VerifyingKey
    ) throws(JWSFault) -> Header {
        let header = try Header(protected: protected)
        guard let signature = Base64URL.decode(signature) else {
            throw .malformed("signature-base64url")
        }
        guard KeyAlgorithm(name: header.algorithm) == key.algorithm else { throw .algorithm }
        guard key.verify(signature, of: input) else { throw .signature }
        return header
    }
}
