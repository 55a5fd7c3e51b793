// SPDX-License-Identifier: Apache-2.0
package import A2A
package import JSON

/// The HTTP+JSON form of errors (A2A §11.6), which the gateways' own HTTP resources use too.
package enum HTTPJSON {
    /// `{"error": {code, status, message, details}}`.
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
    package static func error(_ body: JSONValue) -> A2AError? {
        guard let error = body["error"], error.kind == .object else { return nil }
        let code = error["code"]?.int.flatMap { status in
            A2AError.Code.allCases.first { $0.httpStatus == Int(status) }
        }
        return ErrorDetails.read(
            error, details: error["details"], number: code.map { Int64($0.jsonRPC) },
            message: error["message"]?.string)
    }
}
