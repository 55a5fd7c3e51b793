// SPDX-License-Identifier: Apache-2.0
package import JSON

/// Values of A2A 0.3, as it has them over JSON-RPC, in the form of A2A 1.0 (Spec/divergences.md).
///
/// Every value has a translation; whether it is good is judged by the readers of 1.0, so that one
/// set of rules holds for both. What neither version knows stays as it is.
package enum FromV03 {
    /// What a stream or a sent message is answered with: the one member of `StreamResponse`.
    ///
    /// - Throws: ``A2AError`` `INVALID_AGENT_RESPONSE` for what is none of the four.
    package static func event(_ value: JSONValue) throws(A2AError) -> JSONNode {
        switch try kind(of: value) {
        case .task: ["task": task(value)]
        case .message: ["message": message(value)]
        case .statusUpdate: ["statusUpdate": statusUpdate(value)]
        case .artifactUpdate: ["artifactUpdate": artifactUpdate(value)]
        }
    }

    /// Whether the agent says that its stream ends with this event.
    package static func isFinal(_ value: JSONValue) -> Bool { value["final"]?.bool ?? false }

    /// What an object is: by `kind`, else by the members that only one of the four has.
    private static func kind(of value: JSONValue) throws(A2AError) -> StreamEvent.Kind {
        guard value.kind == .object else {
            throw A2AError(.invalidAgentResponse, "The agent's result must be an object")
        }
        switch value["kind"]?.string {
        case "task": return .task
        case "message": return .message
        case "status-update": return .statusUpdate
        case "artifact-update": return .artifactUpdate
        case .some: throw A2AError(.invalidAgentResponse, "The agent's result is of no known kind")
        case nil: break
        }
        if value.field(.messageID) != nil { return .message }
        if value.field(.artifact) != nil { return .artifactUpdate }
        if value.field(.status) != nil {
            return value.field(.id) != nil ? .task : .statusUpdate
        }
        throw A2AError(.invalidAgentResponse, "The agent's result is of no known kind")
    }

    /// A task with no more than the newest `historyLength` messages of its history: to 0.3 a length
    /// of 0 means all, and some of its agents ignore any, so the wish is granted here.
    package static func task(_ value: JSONValue, historyLength: Int? = nil) -> JSONNode {
        V03Tree.object(value) { name, value in
            switch name {
            case "status": return status(value)
            case "artifacts": return V03Tree.list(value, artifact)
            case "history":
                guard let historyLength, value.kind == .array else {
                    return V03Tree.list(value, message)
                }
                if historyLength == 0 { return nil }
                return .array(value.elements.map { $0 }.suffix(historyLength).map(message))
            default: return value.copied
            }
        }
    }

    static func message(_ value: JSONValue) -> JSONNode {
        V03Tree.object(value) { name, value in
            switch name {
            case "role": role(value)
            case "parts": V03Tree.list(value, part)
            default: value.copied
            }
        }
    }

    private static func role(_ value: JSONValue) -> JSONNode {
        switch value.string {
        case "user": .string(Role.user.rawValue)
        case "agent": .string(Role.agent.rawValue)
        default: .string(Role(value).rawValue)
        }
    }

    private static func statusUpdate(_ value: JSONValue) -> JSONNode {
        V03Tree.object(value) { name, value in
            switch name {
            case "final": nil
            case "status": status(value)
            default: value.copied
            }
        }
    }

    private static func artifactUpdate(_ value: JSONValue) -> JSONNode {
        V03Tree.object(value) { name, value in
            name == "artifact" ? artifact(value) : value.copied
        }
    }

    private static func artifact(_ value: JSONValue) -> JSONNode {
        V03Tree.object(value) { name, value in
            name == "parts" ? V03Tree.list(value, part) : value.copied
        }
    }

    private static func status(_ value: JSONValue) -> JSONNode {
        var node = V03Tree.object(value) { name, value in
            switch name {
            case "state": .string(TaskState(inV03: value).rawValue)
            case "message": message(value)
            case "timestamp": V03Tree.timestamp(value)
            default: value.copied
            }
        }
        if node.members != nil, node["state"] == nil {
            node["state"] = .string(TaskState.unspecified.rawValue)
        }
        return node
    }

    // MARK: Parts

    /// The members of 1.0's part, which an unknown member of 0.3's must not be taken for.
    private static let taken: Set<String> = [
        "kind", "text", "raw", "url", "data", "file", "metadata", "mediaType", "filename",
    ]

    static func part(_ value: JSONValue) -> JSONNode {
        guard value.kind == .object else { return value.copied }
        let metadata = value.field(.metadata)
        let carried = metadata?[V03Tree.carried]
        if carried?["part"]?.bool == true, let whole = value["data"] { return whole.copied }
        var members: [JSONNode.Member] = []
        var isWrapped = false
        if let file = value["file"], file.kind == .object {
            members += content(of: file)
        } else if let text = value.field(.text) {
            members.append(.init("text", text.copied))
        } else if let data = value["data"] {
            isWrapped = metadata?[V03Tree.wrapped]?.bool == true && data["value"] != nil
            members.append(.init("data", (isWrapped ? data["value"] ?? data : data).copied))
        }
        for name in ["mediaType", "filename"] where !members.contains(where: { $0.name == name }) {
            if let value = carried?[name] { members.append(.init(name, value.copied)) }
        }
        for (name, inner) in value.fields where !taken.contains(name) {
            members.append(.init(name, inner.copied))
        }
        if let rest = rest(of: metadata, isWrapped: isWrapped) {
            members.append(.init("metadata", rest))
        }
        return .object(members)
    }

    /// The content of a file part. The names that 0.3 has in its other bindings are read too,
    /// because its prose uses them here.
    private static func content(of file: JSONValue) -> [JSONNode.Member] {
        func first(_ names: String...) -> JSONValue? {
            names.lazy.compactMap { file[$0] }.first { !$0.isNull }
        }
        var members: [JSONNode.Member] = []
        if let bytes = first("bytes", "fileWithBytes") {
            members.append(.init("raw", V03Tree.base64(bytes)))
        } else if let uri = first("uri", "fileWithUri") {
            members.append(.init("url", uri.copied))
        }
        if let type = first("mimeType", "mime_type") {
            members.append(.init("mediaType", type.copied))
        }
        if let name = first("name") { members.append(.init("filename", name.copied)) }
        return members
    }

    /// A part's metadata without what was there for the translation only.
    private static func rest(of metadata: JSONValue?, isWrapped: Bool) -> JSONNode? {
        guard let metadata else { return nil }
        let ours = metadata[V03Tree.carried] != nil
        if !isWrapped, !ours { return metadata.copied }
        let members = metadata.members.filter { name, _ in
            name != V03Tree.carried && !(isWrapped && name == V03Tree.wrapped)
        }
        if members.isEmpty { return nil }
        return .object(members.map { .init($0.name, $0.value.copied) })
    }
}

extension TaskState {
    /// The state that a 0.3 peer names. Its other bindings' names, one of them spelled otherwise,
    /// are read too.
    package init(inV03 value: JSONValue) {
        switch value.string {
        case let name?:
            self =
                Self.allCases.first { $0.nameInV03 == name || $0.rawValue == name }
                ?? (name == "cancelled" || name == "TASK_STATE_CANCELLED"
                    ? .canceled : .unspecified)
        case nil: self = .unspecified
        }
    }
}
