// SPDX-License-Identifier: Apache-2.0
package import Bytes
package import JSON

/// The user's yes or no to exact terms as shown (`a2a-confirm+jwt`), under the user's key: one
/// use, 300 s. Times are seconds since the epoch.
package struct Confirmation: Sendable, Hashable {
    /// The `typ`.
    package static let type = "a2a-confirm+jwt"
    /// The longest life, in seconds.
    package static let maximumLife: Int64 = 300

    /// The user's answer.
    package enum Decision: String, Sendable {
        case approve, deny
    }

    /// The root's issuer, in whose name the key signs.
    package var issuer: EntityID
    /// The root's pseudonym of the user.
    package var subject: String
    /// The executor that asked.
    package var audience: EntityID
    /// `jti`: a lower-case UUID.
    package var id: String
    /// `iat`.
    package var issuedAt: Int64
    /// `exp`.
    package var expires: Int64
    /// The root's `jti`.
    package var root: String
    /// A name of the registry.
    package var action: String
    /// The hash of the terms.
    package var terms: String
    /// What it costs, in minor units.
    package var amount: Amount?
    /// Yes or no.
    package var decision: Decision
    /// How the user was verified while confirming (RFC 8176).
    package var methods: [String]
    /// The rendering template.
    package var template: String
    /// The BCP 47 tag of the labels.
    package var language: String
    /// The rows as displayed.
    package var shown: [[String]]
    /// The executor's open question.
    package var nonce: String
    /// The name of what the user released, sealed; nil where nothing is.
    package var disclosed: String?
}

extension Confirmation {
    init(_ value: JSONValue) throws(Refusal) {
        let object = try ClosedObject(
            value, "17.confirm",
            required: [
                "iss", "sub", "aud", "jti", "iat", "exp", "root", "action", "terms", "decision",
                "amr", "tpl", "lang", "shown", "nonce",
            ], optional: ["amount", "disclosed"])
        issuer = try object.entity("iss")
        subject = try object.text("sub")
        audience = try object.entity("aud")
        id = try object.uuid("jti")
        issuedAt = try object.integer("iat")
        expires = try object.integer("exp")
        root = try object.uuid("root")
        action = try object.token("action")
        terms = try object.hash("terms")
        amount = try object.amount("amount")
        guard let decision = Decision(rawValue: try object.text("decision")) else {
            throw object.wrong("decision")
        }
        self.decision = decision
        methods = try object.tokens("amr")
        template = try object.text("tpl")
        language = try object.token("lang")
        shown = try Self.rows(object)
        nonce = try object.nonce("nonce")
        disclosed = try object.optional("disclosed", object.hash)
    }

    private static func rows(_ object: ClosedObject) throws(Refusal) -> [[String]] {
        var rows: [[String]] = []
        for element in try object.elements("shown") {
            guard element.kind == .array, element.count == 2, let key = element[0]?.string,
                let text = element[1]?.string
            else { throw object.wrong("shown") }
            rows.append([key, text])
        }
        return rows
    }

    /// The claims in documented order, to be signed.
    package var node: JSONNode {
        var object: JSONNode = [
            "iss": .string(issuer.text), "sub": .string(subject),
            "aud": .string(audience.text), "jti": .string(id), "iat": .int(issuedAt),
            "exp": .int(expires), "root": .string(root), "action": .string(action),
            "terms": .string(terms),
        ]
        if let amount { object["amount"] = amount.node }
        object["decision"] = .string(decision.rawValue)
        object["amr"] = .strings(methods)
        object["tpl"] = .string(template)
        object["lang"] = .string(language)
        object["shown"] = .array(shown.map { .strings($0) })
        object["nonce"] = .string(nonce)
        if let disclosed { object["disclosed"] = .string(disclosed) }
        return object
    }
}
