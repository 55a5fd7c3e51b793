// SPDX-License-Identifier: Apache-2.0
package import Bytes
package import JSON

/// One element of `authorization_details`: what its holder may do, where, and how the user takes
/// part (`Spec` §4.5).
package struct Entry: Hashable, Sendable {
    /// The `type` of this profile's entries (RFC 9396).
    package static let type = "a2a_consent_v1"

    /// The executors at which the entry holds.
    package enum Locations: Hashable, Sendable {
        /// `["*"]`: any executor; classes 0 and 1 only.
        case anywhere
        case named([EntityID])

        /// Whether the entry holds at `executor`.
        package func contains(_ executor: EntityID) -> Bool {
            switch self {
            case .anywhere: true
            case .named(let executors): executors.contains(executor)
            }
        }
    }

    /// The personal data that may be disclosed; an entry without it discloses none.
    package struct DataScope: Hashable, Sendable {
        /// Kinds of data, tokens.
        package var types: [String]
        /// What for: a token.
        package var purpose: String
        /// Seconds the recipient may keep the data.
        package var retention: Int64

        /// Kinds of data, for one purpose and time.
        package init(types: [String], purpose: String, retention: Int64) {
            self.types = types
            self.purpose = purpose
            self.retention = retention
        }
    }

    /// `jti`: a lower-case UUID.
    package var id: String
    /// Names of the registry, none twice.
    package var actions: [String]
    /// Where the entry holds.
    package var locations: Locations
    /// The least part the user takes in each act.
    package var confirm: ConfirmLevel
    /// Whether the grant itself is the yes to acts of classes 4 and 5.
    package var standing: Bool
    /// The resource that the act must name.
    package var identifier: String?
    /// The hash of the only terms the entry accepts: a closed grant.
    package var terms: String?
    /// What acts may cost.
    package var limits: Limits?
    /// Digests of RFC 9901 disclosures that hide `limits` from everyone but the budget keeper.
    package var hidden: [String]
    /// Who learns what about the user.
    package var data: DataScope?

    /// What a template or a user grants.
    package init(
        id: String, actions: [String], locations: Locations, confirm: ConfirmLevel,
        standing: Bool = false, identifier: String? = nil, terms: String? = nil,
        limits: Limits? = nil, hidden: [String] = [], data: DataScope? = nil
    ) {
        self.id = id
        self.actions = actions
        self.locations = locations
        self.confirm = confirm
        self.standing = standing
        self.identifier = identifier
        self.terms = terms
        self.limits = limits
        self.hidden = hidden
        self.data = data
    }

    /// Reads an entry and holds it to the schema.
    ///
    /// - Throws: `malformed`, `unknown` (type, member, limit, action) or `forbidden` (class 8, or
    ///   standing where no standing grant may be).
    init(_ value: JSONValue, registry: ActionRegistry) throws(Refusal) {
        try require(value["type"]?.string == Self.type, .unknown, "4.entry.type")
        let object = try ClosedObject(
            value, "4.entry", required: ["type", "id", "actions", "locations", "confirm"],
            optional: [
                "identifier", "terms", "datatypes", "purpose", "retention", "limits", "_sd",
                "standing",
            ])
        id = try object.token("id")
        actions = try object.tokens("actions")
        locations = try Self.locations(object)
        guard let level = ConfirmLevel(rawValue: try object.text("confirm")) else {
            throw object.wrong("confirm")
        }
        confirm = level
        standing = object.has("standing")
        if standing {
            try require(
                object.value("standing")?.bool == true, .malformed, "4.entry.standing.false")
        }
        identifier = try object.optional("identifier", object.text)
        terms = try object.optional("terms", object.hash)
        limits = try object.value("limits").map { value throws(Refusal) in try Limits(value) }
        hidden = try Self.digests(object)
        data = try Self.dataScope(object)
        try check(registry)
    }

    /// The object in the order in which the members are documented.
    package var node: JSONNode {
        var object: JSONNode = [
            "type": .string(Self.type), "id": .string(id), "actions": .strings(actions),
            "locations": locations.node, "confirm": .string(confirm.rawValue),
        ]
        if standing { object["standing"] = true }
        if let identifier { object["identifier"] = .string(identifier) }
        if let terms { object["terms"] = .string(terms) }
        if let data {
            object["datatypes"] = .strings(data.types)
            object["purpose"] = .string(data.purpose)
            object["retention"] = .int(data.retention)
        }
        if let limits { object["limits"] = limits.node }
        if !hidden.isEmpty { object["_sd"] = .strings(hidden) }
        return object
    }

    /// Whether a budget keeper or a slice counts the acts of this entry.
    package var isCounted: Bool {
        limits?.total != nil || limits?.count != nil || !hidden.isEmpty
    }

    /// The rules that join members: what the registry's classes demand of the rest.
    private func check(_ registry: ActionRegistry) throws(Refusal) {
        var highest = ActionClass.publicRead
        var pays = false
        for action in actions {
            guard let kind = registry[action] else { throw Refusal(.unknown, "4.entry.action") }
            try require(kind != .humanOnly, .forbidden, "4.entry.human_only")
            highest = max(highest, kind)
            pays = pays || kind == .payment
        }
        if locations == .anywhere {
            try require(highest.mayLeaveLocationOpen, .malformed, "4.entry.locations.any")
        }
        try require(
            limits == nil || hidden.isEmpty, .malformed, "4.entry.limits.hidden_and_open")
        if pays, hidden.isEmpty {
            try require(
                limits?.perAct != nil && limits?.total != nil && limits?.count != nil,
                .malformed, "4.entry.payment.limits")
        }
        guard standing else { return }
        try require(limits?.count != nil, .malformed, "4.entry.standing.count")
        for action in actions {
            try require(
                registry.allowsStanding(action), .forbidden, "4.entry.standing.action")
        }
        guard case .named(let executors) = locations, executors.count == 1 else {
            throw Refusal(.forbidden, "4.entry.standing.location")
        }
    }

    private static func locations(_ object: ClosedObject) throws(Refusal) -> Locations {
        let elements = try object.elements("locations")
        if elements.count == 1, elements[0].string == "*" { return .anywhere }
        return .named(try EntityID.set(elements, "4.entry.locations", mayBeEmpty: false))
    }

    private static func digests(_ object: ClosedObject) throws(Refusal) -> [String] {
        guard object.has("_sd") else { return [] }
        var digests: [String] = []
        for element in try object.elements("_sd") {
            guard let text = element.string, ClaimText.isHash(text) else {
                throw object.wrong("_sd")
            }
            digests.append(text)
        }
        // One digest: there is one member to hide, and a second one could only hide a choice.
        try require(digests.count == 1, .malformed, "4.entry._sd.count")
        return digests
    }

    private static func dataScope(_ object: ClosedObject) throws(Refusal) -> DataScope? {
        let present = ["datatypes", "purpose", "retention"].filter(object.has)
        if present.isEmpty { return nil }
        try require(present.count == 3, .malformed, "4.entry.data.incomplete")
        return DataScope(
            types: try object.tokens("datatypes"), purpose: try object.token("purpose"),
            retention: try object.integer("retention"))
    }
}

extension Entry.Locations {
    /// The claims in documented order, to be signed.
    package var node: JSONNode {
        switch self {
        case .anywhere: ["*"]
        case .named(let executors): .strings(executors.map(\.text))
        }
    }
}

extension EntityID {
    /// Reads a list of entity ids, none twice.
    static func set(
        _ elements: [JSONValue], _ rule: String, mayBeEmpty: Bool
    ) throws(Refusal) -> [EntityID] {
        var ids: [EntityID] = []
        for element in elements {
            guard let text = element.string, let id = EntityID(text) else {
                throw Refusal(.malformed, rule)
            }
            ids.append(id)
        }
        try require(mayBeEmpty || !ids.isEmpty, .malformed, "\(rule).empty")
        try require(Set(ids).count == ids.count, .malformed, "\(rule).duplicate")
        return ids
    }
}

extension JSONNode {
    static func strings(_ texts: [String]) -> JSONNode { .array(texts.map { .string($0) }) }
}
