// SPDX-License-Identifier: Apache-2.0
import A2A
import JSON

/// The typed details of an error: `google.rpc.ErrorInfo`, `google.rpc.BadRequest` and
/// `google.rpc.RetryInfo` in their JSON forms, which JSON-RPC and HTTP+JSON share (A2A §9.5).
enum ErrorDetails {
    /// Whether a value is such details and not some other data.
    static func areDetails(_ value: JSONValue) -> Bool {
        value.kind == .array && value[0]?["@type"] != nil
    }

    static func write(_ error: A2AError, to writer: inout JSONWriter) {
        writer.beginArray()
        writer.beginObject()
        writer.member("@type", "type.googleapis.com/google.rpc.ErrorInfo")
        writer.member("reason", error.reason)
        writer.member("domain", error.domain)
        if !error.metadata.isEmpty {
            writer.name("metadata")
            writer.beginObject()
            // Sorted, because the order of a dictionary must never reach the wire.
            for (name, value) in error.metadata.sorted(by: { $0.key < $1.key }) {
                writer.member(name, value)
            }
            writer.endObject()
        }
        writer.endObject()
        if !error.violations.isEmpty {
            writer.beginObject()
            writer.member("@type", "type.googleapis.com/google.rpc.BadRequest")
            writer.name("fieldViolations")
            writer.beginArray()
            for violation in error.violations {
                writer.beginObject()
                writer.member("field", violation.field)
                writer.member("description", violation.description)
                writer.endObject()
            }
            writer.endArray()
            writer.endObject()
        }
        if let seconds = error.retryAfter {
            writer.beginObject()
            writer.member("@type", "type.googleapis.com/google.rpc.RetryInfo")
            writer.member("retryDelay", "\(seconds)s")
            writer.endObject()
        }
        writer.endArray()
    }

    /// Reads an error object: by `reason` where the domain is the protocol's or ours, then by
    /// number.
    static func read(
        details: JSONValue?, number: Int64?, message: String?
    ) -> A2AError {
        var read = A2AError(
            number.flatMap { Int(exactly: $0) }.flatMap { A2AError.Code(jsonRPC: $0) }
                ?? .internalError)
        if let message { read.message = String(message.prefix(messageCharactersMax)) }
        for detail in details?.elements.map({ $0 }) ?? [] {
            let type = detail["@type"]?.string ?? ""
            if type.hasSuffix("google.rpc.ErrorInfo") {
                let domain = detail["domain"]?.string ?? ""
                let reason = detail["reason"]?.string ?? ""
                if domain == A2AError.protocolDomain, let code = A2AError.Code(rawValue: reason) {
                    let message = read.message
                    read = A2AError(code)
                    read.message = message
                } else if !reason.isEmpty {
                    read.reason = reason
                    read.domain = domain
                }
                for member in detail["metadata"]?.members.map({ $0 }) ?? [] {
                    // The Python SDK puts arrays where strings belong; their text is kept.
                    read.metadata[member.name] = member.value.string ?? member.value.rawText
                }
            } else if type.hasSuffix("google.rpc.BadRequest") {
                for item in detail["fieldViolations"]?.elements.map({ $0 }) ?? [] {
                    read.violations.append(
                        .init(
                            field: item["field"]?.string ?? "",
                            description: item["description"]?.string ?? ""))
                }
            } else if type.hasSuffix("google.rpc.RetryInfo"),
                let delay = detail["retryDelay"]?.string, delay.hasSuffix("s")
            {
                read.retryAfter = Int(delay.dropLast())
            }
        }
        return read
    }

    /// Longest error message taken from an agent.
    static let messageCharactersMax = 1000
}
