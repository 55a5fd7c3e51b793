// SPDX-License-Identifier: Apache-2.0
package import JSON

extension AgentCard {
    /// Whether `card` says where its agent is as 0.3 and its forerunners did, and not as 1.0 does.
    package static func isV03(_ card: JSONValue) -> Bool {
        card.field(ProtoField("supportedInterfaces")) == nil && card["url"]?.string != nil
    }

    /// The card in the form of 1.0, whichever it was written in.
    static func current(_ card: JSONValue) throws(A2AError) -> JSONValue {
        guard isV03(card) else { return card }
        do {
            return try JSONDocument(parsing: FromV03.card(card).bytes).root
        } catch {
            throw A2AError(.invalidAgentResponse, "The agent card is not valid: \(error)")
        }
    }
}

extension FromV03 {
    /// A card of 0.3 as one of 1.0. Signatures are left out, because they cover another text.
    package static func card(_ value: JSONValue) -> JSONNode {
        let schemes = SplitSchemes(value.field(ProtoField("securitySchemes")))
        let moved: Set<String> = [
            "url", "preferredTransport", "protocolVersion", "additionalInterfaces", "signatures",
            "supportsAuthenticatedExtendedCard", "capabilities",
        ]
        let renaming = ["security": "securityRequirements"]
        var node = V03Tree.object(value, renaming: renaming) { name, value in
            switch name {
            case let name where moved.contains(name): nil
            case "security": schemes.requirements(value)
            case "securitySchemes": schemes.node
            case "securityRequirements": nil
            case "skills": V03Tree.list(value) { skill($0, schemes) }
            default: value.copied
            }
        }
        guard node.members != nil else { return node }
        node["supportedInterfaces"] = interfaces(value)
        node["capabilities"] = capabilities(value)
        return node
    }

    private static func skill(_ value: JSONValue, _ schemes: SplitSchemes) -> JSONNode {
        V03Tree.object(value, renaming: ["security": "securityRequirements"]) { name, value in
            switch name {
            case "security": schemes.requirements(value)
            case "securityRequirements": nil
            default: value.copied
            }
        }
    }

    /// The main address first; it is often repeated among the others.
    private static func interfaces(_ card: JSONValue) -> JSONNode {
        let version = version(card.field(ProtoField("protocolVersion"))?.string)
        var found: [JSONNode] = []
        func add(_ url: JSONValue?, _ transport: String?) {
            guard let url = url?.string else { return }
            let interface: JSONNode = [
                "url": .string(url), "protocolBinding": .string(transport ?? "JSONRPC"),
                "protocolVersion": .string(version),
            ]
            if !found.contains(interface) { found.append(interface) }
        }
        add(card["url"], card["preferredTransport"]?.string)
        for other in card["additionalInterfaces"]?.elements.map({ $0 }) ?? [] {
            add(other["url"], other["transport"]?.string)
        }
        return .array(found)
    }

    /// `Major.Minor`. The 0.2 releases spoke as 0.3 does, and the first of them named no version.
    private static func version(_ text: String?) -> String {
        guard let text, let read = ProtocolVersion(text), read.major > 0 || read.minor > 3 else {
            return ProtocolVersion.v0_3.text
        }
        return read.text
    }

    private static func capabilities(_ card: JSONValue) -> JSONNode {
        var node = card["capabilities"].map { value in
            V03Tree.object(value) { name, value in
                name == "stateTransitionHistory" ? nil : value.copied
            }
        }
        if let extended = card["supportsAuthenticatedExtendedCard"]?.bool {
            if node?.members == nil { node = .object([]) }
            node?["extendedAgentCard"] = .bool(extended)
        }
        return node ?? .object([])
    }

    /// The security schemes of a 0.3 card. An OAuth scheme may offer several flows there; here it
    /// has one, so each flow becomes a scheme, and who required the scheme may use any of them.
    private struct SplitSchemes {
        let node: JSONNode
        private var names: [String: [String]] = [:]

        /// The flows, the one that keeps the scheme's name first.
        private static let flows = [
            "authorizationCode", "clientCredentials", "implicit", "password",
        ]

