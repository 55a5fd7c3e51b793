// SPDX-License-Identifier: Apache-2.0
package import A2A
package import JSON

/// The JSON-RPC binding of A2A 0.3 (A2A 0.3.0 §3.2.1), both sides. Everything is translated at the
/// edge: whoever uses this sees values of 1.0 only (Spec/divergences.md).
package enum JSONRPCV03 {
    /// A request as it was understood.
    package struct Call: Sendable {
        /// The caller's `id`, as it was written.
        package let id: [UInt8]
        package let method: V03Method
        package let operation: Operation
    }

    /// A request that could not be understood: what to answer, under which id. Whoever named a
    /// method with a stream expects the answer as an event of one.
    package struct Failure: Error, Sendable {
        package let id: [UInt8]
        package let method: String?
        package let error: A2AError
    }

    /// Reads a request body.
    ///
    /// - Throws: ``Failure`` with what could be read of it.
    package static func decode(
        _ body: [UInt8], limits: JSONLimits = .standard
    ) throws(Failure) -> Call {
        let request: JSONRPC.Request
        do {
            request = try JSONRPC.Request(body, limits: limits)
        } catch {
            throw Failure(id: error.id, method: nil, error: error.error)
        }
        do throws(A2AError) {
            guard let method = V03Method(rawValue: request.method) else {
                throw A2AError(.methodNotFound)
            }
            if let params = request.params, params.kind != .object {
                throw A2AError.invalid("params", "must be an object")
            }
            var params: JSONValue?
            if let given = request.params {
                params = try value(FromV03.params(given, of: method))
            }
            let operation = try Operation(method: method.current, params: params)
            return Call(id: request.id, method: method, operation: operation)
        } catch {
            throw Failure(id: request.id, method: request.method, error: error)
        }
    }

    /// An answer with the result of `method`, given as 1.0 has it.
    ///
    /// - Throws: ``A2AError`` `INVALID_AGENT_RESPONSE` for what cannot be the method's result.
    package static func response(
        id: [UInt8], result: [UInt8], of method: V03Method
    ) throws(A2AError) -> [UInt8] {
        let node = try ToV03.result(try document(result), of: method)
        return JSONRPC.response(id: id, result: node.bytes)
    }

    /// An answer with an error.
    ///
    /// `data` is free in 0.3. It is the error's metadata where the number says the rest, else the
    /// typed details that 1.0 has.
    package static func response(id: [UInt8], error: A2AError) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("jsonrpc", "2.0")
        writer.name("id")
        writer.raw(id)
        writer.name("error")
        writer.beginObject()
        writer.member("code", Int64(error.code.jsonRPCInV03))
        writer.member("message", error.message)
        if !error.isSaidByNumberInV03 {
            writer.name("data")
            ErrorDetails.write(error, to: &writer)
        } else if !error.metadata.isEmpty {
            let members = error.metadata.sorted { $0.key < $1.key }
            writer.member("data", .object(members.map { .init($0.key, .string($0.value)) }))
        }
        writer.endObject()
        writer.endObject()
        return writer.bytes
    }

    /// A request for `method` with the parameters that 1.0's method has.
    ///
    /// - Throws: ``A2AError`` when `params` is not JSON.
    package static func request(
        id: Int64, method: V03Method, params: [UInt8]
    ) throws(A2AError) -> [UInt8] {
        let node = ToV03.params(try document(params), of: method)
        return JSONRPC.request(id: id, method: method.rawValue, params: node.bytes)
    }

    /// What an agent of 0.3 answered, as 1.0 has it.
    package struct Answer: Sendable {
        /// The value of `result`.
        package let value: JSONValue
        /// Whether the agent says that its stream ends with this.
        package let isFinal: Bool
    }

    /// Reads the answer to a request for `method`, or one event of its stream.
    ///
    /// - Parameter historyLength: How much of a task's history was asked for.
    /// - Throws: The agent's own error where it gave one; `INVALID_AGENT_RESPONSE` where the answer
    ///   is not the method's.
    package static func result(
        _ body: [UInt8], of method: V03Method, historyLength: Int? = nil,
        limits: JSONLimits = .standard
    ) throws(A2AError) -> Answer {
        let root: JSONValue
        do {
            root = try JSONDocument(parsing: body, limits: limits).root
        } catch {
            throw A2AError(
                .invalidAgentResponse, "The agent's answer is not JSON: \(error.description)")
        }
        if let error = root["error"], error.kind == .object { throw read(error) }
        if let result = root["result"] {
            let node = try FromV03.result(result, of: method, historyLength: historyLength)
            return Answer(value: try value(node), isFinal: FromV03.isFinal(result))
        }
        // The A2A SDK leaves an empty result out.
        if method == .deletePushConfig, root["jsonrpc"] != nil {
            return Answer(value: try value(.null), isFinal: false)
        }
        throw A2AError(.invalidAgentResponse, "The agent's answer has neither result nor error")
    }

    /// An error of 0.3: by `reason` where its data is typed, else by number, with the data as text.
    static func read(_ error: JSONValue) -> A2AError {
        let data = error["data"].flatMap { $0.isNull ? nil : $0 }
        let details = data.flatMap { ErrorDetails.areDetails($0) ? $0 : nil }
        var read = ErrorDetails.read(
            details: details, number: error["code"]?.int,
            message: error["message"]?.string)
        guard let data, details == nil else { return read }
        if data.kind == .object {
            for member in data.members {
                read.metadata[member.name] = member.value.string ?? member.value.detached().text
            }
        } else {
            read.metadata["data"] = data.string ?? data.detached().text
        }
        return read
    }

    private static func value(_ node: JSONNode) throws(A2AError) -> JSONValue {
        try document(node.bytes)
    }

    private static func document(_ bytes: [UInt8]) throws(A2AError) -> JSONValue {
        do {
            return try JSONDocument(parsing: bytes).root
        } catch {
            throw A2AError(.internalError, "Invalid JSON: \(error.description)")
        }
    }
}

extension A2AError.Code {
    /// The JSON-RPC code towards 0.3, which knows neither -32008 nor -32009.
    package var jsonRPCInV03: Int {
        switch self {
        case .extensionSupportRequired, .versionNotSupported: A2AError.Code.invalidRequest.jsonRPC
        default: jsonRPC
        }
    }
}

extension A2AError {
    /// Whether a 0.3 client learns from the number and the metadata all that there is to say.
    fileprivate var isSaidByNumberInV03: Bool {
        code.jsonRPCInV03 == code.jsonRPC && reason == code.rawValue
            && domain == Self.protocolDomain && violations.isEmpty && retryAfter == nil
    }
}
