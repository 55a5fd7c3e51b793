// SPDX-License-Identifier: Apache-2.0
package import Bytes
package import JSON

/// An amount and a use set aside for one act (`a2a-resv+jwt`), under the budget keeper's key.
/// Times are seconds since the epoch.
package struct Reservation: Sendable, Hashable {
    /// The `typ`.
    package static let type = "a2a-resv+jwt"
    /// The longest life, in seconds.
    package static let maximumLife: Int64 = 600

    /// The keeper's URI as the root names it.
    package var issuer: String
    /// For whom.
    package var audience: EntityID
    /// `jti`: a lower-case UUID.
    package var id: String
    /// `iat`.
    package var issuedAt: Int64
    /// `exp`.
    package var expires: Int64
    /// The root's `jti`.
    package var root: String
    /// The id of the entry.
    package var entry: String
    /// The act's `jti`.
    package var act: String
    /// nil for an act without an amount, which takes a use only.
    package var amount: Amount?
    /// Counts the keeper's reservations.
    package var sequence: Int64
}

extension Reservation {
    init(_ value: JSONValue) throws(Refusal) {
        let object = try ClosedObject(
            value, "22.resv",
            required: ["iss", "aud", "jti", "iat", "exp", "root", "ad", "act", "seq"],
            optional: ["amount"])
        issuer = try object.text("iss")
        audience = try object.entity("aud")
        id = try object.uuid("jti")
        issuedAt = try object.integer("iat")
        expires = try object.integer("exp")
        root = try object.uuid("root")
        entry = try object.token("ad")
        act = try object.uuid("act")
        amount = try object.amount("amount")
        sequence = try object.integer("seq")
    }

    /// The claims in documented order, to be signed.
    package var node: JSONNode {
        var object: JSONNode = [
            "iss": .string(issuer), "aud": .string(audience.text), "jti": .string(id),
            "iat": .int(issuedAt), "exp": .int(expires), "root": .string(root),
            "ad": .string(entry), "act": .string(act), "seq": .int(sequence),
        ]
        if let amount { object["amount"] = amount.node }
        return object
    }
}
