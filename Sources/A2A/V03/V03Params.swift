// SPDX-License-Identifier: Apache-2.0
package import JSON

extension FromV03 {
    /// The parameters of `method` as 1.0's method has them.
    package static func params(_ value: JSONValue, of method: V03Method) -> JSONNode {
        switch method {
        case .sendMessage, .sendStreamingMessage:
            V03Tree.object(value) { name, value in
                switch name {
                case "message": message(value)
                case "configuration": configuration(value)
                case "tenant": nil
                default: value.copied
                }
            }
        case .getTask, .subscribeToTask:
            V03Tree.object(value) { name, value in
                switch name {
                case "metadata", "tenant": nil
                case "historyLength": value.int == 0 ? nil : value.copied
                default: value.copied
                }
            }
        case .cancelTask:
            V03Tree.object(value) { name, value in name == "tenant" ? nil : value.copied }
        case .createPushConfig: pushConfig(value)
        case .getPushConfig, .deletePushConfig, .listPushConfigs: pushConfigName(value, method)
        case .getExtendedAgentCard: .object([])
        }
    }

    private static func configuration(_ value: JSONValue) -> JSONNode {
        let renaming = [
            "blocking": "returnImmediately", "pushNotificationConfig": "taskPushNotificationConfig",
        ]
        return V03Tree.object(value, renaming: renaming) { name, value in
            switch name {
            case "blocking": value.bool.map { .bool(!$0) }
            // 0 is all of it here, and none of it in 1.0.
            case "historyLength": value.int == 0 ? nil : value.copied
            case "pushNotificationConfig": flatPushConfig(value)
            case "returnImmediately", "taskPushNotificationConfig": nil
            default: value.copied
            }
        }
    }

    /// A `TaskPushNotificationConfig`, which has one level less in 1.0.
    static func pushConfig(_ value: JSONValue) -> JSONNode {
        var node = value["pushNotificationConfig"].map(flatPushConfig) ?? .object([])
        guard node.members != nil else { return value.copied }
        if let task = value.field(.taskID) { node["taskId"] = task.copied }
        return node
    }

    private static func flatPushConfig(_ value: JSONValue) -> JSONNode {
        V03Tree.object(value) { name, value in
            switch name {
            case "authentication": authentication(value)
            case "taskId", "tenant": nil
            default: value.copied
            }
        }
    }

    /// Of several schemes 1.0 has a place for one: the first.
    private static func authentication(_ value: JSONValue) -> JSONNode {
        V03Tree.object(value, renaming: ["schemes": "scheme"]) { name, value in
            switch name {
            case "schemes": value.elements.first { $0.string != nil }?.copied
            case "scheme": nil
            default: value.copied
            }
        }
    }

    /// Which configuration is meant; without a name it is the one that is called as its task.
    private static func pushConfigName(_ value: JSONValue, _ method: V03Method) -> JSONNode {
        var node = JSONNode.object([])
        node["taskId"] = value.field(.id)?.copied
        if method != .listPushConfigs {
            node["id"] = (value["pushNotificationConfigId"] ?? value.field(.id))?.copied
        }
        return node
    }

    /// The value of `result` of `method` as 1.0's method has it.
    ///
    /// - Parameter historyLength: How much of a task's history was asked for.
    /// - Throws: ``A2AError`` `INVALID_AGENT_RESPONSE` for what cannot be the method's result.
    package static func result(
        _ value: JSONValue, of method: V03Method, historyLength: Int? = nil
    ) throws(A2AError) -> JSONNode {
        switch method {
        case .sendMessage, .sendStreamingMessage, .subscribeToTask:
            let node = try event(value)
            guard historyLength != nil, node["task"] != nil else { return node }
            return ["task": task(value, historyLength: historyLength)]
        case .getTask, .cancelTask: return task(value, historyLength: historyLength)
        case .createPushConfig, .getPushConfig: return pushConfig(value)
        case .listPushConfigs: return ["configs": V03Tree.list(value, pushConfig)]
        case .deletePushConfig: return .null
        case .getExtendedAgentCard: return card(value)
        }
    }
}

