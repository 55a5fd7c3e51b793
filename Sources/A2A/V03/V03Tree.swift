// SPDX-License-Identifier: Apache-2.0
import Bytes
import JSON

/// How objects are carried between 1.0 and 0.3: member by member, so that what neither version
/// knows stays, and numbers keep their text.
enum V03Tree {
    /// The metadata member under which a 0.3 object carries what only 1.0 has a place for
    /// (Spec/divergences.md).
    static let carried = "https://dragoman.example/a2a/v1.0"
    /// The metadata member by which the A2A SDKs say that a data part's object wraps another value.
    static let wrapped = "data_part_compat"

    /// An object with its members translated. `kind`, which 0.3 has and 1.0 has not, is never
    /// taken over; it is written where it is given.
    ///
    /// - Parameters:
    ///   - renaming: Names that change; all others stay.
    ///   - member: The new value of a member, by its old name; `nil` leaves the member out.
    static func object(
        _ value: JSONValue, kind: String? = nil, renaming: [String: String] = [:],
        _ member: (String, JSONValue) -> JSONNode?
    ) -> JSONNode {
        guard value.kind == .object else { return value.copied }
        var members: [JSONNode.Member] = []
        if let kind { members.append(JSONNode.Member("kind", .string(kind))) }
        for (name, inner) in value.fields where name != "kind" {
            guard let node = member(name, inner) else { continue }
            members.append(JSONNode.Member(renaming[name] ?? name, node))
        }
        return .object(members)
    }

    /// A list with its elements translated.
    static func list(_ value: JSONValue, _ element: (JSONValue) -> JSONNode) -> JSONNode {
        guard value.kind == .array else { return value.copied }
        return .array(value.elements.map(element))
    }

    /// Base64 in the standard alphabet with padding: what both versions write, though 1.0 reads
    /// more (ProtoJSON). What is no base64 stays for its reader to judge.
    static func base64(_ value: JSONValue) -> JSONNode {
        guard let text = value.string else { return value.copied }
        let isStandard =
            text.utf8.count % 4 == 0
            && !text.utf8.contains { $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
        if isStandard { return value.copied }
        return Base64.decodeLenient(text).map { .string(Base64.encode($0)) } ?? value.copied
    }

    /// A point in time as RFC 3339 in UTC with at most nine digits of a second's fraction, as 1.0
    /// has it; `nil` for what is none. 0.3 allows any ISO 8601 text: another offset is converted,
    /// and a text without one is taken to be in UTC.
    static func timestamp(_ value: JSONValue) -> JSONNode? {
        guard let text = value.string else { return nil }
        var spelled = text
        if text.utf8.count > 10 {
            let place = text.utf8.index(text.startIndex, offsetBy: 10)
            if text.utf8[place] == UInt8(ascii: " ") {
                spelled = text[..<place] + "T" + text[text.utf8.index(after: place)...]
            }
        }
        guard let instant = Instant(rfc3339: spelled) ?? Instant(rfc3339: spelled + "Z") else {
            return nil
        }
        let fraction = spelled.drop { $0 != "." }.dropFirst().prefix { $0.isNumber }.prefix(9)
        let seconds = instant.rfc3339.prefix(19)
        return .string(fraction.isEmpty ? "\(seconds)Z" : "\(seconds).\(fraction)Z")
    }
}

extension JSONValue {
    /// This value as it is written.
    var copied: JSONNode { .raw(Array(raw)) }

    /// The members of an A2A object under the names that are written. `null` counts as absent, and
    /// of two spellings of one name the first in lowerCamelCase counts, as ProtoJSON has it.
    var fields: [(name: String, value: JSONValue)] {
        members.compactMap { name, value in
            if value.isNull { return nil }
            guard let written = ProtoField.written[name] else { return (name, value) }
            return self[written] == nil ? (written, value) : nil
        }
    }
}

extension ProtoField {
    /// The written names by the original field names, for all that A2A 1.0 has in messages, tasks,
    /// events, requests and cards.
    static let written: [String: String] = {
        let names = [
            "acceptedOutputModes", "apiKeySecurityScheme", "artifactId", "artifactUpdate",
            "authorizationCode", "authorizationUrl", "bearerFormat", "clientCredentials",
            "contextId", "defaultInputModes", "defaultOutputModes", "deviceAuthorizationUrl",
            "deviceCode", "documentationUrl", "extendedAgentCard", "historyLength",
            "httpAuthSecurityScheme", "iconUrl", "inputModes", "lastChunk", "mediaType",
            "messageId", "mtlsSecurityScheme", "nextPageToken", "oauth2MetadataUrl",
            "oauth2SecurityScheme", "openIdConnectSecurityScheme", "openIdConnectUrl",
            "outputModes", "pageSize", "pkceRequired", "protocolBinding", "protocolVersion",
            "pushNotifications", "referenceTaskIds", "refreshUrl", "returnImmediately",
            "securityRequirements", "securitySchemes", "statusUpdate", "supportedInterfaces",
            "taskId", "taskPushNotificationConfig", "tokenUrl",
        ]
        var written: [String: String] = [:]
        for name in names {
            let field = ProtoField(name)
            if let original = field.original { written[original] = field.name }
        }
        return written
    }()
}