        init(_ schemes: JSONValue?) {
            var members: [JSONNode.Member] = []
            for (name, scheme) in schemes?.members.map({ $0 }) ?? [] {
                let flows = scheme["flows"]
                let offered = Self.flows.filter { flows?[$0]?.kind == .object }
                guard scheme["type"]?.string == "oauth2", offered.count > 1 else {
                    members.append(.init(name, FromV03.scheme(scheme)))
                    continue
                }
                for flow in offered {
                    let own = flow == offered[0] ? name : "\(name).\(flow)"
                    names[name, default: []].append(own)
                    members.append(.init(own, FromV03.scheme(scheme, only: flow)))
                }
            }
            node = .object(members)
        }

        /// Most alternatives that one becomes: two schemes with every flow. Each further scheme
        /// would multiply them, and a card of a few hundred bytes would fill any memory.
        private static let combinationsMax = 16

        /// Alternatives of which each lists the schemes that are needed together.
        func requirements(_ value: JSONValue) -> JSONNode {
            guard value.kind == .array else { return value.copied }
            var found: [JSONNode] = []
            for alternative in value.elements {
                var sets: [[JSONNode.Member]] = [[]]
                for (name, scopes) in alternative.members {
                    let list: JSONNode = scopes.count > 0 ? ["list": scopes.copied] : .object([])
                    let own = names[name] ?? [name]
                    let isTooMuch = sets.count * own.count > Self.combinationsMax
                    sets = sets.flatMap { set in
                        own.prefix(isTooMuch ? 1 : own.count).map { set + [.init($0, list)] }
                    }
                }
                found += sets.map { ["schemes": .object($0)] }
            }
            return .array(found)
        }
    }

    private static func scheme(_ value: JSONValue, only flow: String? = nil) -> JSONNode {
        let wrapper: String
        switch value["type"]?.string {
        case "apiKey": wrapper = "apiKeySecurityScheme"
        case "http": wrapper = "httpAuthSecurityScheme"
        case "oauth2": wrapper = "oauth2SecurityScheme"
        case "openIdConnect": wrapper = "openIdConnectSecurityScheme"
        case "mutualTLS": wrapper = "mtlsSecurityScheme"
        default: return value.copied
        }
        let inner = V03Tree.object(value, renaming: ["in": "location"]) { name, value in
            switch name {
            case "type": nil
            case "flows":
                V03Tree.object(value) { name, value in
                    flow == nil || flow == name ? value.copied : nil
                }
            default: value.copied
            }
        }
        return .object([.init(wrapper, inner)])
    }
}

extension ToV03 {
    /// A card of 1.0 as one of 0.3: its 0.3 interfaces, the first as the main one. Without any it
    /// has no address, and no 0.3 client can use it.
    package static func card(_ value: JSONValue) -> JSONNode {
        let moved: Set<String> = [
            "supportedInterfaces", "signatures", "capabilities", "url", "preferredTransport",
            "protocolVersion", "additionalInterfaces", "supportsAuthenticatedExtendedCard",
        ]
        let renaming = ["securityRequirements": "security"]
        var node = V03Tree.object(value, renaming: renaming) { name, value in
            switch name {
            case let name where moved.contains(name): nil
            case "securityRequirements": requirements(value)
            case "securitySchemes":
                V03Tree.object(value) { _, scheme in self.scheme(scheme) }
            case "security": nil
            case "skills": V03Tree.list(value, skill)
            default: value.copied
            }
        }
        guard node.members != nil else { return node }
        let capabilities = value["capabilities"]
        node["capabilities"] =
            capabilities.map { value in
                V03Tree.object(value) { name, value in
                    name == "extendedAgentCard" ? nil : value.copied
                }
            } ?? .object([])
        if let extended = capabilities?.field(ProtoField("extendedAgentCard"))?.bool {
            node["supportsAuthenticatedExtendedCard"] = .bool(extended)
        }
        addInterfaces(value, to: &node)
        return node
    }

