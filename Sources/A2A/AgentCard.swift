// SPDX-License-Identifier: Apache-2.0
package import JSON

/// An agent's description of itself (A2A §4.4.1): a checked view of the received JSON.
package struct AgentCard: Sendable {
    /// The received object.
    package let value: JSONValue
    package let name: String
    /// Where it is served, the agent's preference first.
    package let interfaces: [Interface]

    /// One address with its binding and version.
    package struct Interface: Sendable, Equatable {
        package let url: String
        package let binding: String
        package let version: String
        package let tenant: String?

        package init(url: String, binding: String, version: String, tenant: String? = nil) {
            self.url = url
            self.binding = binding
            self.version = version
            self.tenant = tenant
        }
    }

    /// Longest card taken from an agent, in bytes.
    package static let bytesMax = 256 << 10

    /// Checks what a gateway needs of a card. A card of A2A 0.3 is read as one of 1.0.
    ///
    /// - Throws: ``A2AError`` `INVALID_AGENT_RESPONSE` naming the member and the rule.
    package init(_ value: JSONValue) throws(A2AError) {
        func fault(_ rule: String) -> A2AError {
            A2AError(.invalidAgentResponse, "The agent card is not valid: \(rule)")
        }
        guard value.kind == .object else { throw fault("it must be an object") }
        let value = try Self.current(value)
        self.value = value
        guard let name = value["name"]?.string, !name.isEmpty else {
            throw fault("name is required")
        }
        self.name = name
        guard let list = value.field(ProtoField("supportedInterfaces")), list.kind == .array,
            list.count > 0
        else { throw fault("supportedInterfaces is required") }
        var found: [Interface] = []
        for item in list.elements {
            guard let url = item["url"]?.string, !url.isEmpty else {
                throw fault("supportedInterfaces[\(found.count)].url is required")
            }
            guard let binding = item.field(ProtoField("protocolBinding"))?.string else {
                throw fault("supportedInterfaces[\(found.count)].protocolBinding is required")
            }
            found.append(
                Interface(
                    url: url, binding: binding,
                    version: item.field(ProtoField("protocolVersion"))?.string ?? "1.0",
                    tenant: item["tenant"]?.string))
        }
        interfaces = found
    }

    /// The first interface a JSON-RPC 1.0 client can use.
    package var jsonRPC: Interface? {
        interfaces.first { $0.binding == "JSONRPC" && $0.version.hasPrefix("1.") }
    }

    /// The first interface a JSON-RPC 0.3 client can use.
    package var jsonRPCInV03: Interface? {
        interfaces.first { $0.binding == "JSONRPC" && ProtocolVersion($0.version) == .v0_3 }
    }

    /// Whether the agent streams.
    package var streams: Bool { value["capabilities"]?["streaming"]?.bool ?? false }

    /// The parameters with which the card declares the extension `uri`.
    package func parameters(of uri: ExtensionURI) -> JSONValue? {
        for item in value["capabilities"]?["extensions"]?.elements.map({ $0 }) ?? []
        where item["uri"]?.string == uri.rawValue {
            return item["params"]
        }
        return nil
    }

    /// Whether the card declares the extension `uri`.
    package func declares(_ uri: ExtensionURI) -> Bool {
        value["capabilities"]?["extensions"]?.elements.contains {
            $0["uri"]?.string == uri.rawValue
        } ?? false
    }
}

/// An extension as a card declares it. Ours are never `required` (Spec §1): who does not know
/// them is served as plain A2A.
package struct CardExtension: Sendable {
    package let uri: ExtensionURI
    package let description: String
    /// One JSON object, or `nil` for none.
    package let parameters: [UInt8]?

    package init(uri: ExtensionURI, description: String, parameters: [UInt8]? = nil) {
        self.uri = uri
        self.description = description
        self.parameters = parameters
    }
}

extension AgentCard {
    /// The card under which a gateway offers this agent.
    ///
    /// Every interface names the gateway, the agent's signatures are dropped because they no
    /// longer cover the text, and what the gateway does not pass on is not promised. Members that
    /// the gateway does not know stay as they are.
    ///
    /// - Parameters:
    ///   - interfaces: The agent's addresses at the gateway, the preferred one first.
    ///   - extensions: What the gateway itself declares; declarations of the same URIs that the
    ///     agent made are replaced.
    package func published(
        at interfaces: [Interface], extensions: [CardExtension]
    ) -> [UInt8] {
        var writer = JSONWriter(capacity: value.range.count + 512)
        writer.beginObject()
        for member in value.members {
            switch member.name {
            case "supportedInterfaces", "supported_interfaces":
                writer.name("supportedInterfaces")
                writer.beginArray()
                for interface in interfaces { Self.write(interface, to: &writer) }
                writer.endArray()
            case "capabilities", "signatures", "url", "preferredTransport",
                "additionalInterfaces", "protocolVersion", "supportsAuthenticatedExtendedCard":
                continue
            default:
                writer.name(member.name)
                writer.value(member.value)
            }
        }
        writer.name("capabilities")
        writeCapabilities(extensions, to: &writer)
        writer.endObject()
        return writer.bytes
    }

    private static func write(_ interface: Interface, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("url", interface.url)
        writer.member("protocolBinding", interface.binding)
        writer.member("tenant", interface.tenant)
        writer.member("protocolVersion", interface.version)
        writer.endObject()
    }

    private func writeCapabilities(_ extensions: [CardExtension], to writer: inout JSONWriter) {
        writer.beginObject()
        let capabilities = value["capabilities"]
        for member in capabilities?.members.map({ $0 }) ?? [] {
            switch member.name {
            case "extensions", "pushNotifications", "push_notifications", "extendedAgentCard",
                "extended_agent_card":
                continue
            default:
                writer.name(member.name)
                writer.value(member.value)
            }
        }
        let declared = capabilities?["extensions"]?.elements.map({ $0 }) ?? []
        let kept = declared.filter { item in
            !extensions.contains { $0.uri.rawValue == item["uri"]?.string }
        }
        if !kept.isEmpty || !extensions.isEmpty {
            writer.name("extensions")
            writer.beginArray()
            for item in kept { writer.value(item) }
            for item in extensions {
                writer.beginObject()
                writer.member("uri", item.uri.rawValue)
                writer.member("description", item.description)
                if let parameters = item.parameters {
                    writer.name("params")
                    writer.raw(parameters)
                }
                writer.endObject()
            }
            writer.endArray()
        }
        writer.endObject()
    }
}
