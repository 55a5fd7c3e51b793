// SPDX-License-Identifier: Apache-2.0
package import Bytes
package import JSON

/// What became of an act (`a2a-receipt+jwt`), under the executor's key. Times are seconds since
/// the epoch.
package struct Receipt: Sendable, Hashable {
    /// The `typ`.
    package static let type = "a2a-receipt+jwt"

    /// What became of the act.
    package enum Result: String, Sendable {
        case done, refused
    }

    /// Who signed.
    package var issuer: EntityID
    /// The root's issuer.
    package var audience: EntityID
    /// `jti`: a lower-case UUID.
    package var id: String
    /// `iat`.
    package var issuedAt: Int64
    /// The act's `jti`.
    package var act: String
    /// The act's name hash.
    package var actHash: String
    /// Whether it was done.
    package var result: Result
    /// Why the act was refused.
    package var error: ConsentError?
    /// The executor's own number for what was done.
    package var reference: String?
    /// At most the act's amount if its terms say `max`, equal to it if `exact`.
    package var captured: Amount?
    /// Whether the effect was undone again.
    package var reversed: Bool
}

extension Receipt {
    init(_ value: JSONValue) throws(Refusal) {
        let object = try ClosedObject(
            value, "24.receipt",
            required: ["iss", "aud", "jti", "iat", "act", "act_hash", "result"],
            optional: ["error", "ref", "captured", "reversed"])
        issuer = try object.entity("iss")
        audience = try object.entity("aud")
        id = try object.uuid("jti")
        issuedAt = try object.integer("iat")
        act = try object.uuid("act")
        actHash = try object.hash("act_hash")
        guard let result = Result(rawValue: try object.text("result")) else {
            throw object.wrong("result")
        }
        self.result = result
        error = try object.optional("error") { name throws(Refusal) in
            guard let error = ConsentError(rawValue: try object.text(name)) else {
                throw object.wrong(name)
            }
            return error
        }
        reference = try object.optional("ref", object.text)
        captured = try object.amount("captured")
        reversed = object.has("reversed")
        if reversed {
            try require(
                object.value("reversed")?.bool == true, .malformed, "24.receipt.reversed")
        }
        // A refusal captures nothing and says why; what was done gives no reason.
        try require(
            result == .done ? error == nil : captured == nil, .malformed, "24.receipt.result")
    }

    /// The claims in documented order, to be signed.
    package var node: JSONNode {
        var object: JSONNode = [
            "iss": .string(issuer.text), "aud": .string(audience.text), "jti": .string(id),
            "iat": .int(issuedAt), "act": .string(act), "act_hash": .string(actHash),
            "result": .string(result.rawValue),
        ]
        if let error { object["error"] = .string(error.rawValue) }
        if let reference { object["ref"] = .string(reference) }
        if let captured { object["captured"] = captured.node }
        if reversed { object["reversed"] = true }
        return object
    }
}
