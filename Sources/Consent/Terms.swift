// SPDX-License-Identifier: Apache-2.0
package import Bytes
package import JSON

/// An executor's exact offer (`a2a-terms+jwt`), of which every member can be shown to the user.
/// Times are seconds since the epoch.
package struct Terms: Sendable, Hashable {
    /// The `typ`.
    package static let type = "a2a-terms+jwt"
    /// More lines would hide one among them.
    package static let maximumItems = 50
    /// An offer stands this long at most.
    package static let maximumLife: Int64 = 600

    /// One line of the offer.
    package struct Item: Sendable, Hashable {
        /// `jti`: a lower-case UUID.
        package var id: String
        /// What the user reads.
        package var title: String
        /// How many, at least 1.
        package var quantity: Int64
        /// The price of one, in minor units of the total's currency.
        package var unit: Int64

        /// A line of an offer.
        package init(id: String, title: String, quantity: Int64, unit: Int64) {
            self.id = id
            self.title = title
            self.quantity = quantity
            self.unit = unit
        }
    }

    /// What the offer costs.
    package struct Total: Sendable, Hashable {
        /// How binding the number is.
        package enum Kind: String, Sendable {
            case exact
            /// At most; the receipt says what was captured.
            case max
        }
        /// What it costs, in minor units.
        package var amount: Amount
        /// Exact, or at most.
        package var kind: Kind

        /// A total.
        package init(amount: Amount, kind: Kind) {
            self.amount = amount
            self.kind = kind
        }
    }

    /// One kind of personal data that the act hands to someone.
    package struct Disclosure: Sendable, Hashable {
        /// The kind of data: a token text.
        package var type: String
        /// The recipient: an entity id without `https://`.
        package var recipient: String
        /// What for: a token.
        package var purpose: String
        /// Seconds the recipient keeps it; nil: not beyond the act.
        package var retention: Int64?

        /// A kind of data for a recipient.
        package init(type: String, recipient: String, purpose: String, retention: Int64?) {
            self.type = type
            self.recipient = recipient
            self.purpose = purpose
            self.retention = retention
        }
    }

    /// Who signed.
    package var issuer: EntityID
    /// `jti`: a lower-case UUID.
    package var id: String
    /// `iat`.
    package var issuedAt: Int64
    /// `exp`.
    package var expires: Int64
    /// At least 128 random bits, so that the hash of the terms tells nothing about them.
    package var salt: String
    /// A name of the registry.
    package var action: String
    /// What is bought.
    package var items: [Item]
    /// What it costs in all.
    package var total: Total?
    /// Who is paid.
    package var payee: String?
    /// What is paid for.
    package var order: String?
    /// How the user can withdraw.
    package var cancel: String?
    /// Who sees the result.
    package var visibility: String?
    /// What repeats.
    package var recurs: String?
    /// Who learns what about the user.
    package var data: [Disclosure]
    /// The X25519 key to which the data is sealed, base64url; nil where no values are wanted.
    package var seal: String?
}

extension Terms {
    /// Reads terms and refuses what the template could not show.
    ///
    /// - Throws: `terms` for a member that is not rendered, text that may not be shown, or too
    ///   many items; `malformed` for a missing member or a wrong type.
    init(_ value: JSONValue) throws(Refusal) {
        let object = try ClosedObject(
            value, "16.terms", required: ["iss", "jti", "iat", "exp", "salt", "action"],
            optional: [
                "items", "total", "payee", "order", "cancel", "visibility", "recurs", "data",
                "seal",
            ], unknown: .terms)
        issuer = try object.entity("iss")
        id = try object.uuid("jti")
        issuedAt = try object.integer("iat")
        expires = try object.integer("exp")
        salt = try object.nonce("salt")
        action = try object.token("action")
        items = try Self.list("items", object) { value throws(Refusal) in try Item(value) }
        total = try object.value("total").map { value throws(Refusal) in try Total(value) }
        payee = try object.optional("payee", object.text)
        order = try object.optional("order", object.text)
        cancel = try object.optional("cancel", object.text)
        visibility = try object.optional("visibility", object.text)
        recurs = try object.optional("recurs", object.text)
        data = try Self.list("data", object) { value throws(Refusal) in try Disclosure(value) }
        seal = try object.optional("seal", object.hash)
        try require(seal == nil || !data.isEmpty, .malformed, "16.terms.seal")
        try checkShowable()
    }

