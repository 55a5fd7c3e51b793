// SPDX-License-Identifier: Apache-2.0
package import A2A
package import HTTP
package import JSON

extension HTTPJSON {
    /// A request as a client sends it.
    package struct Call: Equatable, Sendable {
        package let method: HTTPMethod
        /// What stands behind the interface's address: path and query.
        package let path: String
        package let body: [UInt8]

        package init(method: HTTPMethod, path: String, body: [UInt8]) {
            self.method = method
            self.path = path
            self.body = body
        }
    }

    /// Puts the method called `name` with the request object `params` into the form of
    /// HTTP+JSON (A2A §11.3, §11.5). A tenant in `params` becomes the first segment, and stays in
    /// the body where there is one.
    ///
    /// Subscribing is a POST, as the text of A2A has it; see ``retried(_:_:_:)``.
    ///
    /// - Throws: ``A2AError`` `METHOD_NOT_FOUND`, or `INVALID_PARAMS` for an id that no path can
    ///   hold.
    package static func call(
        _ name: String, params: JSONValue
    ) throws(A2AError) -> Call {
        let tenant = try segment(of: tenant, in: params)
        let base = tenant.map { "/" + $0 } ?? ""
        func posted(_ path: String) -> Call {
            Call(method: .post, path: base + path, body: Array(params.raw))
        }
        func asked(_ method: HTTPMethod, _ path: String) -> Call {
            Call(method: method, path: base + path + queryText(of: name, params), body: [])
        }
        func task(_ field: ProtoField) throws(A2AError) -> String {
            "/tasks/" + (try required(field, in: params))
        }
        func configurations() throws(A2AError) -> String {
            try task(taskID) + "/" + Route.configurations
        }
        switch name {
        case "SendMessage": return posted("/message:send")
        case "SendStreamingMessage": return posted("/message:stream")
        case "GetTask": return asked(.get, try task(id))
        case "ListTasks": return asked(.get, "/tasks")
        case "CancelTask": return posted(try task(id) + ":cancel")
        case "SubscribeToTask": return posted(try task(id) + ":subscribe")
        case "GetExtendedAgentCard": return asked(.get, "/extendedAgentCard")
        default: break
        }
        switch Operation.PushNotificationConfigMethod(rawValue: name) {
        case .create: return posted(try configurations())
        case .list: return asked(.get, try configurations())
        case .get: return asked(.get, try configurations() + "/" + required(id, in: params))
        case .delete: return asked(.delete, try configurations() + "/" + required(id, in: params))
        case nil: throw A2AError(.methodNotFound)
        }
    }

    /// What to send when an agent does not know a call by the method that A2A's text has for it:
    /// its protobuf annotations have GET for subscribing (A2A §11.3.2), and some servers only that.
    ///
    /// - Returns: The other form; `nil` where there is none or the agent's answer was about the
    ///   call itself.
    package static func retried(_ call: Call, status: Int, _ body: [UInt8]) -> Call? {
        guard call.method == .post, call.path.hasSuffix(":subscribe") else { return nil }
        let isUnknown: Bool
        switch status {
        case 405: isUnknown = true
        case 404: isUnknown = (try? JSONDocument(parsing: body)).flatMap { error($0.root) } == nil
        default: isUnknown = false
        }
        return isUnknown ? Call(method: .get, path: call.path, body: []) : nil
    }

    /// `?name=value&…` of what is set in `params` and belongs into the query; empty for nothing.
    private static func queryText(of name: String, _ params: JSONValue) -> String {
        var text = ""
        for (field, kind) in query(of: name) where field.name != tenant.name {
            guard let value = params.field(field) else { continue }
            let plain = kind == .string ? value.string ?? value.rawText : value.rawText
            text += text.isEmpty ? "?" : "&"
            text += "\(field.name)=\(HTTPPath.encode(plain))"
        }
        return text
    }

    private static func required(
        _ field: ProtoField, in params: JSONValue
    ) throws(A2AError) -> String {
        guard let text = try segment(of: field, in: params) else {
            throw .invalid(field.name, "is required")
        }
        return text
    }

    /// A member as one escaped segment. Dots alone would climb the path, however they are escaped.
    private static func segment(
        of field: ProtoField, in params: JSONValue
    ) throws(A2AError) -> String? {
        guard let text = try Message.identifier(params.field(field), field.name) else {
            return nil
        }
        guard text != ".", text != ".." else { throw .invalid(field.name, "cannot be in a path") }
        return HTTPPath.encode(text)
    }
}
