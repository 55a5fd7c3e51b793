// SPDX-License-Identifier: Apache-2.0
package import JSON

/// The question an executor sends up the chain beside AUTH_REQUIRED. It is not signed: the terms
/// inside are, and any other change only makes the answer useless. All members are strings, so
/// that a binding that turns numbers into doubles leaves it whole.
package struct Ask: Sendable, Hashable {
    /// How long the user has to answer, in seconds.
    package static let life: Int64 = 180

    /// How the user must take part.
    package var level: ConfirmLevel
    /// The root's `jti`.
    package var root: String
    /// The id of the leaf's entry.
    package var entry: String
    /// 128 random bits that the executor stores with the question.
    package var nonce: String
    /// `exp`.
    package var expires: Int64
    /// The terms, a compact JWS.
    package var terms: String
    /// The certificate chain of who signed the terms: base64 DER, leaf first.
    package var certificates: [String]

    /// A question; ``EnforcementPoint/open(_:level:entry:under:certificates:now:random:in:)``
    /// makes the ones that are answered.
    package init(
        level: ConfirmLevel, root: String, entry: String, nonce: String, expires: Int64,
        terms: String, certificates: [String] = []
    ) {
        self.level = level
        self.root = root
        self.entry = entry
        self.nonce = nonce
        self.expires = expires
        self.terms = terms
        self.certificates = certificates
    }
}

extension Ask {
    /// Reads an ask out of metadata.
    ///
    /// - Throws: `malformed`, `unknown`.
    package init(_ value: JSONValue) throws(Refusal) {
        let object = try ClosedObject(
            value, "ask", required: ["level", "root", "ad", "nonce", "exp", "terms"],
            optional: ["cert"])
        guard let level = ConfirmLevel(rawValue: try object.text("level")) else {
            throw object.wrong("level")
        }
        self.level = level
        root = try object.uuid("root")
        entry = try object.token("ad")
        nonce = try object.nonce("nonce")
        let seconds = try object.text("exp")
        guard let expires = Int64(seconds), expires >= 0, String(expires) == seconds else {
            throw object.wrong("exp")
        }
        self.expires = expires
        terms = try object.text("terms")
        certificates =
            try object.value("cert").map { value throws(Refusal) in
                try ConsentMetadata.texts(value, "ask.cert")
            } ?? []
    }

    /// The claims in documented order, to be signed.
    package var node: JSONNode {
        var object: JSONNode = [
            "level": .string(level.rawValue), "root": .string(root), "ad": .string(entry),
            "nonce": .string(nonce), "exp": .string(String(expires)), "terms": .string(terms),
        ]
        if !certificates.isEmpty { object["cert"] = .strings(certificates) }
        return object
    }
}
