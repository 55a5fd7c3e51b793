// SPDX-License-Identifier: Apache-2.0
package import Bytes
package import Crypto
package import JSON

/// The claims of one link of a chain (`a2a-grant+jwt`): who lets whom do what
/// (`Spec` §4.4).
///
/// A value says nothing about signatures; only ``VerifiedChain`` does. Times are seconds since
/// the epoch.
package struct Grant: Sendable {
    /// The `typ`.
    package static let type = "a2a-grant+jwt"
    /// Links are numbered 0 to 6.
    package static let maximumDepth: Int64 = 6
    /// The most entries of one link.
    package static let maximumEntries = 16

    /// Who signed.
    package var issuer: EntityID
    /// The user's pairwise pseudonym; the root alone carries it.
    package var subject: String?
    /// `jti`: a lower-case UUID.
    package var id: String
    /// `iat`.
    package var issuedAt: Int64
    /// `nbf`.
    package var notBefore: Int64?
    /// `exp`.
    package var expires: Int64
    /// How many links stand above this one.
    package var depth: Int64
    /// How deep the chain may become below this link.
    package var maximumDepth: Int64
    /// `client_id`: the entity that holds this grant.
    package var holder: EntityID
    /// `cnf`: how the holder proves to be the holder.
    package var confirmation: HolderConfirmation
    /// The name hash of the link above; nil in the root.
    package var parentHash: String?
    /// What the holder may do, 1 to 16 entries.
    package var entries: [Entry]
    /// Who may hold a link below.
    package var delegates: Delegates
    /// The root's budget keeper; nil means the root's issuer.
    package var ledger: LedgerReference?
    /// The root's confirmation keys; nil means the key that signed the root.
    package var confirmers: [JWK]?
    /// How the user was verified when granting (RFC 8176); the root alone carries it.
    package var methods: [String]?
    /// Where the issuer says whether the link still stands.
    package var status: StatusReference?

    /// The entry of this id.
    package func entry(_ id: String) -> Entry? { entries.first { $0.id == id } }
}

extension Grant {
    /// Reads the claims of the link at `position`, root 0, and holds them to the schema.
    ///
    /// - Throws: `malformed`, `unknown`, `forbidden`; `depth` when the link says it is a root and
    ///   stands elsewhere, or the reverse, because position decides which schema applies.
    init(_ value: JSONValue, position: Int, registry: ActionRegistry) throws(Refusal) {
        guard value.kind == .object else { throw Refusal(.malformed, "4.grant") }
        if let depth = value["del_depth"]?.int {
            try require((depth == 0) == (position == 0), .depth, "4.grant.position")
        }
        let always = [
            "iss", "jti", "iat", "exp", "del_depth", "del_max_depth", "client_id", "cnf",
            "authorization_details",
        ]
        let object = try ClosedObject(
            value, "4.grant", required: always + (position == 0 ? ["sub"] : ["par_hash"]),
            optional: ["nbf", "delegates", "status", "info"]
                + (position == 0 ? ["ledger", "confirmers", "amr"] : []))
        issuer = try object.entity("iss")
        subject = try object.optional("sub", object.text)
        id = try object.uuid("jti")
        issuedAt = try object.integer("iat")
        notBefore = try object.optional("nbf", object.integer)
        expires = try object.integer("exp")
        depth = try object.integer("del_depth")
        maximumDepth = try object.integer("del_max_depth")
        holder = try object.entity("client_id")
        confirmation = try HolderConfirmation(object.value("cnf"))
        parentHash = try object.optional("par_hash", object.hash)
        entries = try Self.entries(object, registry)
        delegates = try Delegates(object)
        ledger = try object.value("ledger").map { value throws(Refusal) in
            try LedgerReference(value)
        }
        confirmers = try Self.confirmers(object)
        methods = try object.optional("amr") { name throws(Refusal) in
            try object.tokens(name)
        }
        let issuer = issuer
        status = try object.value("status").map { value throws(Refusal) in
            try StatusReference(value, issuer: issuer)
        }
        if object.has("info") {
            try require(object.value("info")?.kind == .object, .malformed, "4.grant.info")
        }
    }

    /// The claims in documented order, to be signed.
    package var node: JSONNode {
        var object: JSONNode = ["iss": .string(issuer.text)]
        if let subject { object["sub"] = .string(subject) }
        object["jti"] = .string(id)
        object["iat"] = .int(issuedAt)
        if let notBefore { object["nbf"] = .int(notBefore) }
        object["exp"] = .int(expires)
        object["del_depth"] = .int(depth)
        object["del_max_depth"] = .int(maximumDepth)
        object["client_id"] = .string(holder.text)
        object["cnf"] = confirmation.node
        object["authorization_details"] = .array(entries.map(\.node))
        object["delegates"] = delegates.node
        if let parentHash { object["par_hash"] = .string(parentHash) }
        if let ledger { object["ledger"] = ledger.node }
        if let confirmers { object["confirmers"] = .array(confirmers.map { ["jwk": $0.node] }) }
        if let methods { object["amr"] = .strings(methods) }
        if let status { object["status"] = status.node }
        return object
    }

    private static func entries(
        _ object: ClosedObject, _ registry: ActionRegistry
    ) throws(Refusal) -> [Entry] {
        let elements = try object.elements("authorization_details")
        try require(
            (1...maximumEntries).contains(elements.count), .malformed, "4.grant.entries.count")
        var entries: [Entry] = []
        for element in elements {
            let entry = try Entry(element, registry: registry)
            try require(
                !entries.contains { $0.id == entry.id }, .malformed, "4.grant.entries.duplicate")
            entries.append(entry)
        }
        return entries
    }

