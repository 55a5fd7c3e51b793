// SPDX-License-Identifier: Apache-2.0
import Bytes
import Discovery
import Gateway
import HTTP2
import JSON

extension Configuration {
    /// Longest configuration file, in bytes.
    package static let bytesMax = 1 << 20

    /// Reads a configuration file: JSON with comments.
    ///
    /// - Throws: ``ConfigurationFaults``, all of them, in the order of the file.
    package init(parsing text: [UInt8]) throws(ConfigurationFaults) {
        let stripped = JSONComments.strip(text)
        let document: JSONDocument
        do {
            document = try JSONDocument(parsing: stripped)
        } catch {
            throw ConfigurationFaults([
                ConfigurationFault(
                    line: error.line, column: error.column, path: "",
                    rule: "this is not JSON: \(error.rule.rawValue)", mend: "")
            ])
        }
        let reader = ConfigurationReader(stripped, document.root)
        var root = ConfigurationObject(document.root, "", reader)
        let read = Self.read(&root)
        root.finish()
        guard reader.faults.isEmpty, let read else {
            throw ConfigurationFaults(
                reader.faults.sorted { ($0.line, $0.column) < ($1.line, $1.column) })
        }
        self = read
    }

    private static func read(_ root: inout ConfigurationObject) -> Configuration? {
        _ = root.string("$schema")
        let entity = root.entity("entity")
        let name = root.string("name") ?? entity?.text ?? ""
        let data = root.string("data") ?? "data"
        let identity = root.object("identity", Self.identity)
        if root.value["identity"] == nil {
            root.missing("identity", "Write {\"certificate\": …, \"key\": …}")
        }
        let entities = root.objects("entities", Self.knownEntity)
        let listeners = root.objects("listeners", Self.listener)
        let peers = root.objects("peers", Self.peer)
        let agents = root.objects("agents", Self.localAgent)
        let consent = root.object("consent", Self.consentService)
        let control = root.string("control") ?? standardControl
        let accessLog = root.object("log") { $0.string("access") } ?? "-"
        let limits = root.object("limits", Self.limits) ?? Limits()
        guard let entity, let identity else { return nil }
        let configuration = Configuration(
            entity: entity, name: name, data: data, identity: identity, entities: entities,
            listeners: listeners, peers: peers, agents: agents,
            consent: consent ?? ConsentService(templates: [], confirmationKey: nil),
            control: control, accessLog: accessLog, limits: limits)
        configuration.check(root)
        return configuration
    }

    private static func identity(_ object: inout ConfigurationObject) -> Identity? {
        let certificate = object.string(
            "certificate", required: "Write the path of a PEM file, leaf certificate first")
        let key = object.string("key", required: "Write the path of a PEM file")
        let signing = object.string("signing_key")
        guard let certificate, let key else { return nil }
        return Identity(certificate: certificate, key: key, signingKey: signing)
    }

    private static func knownEntity(_ object: inout ConfigurationObject) -> KnownEntity? {
        let entity = object.entity("entity")
        let name = object.string("name", required: "Write the name that people here know")
        let trust = object.string(
            "trust", required: "Write the path of a PEM file of its certificate authorities")
        let key = object.member("key")?.detached()
        let grants = object.object("grants") { object -> GrantCeiling? in
            var ceiling = GrantCeiling(
                maxClass: Int(object.integer("max_class", 0...7) ?? 0),
                maxLife: object.integer("max_life", 1...2_592_000) ?? 600, maxPerAct: [:],
                keys: [])
            if let amounts = object.member("max_per_act") {
                for member in amounts.members {
                    guard let units = member.value.int, units >= 0 else {
                        object.reader.fault(
                            member.value, object.place("max_per_act.\(member.name)"),
                            "must be an integer of minor units")
                        continue
                    }
                    ceiling.maxPerAct[member.name] = units
                }
            }
            if let keys = object.member("keys") {
                ceiling.keys = keys.elements.map { $0.detached() }
            }
            return ceiling
        }
        guard let entity, let name, let trust else { return nil }
        return KnownEntity(entity: entity, name: name, trust: trust, key: key, grants: grants)
    }

