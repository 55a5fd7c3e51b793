// SPDX-License-Identifier: Apache-2.0
import Accounting
import Bytes
import Consent
import Crypto
import Gateway
import JSON
import Node
import TestSupport
import Testing

/// The files that a configuration names, read and refused.
@Suite struct AssemblyTests {
    private let inn: TestOrganisation
    private let phone: TestOrganisation
    private let scratch: Scratch

    init() throws {
        inn = try TestOrganisation("inn.example")
        phone = try TestOrganisation("phone.example", seed: 2)
        scratch = try Scratch()
        try scratch.file("cert.pem", inn.certificate.pem)
        Scratch.setMode(try scratch.file("key.pem", inn.key.pem), 0o600)
        try scratch.file("ca.pem", inn.authority.certificate.pem)
        try scratch.file("phone.pem", phone.authority.certificate.pem + phone.certificate.pem)
    }

    private let text = """
        {
            "entity": "https://inn.example",
            "identity": {"certificate": "cert.pem", "key": "key.pem"},
            "entities": [
                {"entity": "https://inn.example", "name": "Inn", "trust": "ca.pem"},
                {
                    "entity": "https://phone.example", "name": "Phone", "trust": "phone.pem",
                    "grants": {"max_class": 4, "max_per_act": {"CNY": 100000}}
                }
            ],
            "listeners": [{"name": "peers", "kind": "link", "address": "0.0.0.0:1"}],
            "peers": [{"entity": "https://phone.example", "agents": [{"name": "a", "as": "b"}]}],
            "agents": [
                {
                    "name": "table", "url": "http://127.0.0.1:1", "tier": "aware",
                    "skills": [{"id": "book", "commit": "order.create"}]
                }
            ],
            "consent": {
                "templates": [
                    {
                        "id": "order", "actions": ["order.create"], "currency": "CNY",
                        "per_act": "328.00", "total": "500.00", "datatypes": ["phone"],
                        "purpose": "fulfil-order", "retention": 60
                    }
                ]
            }
        }
        """

    private func assemble(_ text: String? = nil, now: Instant? = nil) throws -> Assembly {
        try Assembly(
            parsing: Array((text ?? self.text).utf8), from: "\(scratch.path)/dragoman.json",
            now: now ?? VirtualTime().now())
    }

