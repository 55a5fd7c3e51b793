// SPDX-License-Identifier: Apache-2.0
import A2A

// The messages of `lf.a2a.v1` (A2A 1.0.1, a2a.proto), requests and answers first.

extension ProtobufMessage {
    static let sendMessageRequest = ProtobufMessage(
        .init(1, "tenant", .string),
        .init(2, "message", .message(.message)),
        .init(3, "configuration", .message(.sendMessageConfiguration)),
        .init(4, "metadata", .structure))
    static let getTaskRequest = ProtobufMessage(
        .init(1, "tenant", .string),
        .init(2, "id", .string),
        .init(3, "historyLength", .int32, .optional))
    static let listTasksRequest = ProtobufMessage(
        .init(1, "tenant", .string),
        .init(2, "contextId", .string),
        .init(3, "status", .taskState),
        .init(4, "pageSize", .int32, .optional),
        .init(5, "pageToken", .string),
        .init(6, "historyLength", .int32, .optional),
        .init(7, "statusTimestampAfter", .timestamp),
        .init(8, "includeArtifacts", .bool, .optional))
    static let listTasksResponse = ProtobufMessage(
        .init(1, "tasks", .message(.task), .repeated),
        .init(2, "nextPageToken", .string),
        .init(3, "pageSize", .int32),
        .init(4, "totalSize", .int32))
    static let cancelTaskRequest = ProtobufMessage(
        .init(1, "tenant", .string),
        .init(2, "id", .string),
        .init(3, "metadata", .structure))
    static let getTaskPushNotificationConfigRequest = ProtobufMessage(
        .init(1, "tenant", .string),
        .init(2, "taskId", .string),
        .init(3, "id", .string))
    static let deleteTaskPushNotificationConfigRequest = ProtobufMessage(
        .init(1, "tenant", .string),
        .init(2, "taskId", .string),
        .init(3, "id", .string))
    static let subscribeToTaskRequest = ProtobufMessage(
        .init(1, "tenant", .string),
        .init(2, "id", .string))
    static let listTaskPushNotificationConfigsRequest = ProtobufMessage(
        .init(4, "tenant", .string),
        .init(1, "taskId", .string),
        .init(2, "pageSize", .int32),
        .init(3, "pageToken", .string))
    static let getExtendedAgentCardRequest = ProtobufMessage(
        .init(1, "tenant", .string))
    static let sendMessageResponse = ProtobufMessage(
        .init(1, "task", .message(.task), .oneof),
        .init(2, "message", .message(.message), .oneof))
    static let streamResponse = ProtobufMessage(
        .init(1, "task", .message(.task), .oneof),
        .init(2, "message", .message(.message), .oneof),
        .init(3, "statusUpdate", .message(.taskStatusUpdateEvent), .oneof),
        .init(4, "artifactUpdate", .message(.taskArtifactUpdateEvent), .oneof))
    static let listTaskPushNotificationConfigsResponse = ProtobufMessage(
        .init(1, "configs", .message(.taskPushNotificationConfig), .repeated),
        .init(2, "nextPageToken", .string))
}

// MARK: - What they carry

extension ProtobufMessage {
    static let sendMessageConfiguration = ProtobufMessage(
        .init(1, "acceptedOutputModes", .string, .repeated),
        .init(2, "taskPushNotificationConfig", .message(.taskPushNotificationConfig)),
        .init(3, "historyLength", .int32, .optional),
        .init(4, "returnImmediately", .bool))
    static let task = ProtobufMessage(
        .init(1, "id", .string),
        .init(2, "contextId", .string),
        .init(3, "status", .message(.taskStatus)),
        .init(4, "artifacts", .message(.artifact), .repeated),
        .init(5, "history", .message(.message), .repeated),
        .init(6, "metadata", .structure))
    static let taskStatus = ProtobufMessage(
        .init(1, "state", .taskState),
        .init(2, "message", .message(.message)),
        .init(3, "timestamp", .timestamp))
    static let part = ProtobufMessage(
        .init(1, "text", .string, .oneof),
        .init(2, "raw", .bytes, .oneof),
        .init(3, "url", .string, .oneof),
        .init(4, "data", .value, .oneof),
        .init(5, "metadata", .structure),
        .init(6, "filename", .string),
        .init(7, "mediaType", .string))
    static let message = ProtobufMessage(
        .init(1, "messageId", .string),
        .init(2, "contextId", .string),
        .init(3, "taskId", .string),
        .init(4, "role", .role),
        .init(5, "parts", .message(.part), .repeated),
        .init(6, "metadata", .structure),
        .init(7, "extensions", .string, .repeated),
        .init(8, "referenceTaskIds", .string, .repeated))
    static let artifact = ProtobufMessage(
        .init(1, "artifactId", .string),
        .init(2, "name", .string),
        .init(3, "description", .string),
        .init(4, "parts", .message(.part), .repeated),
        .init(5, "metadata", .structure),
        .init(6, "extensions", .string, .repeated))
    static let taskStatusUpdateEvent = ProtobufMessage(
        .init(1, "taskId", .string),
        .init(2, "contextId", .string),
        .init(3, "status", .message(.taskStatus)),
        .init(4, "metadata", .structure))
    static let taskArtifactUpdateEvent = ProtobufMessage(
        .init(1, "taskId", .string),
        .init(2, "contextId", .string),
        .init(3, "artifact", .message(.artifact)),
        .init(4, "append", .bool),
        .init(5, "lastChunk", .bool),
        .init(6, "metadata", .structure))
    static let authenticationInfo = ProtobufMessage(
        .init(1, "scheme", .string),
        .init(2, "credentials", .string))
    static let taskPushNotificationConfig = ProtobufMessage(
        .init(1, "tenant", .string),
        .init(2, "id", .string),
        .init(3, "taskId", .string),
        .init(4, "url", .string),
        .init(5, "token", .string),
        .init(6, "authentication", .message(.authenticationInfo)))
    /// `google.protobuf.Empty`.
    static let empty = ProtobufMessage()
}

extension ProtobufField.Kind {
    static let taskState = Self.enumeration(TaskState.allCases.map(\.rawValue))
    static let role = Self.enumeration(Role.allCases.map(\.rawValue))
}
