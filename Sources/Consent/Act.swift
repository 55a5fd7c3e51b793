// SPDX-License-Identifier: Apache-2.0
package import Bytes
package import JSON

/// The act that the leaf's holder asks one executor to do (`a2a-act+jwt`): one use, 300 s.
/// Times are seconds since the epoch.
package struct Act: Sendable, Hashable {
    /// The `typ`.
    package static let type = "a2a-act+jwt"
    /// The longest life, in seconds.
    package static let maximumLife: Int64 = 300

    /// The leaf's `client_id`.
    package var issuer: EntityID
    /// The one executor.
    package var audience: EntityID
    /// The idempotency key, scoped to holder and executor.
    package var id: String
    /// `iat`.
    package var issuedAt: Int64
    /// `exp`.
    package var expires: Int64
    /// The name hash of the leaf.
    package var chain: String
    /// The id of the leaf's entry that covers the act.
    package var entry: String
    /// A name of the registry.
    package var action: String
    /// The hash of the terms.
    package var terms: String?
    /// The hash of the request body.
    package var request: String
    /// What it costs, in minor units.
    package var amount: Amount?
    /// The resource acted on.
    package var identifier: String?
    /// Where the amount begins in the entry's slice.
    package var at: Int64?
    /// The kinds of personal data disclosed.
    package var datatypes: [String]?
    /// The name hash of the confirmation.
    package var confirmation: String?
}

extension Act {
    init(_ value: JSONValue) throws(Refusal) {
        let object = try ClosedObject(
            value, "11.act",
            required: ["iss", "aud", "jti", "iat", "exp", "chain", "ad", "action", "req"],
            optional: ["terms", "amount", "identifier", "at", "datatypes", "confirm"])
        issuer = try object.entity("iss")
        audience = try object.entity("aud")
        id = try object.uuid("jti")
        issuedAt = try object.integer("iat")
        expires = try object.integer("exp")
        chain = try object.hash("chain")
        entry = try object.token("ad")
        action = try object.token("action")
        terms = try object.optional("terms", object.hash)
        request = try object.hash("req")
        amount = try object.amount("amount")
        identifier = try object.optional("identifier", object.text)
        at = try object.optional("at", object.integer)
        datatypes = try object.optional("datatypes") { name throws(Refusal) in
            try object.tokens(name, mayBeEmpty: true)
        }
        confirmation = try object.optional("confirm", object.hash)
    }

    /// The claims in documented order, to be signed.
    package var node: JSONNode {
        var object: JSONNode = [
            "iss": .string(issuer.text), "aud": .string(audience.text), "jti": .string(id),
            "iat": .int(issuedAt), "exp": .int(expires), "chain": .string(chain),
            "ad": .string(entry), "action": .string(action),
        ]
        if let terms { object["terms"] = .string(terms) }
        object["req"] = .string(request)
        if let amount { object["amount"] = amount.node }
        if let identifier { object["identifier"] = .string(identifier) }
        if let at { object["at"] = .int(at) }
        if let datatypes { object["datatypes"] = .strings(datatypes) }
        if let confirmation { object["confirm"] = .string(confirmation) }
        return object
    }
}