    private static func confirmers(_ object: ClosedObject) throws(Refusal) -> [JWK]? {
        guard object.has("confirmers") else { return nil }
        let elements = try object.elements("confirmers")
        try require((1...8).contains(elements.count), .malformed, "4.grant.confirmers.count")
        var keys: [JWK] = []
        for element in elements {
            let confirmer = try ClosedObject(
                element, "4.grant.confirmers", required: ["jwk"], unknown: .malformed)
            keys.append(try JWK(claim: confirmer.value("jwk"), "4.grant.confirmers.jwk"))
        }
        return keys
    }
}

/// Who may become a holder below this one.
package enum Delegates: Hashable, Sendable {
    /// `["*"]`.
    case anyone
    case named([EntityID])

    /// No link can follow.
    package static let nobody = Delegates.named([])

    /// Whether `entity` may hold a link below.
    package func contains(_ entity: EntityID) -> Bool {
        switch self {
        case .anyone: true
        case .named(let entities): entities.contains(entity)
        }
    }

    /// Whether everyone in `other` is also here.
    package func includes(_ other: Delegates) -> Bool {
        switch (self, other) {
        case (.anyone, _): true
        case (.named, .anyone): false
        case (.named, .named(let entities)): entities.allSatisfy(contains)
        }
    }

    fileprivate init(_ object: ClosedObject) throws(Refusal) {
        guard object.has("delegates") else {
            self = .nobody
            return
        }
        let elements = try object.elements("delegates")
        if elements.count == 1, elements[0].string == "*" {
            self = .anyone
        } else {
            self = .named(try EntityID.set(elements, "4.grant.delegates", mayBeEmpty: true))
        }
    }

    /// The claims in documented order, to be signed.
    package var node: JSONNode {
        switch self {
        case .anyone: ["*"]
        case .named(let entities): .strings(entities.map(\.text))
        }
    }
}

/// `cnf`: the key that signs for the holder and, when the grant is bound to one certificate,
/// that certificate's hash (RFC 7800, RFC 8705 §3.1).
package struct HolderConfirmation: Hashable, Sendable {
    /// The public key.
    package var key: JWK
    /// `x5t#S256`; nil binds the grant to the holder's authenticated entity id instead, so that
    /// a fleet or a renewed certificate keeps it.
    package var certificate: String?

    /// A confirmation by key and, if given, certificate.
    package init(key: JWK, certificate: String? = nil) {
        self.key = key
        self.certificate = certificate
    }

    init(_ value: JSONValue?) throws(Refusal) {
        let object = try ClosedObject(
            value, "4.grant.cnf", required: ["jwk"], optional: ["x5t#S256"],
            unknown: .malformed)
        key = try JWK(claim: object.value("jwk"), "4.grant.cnf.jwk")
        certificate = try object.optional("x5t#S256", object.hash)
    }

    /// The claims in documented order, to be signed.
    package var node: JSONNode {
        guard let certificate else { return ["jwk": key.node] }
        return ["jwk": key.node, "x5t#S256": .string(certificate)]
    }
}

/// `ledger`: the one counter of a root, and the key that signs its reservations.
package struct LedgerReference: Hashable, Sendable {
    /// An entity id, or one followed by a path; requests go to paths below it.
    package var uri: String
    /// nil leaves the key to the executor's configuration.
    package var key: JWK?

    /// nil when `uri` is not an entity id with or without a path.
    package init?(uri: String, key: JWK?) {
        guard ClaimText.entity(ofURI: uri) != nil else { return nil }
        self.uri = uri
        self.key = key
    }

    init(_ value: JSONValue) throws(Refusal) {
        let object = try ClosedObject(
            value, "4.grant.ledger", required: ["uri"], optional: ["jwk"], unknown: .malformed)
        uri = try object.text("uri")
        try require(ClaimText.entity(ofURI: uri) != nil, .malformed, "4.grant.ledger.uri")
        key = try object.value("jwk").map { value throws(Refusal) in
            try JWK(claim: value, "4.grant.ledger.jwk")
        }
    }

    /// The claims in documented order, to be signed.
    package var node: JSONNode {
        guard let key else { return ["uri": .string(uri)] }
        return ["uri": .string(uri), "jwk": key.node]
    }
}

/// `status`: where the link's issuer says whether the link still stands (Token Status List).
package struct StatusReference: Hashable, Sendable {
    /// The list, on the issuer's host.
    package var uri: String
    /// The bit of the list.
    package var index: Int64

    /// nil unless `uri` is a path of `issuer`: another host could answer "valid" for it.
    package init?(uri: String, index: Int64, issuer: EntityID) {
        guard ClaimText.entity(ofURI: uri) == issuer, index >= 0 else { return nil }
        self.uri = uri
        self.index = index
    }

    init(_ value: JSONValue, issuer: EntityID) throws(Refusal) {
        let outer = try ClosedObject(
            value, "4.grant.status", required: ["status_list"], unknown: .malformed)
        let list = try ClosedObject(
            outer.value("status_list"), "4.grant.status", required: ["idx", "uri"],
            unknown: .malformed)
        index = try list.integer("idx")
        uri = try list.text("uri")
        try require(
            ClaimText.entity(ofURI: uri) == issuer, .malformed, "4.grant.status.host")
    }

    /// The claims in documented order, to be signed.
    package var node: JSONNode {
        ["status_list": ["idx": .int(index), "uri": .string(uri)]]
    }
}

extension JWK {
    /// Reads a key inside a claim: exactly the public members, a point on its curve.
    init(claim value: JSONValue?, _ rule: String) throws(Refusal) {
        guard let value else { throw Refusal(.malformed, rule) }
        do { try self.init(value) } catch { throw Refusal(.malformed, rule) }
    }
}
