// SPDX-License-Identifier: Apache-2.0
package import A2A
package import HTTP
package import JSON

extension HTTPJSON {
    /// What a path below an interface's address names (A2A §11.3), with the tenant taken off.
    ///
    /// The literal first segments win over a tenant of the same name, and a verb is what follows
    /// the last colon, because ids are opaque and may have colons of their own.
    package struct Route: Equatable, Sendable {
        /// The tenant that the path begins with.
        package let tenant: String?
        package let resource: Resource

        /// The things that A2A §11.3 has paths for.
        package enum Resource: Equatable, Sendable {
            case send
            case stream
            case tasks
            case task(String)
            case cancel(String)
            case subscribe(String)
            case configurations(task: String)
            case configuration(task: String, id: String)
            case extendedCard
        }

        /// Reads the decoded segments below the interface's address; a slash at the end is
        /// ignored. `nil` when they name nothing.
        package init?(_ segments: some Collection<String>) {
            var rest = Array(segments)
            if rest.count > 1, rest.last == "" { rest.removeLast() }
            if let resource = Self.resource(rest) {
                tenant = nil
                self.resource = resource
            } else {
                guard let first = rest.first, !first.isEmpty,
                    let resource = Self.resource(Array(rest.dropFirst()))
                else { return nil }
                tenant = first
                self.resource = resource
            }
        }

        private static func resource(_ segments: [String]) -> Resource? {
            switch (segments.first, segments.count) {
            case ("message:send", 1): return .send
            case ("message:stream", 1): return .stream
            case ("extendedAgentCard", 1): return .extendedCard
            case ("tasks", 1): return .tasks
            case ("tasks", 2): return task(segments[1])
            case ("tasks", 3) where segments[2] == configurations && !segments[1].isEmpty:
                return .configurations(task: segments[1])
            case ("tasks", 4)
            where segments[2] == configurations && !segments[1].isEmpty && !segments[3].isEmpty:
                return .configuration(task: segments[1], id: segments[3])
            default: return nil
            }
        }

        private static func task(_ segment: String) -> Resource? {
            if let colon = segment.lastIndex(of: ":") {
                let id = String(segment[..<colon])
                switch segment[segment.index(after: colon)...] {
                case "cancel": return id.isEmpty ? nil : .cancel(id)
                case "subscribe": return id.isEmpty ? nil : .subscribe(id)
                default: break
                }
            }
            return segment.isEmpty ? nil : .task(segment)
        }

        static let configurations = "pushNotificationConfigs"
    }
}

extension HTTPJSON.Route {
    /// The HTTP methods that the resource answers to. Subscribing is POST in the text of A2A and
    /// GET in its protobuf annotations; both are served.
    package var methods: [HTTPMethod] {
        switch resource {
        case .send, .stream, .cancel: [.post]
        case .subscribe: [.post, .get]
        case .tasks, .task, .extendedCard: [.get]
        case .configurations: [.get, .post]
        case .configuration: [.get, .delete]
        }
    }

    /// Whether a request with `method` says what it wants in its body. Where it may also be
    /// empty, the path says all.
    package func takesBody(_ method: HTTPMethod) -> Bool {
        switch resource {
        case .send, .stream: true
        case .configurations: method == .post
        case .cancel, .subscribe, .tasks, .task, .configuration, .extendedCard: false
        }
    }

    /// Which operation `method` on the resource is; `nil` where it is none.
    package func operationName(_ method: HTTPMethod) -> String? {
        guard methods.contains(method) else { return nil }
        switch resource {
        case .send: return "SendMessage"
        case .stream: return "SendStreamingMessage"
        case .tasks: return "ListTasks"
        case .task: return "GetTask"
        case .cancel: return "CancelTask"
        case .subscribe: return "SubscribeToTask"
        case .configurations:
            let push = Operation.PushNotificationConfigMethod.self
            return method == .post ? push.create.rawValue : push.list.rawValue
        case .configuration:
            let push = Operation.PushNotificationConfigMethod.self
            return method == .delete ? push.delete.rawValue : push.get.rawValue
        case .extendedCard: return "GetExtendedAgentCard"
        }
    }

    /// The members of the request object that stand in the path.
    private var bound: [(ProtoField, String)] {
        var bound: [(ProtoField, String)] = tenant.map { [(HTTPJSON.tenant, $0)] } ?? []
        switch resource {
        case .send, .stream, .tasks, .extendedCard: break
        case .task(let id), .cancel(let id), .subscribe(let id): bound.append((HTTPJSON.id, id))
        case .configurations(let task): bound.append((HTTPJSON.taskID, task))
        case .configuration(let task, let id):
            bound += [(HTTPJSON.taskID, task), (HTTPJSON.id, id)]
        }
        return bound
    }

    /// Reads a request to this resource.
    ///
    /// - Parameters:
    ///   - method: The HTTP method.
    ///   - parameters: The decoded query; `nil` where it could not be decoded.
    ///   - body: The whole body.
    /// - Throws: ``A2AError`` `METHOD_NOT_FOUND` for a method that is not among ``methods``,
    ///   `PARSE_ERROR`, `INVALID_REQUEST`, or `INVALID_PARAMS` with place and rule.
    package func operation(
        _ method: HTTPMethod, parameters: [(name: String, value: String)]?, body: [UInt8],
        limits: JSONLimits = .standard
    ) throws(A2AError) -> Operation {
        guard let name = operationName(method) else { throw A2AError(.methodNotFound) }
        let params = try params(name, method, parameters, body, limits)
        return try Operation(method: name, params: params)
    }

    /// The request object of A2A that path, query and body say together.
    package func params(
        _ name: String, _ method: HTTPMethod, _ parameters: [(name: String, value: String)]?,
        _ body: [UInt8], _ limits: JSONLimits = .standard
    ) throws(A2AError) -> JSONValue {
        if method == .post {
            let saysNothing = body.isEmpty && !takesBody(method)
            return try bind(
                HTTPJSON.document(saysNothing ? Array("{}".utf8) : body, limits).root)
        }
        guard let parameters else {
            throw A2AError(.invalidRequest, "Invalid request: the query cannot be decoded")
        }
        return try bind(HTTPJSON.object(of: name, parameters))
    }

    /// Adds what stands in the path. A member that says something else than the path is refused:
    /// whoever reads only one of the two would take the request for another.
    private func bind(_ object: JSONValue) throws(A2AError) -> JSONValue {
        guard object.kind == .object else {
            throw A2AError(.invalidRequest, "Invalid request: the body must be an object")
        }
        var splice = JSONSplice(within: object)
        for (field, text) in bound {
            try object.checkSpelling(of: field, field.name)
            if let given = object.field(field), given.string != "" {
                guard given.string == text else {
                    throw .invalid(field.name, "differs from the path")
                }
            } else {
                splice.set(field, text, in: object)
            }
        }
        if splice.isEmpty { return object }
        return try HTTPJSON.document(splice.applied(), .standard).root
    }
}

extension HTTPJSON {
    static let tenant = ProtoField("tenant")
    static let id = ProtoField("id")
    static let taskID = ProtoField("taskId")

    static func document(
        _ bytes: [UInt8], _ limits: JSONLimits
    ) throws(A2AError) -> JSONDocument {
        do {
            return try JSONDocument(parsing: bytes, limits: limits)
        } catch {
            throw A2AError(.parse, "Invalid JSON: \(error.description)")
        }
    }
}