    /// The faults of the configuration with `old` replaced by `new`.
    private func faults(_ old: String, _ new: String) throws -> [String] {
        #expect(text.contains(old))
        let faults = try #require(throws: ConfigurationFaults.self) {
            try assemble(text.replacing(old, with: new))
        }
        return faults.faults.map { "\($0.path): \($0.rule)" }
    }

    @Test func everythingIsThere() throws {
        let assembly = try assemble()
        let settings = assembly.settings
        #expect(settings.entity == inn.entity)
        #expect(settings.signingKey.verifying == inn.key.verifying)
        #expect(settings.certificates == [inn.certificate])
        #expect(assembly.identity.key == inn.key.pem)
        #expect(Set(settings.parties.keys) == [phone.entity], "oneself is no other party")
        #expect(Set(assembly.links.keys) == [phone.entity])
        #expect(settings.parties[phone.entity]?.isPeer == true)
        #expect(settings.agents["table"]?.destination == .local(agent: "table"))
        #expect(settings.agents["b"]?.destination == .peer(phone.entity, agent: "a"))
        let anchor = try #require(settings.anchors[phone.entity])
        #expect(anchor.keys == [phone.key.verifying], "from its certificate in the trust file")
        #expect(anchor.maximumClass == .contractual)
        #expect(anchor.maximumPerAct == ["CNY": 100_000])
        #expect(settings.anchors[inn.entity]?.keys == [inn.key.verifying])
        let template = try #require(settings.templates.first)
        #expect(template.perAct == 32_800)
        #expect(template.total == 50_000)
        #expect(template.data?.types == ["phone"])
    }

    @Test func socketsLieBesidesTheFile() throws {
        let moved = text.replacing("\"0.0.0.0:1\"", with: "\"unix:run/peers.sock\"")
            .replacing("http://127.0.0.1:1", with: "unix:run/agent.sock:/rpc")
        let configuration = try assemble(moved).configuration
        #expect(configuration.listeners[0].address == "unix:\(scratch.path)/run/peers.sock")
        #expect(configuration.agents[0].url == "unix:\(scratch.path)/run/agent.sock:/rpc")
        let absolute = text.replacing("\"0.0.0.0:1\"", with: "\"unix:/run/peers.sock\"")
        #expect(try assemble(absolute).configuration.listeners[0].address == "unix:/run/peers.sock")
    }

    @Test func formComesBeforeFiles() throws {
        #expect(
            try faults("\"cert.pem\"", "\"nowhere.pem\", \"kee\": 1")
                == ["identity.kee: is not a member of this object"])
    }

    @Test func everyFaultHasItsPlace() throws {
        let broken = text.replacing("\"cert.pem\"", with: "\"nowhere.pem\"")
            .replacing("\"328.00\"", with: "\"328\"").replacing("\"phone.pem\"", with: "\"no.pem\"")
        let faults = try #require(throws: ConfigurationFaults.self) { try assemble(broken) }.faults
        #expect(
            faults.map { "\($0.line):\($0.column): \($0.path)" } == [
                "3:33: identity.certificate", "7:74: entities[1].trust",
                "23:28: consent.templates[0].per_act",
            ])
        #expect(
            faults[0].description
                == "3:33: identity.certificate: cannot be read: No such file or directory. "
                + "Expected at \(scratch.path)/nowhere.pem.")
    }

    @Test func theCertificateIsOurs() throws {
        try scratch.file("other.pem", phone.certificate.pem)
        let found = try faults("\"cert.pem\"", "\"other.pem\"")
        #expect(
            found.contains(
                "identity.certificate: must have https://inn.example as its one URI name, "
                    + "and has https://phone.example"))
        #expect(found.contains("identity.key: is not the key of the certificate"))
        #expect(
            found.contains("identity.certificate: would be refused by peers (server): untrusted"))
    }

    @Test func theCertificateIsInForce() throws {
        let late = VirtualTime().now().adding(seconds: 100 * 86_400)
        let faults = try #require(throws: ConfigurationFaults.self) {
            try assemble(nil, now: late)
        }
        let rules = faults.faults.map(\.rule)
        #expect(rules.contains { $0.hasPrefix("ended at ") })
        #expect(rules.contains { $0.hasPrefix("holds an authority that ended at ") })
    }

    @Test func aKeyIsSecret() throws {
        Scratch.setMode("\(scratch.path)/key.pem", 0o644)
        #expect(
            try faults("\"Inn\"", "\"The Inn\"")
                == ["identity.key: can be read by every account here"])
    }

    @Test func aStrangersCertificateVouchesForNothing() throws {
        try scratch.file("phone.pem", phone.authority.certificate.pem + inn.certificate.pem)
        let found = try faults("\"Inn\"", "\"The Inn\"")
        #expect(
            found == [
                "entities[1].trust: holds a certificate that is neither an authority's nor this "
                    + "entity's"
            ])
    }

    @Test func grantsNeedAKey() throws {
        try scratch.file("phone.pem", phone.authority.certificate.pem)
        #expect(
            try faults("\"Inn\"", "\"The Inn\"")
                == ["entities[1].grants: names no key that signs grants"])
        let key = phone.key.verifying.jwk.node.text
        let named = text.replacing("\"max_class\": 4", with: "\"max_class\": 4, \"keys\": [\(key)]")
        let anchor = try assemble(named).settings.anchors[phone.entity]
        #expect(anchor?.keys == [phone.key.verifying])
    }

    @Test func aKeyBesideTheCertificateIsKnown() throws {
        let other = SigningKey.generate(.ed25519)
        let named = text.replacing(
            "\"trust\": \"phone.pem\"",
            with: "\"trust\": \"phone.pem\", \"key\": \(other.verifying.jwk.node.text)")
        let settings = try assemble(named).settings
        #expect(settings.parties[phone.entity]?.key == other.verifying)
        #expect(settings.anchors[phone.entity]?.keys == [other.verifying])
    }

    @Test func anotherKeySigns() throws {
        let other = SigningKey.generate(.ed25519)
        Scratch.setMode(try scratch.file("sign.pem", other.pem), 0o600)
        let named = text.replacing(
            "\"key\": \"key.pem\"", with: "\"key\": \"key.pem\", \"signing_key\": \"sign.pem\"")
        #expect(try assemble(named).settings.signingKey.verifying == other.verifying)
    }

    @Test(arguments: [
        ("\"order.create\"]", "\"order.creat\"]", "consent.templates[0].actions"),
        ("\"commit\": \"order.create\"", "\"commit\": \"buy\"", "agents[0].skills[0].commit"),
        ("\"currency\": \"CNY\"", "\"currency\": \"XAU\"", "consent.templates[0].currency"),
        ("\"328.00\"", "\"600.00\"", "consent.templates[0].per_act"),
        ("\"328.00\"", "\"328.001\"", "consent.templates[0].per_act"),
        ("\"CNY\": 100000", "\"CNX\": 100000", "entities[1].grants.max_per_act.CNX"),
        ("\"commit\":", "\"draft\": \"order.cancel\", \"commit\":", "agents[0].skills[0].draft"),
        ("\"name\": \"peers\"", "\"name\": \"control\"", "listeners[0].name"),
        (
            "\"0.0.0.0:1\"}",
            "\"0.0.0.0:1\"}, {\"name\": \"peers\", \"kind\": \"link\", \"address\": \"0.0.0.0:2\"}",
            "listeners[1].name"
        ),
    ])
    func meaningIsChecked(_ old: String, _ new: String, _ place: String) throws {
        let found = try faults(old, new)
        #expect(found.count == 1 && found[0].hasPrefix(place), "\(found)")
    }
}
