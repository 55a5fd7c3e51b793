// SPDX-License-Identifier: Apache-2.0
import Bytes
package import JSON

/// The kinds of signature key the gateway speaks. P-384 and RSA occur in certificates only.
package enum KeyAlgorithm: Hashable, Sendable {
    /// ECDSA on P-256 with SHA-256; JOSE `ES256` (RFC 7518 §3.4).
    case p256
    /// Ed25519; JOSE `Ed25519` (RFC 9864) and, the older name, `EdDSA` (RFC 8037).
    case ed25519

    /// The `alg` value that the gateway writes.
    package var name: String {
        switch self {
        case .p256: "ES256"
        case .ed25519: "Ed25519"
        }
    }

    /// The algorithm that an `alg` value stands for, nil when it is not on the list. The curve
    /// of `EdDSA` is said by the key, and the only such keys here are Ed25519.
    package init?(name: String) {
        switch name {
        case "ES256": self = .p256
        case "Ed25519", "EdDSA": self = .ed25519
        default: return nil
        }
    }
}

/// A public signature key as JSON (RFC 7517): P-256 or Ed25519, its coordinates checked.
///
/// A value of this type is always a usable key: 32-byte coordinates in strict base64url that name
/// a point on the curve.
package struct JWK: Sendable, Hashable {
    package let algorithm: KeyAlgorithm
    /// Strict base64url of 32 bytes: the x coordinate, or the Ed25519 public key.
    package let x: String
    /// Strict base64url of 32 bytes; nil for Ed25519.
    package let y: String?

    /// `EC` or `OKP`.
    package var kty: String { algorithm == .p256 ? "EC" : "OKP" }
    /// `P-256` or `Ed25519`.
    package var crv: String { algorithm == .p256 ? "P-256" : "Ed25519" }

    /// Reads an object that has exactly the public members: `kty`, `crv`, `x` and for EC `y`.
    ///
    /// - Throws: ``KeyError``: any other member, a private one (`d`), another curve, coordinates
    ///   of the wrong length, or a point that is not on the curve.
    package init(_ value: JSONValue) throws(KeyError) {
        try self.init(value, metadata: .refused)
    }

    /// Reads a key of a published key set (RFC 7517 §5), where `kid` and the like may stand
    /// beside the public members; `alg`, `use` and `key_ops`, if present, must allow
    /// verification with this key.
    ///
    /// - Throws: ``KeyError`` as ``init(_:)``, and `unsupported` when the key is meant for another
    ///   algorithm or use.
    package init(published value: JSONValue) throws(KeyError) {
        try self.init(value, metadata: .checked)
    }

    /// Reads the public part of a private JWK, whose `d` the caller reads.
    init(privateKey value: JSONValue) throws(KeyError) {
        try self.init(value, metadata: .private)
    }

    private enum Metadata { case refused, checked, `private` }

    private init(_ value: JSONValue, metadata: Metadata) throws(KeyError) {
        guard value.kind == .object else { throw .malformed("a JWK is an object") }
        let algorithm = try Self.algorithm(of: value)
        for (name, member) in value.members {
            switch name {
            case "kty", "crv", "x": continue
            case "y" where algorithm == .p256: continue
            case "d" where metadata == .private: continue
            case "d": throw .privateMember
            default:
                guard metadata == .checked else {
                    throw .malformed("a member beside the public key")
                }
                try Self.check(name, member, for: algorithm)
            }
        }
        let x = try Self.coordinate(value["x"])
        let y = algorithm == .p256 ? try Self.coordinate(value["y"]) : nil
        try self.init(algorithm: algorithm, x: x, y: y)
    }

    /// The key with these 32-byte coordinates; `y` for P-256 only.
    ///
    /// - Throws: ``KeyError/notOnCurve``.
    init(algorithm: KeyAlgorithm, x: [UInt8], y: [UInt8]?) throws(KeyError) {
        self.algorithm = algorithm
        self.x = Base64URL.encode(x)
        self.y = y.map { Base64URL.encode($0) }
        switch (algorithm, y) {
        case (.p256, .some(let y)):
            guard PublicKeys.p256(x: x, y: y) != nil else { throw .notOnCurve }
        case (.ed25519, .none):
            guard PublicKeys.ed25519(x) != nil else { throw .notOnCurve }
        default: throw .malformed("y belongs to P-256")
        }
    }

    /// The object with the required members only, in the order of RFC 7638.
    package var node: JSONNode {
        guard let y else {
            return ["crv": .string(crv), "kty": .string(kty), "x": .string(x)]
        }
        return ["crv": .string(crv), "kty": .string(kty), "x": .string(x), "y": .string(y)]
    }

    /// The key's name everywhere: base64url of the SHA-256 of the canonical object (RFC 7638).
    package var thumbprint: String {
        Base64URL.encode(Digest.sha256(node.bytes))
    }

    private static func algorithm(of value: JSONValue) throws(KeyError) -> KeyAlgorithm {
        guard let kty = value["kty"]?.string else { throw .malformed("kty is missing") }
        guard let crv = value["crv"]?.string else {
            throw kty == "EC" || kty == "OKP" ? .malformed("crv is missing") : .unsupported
        }
        switch (kty, crv) {
        case ("EC", "P-256"): return .p256
        case ("OKP", "Ed25519"): return .ed25519
        default: throw .unsupported
        }
    }

    private static func coordinate(_ value: JSONValue?) throws(KeyError) -> [UInt8] {
        guard let text = value?.string else { throw .malformed("a coordinate is missing") }
        guard let bytes = Base64URL.decode(text) else {
            throw .malformed("a coordinate is not base64url")
        }
        guard bytes.count == 32 else { throw .malformed("a coordinate has 32 bytes") }
        return bytes
    }

    private static func check(
        _ name: String, _ member: JSONValue, for algorithm: KeyAlgorithm
    ) throws(KeyError) {
        switch name {
        case "alg":
            guard let alg = member.string, KeyAlgorithm(name: alg) == algorithm else {
                throw .unsupported
            }
        case "use":
            guard member.string == "sig" else { throw .unsupported }
        case "key_ops":
            guard member.elements.contains(where: { $0.string == "verify" }) else {
                throw .unsupported
            }
        case "p", "q", "dp", "dq", "qi", "oth", "k": throw .privateMember
        case "y": throw .malformed("y belongs to P-256")
        default: break
        }
    }
}
