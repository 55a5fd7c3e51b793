// SPDX-License-Identifier: Apache-2.0
import Accounting
import Bytes
import Consent
import Crypto
import Discovery
import Gateway
import JSON

/// Reads the files of one configuration and notes every fault in them.
struct Assembler {
    let configuration: Configuration
    let path: String
    let now: Instant
    let faults: FaultCollector
    let texts: FileTexts
    /// Tariffs that stay as they are whatever their files hold now; `nil` reads them.
    let tariffsInForce: [EntityID: TariffVersions]?

    init(
        _ configuration: Configuration, path: String, now: Instant, faults: FaultCollector,
        texts: FileTexts = FileTexts(), tariffsInForce: [EntityID: TariffVersions]? = nil
    ) {
        self.configuration = configuration
        self.path = path
        self.now = now
        self.faults = faults
        self.texts = texts
        self.tariffsInForce = tariffsInForce
    }

    /// The whole, as far as it could be read; nil where nothing can stand in for a fault.
    func assemble() -> Assembly? {
        let identity = identity()
        let vouched = vouched()
        let confirmationKey = configuration.consent.confirmationKey.flatMap {
            signingKey($0, "consent.confirmation_key")?.key
        }
        let templates = templates()
        checkActions()
        checkSockets()
        checkPath(identity, under: vouched[configuration.entity]?.trust)
        guard let identity else { return nil }
        let signatories = Signatories(
            entity: configuration.entity, key: identity.signingKey.verifying,
            trust: vouched.mapValues(\.trust), keys: vouched.compactMapValues(\.key))
        let settings = GatewaySettings(
            entity: configuration.entity, signingKey: identity.signingKey,
            certificates: identity.chain, agents: agents(),
            parties: parties(vouched, signatories),
            anchors: anchors(vouched, own: identity.signingKey.verifying),
            templates: templates, limits: configuration.limits.exchange,
            confirmationKey: confirmationKey)
        let linked = Set(configuration.peers.map(\.entity))
        return Assembly(
            configuration: configuration, settings: settings,
            identity: .init(certificates: identity.certificatesText, key: identity.keyText),
            links: vouched.mapValues(\.trust).filter { linked.contains($0.key) },
            source: .init(text: faults.text, path: path, files: texts.all))
    }

    /// The text of the file of a key or certificate that the member at `member` names.
    func text(_ name: String, _ member: String) -> String? {
        if let text = texts[member] { return text }
        let text = contents(name, member)
        texts[member] = text
        return text
    }

    /// The text of any file that the member at `member` names.
    func contents(_ name: String, _ member: String) -> String? {
        do {
            return try LocalFile.text(LocalFile.resolve(name, besides: path))
        } catch {
            faults.note(member, "cannot be read: \(error.reason)", "Expected at \(error.path)")
            return nil
        }
    }

    /// A private key that signs, with its text.
    func signingKey(_ name: String, _ member: String) -> (key: SigningKey, text: String)? {
        guard let text = text(name, member) else { return nil }
        checkSecrecy(name, member)
        do { return (try SigningKey(pem: text), text) } catch {
            faults.note(
                member, "is not a key that signs: \(error)",
                "It must be one P-256 or Ed25519 key in PEM without a passphrase")
            return nil
        }
    }

    /// A key that every account of the machine can read is no secret.
    func checkSecrecy(_ name: String, _ member: String) {
        let file = LocalFile.resolve(name, besides: path)
        if LocalFile.isReadableByAll(file) {
            faults.note(member, "can be read by every account here", "chmod 600 \(file)")
        }
    }

    // MARK: - Agents and templates

    private func agents() -> [String: AgentSettings] {
        var agents: [String: AgentSettings] = [:]
        for agent in configuration.agents {
            agents[agent.name] = AgentSettings(
                name: agent.name, destination: .local(agent: agent.name), tier: agent.tier,
                skills: agent.skills, callers: agent.callers.map { Set($0) },
                listeners: Set(agent.listeners))
        }
        for peer in configuration.peers {
            for agent in peer.agents {
                agents[agent.alias] = AgentSettings(
                    name: agent.alias, destination: .peer(peer.entity, agent: agent.name),
                    // What it sells, its own card says; here it is asked nothing.
                    tier: .unchanged, skills: [], callers: agent.callers.map { Set($0) },
                    listeners: Set(agent.listeners))
            }
        }
        return agents
    }

    private func templates() -> [GrantTemplate] {
        configuration.consent.templates.enumerated().compactMap { index, template in
            let member = "consent.templates[\(index)]"
            guard let currency = Consent.Currency(template.currency),
                let unit = Accounting.Currency(template.currency)
            else {
                faults.note("\(member).currency", "is no currency of ISO 4217", "Write \"CNY\"")
                return nil
            }
            guard let perAct = minorUnits(template.perAct, unit, "\(member).per_act"),
                let total = minorUnits(template.total, unit, "\(member).total")
            else { return nil }
            if perAct > total {
                faults.note("\(member).per_act", "is more than \"total\"", "One act counts too")
            }
            let data =
                template.dataTypes.isEmpty
                ? nil
                : Entry.DataScope(
                    types: template.dataTypes, purpose: template.purpose,
                    retention: template.retention)
            return GrantTemplate(
                id: template.id, actions: template.actions, currency: currency, perAct: perAct,
                total: total, count: template.count, life: template.life, data: data)
        }
    }

    private func minorUnits(
        _ text: String, _ currency: Accounting.Currency, _ member: String
    ) -> Int64? {
        do { return try Money(text: text, currency).minorUnits() } catch {
            let example = (try? Money(minorUnits: 50_000, currency).text) ?? "500"
            faults.note(member, "is no exact amount of \(currency)", "Write \"\(example)\"")
            return nil
        }
    }

    /// A socket's path was short enough as it was written, and is so from the root too.
    private func checkSockets() {
        func check(_ member: String, _ rule: () throws(AddressRule) -> Void) {
            do { try rule() } catch { faults.note(member, error.rule, error.mend) }
        }
        for (index, listener) in configuration.listeners.enumerated() {
            check("listeners[\(index)].address") { () throws(AddressRule) in
                try AddressRule.checkListener(
                    listener.address, isLocal: listener.kind == .local)
            }
        }
        for (index, agent) in configuration.agents.enumerated() {
            check("agents[\(index)].url") { () throws(AddressRule) in
                try AddressRule.checkAgent(agent.url)
            }
        }
    }

    /// Actions must be registered, or no grant would ever name them.
    private func checkActions() {
        func check(_ action: String, _ member: String, atMost highest: ActionClass) {
            let registry = ActionRegistry.standard
            guard let kind = registry[action] else {
                let near = NearestName.find(action, among: registry.names)
                faults.note(
                    member, "\"\(action)\" is no registered action",
                    near.map { "Did you mean \"\($0)\"?" } ?? "Spec/actions.json lists them")
                return
            }
            if kind > highest {
                faults.note(
                    member, "\"\(action)\" is of class \(kind.rawValue)",
                    "Here it may be of class \(highest.rawValue) at most")
            }
        }
        for (index, template) in configuration.consent.templates.enumerated() {
            for action in template.actions {
                check(action, "consent.templates[\(index)].actions", atMost: .payment)
            }
        }
        for (index, agent) in configuration.agents.enumerated() {
            for (number, skill) in agent.skills.enumerated() {
                let member = "agents[\(index)].skills[\(number)]"
                check(skill.draft, "\(member).draft", atMost: .personalRead)
                check(skill.commit, "\(member).commit", atMost: .authority)
            }
        }
    }
}