    private static func listener(_ object: inout ConfigurationObject) -> ListenerSettings? {
        let name = object.string("name", required: "Write a name for logs and for \"listeners\"")
        object.checkName("name", name)
        let kind = object.word("kind", ListenerSettings.Kind.self, required: true)
        let address = object.string("address", required: "Write \"host:port\" or \"unix:path\"")
        let principals = object.objects("principals") { object -> ListenerSettings.Principal? in
            let name = object.string("name", required: "Write whom the token stands for")
            object.checkName("name", name)
            let mend = "Write the SHA-256 of the token: printf %s TOKEN | sha256sum"
            let hash = object.string("token_sha256", required: mend)
            guard let name, let hash else { return nil }
            guard Hex.decode(hash)?.count == 32 else {
                object.reader.fault(
                    object.value["token_sha256"] ?? object.value,
                    object.place("token_sha256"), "must be 64 hexadecimal digits", mend)
                return nil
            }
            return .init(name: name, tokenHash: hash)
        }
        let anonymous = object.string("anonymous")
        object.checkName("anonymous", anonymous)
        let consent = object.bool("consent") ?? false
        guard let name, let kind, let address else { return nil }
        object.check("address") { () throws(AddressRule) in
            try AddressRule.checkListener(address, isLocal: kind == .local)
        }
        return ListenerSettings(
            name: name, kind: kind, address: address, principals: principals,
            anonymous: anonymous, servesConsent: consent)
    }

    private static func peer(_ object: inout ConfigurationObject) -> Peer? {
        let entity = object.entity("entity")
        let connect = object.string("connect")
        if let connect {
            object.check("connect") { () throws(AddressRule) in
                try AddressRule.checkConnect(connect)
            }
        }
        let tariff = object.string("tariff")
        let agents = object.objects("agents") { object -> RemoteAgent? in
            let name = object.string("name", required: "Write the name it has at the peer")
            let alias = object.string("as") ?? name
            let listeners = object.strings("listeners") ?? []
            let callers = Self.entities("callers", &object)
            guard let name, let alias else { return nil }
            return RemoteAgent(name: name, alias: alias, listeners: listeners, callers: callers)
        }
        guard let entity else { return nil }
        return Peer(entity: entity, connect: connect, agents: agents, tariff: tariff)
    }

    private static func localAgent(_ object: inout ConfigurationObject) -> LocalAgent? {
        let name = object.string("name", required: "Write the name under /agents/")
        let url = object.string("url", required: "Write http://127.0.0.1:port/path")
        let tier = object.word("tier", AgentTier.self, required: false) ?? .unchanged
        let skills = object.objects("skills", Self.skill)
        let listeners = object.strings("listeners") ?? []
        let callers = Self.entities("callers", &object)
        guard let name, let url else { return nil }
        object.check("url") { () throws(AddressRule) in try AddressRule.checkAgent(url) }
        if tier == .unchanged, !skills.isEmpty {
            object.reader.fault(
                object.value["skills"] ?? object.value, object.place("skills"),
                "an agent that acts on free text cannot be braked",
                "Make it an aware agent (Spec/parts.md) and write \"tier\": \"aware\"")
        }
        return LocalAgent(
            name: name, url: url, tier: tier, skills: skills, listeners: listeners,
            callers: callers)
    }

    private static func skill(_ object: inout ConfigurationObject) -> SkillConsent? {
        let id = object.string("id", required: "Write the id of the skill in the agent's card")
        let draft = object.string("draft") ?? "price.quote"
        let commit = object.string("commit", required: "Write the action, such as order.create")
        let types = object.strings("datatypes") ?? []
        let purpose = object.string("purpose")
        let retention = object.integer("retention", 0...315_360_000)
        guard let id, let commit else { return nil }
        if !types.isEmpty, purpose == nil || retention == nil {
            object.reader.fault(
                object.value, object.path, "personal data needs a purpose and a retention",
                "Write \"purpose\" and \"retention\" in seconds")
        }
        return SkillConsent(
            skill: id, draft: draft, commit: commit, dataTypes: types, purpose: purpose,
            retention: retention)
    }

    private static func entities(
        _ name: String, _ object: inout ConfigurationObject
    ) -> [EntityID]? {
        object.strings(name)?.compactMap { text in
            if let entity = EntityID(text) { return entity }
            object.reader.fault(
                object.value[name] ?? object.value, object.place(name),
                "\"\(text)\" is not an entity id")
            return nil
        }
    }

