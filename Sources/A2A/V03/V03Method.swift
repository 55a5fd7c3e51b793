// SPDX-License-Identifier: Apache-2.0

/// The methods of A2A 0.3 over JSON-RPC (A2A 0.3.0 §7), by the names they have there. Every one of
/// them has a counterpart in 1.0; of 1.0's, ListTasks has none here.
package enum V03Method: String, CaseIterable, Sendable {
    case sendMessage = "message/send"
    case sendStreamingMessage = "message/stream"
    case getTask = "tasks/get"
    case cancelTask = "tasks/cancel"
    case subscribeToTask = "tasks/resubscribe"
    case createPushConfig = "tasks/pushNotificationConfig/set"
    case getPushConfig = "tasks/pushNotificationConfig/get"
    case listPushConfigs = "tasks/pushNotificationConfig/list"
    case deletePushConfig = "tasks/pushNotificationConfig/delete"
    case getExtendedAgentCard = "agent/getAuthenticatedExtendedCard"

    /// The method's name in A2A 1.0.
    package var current: String {
        switch self {
        case .sendMessage: "SendMessage"
        case .sendStreamingMessage: "SendStreamingMessage"
        case .getTask: "GetTask"
        case .cancelTask: "CancelTask"
        case .subscribeToTask: "SubscribeToTask"
        case .createPushConfig: "CreateTaskPushNotificationConfig"
        case .getPushConfig: "GetTaskPushNotificationConfig"
        case .listPushConfigs: "ListTaskPushNotificationConfigs"
        case .deletePushConfig: "DeleteTaskPushNotificationConfig"
        case .getExtendedAgentCard: "GetExtendedAgentCard"
        }
    }

    /// The method that A2A 1.0 calls `current`; `nil` where 0.3 has none.
    package init?(current: String) {
        guard let method = Self.allCases.first(where: { $0.current == current }) else {
            return nil
        }
        self = method
    }

    /// Whether the answer is a stream of events.
    package var isStreaming: Bool { self == .sendStreamingMessage || self == .subscribeToTask }
}
