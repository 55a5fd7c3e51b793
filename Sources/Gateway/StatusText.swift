// SPDX-License-Identifier: Apache-2.0
import A2A
import Bytes
import JSON

/// Statuses and tasks in this gateway's own words.
enum StatusText {
    /// A status object with a message.
    ///
    /// - Parameter metadata: What the consent extension says in the message.
    static func status(
        _ state: TaskState, _ text: String, task: TaskRecord, at now: Instant,
        metadata: JSONNode? = nil
    ) -> [UInt8] {
        var message: JSONNode = [
            "messageId": .string("\(task.id)-\(now.milliseconds)"), "role": "ROLE_AGENT",
            "taskId": .string(task.id), "contextId": .string(task.contextID),
            "parts": [["text": .string(text)]],
        ]
        if let metadata {
            message["extensions"] = [.string(ExtensionURI.consent.rawValue)]
            message["metadata"] = .object([.init(ExtensionURI.consent.rawValue, metadata)])
        }
        let status: JSONNode = [
            "state": .string(state.rawValue), "message": message,
            "timestamp": .string(now.rfc3339),
        ]
        return status.bytes
    }

    /// A task of which no more is told than its status.
    static func task(_ task: TaskRecord, status: [UInt8], books: [UInt8]? = nil) -> [UInt8] {
        var node: JSONNode = [
            "id": .string(task.id), "contextId": .string(task.contextID), "status": .raw(status),
        ]
        if let books {
            node["metadata"] = .object([.init(ExtensionURI.accounting.rawValue, .raw(books))])
        }
        return node.bytes
    }
}