    private static func consentService(_ object: inout ConfigurationObject) -> ConsentService? {
        let key = object.string("confirmation_key")
        let templates = object.objects("templates") { object -> Template? in
            let id = object.string("id", required: "Write a name for the entry")
            let actions = object.strings("actions") ?? []
            let currency = object.string("currency", required: "Write an ISO 4217 code")
            let perAct = object.string("per_act", required: "Write an amount, as \"500.00\"")
            let total = object.string("total", required: "Write an amount, as \"500.00\"")
            let count = object.integer("count", 1...1000) ?? 1
            let life =
                object.integer("life", 1...GrantTemplate.lifeMax) ?? GrantTemplate.lifeMax
            let types = object.strings("datatypes") ?? []
            let purpose = object.string("purpose") ?? "fulfil-order"
            let retention = object.integer("retention", 0...315_360_000) ?? 0
            guard let id, let currency, let perAct, let total else { return nil }
            return Template(
                id: id, actions: actions, currency: currency, perAct: perAct, total: total,
                count: count, life: life, dataTypes: types, purpose: purpose,
                retention: retention)
        }
        return ConsentService(templates: templates, confirmationKey: key)
    }

    private static func limits(_ object: inout ConfigurationObject) -> Limits? {
        var limits = Limits()
        func set(_ name: String, _ range: ClosedRange<Int64>, _ put: (Int64) -> Void) {
            if let value = object.integer(name, range) { put(value) }
        }
        set("call_seconds", 1...3600) { limits.exchange.callSeconds = $0 }
        set("ask_seconds", 1...180) { limits.exchange.askSeconds = $0 }
        set("act_seconds", 1...300) { limits.exchange.actSeconds = $0 }
        set("reservation_seconds", 1...600) { limits.exchange.reservationSeconds = $0 }
        set("hold_seconds", 60...86_400) { limits.exchange.holdSeconds = $0 }
        set("metadata_bytes", 1024...1 << 20) { limits.exchange.metadataBytes = Int($0) }
        set("peer_body_bytes", 1024...1 << 30) { limits.peerBodyBytes = $0 }
        set("local_body_bytes", 1024...1 << 30) { limits.localBodyBytes = $0 }
        set("answer_bytes", 1 << 20...1 << 36) { limits.answerBytes = $0 }
        set("answer_bytes_per_caller", 1 << 20...1 << 36) { limits.identityAnswerBytes = $0 }
        set("connections", 1...1_000_000) { limits.connections = $0 }
        set("drain_seconds", 0...600) { limits.drainSeconds = $0 }
        return limits
    }

    /// What only shows when the members are seen together.
    private func check(_ root: ConfigurationObject) {
        let known = Set(entities.map(\.entity))
        for (index, peer) in peers.enumerated() where !known.contains(peer.entity) {
            root.reader.fault(
                root.value["peers"]?[index] ?? root.value, "peers[\(index)].entity",
                "is not among \"entities\"",
                "Add {\"entity\": \"\(peer.entity.text)\", \"name\": …, \"trust\": …}")
        }
        var names: Set<String> = []
        let offered = agents.map(\.name) + peers.flatMap { $0.agents.map(\.alias) }
        for name in offered where !names.insert(name).inserted {
            root.reader.fault(
                root.value["agents"] ?? root.value, "agents",
                "two agents are called \"\(name)\" here", "Give one another name with \"as\"")
        }
        for name in offered where !Self.isPathSegment(name) {
            root.reader.fault(
                root.value["agents"] ?? root.value, "agents",
                "\"\(name)\" cannot stand in a path", "Use a-z, 0-9, - and _")
        }
        var listenerNames: Set<String> = []
        for (index, listener) in listeners.enumerated() {
            let isReserved = listener.name == ListenerSettings.controlName
            guard isReserved || !listenerNames.insert(listener.name).inserted else { continue }
            root.reader.fault(
                root.value["listeners"]?[index] ?? root.value, "listeners[\(index)].name",
                isReserved
                    ? "\"\(listener.name)\" is the name of the control socket"
                    : "two listeners are called \"\(listener.name)\"", "Choose another name")
        }
        let used = agents.flatMap(\.listeners) + peers.flatMap { $0.agents.flatMap(\.listeners) }
        for name in used where !listenerNames.contains(name) {
            root.reader.fault(
                root.value["listeners"] ?? root.value, "listeners",
                "no listener is called \"\(name)\"", "Name one of \"listeners\"")
        }
        if listeners.isEmpty {
            root.missing("listeners", "Without one, nobody reaches this gateway")
        }
    }

    private static func isPathSegment(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= 64
            && name.utf8.allSatisfy {
                ($0 >= 97 && $0 <= 122) || ($0 >= 48 && $0 <= 57) || $0 == 45 || $0 == 95
            }
    }
}
