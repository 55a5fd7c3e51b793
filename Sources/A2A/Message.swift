// SPDX-License-Identifier: Apache-2.0
package import JSON

/// A message (A2A §4.1.4): a checked view of the received JSON, which it keeps whole, so that
/// unknown members and number texts survive.
package struct Message: Sendable {
    /// The received object.
    package let value: JSONValue
    package let messageID: String
    package let contextID: String?
    package let taskID: String?
    package let role: Role

    /// Most parts one message may carry; more is a flood, not a conversation.
    package static let partsMax = 1024

    /// Checks what A2A requires of a message.
    ///
    /// - Parameter place: The path of the object in its request, for the error.
    /// - Throws: ``A2AError`` `INVALID_PARAMS` naming the member and the rule.
    package init(_ value: JSONValue, at place: String) throws(A2AError) {
        guard value.kind == .object else { throw .invalid(place, "must be an object") }
        self.value = value
        for field in Self.identifiers {
            try value.checkSpelling(of: field, "\(place).\(field.name)")
        }
        guard let id = value.field(.messageID)?.string, !id.isEmpty else {
            throw .invalid("\(place).messageId", "is required")
        }
        messageID = id
        contextID = try Self.identifier(value.field(.contextID), "\(place).contextId")
        taskID = try Self.identifier(value.field(.taskID), "\(place).taskId")
        role = Role(value.field(.role))
        if role == .unspecified { throw .invalid("\(place).role", "is required") }
        guard let parts = value.field(.parts), parts.kind == .array, parts.count > 0 else {
            throw .invalid("\(place).parts", "must have at least one part")
        }
        if parts.count > Self.partsMax {
            throw .invalid("\(place).parts", "has more than \(Self.partsMax) parts")
        }
        var index = 0
        for part in parts.elements {
            try Part.check(part, at: "\(place).parts[\(index)]")
            index += 1
        }
    }

    /// What says which message it is and what it is about.
    private static let identifiers: [ProtoField] = [
        .messageID, .contextID, .taskID, .referenceTaskIDs,
    ]

    /// Longest identifier taken from a stranger, in bytes.
    package static let identifierBytesMax = 512

    /// Reads an optional identifier: absent and empty are the same, as protobuf has it.
    package static func identifier(
        _ value: JSONValue?, _ place: @autoclosure () -> String
    ) throws(A2AError) -> String? {
        guard let value else { return nil }
        guard let text = value.string else { throw .invalid(place(), "must be a string") }
        if text.utf8.count > identifierBytesMax {
            throw .invalid(place(), "is longer than \(identifierBytesMax) bytes")
        }
        return text.isEmpty ? nil : text
    }

    /// The parts, in order.
    package var parts: [Part] {
        value.field(.parts)?.elements.map { Part(value: $0) } ?? []
    }

    /// What the extension `uri` put into the message's metadata.
    package func metadata(_ uri: ExtensionURI) -> JSONValue? {
        value.field(.metadata)?[uri.rawValue]
    }

    /// The tasks it refers to.
    package var referenceTaskIDs: [String] {
        value.field(.referenceTaskIDs)?.elements.compactMap(\.string) ?? []
    }
}

/// One part of a message or artifact (A2A §4.1.6).
package struct Part: Sendable {
    /// The received object.
    package let value: JSONValue

    package init(value: JSONValue) { self.value = value }

    /// The text, when it is a text part.
    package var text: String? { value.field(.text)?.string }

    /// The structured data, when it is a data part. `null` is a value here.
    package var data: JSONValue? { value["data"] }

    /// The type that our parts extension gives this part, such as `draft` (Spec, parts).
    package var type: String? {
        value.field(.metadata)?[ExtensionURI.parts.rawValue]?["type"]?.string
    }

    /// - Parameter place: Its path in the request, wanted only for an error.
    static func check(
        _ part: JSONValue, at place: @autoclosure () -> String
    ) throws(A2AError) {
        guard part.kind == .object else { throw .invalid(place(), "must be an object") }
        var contents = 0
        for field in contentFields {
            guard let content = part.field(field) else { continue }
            if content.kind != .string {
                throw .invalid("\(place()).\(field.name)", "must be a string")
            }
            contents += 1
        }
        if part["data"] != nil { contents += 1 }
        if contents == 0 { throw .invalid(place(), "has none of text, raw, url, data") }
        if contents > 1 { throw .invalid(place(), "has more than one of text, raw, url, data") }
    }

    private static let contentFields = [ProtoField.text, .raw, .url]
}
