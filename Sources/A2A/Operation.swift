// SPDX-License-Identifier: Apache-2.0
package import JSON

/// What is asked of an agent, free of any binding (A2A §3.1). The names of the methods are the
/// JSON-RPC and gRPC names.
package enum Operation: Sendable {
    case sendMessage(SendMessageRequest)
    case sendStreamingMessage(SendMessageRequest)
    case getTask(TaskRequest)
    case listTasks(ListTasksRequest)
    case cancelTask(TaskRequest)
    case subscribeToTask(TaskRequest)
    case getExtendedAgentCard
    case pushNotificationConfig(PushNotificationConfigMethod, JSONValue?)

    /// The four operations on push notification configurations.
    package enum PushNotificationConfigMethod: String, CaseIterable, Sendable {
        case create = "CreateTaskPushNotificationConfig"
        case get = "GetTaskPushNotificationConfig"
        case list = "ListTaskPushNotificationConfigs"
        case delete = "DeleteTaskPushNotificationConfig"
    }

    /// The operation's name in JSON-RPC, gRPC, logs and metrics.
    package var method: String {
        switch self {
        case .sendMessage: "SendMessage"
        case .sendStreamingMessage: "SendStreamingMessage"
        case .getTask: "GetTask"
        case .listTasks: "ListTasks"
        case .cancelTask: "CancelTask"
        case .subscribeToTask: "SubscribeToTask"
        case .getExtendedAgentCard: "GetExtendedAgentCard"
        case .pushNotificationConfig(let method, _): method.rawValue
        }
    }

    /// Whether the answer is a stream of events.
    package var isStreaming: Bool {
        switch self {
        case .sendStreamingMessage, .subscribeToTask: true
        default: false
        }
    }

    /// Reads the parameters of the method called `method`.
    ///
    /// - Throws: ``A2AError`` `METHOD_NOT_FOUND`, or `INVALID_PARAMS` with place and rule.
    package init(method: String, params: JSONValue?) throws(A2AError) {
        if let params, params.kind != .object {
            throw .invalid("params", "must be an object")
        }
        switch method {
        case "SendMessage": self = .sendMessage(try SendMessageRequest(params))
        case "SendStreamingMessage": self = .sendStreamingMessage(try SendMessageRequest(params))
        case "GetTask": self = .getTask(try TaskRequest(params))
        case "ListTasks": self = .listTasks(try ListTasksRequest(params))
        case "CancelTask": self = .cancelTask(try TaskRequest(params))
        case "SubscribeToTask": self = .subscribeToTask(try TaskRequest(params))
        case "GetExtendedAgentCard": self = .getExtendedAgentCard
        default:
            guard let push = PushNotificationConfigMethod(rawValue: method) else {
                throw A2AError(.methodNotFound)
            }
            self = .pushNotificationConfig(push, params)
        }
    }
}

/// A message to an agent (A2A §3.2.1).
package struct SendMessageRequest: Sendable {
    /// The received object.
    package let value: JSONValue
    package let message: Message
    /// The caller does not want to wait for the task to end or pause.
    package let returnImmediately: Bool
    /// How many of the newest history messages the caller wants; `nil` leaves it open.
    package let historyLength: Int?

    /// Checks the parameters of SendMessage and SendStreamingMessage.
    package init(_ params: JSONValue?) throws(A2AError) {
        guard let params else { throw .invalid("message", "is required") }
        value = params
        guard let object = params.field(.message) else { throw .invalid("message", "is required") }
        message = try Message(object, at: "message")
        let configuration = params.field(.configuration)
        if let configuration, configuration.kind != .object {
            throw .invalid("configuration", "must be an object")
        }
        for field in Self.settings {
            try configuration?.checkSpelling(of: field, "configuration.\(field.name)")
        }
        returnImmediately = configuration?.field(.returnImmediately)?.bool ?? false
        historyLength = try TaskRequest.historyLength(
            configuration?.field(.historyLength), "configuration.historyLength")
    }

    /// What of the configuration a gateway acts on.
    private static let settings: [ProtoField] = [
        .taskPushNotificationConfig, .returnImmediately, .historyLength,
    ]

    /// What the extension `uri` put into the request's own metadata.
    package func metadata(_ uri: ExtensionURI) -> JSONValue? {
        value.field(.metadata)?[uri.rawValue]
    }
}

/// A question about one task: GetTask, CancelTask, SubscribeToTask.
package struct TaskRequest: Sendable {
    package let id: String
    package let historyLength: Int?

    package init(id: String, historyLength: Int? = nil) {
        self.id = id
        self.historyLength = historyLength
    }

    /// Checks the parameters.
    package init(_ params: JSONValue?) throws(A2AError) {
        guard let id = try Message.identifier(params?.field(.id), "id") else {
            throw .invalid("id", "is required")
        }
        self.id = id
        historyLength = try Self.historyLength(params?.field(.historyLength), "historyLength")
    }

    static func historyLength(_ value: JSONValue?, _ place: String) throws(A2AError) -> Int? {
        guard let value else { return nil }
        guard let number = value.int, number >= 0, number <= Int64(Int32.max) else {
            throw .invalid(place, "must be an integer, zero or more")
        }
        return Int(number)
    }
}

/// Which of the caller's tasks are wanted (A2A §3.1.4).
package struct ListTasksRequest: Sendable {
    package let contextID: String?
    package let state: TaskState?
    package let pageSize: Int
    package let pageToken: String?
    package let historyLength: Int?
    package let includeArtifacts: Bool

    /// Rows of a page when the caller does not say.
    package static let pageSizeDefault = 50
    /// Most rows of a page (A2A §3.1.4).
    package static let pageSizeMax = 100

    /// Checks the parameters.
    package init(_ params: JSONValue?) throws(A2AError) {
        contextID = try Message.identifier(params?.field(.contextID), "contextId")
        if let status = params?.field(.status) {
            let named = TaskState(status)
            if named == .unspecified, status.string != TaskState.unspecified.rawValue {
                throw .invalid("status", "is not a task state")
            }
            state = named == .unspecified ? nil : named
        } else {
            state = nil
        }
        if let size = params?.field(.pageSize) {
            guard let number = size.int, number >= 1, number <= Int64(Self.pageSizeMax) else {
                throw .invalid("pageSize", "must be 1 to \(Self.pageSizeMax)")
            }
            pageSize = Int(number)
        } else {
            pageSize = Self.pageSizeDefault
        }
        pageToken = try Message.identifier(params?.field(.pageToken), "pageToken")
        historyLength = try TaskRequest.historyLength(
            params?.field(.historyLength), "historyLength")
        includeArtifacts = params?.field(.includeArtifacts)?.bool ?? false
    }
}
