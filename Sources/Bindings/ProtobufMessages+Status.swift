// SPDX-License-Identifier: Apache-2.0

// The messages of `google.rpc` in which errors travel (google/rpc/status.proto and
// error_details.proto).

extension ProtobufMessage {
    static let status = ProtobufMessage(
        .init(1, "code", .int32),
        .init(2, "message", .string),
        .init(3, "details", .any, .repeated))
    static let errorInfo = ProtobufMessage(
        .init(1, "reason", .string),
        .init(2, "domain", .string),
        .init(3, "metadata", .string, .map))
    static let badRequest = ProtobufMessage(
        .init(1, "fieldViolations", .message(.fieldViolation), .repeated))
    static let fieldViolation = ProtobufMessage(
        .init(1, "field", .string),
        .init(2, "description", .string))
    static let retryInfo = ProtobufMessage(
        .init(1, "retryDelay", .duration))

    /// The message of an `Any`, by what its URL ends with.
    static func detail(_ url: String) -> ProtobufMessage? {
        guard let slash = url.lastIndex(of: "/") else { return nil }
        switch url[url.index(after: slash)...] {
        case "google.rpc.ErrorInfo": return errorInfo
        case "google.rpc.BadRequest": return badRequest
        case "google.rpc.RetryInfo": return retryInfo
        default: return nil
        }
    }
}
