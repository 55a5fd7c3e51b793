// SPDX-License-Identifier: Apache-2.0
package import JSON

/// What an agent says: a whole task, a message, or an update of a task (A2A §3.2.3, the members of
/// `StreamResponse`; `SendMessageResponse` has the first two only).
package struct StreamEvent: Sendable {
    /// Which member of the oneof it is.
    package enum Kind: String, Sendable {
        case task, message, statusUpdate, artifactUpdate
    }
    package let kind: Kind
    /// The object inside the oneof's member.
    package let value: JSONValue

    /// Reads a `StreamResponse` or `SendMessageResponse`.
    ///
    /// - Throws: ``A2AError`` `INVALID_AGENT_RESPONSE` naming the rule: an agent said it, not the
    ///   caller.
    package init(wrapped: JSONValue) throws(A2AError) {
        var found: StreamEvent?
        for (field, kind) in Self.fields {
            guard let value = wrapped.field(field) else { continue }
            if found != nil {
                throw A2AError(.invalidAgentResponse, "The agent's event has two members")
            }
            found = try StreamEvent(kind: kind, value: value)
        }
        guard let found else {
            throw A2AError(.invalidAgentResponse, "The agent's event has no known member")
        }
        self = found
    }

    /// Checks an object that is known to be a `kind`.
    package init(kind: Kind, value: JSONValue) throws(A2AError) {
        guard value.kind == .object else {
            throw A2AError(.invalidAgentResponse, "\(kind.rawValue) must be an object")
        }
        self.kind = kind
        self.value = value
        switch kind {
        case .task:
            guard let id = value.field(.id)?.string, !id.isEmpty,
                id.utf8.count <= Message.identifierBytesMax
            else { throw A2AError(.invalidAgentResponse, "task.id is missing") }
            guard value.field(.status)?.kind == .object else {
                throw A2AError(.invalidAgentResponse, "task.status is missing")
            }
        case .message:
            guard let parts = value.field(.parts), parts.kind == .array else {
                throw A2AError(.invalidAgentResponse, "message.parts is missing")
            }
        case .statusUpdate:
            guard value.field(.status)?.kind == .object else {
                throw A2AError(.invalidAgentResponse, "statusUpdate.status is missing")
            }
        case .artifactUpdate:
            guard value.field(.artifact)?.kind == .object else {
                throw A2AError(.invalidAgentResponse, "artifactUpdate.artifact is missing")
            }
        }
    }

    private static let fields: [(ProtoField, Kind)] = [
        (.task, .task), (.message, .message), (.statusUpdate, .statusUpdate),
        (.artifactUpdate, .artifactUpdate),
    ]

    /// The id of the task it is about; a message may have none.
    package var taskID: String? {
        switch kind {
        case .task: value.field(.id)?.string
        default: value.field(.taskID)?.string
        }
    }

    /// The context it belongs to.
    package var contextID: String? {
        guard let id = value.field(.contextID)?.string, !id.isEmpty else { return nil }
        return id
    }

    /// The status of a task or a status update.
    package var status: JSONValue? {
        switch kind {
        case .task, .statusUpdate: value.field(.status)
        case .message, .artifactUpdate: nil
        }
    }

    /// The state that the status names; `nil` where there is no status.
    package var state: TaskState? { status.map { TaskState($0.field(.state)) } }

    /// The message within the status.
    package var statusMessage: JSONValue? { status?.field(.message) }

    /// What the extension `uri` put into the event's or task's own metadata.
    package func metadata(_ uri: ExtensionURI) -> JSONValue? {
        value.field(.metadata)?[uri.rawValue]
    }

    /// What the extension `uri` put into the status message's metadata.
    package func statusMetadata(_ uri: ExtensionURI) -> JSONValue? {
        statusMessage?.field(.metadata)?[uri.rawValue]
    }

    /// The parts of the status message.
    package var statusParts: [Part] {
        statusMessage?.field(.parts)?.elements.map { Part(value: $0) } ?? []
    }

    /// Every part it carries: of the message, of the status message, of its artifacts.
    package var parts: [Part] {
        var found: [Part] = []
        func take(_ holder: JSONValue?) {
            for part in holder?.field(.parts)?.elements.map({ $0 }) ?? [] {
                found.append(Part(value: part))
            }
        }
        switch kind {
        case .message: take(value)
        case .statusUpdate: take(statusMessage)
        case .artifactUpdate: take(value.field(.artifact))
        case .task:
            take(statusMessage)
            for artifact in value.field(.artifacts)?.elements.map({ $0 }) ?? [] { take(artifact) }
        }
        return found
    }
}

/// An event ready to be written: the kind of the oneof member and the bytes of its object.
package struct RenderedEvent: Sendable, Equatable {
    package let kind: StreamEvent.Kind
    package let bytes: [UInt8]

    package init(kind: StreamEvent.Kind, bytes: [UInt8]) {
        self.kind = kind
        self.bytes = bytes
    }

    /// The event as it was received.
    package init(_ event: StreamEvent) {
        kind = event.kind
        bytes = Array(event.value.raw)
    }

    /// The `StreamResponse` object: `{"task":{…}}` and so on.
    package var wrapped: [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count + 24)
        out.append(contentsOf: "{\"".utf8)
        out.append(contentsOf: kind.rawValue.utf8)
        out.append(contentsOf: "\":".utf8)
        out += bytes
        out.append(UInt8(ascii: "}"))
        return out
    }
}
