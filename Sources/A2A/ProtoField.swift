// SPDX-License-Identifier: Apache-2.0
package import JSON

/// A member name under ProtoJSON: written in lowerCamelCase, read in the original snake_case too
/// (A2A §5.5; protobuf JSON mapping).
package struct ProtoField: Sendable {
    /// The name that is written.
    package let name: String
    /// The original field name where it differs, read but never written.
    package let original: String?

    /// Derives the snake_case twin of a lowerCamelCase name.
    package init(_ name: String) {
        self.name = name
        var snake = ""
        for character in name.unicodeScalars {
            if character.value >= 65, character.value <= 90 {
                snake += "_"
                snake.unicodeScalars.append(Unicode.Scalar(UInt8(character.value + 32)))
            } else {
                snake.unicodeScalars.append(character)
            }
        }
        original = snake == name ? nil : snake
    }
}

extension ProtoField {
    package static let configuration = ProtoField("configuration")
    package static let taskPushNotificationConfig = ProtoField("taskPushNotificationConfig")
    static let append = ProtoField("append")
    static let artifact = ProtoField("artifact")
    static let artifacts = ProtoField("artifacts")
    static let artifactUpdate = ProtoField("artifactUpdate")
    static let contextID = ProtoField("contextId")
    static let data = ProtoField("data")
    static let extensions = ProtoField("extensions")
    static let historyLength = ProtoField("historyLength")
    static let history = ProtoField("history")
    static let id = ProtoField("id")
    static let includeArtifacts = ProtoField("includeArtifacts")
    static let lastChunk = ProtoField("lastChunk")
    static let message = ProtoField("message")
    static let messageID = ProtoField("messageId")
    static let metadata = ProtoField("metadata")
    static let pageSize = ProtoField("pageSize")
    static let pageToken = ProtoField("pageToken")
    static let parts = ProtoField("parts")
    static let raw = ProtoField("raw")
    static let referenceTaskIDs = ProtoField("referenceTaskIds")
    static let returnImmediately = ProtoField("returnImmediately")
    static let role = ProtoField("role")
    static let state = ProtoField("state")
    static let status = ProtoField("status")
    static let statusUpdate = ProtoField("statusUpdate")
    static let task = ProtoField("task")
    static let taskID = ProtoField("taskId")
    static let text = ProtoField("text")
    static let timestamp = ProtoField("timestamp")
    static let url = ProtoField("url")
}

extension JSONValue {
    /// The member under either spelling; `null` counts as absent, as ProtoJSON has it.
    package func field(_ field: ProtoField) -> JSONValue? {
        guard let value = self[field.name] ?? field.original.flatMap({ self[$0] }) else {
            return nil
        }
        return value.isNull ? nil : value
    }

    /// Refuses an object that has `field` under both spellings, be one of them `null`. Readers
    /// disagree about which one counts, so the next hop might take what was not judged here.
    ///
    /// - Throws: ``A2AError`` `INVALID_PARAMS` at `place`.
    package func checkSpelling(
        of field: ProtoField, _ place: @autoclosure () -> String
    ) throws(A2AError) {
        guard let original = field.original, self[original] != nil, self[field.name] != nil
        else { return }
        throw .invalid(place(), "stands twice, as \(field.name) and \(original)")
    }

    /// Whether `name` is this field under either spelling.
    package static func names(_ field: ProtoField, _ name: String) -> Bool {
        name == field.name || name == field.original
    }
}