    private static func addInterfaces(_ card: JSONValue, to node: inout JSONNode) {
        let listed = card.field(ProtoField("supportedInterfaces"))?.elements.map { $0 } ?? []
        let usable = listed.filter {
            ProtocolVersion($0.field(ProtoField("protocolVersion"))?.string ?? "1.0") == .v0_3
        }
        guard let main = usable.first else { return }
        node["url"] = main["url"]?.copied
        node["preferredTransport"] = main.field(ProtoField("protocolBinding"))?.copied
        node["protocolVersion"] = "0.3.0"
        let others = usable.dropFirst().map { other -> JSONNode in
            var interface = JSONNode.object([])
            interface["transport"] = other.field(ProtoField("protocolBinding"))?.copied
            interface["url"] = other["url"]?.copied
            return interface
        }
        if !others.isEmpty { node["additionalInterfaces"] = .array(others) }
    }

    private static func skill(_ value: JSONValue) -> JSONNode {
        V03Tree.object(value, renaming: ["securityRequirements": "security"]) { name, value in
            switch name {
            case "securityRequirements": requirements(value)
            case "security": nil
            default: value.copied
            }
        }
    }

    private static func requirements(_ value: JSONValue) -> JSONNode {
        V03Tree.list(value) { alternative in
            let schemes = alternative["schemes"]?.members.map { $0 } ?? []
            return .object(
                schemes.map { .init($0.name, $0.value["list"]?.copied ?? .array([])) })
        }
    }

    private static let schemeTypes = [
        "apiKeySecurityScheme": "apiKey", "httpAuthSecurityScheme": "http",
        "oauth2SecurityScheme": "oauth2", "openIdConnectSecurityScheme": "openIdConnect",
        "mtlsSecurityScheme": "mutualTLS",
    ]

    private static func scheme(_ value: JSONValue) -> JSONNode {
        guard let (name, inner) = value.fields.first(where: { schemeTypes[$0.name] != nil }),
            let type = schemeTypes[name]
        else { return value.copied }
        var node = V03Tree.object(inner, renaming: ["location": "in"]) { name, value in
            switch name {
            case "type": nil
            case "flows": V03Tree.object(value, flow)
            default: value.copied
            }
        }
        node["type"] = .string(type)
        return node
    }

    /// 0.3 has no flow for devices and no word for PKCE.
    private static func flow(_ name: String, _ value: JSONValue) -> JSONNode? {
        if name == "deviceCode" { return nil }
        return V03Tree.object(value) { name, value in
            name == "pkceRequired" ? nil : value.copied
        }
    }

    /// A card that readers of either version take for their own: 1.0's members, 0.3's beside them
    /// wherever the two differ, down to each scheme and skill, and the gateway's 0.3 interface.
    ///
    /// - Parameters:
    ///   - card: A card of 1.0, unsigned.
    ///   - url: Where the agent is served in 0.3, by JSON-RPC.
    package static func hybridCard(_ card: JSONValue, at url: String) -> JSONNode {
        var node = card.detached()
        let own: JSONNode = [
            "url": .string(url), "protocolBinding": "JSONRPC",
            "protocolVersion": .string(ProtocolVersion.v0_3.text),
        ]
        node["supportedInterfaces"] = .array((node["supportedInterfaces"]?.array ?? []) + [own])
        var older = self.card(card)
        older["url"] = .string(url)
        older["preferredTransport"] = "JSONRPC"
        older["protocolVersion"] = "0.3.0"
        return merged(node, older)
    }

    /// `base` with what only `other` has.
    private static func merged(_ base: JSONNode, _ other: JSONNode) -> JSONNode {
        switch (base, other) {
        case (.object(var members), .object(let others)):
            // By name, for a card may have many members and is merged each time it is asked for.
            var places: [String: Int] = [:]
            for (place, member) in members.enumerated() { places[member.name] = place }
            for member in others {
                if let place = places[member.name] {
                    members[place].value = merged(members[place].value, member.value)
                } else {
                    places[member.name] = members.count
                    members.append(member)
                }
            }
            return .object(members)
        case (.array(let elements), .array(let others)) where elements.count == others.count:
            return .array(zip(elements, others).map(merged))
        default: return base
        }
    }
}
