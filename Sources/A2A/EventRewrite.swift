// SPDX-License-Identifier: Apache-2.0
import JSON

/// The ids under which a caller knows a task, put in place of the agent's own.
package struct Alias: Sendable, Equatable {
    /// The caller's id of the task; `nil` for a message outside any task.
    package let taskID: String?
    /// The caller's id of the context.
    package let contextID: String

    package init(taskID: String?, contextID: String) {
        self.taskID = taskID
        self.contextID = contextID
    }
}

extension StreamEvent {
    /// The event as the caller must see it: its own ids, our metadata replaced, perhaps another
    /// status.
    ///
    /// Ids are set whatever the agent wrote, so an agent cannot name a task of another caller.
    ///
    /// - Parameters:
    ///   - alias: The caller's ids.
    ///   - own: What this hop says in the event's own metadata.
    ///   - inStatus: What this hop says in the status message's metadata.
    ///   - status: The whole status object to show instead, already with its metadata.
    package func rewritten(
        alias: Alias, own: MetadataEdit = .strip, inStatus: MetadataEdit = .strip,
        status: [UInt8]? = nil
    ) -> RenderedEvent {
        var splice = JSONSplice(within: value)
        switch kind {
        case .task:
            if let id = alias.taskID { splice.set(.id, id, in: value) }
            splice.set(.contextID, alias.contextID, in: value)
            for message in value.field(.history)?.elements.map({ $0 }) ?? [] {
                Self.edit(message, alias: alias, .strip, in: &splice)
            }
        case .message:
            Self.setIDs(of: value, alias, in: &splice)
        case .statusUpdate, .artifactUpdate:
            Self.setIDs(of: value, alias, in: &splice)
        }
        own.edit(value, in: &splice)
        if let current = self.status {
            if let status {
                splice.replace(current, with: status)
            } else if let message = current.field(.message) {
                Self.edit(message, alias: alias, inStatus, in: &splice)
            }
        }
        return RenderedEvent(kind: kind, bytes: splice.applied())
    }

    private static func edit(
        _ message: JSONValue, alias: Alias, _ metadata: MetadataEdit, in splice: inout JSONSplice
    ) {
        guard message.kind == .object else { return }
        // A message inside a task need not repeat the ids; only those that are there are changed.
        if let id = alias.taskID, let present = message.field(.taskID) {
            splice.replace(present, string: id)
        }
        if let present = message.field(.contextID) {
            splice.replace(present, string: alias.contextID)
        }
        metadata.edit(message, in: &splice)
    }

    private static func setIDs(of object: JSONValue, _ alias: Alias, in splice: inout JSONSplice) {
        if let id = alias.taskID { splice.set(.taskID, id, in: object) }
        splice.set(.contextID, alias.contextID, in: object)
    }
}

extension SendMessageRequest {
    /// The request as the next hop must see it: the next hop's ids, our metadata replaced.
    ///
    /// - Parameters:
    ///   - taskID: The next hop's id of the task; `nil` starts a new one.
    ///   - contextID: The next hop's id of the context; `nil` leaves it to the next hop.
    ///   - messageMetadata: What this hop says in the message's metadata.
    ///   - requestMetadata: What this hop says in the request's metadata.
    /// - Returns: The text of the `SendMessageRequest` object.
    package func rewritten(
        taskID: String?, contextID: String?, referenceTaskIDs: [String],
        messageMetadata: MetadataEdit, requestMetadata: MetadataEdit
    ) -> [UInt8] {
        var splice = JSONSplice(within: value)
        let object = message.value
        func put(_ field: ProtoField, _ text: String?) {
            if let text {
                splice.set(field, text, in: object)
            } else if let present = object.field(field) {
                // protobuf JSON reads null as absent.
                splice.replace(present, with: Array("null".utf8))
            }
        }
        put(.taskID, taskID)
        put(.contextID, contextID)
        if let present = object.field(.referenceTaskIDs) {
            splice.replace(
                present, with: JSONNode.array(referenceTaskIDs.map { .string($0) }).bytes)
        }
        messageMetadata.edit(object, in: &splice)
        requestMetadata.edit(value, in: &splice)
        return splice.applied()
    }
}