    /// Holds values from anywhere to the rules of what may be shown.
    package func checkShowable() throws(Refusal) {
        try require(items.count <= Self.maximumItems, .terms, "16.terms.items.count")
        try require(items.isEmpty || total != nil, .terms, "16.terms.items.total")
        for item in items {
            try require(item.quantity > 0, .terms, "16.terms.items.quantity")
            try Self.check(item.id, TermsText.textLength)
            try Self.check(item.title, TermsText.titleLength)
        }
        for text in [payee, order, cancel, visibility, recurs] {
            if let text { try Self.check(text, TermsText.textLength) }
        }
    }

    private static func check(_ text: String, _ length: Int) throws(Refusal) {
        try require(TermsText.isShowable(text, length: length), .terms, "16.terms.text")
    }

    private static func list<Element>(
        _ name: String, _ object: ClosedObject,
        _ read: (JSONValue) throws(Refusal) -> Element
    ) throws(Refusal) -> [Element] {
        guard object.has(name) else { return [] }
        var list: [Element] = []
        for element in try object.elements(name) { list.append(try read(element)) }
        return list
    }

    /// The claims in documented order; empty lists are left out.
    package var node: JSONNode {
        var object: JSONNode = [
            "iss": .string(issuer.text), "jti": .string(id), "iat": .int(issuedAt),
            "exp": .int(expires), "salt": .string(salt), "action": .string(action),
        ]
        if !items.isEmpty { object["items"] = .array(items.map(\.node)) }
        if let total { object["total"] = total.node }
        if let cancel { object["cancel"] = .string(cancel) }
        if !data.isEmpty { object["data"] = .array(data.map(\.node)) }
        if let seal { object["seal"] = .string(seal) }
        if let payee { object["payee"] = .string(payee) }
        if let order { object["order"] = .string(order) }
        if let visibility { object["visibility"] = .string(visibility) }
        if let recurs { object["recurs"] = .string(recurs) }
        return object
    }
}

extension Terms.Item {
    fileprivate init(_ value: JSONValue) throws(Refusal) {
        let object = try ClosedObject(
            value, "16.terms.items", required: ["id", "title", "qty", "unit"], unknown: .terms)
        id = try object.text("id")
        title = try object.text("title")
        quantity = try object.integer("qty")
        unit = try object.integer("unit")
    }

    fileprivate var node: JSONNode {
        [
            "id": .string(id), "title": .string(title), "qty": .int(quantity),
            "unit": .int(unit),
        ]
    }
}

extension Terms.Total {
    fileprivate init(_ value: JSONValue) throws(Refusal) {
        let object = try ClosedObject(
            value, "16.terms.total", required: ["value", "currency", "kind"], unknown: .terms)
        amount = Amount(
            value: try object.integer("value"), currency: try object.currency("currency"))
        guard let kind = Kind(rawValue: try object.text("kind")) else {
            throw object.wrong("kind")
        }
        self.kind = kind
    }

    fileprivate var node: JSONNode {
        [
            "value": .int(amount.value), "currency": .string(amount.currency.code),
            "kind": .string(kind.rawValue),
        ]
    }
}

extension Terms.Disclosure {
    fileprivate init(_ value: JSONValue) throws(Refusal) {
        let object = try ClosedObject(
            value, "16.terms.data", required: ["type", "to", "purpose"],
            optional: ["retention"], unknown: .terms)
        type = try object.token("type")
        recipient = try object.text("to")
        try require(
            EntityID("https://" + recipient) != nil, .malformed, "16.terms.data.to")
        purpose = try object.token("purpose")
        retention = try object.optional("retention", object.integer)
    }

    fileprivate var node: JSONNode {
        var object: JSONNode = [
            "type": .string(type), "to": .string(recipient), "purpose": .string(purpose),
        ]
        if let retention { object["retention"] = .int(retention) }
        return object
    }
}
