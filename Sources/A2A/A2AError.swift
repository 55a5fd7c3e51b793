// SPDX-License-Identifier: Apache-2.0

/// An error of the protocol as it crosses a binding (A2A 1.0.1 §5.4 and Spec §1.7).
package struct A2AError: Error, Equatable, Sendable {
    /// Which error it is; equality of errors in tests is mostly equality of codes.
    package let code: Code
    /// One sentence for a person; never echoes message text or tokens.
    package var message: String
    /// `ErrorInfo.reason`; the code's own unless an extension refused.
    package var reason: String
    /// `ErrorInfo.domain`.
    package var domain: String
    /// `ErrorInfo.metadata`, strings only.
    package var metadata: [String: String]
    /// Which members were wrong, for `google.rpc.BadRequest`.
    package var violations: [Violation]
    /// Seconds after which the same call may succeed.
    package var retryAfter: Int?

    /// A wrong member: where, and which rule it breaks.
    package struct Violation: Equatable, Sendable {
        package let field: String
        package let description: String

        package init(field: String, description: String) {
            self.field = field
            self.description = description
        }
    }

    /// Makes the error `code` with its standard reason under the protocol's own domain.
    package init(
        _ code: Code, _ message: String? = nil, violations: [Violation] = [],
        metadata: [String: String] = [:], retryAfter: Int? = nil
    ) {
        self.code = code
        self.message = message ?? code.title
        reason = code.rawValue
        domain = A2AError.protocolDomain
        self.metadata = metadata
        self.violations = violations
        self.retryAfter = retryAfter
    }

    /// Makes a refusal by one of our extensions: `domain` is its URI, `reason` its code.
    package init(
        refusal code: Code, by uri: ExtensionURI, reason: String, message: String,
        metadata: [String: String] = [:], retryAfter: Int? = nil
    ) {
        self.code = code
        self.message = message
        self.reason = reason
        domain = uri.rawValue
        self.metadata = metadata
        violations = []
        self.retryAfter = retryAfter
    }

    /// A parameter error that names the place and the rule.
    package static func invalid(_ field: String, _ rule: String) -> A2AError {
        A2AError(
            .invalidParams, "Invalid parameters: \(field): \(rule)",
            violations: [Violation(field: field, description: rule)])
    }

    /// `ErrorInfo.domain` of the protocol's own errors.
    package static let protocolDomain = "a2a-protocol.org"
}

extension A2AError {
    /// Every error a binding can carry; the raw value is `ErrorInfo.reason`.
    package enum Code: String, CaseIterable, Sendable {
        case taskNotFound = "TASK_NOT_FOUND"
        case taskNotCancelable = "TASK_NOT_CANCELABLE"
        case pushNotificationNotSupported = "PUSH_NOTIFICATION_NOT_SUPPORTED"
        case unsupportedOperation = "UNSUPPORTED_OPERATION"
        case contentTypeNotSupported = "CONTENT_TYPE_NOT_SUPPORTED"
        case invalidAgentResponse = "INVALID_AGENT_RESPONSE"
        case extendedCardNotConfigured = "EXTENDED_AGENT_CARD_NOT_CONFIGURED"
        case extensionSupportRequired = "EXTENSION_SUPPORT_REQUIRED"
        case versionNotSupported = "VERSION_NOT_SUPPORTED"
        case parse = "PARSE_ERROR"
        case invalidRequest = "INVALID_REQUEST"
        case methodNotFound = "METHOD_NOT_FOUND"
        case invalidParams = "INVALID_PARAMS"
        case internalError = "INTERNAL_ERROR"
        case notAuthorized = "NOT_AUTHORIZED"
        case conflict = "CONFLICT"
        case retryLater = "RETRY_LATER"
    }
}

