// SPDX-License-Identifier: Apache-2.0
package import JSON

/// Values of A2A 1.0 in the form that A2A 0.3 gives them over JSON-RPC (Spec/divergences.md).
///
/// Every value has a translation. What 0.3 has no place for is carried in metadata where that is
/// possible, and left out where it is not. What neither version knows stays as it is.
package enum ToV03 {
    /// What a stream or a sent message is answered with: the object itself, told apart by `kind`.
    ///
    /// - Parameter isFinal: For a status update, whether the stream ends with it.
    package static func event(_ event: StreamEvent, isFinal: Bool = false) -> JSONNode {
        switch event.kind {
        case .task: task(event.value)
        case .message: message(event.value)
        case .statusUpdate: statusUpdate(event.value, isFinal: isFinal)
        case .artifactUpdate: artifactUpdate(event.value)
        }
    }

    static func task(_ value: JSONValue) -> JSONNode {
        V03Tree.object(value, kind: "task") { name, value in
            switch name {
            case "status": status(value)
            case "artifacts": V03Tree.list(value, artifact)
            case "history": V03Tree.list(value, message)
            default: value.copied
            }
        }
    }

    static func message(_ value: JSONValue) -> JSONNode {
        var node = V03Tree.object(value, kind: "message") { name, value in
            switch name {
            case "role": Role(value) == .user ? "user" : "agent"
            case "parts": V03Tree.list(value, part)
            default: value.copied
            }
        }
        // 0.3 requires it; protobuf JSON leaves the default value out.
        if node.members != nil, node["role"] == nil { node["role"] = "agent" }
        return node
    }

    private static func statusUpdate(_ value: JSONValue, isFinal: Bool) -> JSONNode {
        var node = V03Tree.object(value, kind: "status-update") { name, value in
            name == "status" ? status(value) : value.copied
        }
        node["final"] = .bool(isFinal)
        return node
    }

    private static func artifactUpdate(_ value: JSONValue) -> JSONNode {
        V03Tree.object(value, kind: "artifact-update") { name, value in
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
            case "state": .string(TaskState(value).nameInV03)
            case "message": message(value)
            case "timestamp": V03Tree.timestamp(value)
            default: value.copied
            }
        }
        if node.members != nil, node["state"] == nil {
            node["state"] = .string(TaskState.unspecified.nameInV03)
        }
        return node
    }

    // MARK: Parts

    /// The members that hold a part's content, of which a part has one.
    private static let contents = ["text", "raw", "url", "data"]

    static func part(_ value: JSONValue) -> JSONNode {
        guard value.kind == .object else { return value.copied }
        var fields = value.fields
        // The one member whose null is a value.
        if let data = value["data"], data.isNull { fields.append(("data", data)) }
        let held = fields.filter { contents.contains($0.name) }
        guard held.count == 1, let content = held.first else { return whole(value) }
        var members: [JSONNode.Member] = []
        var metadata = Metadata(value.field(.metadata))
        switch content.name {
        case "text":
            members.append(.init("kind", "text"))
            members.append(.init("text", content.value.copied))
            metadata.carry(value, ["mediaType", "filename"])
        case "data":
            members.append(.init("kind", "data"))
            if content.value.kind == .object {
                members.append(.init("data", content.value.copied))
            } else {
                members.append(.init("data", ["value": content.value.copied]))
                metadata.isWrapped = true
            }
            metadata.carry(value, ["mediaType", "filename"])
        default:
            members.append(.init("kind", "file"))
            members.append(.init("file", file(content.name, content.value, value)))
        }
        let taken = contents + ["kind", "file", "metadata", "mediaType", "filename"]
        for (name, inner) in fields where !taken.contains(name) {
            members.append(.init(name, inner.copied))
        }
        if let metadata = metadata.node { members.append(.init("metadata", metadata)) }
        return .object(members)
    }

    private static func file(
        _ name: String, _ content: JSONValue, _ part: JSONValue
    ) -> JSONNode {
        var file: [JSONNode.Member] = []
        if name == "raw" {
            file.append(.init("bytes", V03Tree.base64(content)))
        } else {
            file.append(.init("uri", content.copied))
        }
        for (from, to) in [("mediaType", "mimeType"), ("filename", "name")] {
            if let value = part.field(ProtoField(from)), value.string != "" {
                file.append(.init(to, value.copied))
            }
        }
        return .object(file)
    }

    /// A part with a content of a kind that 0.3 does not know, or with none: as data, so that it
    /// can be had back.
    private static func whole(_ part: JSONValue) -> JSONNode {
        [
            "kind": "data", "data": part.copied,
            "metadata": .object([.init(V03Tree.carried, ["part": true])]),
        ]
    }

    /// A part's metadata, and what is added to it.
    private struct Metadata {
        let given: JSONValue?
        var isWrapped = false
        private var carried: [JSONNode.Member] = []

        init(_ given: JSONValue?) { self.given = given }

        mutating func carry(_ part: JSONValue, _ names: [String]) {
            for name in names {
                if let value = part.field(ProtoField(name)), value.string != "" {
                    carried.append(.init(name, value.copied))
                }
            }
        }

        var node: JSONNode? {
            // What a stranger put where only the translation writes would be read as another part.
            let isForeign = given?[V03Tree.carried] != nil
            if !isWrapped, carried.isEmpty, !isForeign { return given?.copied }
            var members: [JSONNode.Member] = []
            for (name, value) in given?.members.map({ $0 }) ?? []
            where name != V03Tree.carried && !(isWrapped && name == V03Tree.wrapped) {
                members.append(.init(name, value.copied))
            }
            if isWrapped { members.append(.init(V03Tree.wrapped, true)) }
            if !carried.isEmpty { members.append(.init(V03Tree.carried, .object(carried))) }
            return members.isEmpty ? nil : .object(members)
        }
    }
}

extension TaskState {
    /// The state's name in A2A 0.3.
    package var nameInV03: String {
        switch self {
        case .unspecified: "unknown"
        case .submitted: "submitted"
        case .working: "working"
        case .completed: "completed"
        case .failed: "failed"
        case .canceled: "canceled"
        case .inputRequired: "input-required"
        case .rejected: "rejected"
        case .authRequired: "auth-required"
        }
    }
}
