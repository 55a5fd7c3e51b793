// SPDX-License-Identifier: Apache-2.0
import Bytes
import Crypto
import JSON

/// A short-lived certificate for a handset key (`a2a-key+jwt`) that may stand before the root:
/// the anchor's key says which key signs roots for it today.
struct KeyLink {
    static let type = "a2a-key+jwt"
    static let maximumLife: Int64 = 7 * 86_400

    let issuer: EntityID
    let issuedAt: Int64
    let expires: Int64
    let key: JWK

    init(_ value: JSONValue) throws(Refusal) {
        let object = try ClosedObject(
            value, "3.key", required: ["iss", "jti", "iat", "exp", "cnf"])
        issuer = try object.entity("iss")
        _ = try object.uuid("jti")
        issuedAt = try object.integer("iat")
        expires = try object.integer("exp")
        let confirmation = try ClosedObject(
            object.value("cnf"), "3.key.cnf", required: ["jwk"], unknown: .malformed)
        key = try JWK(claim: confirmation.value("jwk"), "3.key.cnf.jwk")
    }

    /// Step 5: the link's own life, and the root dated inside it.
    func checkTime(_ root: Grant) throws(Refusal) {
        try require(expires - issuedAt <= Self.maximumLife, .time, "5.key.life")
        try require(
            issuedAt <= root.issuedAt && root.issuedAt < expires, .time, "5.key.window")
    }
}
