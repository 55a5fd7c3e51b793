// SPDX-License-Identifier: Apache-2.0
package import JSON

/// The states of a task (A2A §4.1.3). Integers are read too, names are written.
package enum TaskState: String, CaseIterable, Sendable {
    case unspecified = "TASK_STATE_UNSPECIFIED"
    case submitted = "TASK_STATE_SUBMITTED"
    case working = "TASK_STATE_WORKING"
    case completed = "TASK_STATE_COMPLETED"
    case failed = "TASK_STATE_FAILED"
    case canceled = "TASK_STATE_CANCELED"
    case inputRequired = "TASK_STATE_INPUT_REQUIRED"
    case rejected = "TASK_STATE_REJECTED"
    case authRequired = "TASK_STATE_AUTH_REQUIRED"

    /// The state named by a ProtoJSON enum value; an unknown name is `unspecified`.
    package init(_ value: JSONValue?) {
        if let name = value?.string {
            self = TaskState(rawValue: name) ?? .unspecified
        } else if let number = value?.int, number >= 0, number < 9 {
            self = TaskState.allCases[Int(number)]
        } else {
            self = .unspecified
        }
    }

    /// No further message is taken and nothing changes any more.
    package var isTerminal: Bool {
        switch self {
        case .completed, .failed, .canceled, .rejected: true
        default: false
        }
    }

    /// The task waits for its caller.
    package var isInterrupted: Bool { self == .inputRequired || self == .authRequired }
}

/// Who speaks in a message (A2A §4.1.4).
package enum Role: String, CaseIterable, Sendable {
    case unspecified = "ROLE_UNSPECIFIED"
    case user = "ROLE_USER"
    case agent = "ROLE_AGENT"

    /// The role named by a ProtoJSON enum value; an unknown name is `unspecified`.
    package init(_ value: JSONValue?) {
        if let name = value?.string {
            self = Role(rawValue: name) ?? .unspecified
        } else if let number = value?.int, number >= 0, number < 3 {
            self = Role.allCases[Int(number)]
        } else {
            self = .unspecified
        }
    }
}
