// SPDX-License-Identifier: Apache-2.0
import Bytes
package import JSON

/// A compact JWS of the closed profile whose header was checked and whose signature was not.
///
/// The profile (`Spec/signatures.md` §2) leaves out everything of RFC 7515 that an attacker could
/// choose: the header has exactly `alg`, `typ` and `kid`; keys are never embedded or fetched; each
/// part has one spelling. Nothing is ever serialised again: hashes are over received bytes.
package struct UnverifiedToken: Sendable {
    /// The longest token, in bytes of its compact form.
    package static let maximumBytes = 8192

    /// As received.
    package let compact: String
    /// `ES256`, `Ed25519` or `EdDSA`.
    package let algorithm: String
    /// The `typ`.
    package let type: String
    /// The `kid`; it is compared with the verifying key's thumbprint, never looked up.
    package let keyID: String
    /// What the signature is over: the first two parts and the dot between them.
    package let signingInput: [UInt8]
    /// The second part, decoded and not yet read.
    package let payload: [UInt8]
    /// The third part, decoded.
    package let signature: [UInt8]

    /// Splits `compact` and checks its header.
    ///
    /// - Throws: ``TokenFault``, in this order: `tooLarge`, `malformed` (parts, then each part's
    ///   base64url, then the header's JSON), `header`, `algorithm`.
    package init(compact: String) throws(TokenFault) {
        guard compact.utf8.count <= Self.maximumBytes else { throw .tooLarge }
        let bytes = Array(compact.utf8)
        let parts = bytes.split(separator: 0x2E, omittingEmptySubsequences: false)
        guard parts.count == 3 else { throw .malformed("parts") }
        let header = try Self.decode(parts[0], "header")
        payload = try Self.decode(parts[1], "payload")
        signature = try Self.decode(parts[2], "signature")

        let members = try Self.parse(header, "header").root
        guard members.kind == .object, members.count == 3,
            let algorithm = members["alg"]?.string, let type = members["typ"]?.string,
            let keyID = members["kid"]?.string
        else { throw .header }
        guard KeyAlgorithm(name: algorithm) != nil else { throw .algorithm }
        self.compact = compact
        self.algorithm = algorithm
        self.type = type
        self.keyID = keyID
        signingInput = Array(bytes[..<parts[1].endIndex])
    }

    /// The name of grants, acts, confirmations and accounting records: base64url of the SHA-256 of
    /// the signing input. A second valid signature over the same input has the same name.
    package var nameHash: String { Base64URL.encode(Digest.sha256(signingInput)) }

    /// The name of terms: base64url of the SHA-256 of the whole compact form, as AP2 hashes.
    package var wholeHash: String { Base64URL.encode(Digest.sha256(Array(compact.utf8))) }

    /// Reads the payload before its signature is checked, to select the key by `iss` and for
    /// nothing else.
    ///
    /// - Throws: ``TokenFault/malformed(_:)``.
    package func peekClaims() throws(TokenFault) -> JSONDocument {
        let claims = try Self.parse(payload, "payload")
        guard claims.root.kind == .object else { throw .malformed("payload-object") }
        return claims
    }

    /// The token's claims, once `key` is shown to have signed them as a token of type `type`.
    ///
    /// - Throws: ``TokenFault``, in this order: `type`, `algorithm`, `key`, `signature`, and only
    ///   then `malformed` for the payload.
    package func verified(
        by key: VerifyingKey, type: String
    ) throws(TokenFault) -> VerifiedToken {
        try checkHeader(against: key, type: type)
        return try verifiedSignature(by: key)
    }

    /// The checks that cost no signature: `typ`, `alg` and `kid`.
    func checkHeader(against key: VerifyingKey, type: String) throws(TokenFault) {
        guard self.type == type else { throw .type }
        guard KeyAlgorithm(name: algorithm) == key.algorithm else { throw .algorithm }
        guard keyID == key.thumbprint else { throw .key }
    }

    /// The rest of ``verified(by:type:)``.
    func verifiedSignature(by key: VerifyingKey) throws(TokenFault) -> VerifiedToken {
        guard key.verify(signature, of: signingInput) else { throw .signature }
        return VerifiedToken(token: self, key: key, claims: try peekClaims())
    }

    private static func decode(
        _ part: ArraySlice<UInt8>, _ name: String
    ) throws(TokenFault) -> [UInt8] {
        guard let bytes = Base64URL.decode(part) else {
            throw .malformed("\(name)-base64url")
        }
        return bytes
    }

    private static func parse(
        _ bytes: [UInt8], _ name: String
    ) throws(TokenFault) -> JSONDocument {
        do { return try JSONDocument(parsing: bytes, limits: .token) } catch {
            throw .malformed("\(name)-\(error.rule.rawValue)")
        }
    }
}

/// A token whose signature holds. Only ``UnverifiedToken/verified(by:type:)`` makes one, so having
/// it is the proof.
package struct VerifiedToken: Sendable {
    package let token: UnverifiedToken
    /// The key that signed it; its thumbprint is the token's `kid`.
    package let key: VerifyingKey
    /// The payload: one object, read after the signature under ``JSONLimits/token``.
    package let claims: JSONDocument

    /// For ``UnverifiedToken`` alone.
    init(token: UnverifiedToken, key: VerifyingKey, claims: JSONDocument) {
        self.token = token
        self.key = key
        self.claims = claims
    }
}
