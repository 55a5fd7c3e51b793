// SPDX-License-Identifier: Apache-2.0
package import A2A
package import JSON

/// The gRPC binding of A2A 1.0 (A2A §10) without a connection: messages to JSON and back, their
/// frames, and the fields in which a call begins and ends.
package enum GRPC {
    /// The media type; what follows a `+` names the encoding, of which protobuf is served.
    package static let mediaType = "application/grpc"

    /// What the paths of calls begin with; the method's name follows.
    package static let pathPrefix = "/lf.a2a.v1.A2AService/"

    /// What a method takes and gives.
    struct Messages {
        let request: ProtobufMessage
        let answer: ProtobufMessage

        init(_ request: ProtobufMessage, _ answer: ProtobufMessage) {
            self.request = request
            self.answer = answer
        }
    }

    /// The messages of each method.
    static func messages(of method: String) -> Messages? {
        switch method {
        case "SendMessage": Messages(.sendMessageRequest, .sendMessageResponse)
        case "SendStreamingMessage": Messages(.sendMessageRequest, .streamResponse)
        case "GetTask": Messages(.getTaskRequest, .task)
        case "ListTasks": Messages(.listTasksRequest, .listTasksResponse)
        case "CancelTask": Messages(.cancelTaskRequest, .task)
        case "SubscribeToTask": Messages(.subscribeToTaskRequest, .streamResponse)
        case "CreateTaskPushNotificationConfig":
            Messages(.taskPushNotificationConfig, .taskPushNotificationConfig)
        case "GetTaskPushNotificationConfig":
            Messages(.getTaskPushNotificationConfigRequest, .taskPushNotificationConfig)
        case "ListTaskPushNotificationConfigs":
            Messages(
                .listTaskPushNotificationConfigsRequest, .listTaskPushNotificationConfigsResponse)
        case "DeleteTaskPushNotificationConfig":
            Messages(.deleteTaskPushNotificationConfigRequest, .empty)
        case "GetExtendedAgentCard": Messages(.getExtendedAgentCardRequest, .agentCard)
        default: nil
        }
    }

    // MARK: The server's side

    /// Reads the message of a request.
    ///
    /// - Returns: The request object of A2A, as ``Operation/init(method:params:)`` takes it.
    /// - Throws: ``A2AError`` `METHOD_NOT_FOUND`, or `INVALID_PARAMS` with place and rule.
    package static func params(
        of method: String, _ message: [UInt8]
    ) throws(A2AError) -> JSONValue {
        guard let type = messages(of: method)?.request else { throw A2AError(.methodNotFound) }
        do {
            return try json(message, type)
        } catch {
            throw .invalid(error.place, "is not valid protobuf: \(error.rule.rawValue)")
        }
    }

    /// Writes the message of an answer, or of one event of a stream.
    ///
    /// - Parameter result: What JSON-RPC has in `result`.
    /// - Throws: ``A2AError`` `INVALID_AGENT_RESPONSE` where the result is not of its type.
    package static func answer(
        to method: String, _ result: [UInt8]
    ) throws(A2AError) -> [UInt8] {
        guard let type = messages(of: method)?.answer else { throw A2AError(.methodNotFound) }
        do {
            let object = try JSONDocument(parsing: result).root
            // What was deleted is answered by null in JSON-RPC and by nothing here.
            return object.isNull ? [] : try ProtobufEncoder.bytes(object, as: type)
        } catch let fault as ProtobufFault {
            throw A2AError(.invalidAgentResponse, "The agent's answer is not A2A: \(fault)")
        } catch {
            throw A2AError(.invalidAgentResponse, "The agent's answer is not JSON")
        }
    }

    // MARK: The client's side

    /// Writes the message of a request.
    ///
    /// - Throws: ``A2AError`` `METHOD_NOT_FOUND`, or `INVALID_PARAMS` with place and rule.
    package static func request(
        of method: String, _ params: JSONValue
    ) throws(A2AError) -> [UInt8] {
        guard let type = messages(of: method)?.request else { throw A2AError(.methodNotFound) }
        do {
            return try ProtobufEncoder.bytes(params, as: type)
        } catch {
            throw .invalid(error.place, "cannot be written in protobuf: \(error.rule.rawValue)")
        }
    }

    /// Reads the message of an answer, or of one event of a stream.
    ///
    /// - Throws: ``A2AError`` `INVALID_AGENT_RESPONSE` with place and rule.
    package static func result(
        of method: String, _ message: [UInt8]
    ) throws(A2AError) -> JSONValue {
        guard let type = messages(of: method)?.answer else { throw A2AError(.methodNotFound) }
        do {
            return try json(message, type)
        } catch {
            throw A2AError(.invalidAgentResponse, "The agent's answer is not valid: \(error)")
        }
    }

    private static func json(
        _ message: [UInt8], _ type: ProtobufMessage
    ) throws(ProtobufFault) -> JSONValue {
        let text = try ProtobufDecoder.json(message[...], as: type)
        do {
            return try JSONDocument(parsing: text).root
        } catch {
            // The text is ours; it can only be over a limit, which the fields were not.
            throw ProtobufFault(place: "", rule: .tooManyFields)
        }
    }
}

extension ProtobufFault: CustomStringConvertible {
    /// `place: rule`, nothing that anybody said.
    package var description: String {
        place.isEmpty ? rule.rawValue : "\(place): \(rule.rawValue)"
    }
}
