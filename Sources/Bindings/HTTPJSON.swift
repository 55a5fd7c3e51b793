// SPDX-License-Identifier: Apache-2.0
package import A2A
package import JSON

/// The HTTP+JSON binding of A2A 1.0 (A2A §11): paths, queries and bodies to operations and back.
///
/// Results and events are the bare objects that JSON-RPC puts into `result`, so nothing is written
/// for them here. The gateways' own HTTP resources use its form of errors too.
package enum HTTPJSON {
    /// The media type that is written. `application/json` is read as well, which A2A 1.0.0 asked
    /// for (A2A §11.1).
    package static let mediaType = "application/a2a+json"

    /// `{"error": {code, status, message, details}}` (A2A §11.6).
    package static func body(of error: A2AError) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.name("error")
        writer.beginObject()
        writer.member("code", Int64(error.code.httpStatus))
        writer.member("status", error.code.status)
        writer.member("message", error.message)
        writer.name("details")
        ErrorDetails.write(error, to: &writer)
        writer.endObject()
        writer.endObject()
        return writer.bytes
    }

    /// Reads such a body; `nil` when it is not one.
    ///
    /// Which error it is, `ErrorInfo.reason` says; without it, the name of the status, and where
    /// that is missing too, the number.
    package static func error(_ body: JSONValue) -> A2AError? {
        guard let error = body["error"], error.kind == .object else { return nil }
        let code =
            error["status"]?.string.flatMap { A2AError.Code(status: $0) }
            ?? error["code"]?.int.flatMap { A2AError.Code(httpStatus: $0) }
        return ErrorDetails.read(
            details: error["details"], number: code.map { Int64($0.jsonRPC) },
            message: error["message"]?.string)
    }

    /// Reads the body of an answer that says that the call succeeded, or the data of an event.
    /// An empty one, as of a deletion, is an empty object.
    ///
    /// - Throws: The agent's own error, which some agents send as an event of any name;
    ///   `INVALID_AGENT_RESPONSE` where the text is not a JSON object.
    package static func result(
        _ body: [UInt8], limits: JSONLimits = .standard
    ) throws(A2AError) -> JSONValue {
        let document: JSONDocument
        do {
            document = try JSONDocument(
                parsing: body.isEmpty ? Array("{}".utf8) : body, limits: limits)
        } catch {
            throw A2AError(
                .invalidAgentResponse, "The agent's answer is not JSON: \(error.description)")
        }
        guard document.root.kind == .object else {
            throw A2AError(.invalidAgentResponse, "The agent's answer is not an object")
        }
        if let error = error(document.root) { throw error }
        return document.root
    }
}