extension ToV03 {
    /// The parameters of `method` as 0.3's method has them.
    package static func params(_ value: JSONValue, of method: V03Method) -> JSONNode {
        switch method {
        case .sendMessage, .sendStreamingMessage: return sendParams(value)
        case .getTask:
            return V03Tree.object(value) { name, value in
                switch name {
                case "tenant": nil
                case "historyLength": value.int == 0 ? nil : value.copied
                default: value.copied
                }
            }
        case .cancelTask, .subscribeToTask:
            return V03Tree.object(value) { name, value in name == "tenant" ? nil : value.copied }
        case .createPushConfig: return pushConfig(value)
        case .getPushConfig, .deletePushConfig, .listPushConfigs:
            var node = JSONNode.object([])
            node["id"] = value.field(.taskID)?.copied
            if method != .listPushConfigs {
                node["pushNotificationConfigId"] = value.field(.id)?.copied
            }
            return node
        case .getExtendedAgentCard: return .object([])
        }
    }

    private static func sendParams(_ value: JSONValue) -> JSONNode {
        var node = V03Tree.object(value) { name, value in
            switch name {
            case "message": message(value)
            case "configuration": configuration(value)
            case "tenant": nil
            default: value.copied
            }
        }
        guard node.members != nil else { return node }
        // Bindings of 0.3 differ in what an absent member means, so it is always there.
        let returns = value.field(.configuration)?.field(.returnImmediately)?.bool ?? false
        var wishes = node["configuration"] ?? .object([])
        if wishes.members != nil { wishes["blocking"] = .bool(!returns) }
        node["configuration"] = wishes
        return node
    }

    private static func configuration(_ value: JSONValue) -> JSONNode {
        let renaming = ["taskPushNotificationConfig": "pushNotificationConfig"]
        return V03Tree.object(value, renaming: renaming) { name, value in
            switch name {
            case "returnImmediately", "blocking", "pushNotificationConfig": nil
            // 0 is none of it in 1.0 and all of it in 0.3: it is cut off when the answer is read.
            case "historyLength": value.int == 0 ? nil : value.copied
            case "taskPushNotificationConfig": inner(value)
            default: value.copied
            }
        }
    }

    /// A `TaskPushNotificationConfig`, which has one level more in 0.3.
    static func pushConfig(_ value: JSONValue) -> JSONNode {
        guard value.kind == .object else { return value.copied }
        var node = JSONNode.object([])
        node["taskId"] = value.field(.taskID)?.copied
        node["pushNotificationConfig"] = inner(value)
        return node
    }

    private static func inner(_ value: JSONValue) -> JSONNode {
        V03Tree.object(value) { name, value in
            switch name {
            case "taskId", "tenant": nil
            case "authentication": authentication(value)
            default: value.copied
            }
        }
    }

    private static func authentication(_ value: JSONValue) -> JSONNode {
        V03Tree.object(value, renaming: ["scheme": "schemes"]) { name, value in
            switch name {
            case "scheme": .array([value.copied])
            case "schemes": nil
            default: value.copied
            }
        }
    }

    /// The value of `result` of `method` as 0.3's method has it.
    ///
    /// - Throws: ``A2AError`` `INVALID_AGENT_RESPONSE` for what cannot be the method's result.
    package static func result(
        _ value: JSONValue, of method: V03Method
    ) throws(A2AError) -> JSONNode {
        switch method {
        case .sendMessage, .sendStreamingMessage, .subscribeToTask:
            return event(try StreamEvent(wrapped: value))
        case .getTask, .cancelTask: return task(value)
        case .createPushConfig, .getPushConfig: return pushConfig(value)
        case .listPushConfigs:
            return value["configs"].map { V03Tree.list($0, pushConfig) } ?? .array([])
        case .deletePushConfig: return .null
        case .getExtendedAgentCard: return card(value)
        }
    }
}