extension A2AError.Code {
    /// The JSON-RPC code; −32050 to −32052 are this project's (Spec §1, refusals on the wire).
    package var jsonRPC: Int {
        switch self {
        case .taskNotFound: -32001
        case .taskNotCancelable: -32002
        case .pushNotificationNotSupported: -32003
        case .unsupportedOperation: -32004
        case .contentTypeNotSupported: -32005
        case .invalidAgentResponse: -32006
        case .extendedCardNotConfigured: -32007
        case .extensionSupportRequired: -32008
        case .versionNotSupported: -32009
        case .parse: -32700
        case .invalidRequest: -32600
        case .methodNotFound: -32601
        case .invalidParams: -32602
        case .internalError: -32603
        case .notAuthorized: -32050
        case .conflict: -32051
        case .retryLater: -32052
        }
    }

    /// The HTTP status of the HTTP+JSON binding (A2A 1.0.1).
    package var httpStatus: Int {
        switch self {
        case .taskNotFound, .methodNotFound: 404
        case .invalidAgentResponse, .internalError: 500
        case .notAuthorized: 403
        case .conflict: 409
        case .retryLater: 503
        default: 400
        }
    }

    /// The gRPC status name, which HTTP+JSON carries as `status`.
    package var status: String {
        switch self {
        case .taskNotFound: "NOT_FOUND"
        case .taskNotCancelable, .pushNotificationNotSupported, .unsupportedOperation,
            .extendedCardNotConfigured, .extensionSupportRequired, .versionNotSupported:
            "FAILED_PRECONDITION"
        case .contentTypeNotSupported, .parse, .invalidRequest, .invalidParams:
            "INVALID_ARGUMENT"
        case .methodNotFound: "UNIMPLEMENTED"
        case .invalidAgentResponse, .internalError: "INTERNAL"
        case .notAuthorized: "PERMISSION_DENIED"
        case .conflict: "ABORTED"
        case .retryLater: "UNAVAILABLE"
        }
    }

    /// What is said when nothing more exact is known.
    package var title: String {
        switch self {
        case .taskNotFound: "Task not found"
        case .taskNotCancelable: "Task cannot be canceled"
        case .pushNotificationNotSupported: "Push notifications are not supported"
        case .unsupportedOperation: "This operation is not supported"
        case .contentTypeNotSupported: "Content type not supported"
        case .invalidAgentResponse: "The agent's answer is not valid"
        case .extendedCardNotConfigured: "No extended agent card is configured"
        case .extensionSupportRequired: "A required extension was not activated"
        case .versionNotSupported: "This protocol version is not supported"
        case .parse: "Invalid JSON"
        case .invalidRequest: "Invalid request"
        case .methodNotFound: "Method not found"
        case .invalidParams: "Invalid parameters"
        case .internalError: "Internal error"
        case .notAuthorized: "Not authorized"
        case .conflict: "Conflict"
        case .retryLater: "Try again later"
        }
    }

    /// The code that a JSON-RPC number stands for, if it is one of the table's.
    package init?(jsonRPC number: Int) {
        guard let code = Self.allCases.first(where: { $0.jsonRPC == number }) else { return nil }
        self = code
    }

    /// What a gRPC status name alone says, when no reason is given. Statuses that stand for several
    /// errors are read as the most general of them.
    package init?(status: String) {
        switch status {
        case "NOT_FOUND": self = .taskNotFound
        case "FAILED_PRECONDITION": self = .unsupportedOperation
        case "INVALID_ARGUMENT", "OUT_OF_RANGE": self = .invalidParams
        case "UNIMPLEMENTED": self = .methodNotFound
        case "INTERNAL", "UNKNOWN", "DATA_LOSS", "CANCELLED": self = .internalError
        case "PERMISSION_DENIED", "UNAUTHENTICATED": self = .notAuthorized
        case "ABORTED", "ALREADY_EXISTS": self = .conflict
        case "UNAVAILABLE", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED": self = .retryLater
        default: return nil
        }
    }

    /// What an HTTP status alone says, when neither reason nor status name is given.
    package init?(httpStatus: Int64) {
        switch httpStatus {
        case 400, 422: self = .invalidParams
        case 401, 403: self = .notAuthorized
        case 404: self = .taskNotFound
        case 405, 501: self = .unsupportedOperation
        case 409: self = .conflict
        case 415: self = .contentTypeNotSupported
        case 429, 503: self = .retryLater
        case 500...599: self = .internalError
        default: return nil
        }
    }
}
