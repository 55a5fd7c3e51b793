// SPDX-License-Identifier: Apache-2.0
package import A2A
package import JSON

/// The JSON-RPC binding of A2A 1.0 (A2A §9): bodies to operations and back, both sides.
package enum JSONRPC {
    /// The media type of requests and of answers that are not streams.
    package static let mediaType = "application/json"

    /// A request as it was understood.
    package struct Call: Sendable {
        /// The caller's `id`, as it was written; it is repeated in every answer.
        package let id: [UInt8]
        package let operation: Operation
    }

    /// A request that could not be understood: what to answer, under which id.
    package struct Failure: Error, Sendable {
        package let id: [UInt8]
        package let error: A2AError
    }

    private static let null = Array("null".utf8)

    /// Reads a request body.
    ///
    /// - Throws: ``Failure`` with the id where it could be read, else `null`.
    package static func decode(
        _ body: [UInt8], limits: JSONLimits = .standard
    ) throws(Failure) -> Call {
        let request = try Request(body, limits: limits)
        do {
            return Call(
                id: request.id,
                operation: try Operation(method: request.method, params: request.params))
        } catch {
            throw Failure(id: request.id, error: error)
        }
    }

    /// A request object (JSON-RPC 2.0 §4), whichever version of A2A its method is of.
    struct Request {
        let id: [UInt8]
        let method: String
        let params: JSONValue?

        init(_ body: [UInt8], limits: JSONLimits) throws(Failure) {
            let document: JSONDocument
            do {
                document = try JSONDocument(parsing: body, limits: limits)
            } catch {
                throw Failure(
                    id: null, error: A2AError(.parse, "Invalid JSON: \(error.description)"))
            }
            let root = document.root
            guard root.kind == .object else {
                let rule =
                    root.kind == .array ? "batches are not served" : "it must be an object"
                throw Failure(
                    id: null, error: A2AError(.invalidRequest, "Invalid request: \(rule)"))
            }
            switch root["id"] {
            case .none: id = null
            case .some(let value) where value.kind == .string || value.isNull || value.int != nil:
                id = Array(value.raw)
            case .some:
                throw Failure(
                    id: null,
                    error: A2AError(
                        .invalidRequest, "Invalid request: id must be a string or an integer"))
            }
            guard root["jsonrpc"]?.string(equals: "2.0") ?? false else {
                throw Failure(
                    id: id,
                    error: A2AError(.invalidRequest, "Invalid request: jsonrpc must be 2.0"))
            }
            guard let method = root["method"]?.string else {
                throw Failure(
                    id: id,
                    error: A2AError(.invalidRequest, "Invalid request: method is missing"))
            }
            self.method = method
            params = root["params"].flatMap { $0.isNull ? nil : $0 }
        }
    }

    /// An answer with `result`, one JSON value.
    package static func response(id: [UInt8], result: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(result.count + id.count + 40)
        out.append(contentsOf: "{\"jsonrpc\":\"2.0\",\"id\":".utf8)
        out += id
        out.append(contentsOf: ",\"result\":".utf8)
        out += result
        out.append(UInt8(ascii: "}"))
        return out
    }

    /// An answer with an error; `data` is the array of typed details.
    package static func response(id: [UInt8], error: A2AError) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("jsonrpc", "2.0")
        writer.name("id")
        writer.raw(id)
        writer.name("error")
        writer.beginObject()
        writer.member("code", Int64(error.code.jsonRPC))
        writer.member("message", error.message)
        writer.name("data")
        ErrorDetails.write(error, to: &writer)
        writer.endObject()
        writer.endObject()
        return writer.bytes
    }

    /// A request for the method `method` with `params`, one JSON object.
    package static func request(id: Int64, method: String, params: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(params.count + 80)
        out.append(contentsOf: "{\"jsonrpc\":\"2.0\",\"id\":".utf8)
        out.append(contentsOf: String(id).utf8)
        out.append(contentsOf: ",\"method\":\"".utf8)
        out.append(contentsOf: method.utf8)
        out.append(contentsOf: "\",\"params\":".utf8)
        out += params
        out.append(UInt8(ascii: "}"))
        return out
    }

    /// Reads the answer to a request, or one event of a stream.
    ///
    /// - Returns: The value of `result`.
    /// - Throws: The agent's own error where it gave one, mapped by reason first, then by code;
    ///   `INVALID_AGENT_RESPONSE` where the answer is not JSON-RPC.
    package static func result(
        _ body: [UInt8], limits: JSONLimits = .standard
    ) throws(A2AError) -> JSONValue {
        let document: JSONDocument
        do {
            document = try JSONDocument(parsing: body, limits: limits)
        } catch {
            throw A2AError(
                .invalidAgentResponse, "The agent's answer is not JSON: \(error.description)")
        }
        let root = document.root
        if let error = root["error"], error.kind == .object {
            throw ErrorDetails.read(
                details: error["data"], number: error["code"]?.int,
                message: error["message"]?.string)
        }
        guard let result = root["result"] else {
            throw A2AError(
                .invalidAgentResponse, "The agent's answer has neither result nor error")
        }
        return result
    }
}
