// SPDX-License-Identifier: Apache-2.0
import A2A
import Gateway
import JSON

/// An aware agent in memory: drafts on a wish, commits on a commit part, once per key.
final class Restaurant {
    /// The price of the set menu's deposit.
    var price = "328.00"
    /// What it drafts.
    var action = "order.create"
    /// What it charges when told to commit; another value than the draft's is a breach.
    var charged: String?
    /// Whether the answer to the next commit gets lost on its way, and the task ends with it, so
    /// that it takes no message any more.
    var losesAnswer = false
    /// What it answers to a question that binds nobody; nil drafts an offer instead.
    var plainAnswer: Plain?
    /// Whether its offers need the guest's telephone number.
    var needsTelephone = true
    /// Whether its streams end right after the task.
    var breaksOff = false
    /// What GetTask says.
    var endsAs = "TASK_STATE_WORKING"
    /// Whether it cannot be reached.
    var isAway = false
    private(set) var commits = 0
    /// What it was told of its guests with each commit.
    private(set) var told: [[String: String]] = []
    private(set) var canceled: [String] = []
    private(set) var heard: [String] = []
    private var answered: [String: JSONNode] = [:]
    private var ended: [String: JSONNode] = [:]
    private var tasks = 0

    /// An answer without any act.
    enum Plain: String {
        case message
        case completed = "TASK_STATE_COMPLETED"
        case failed = "TASK_STATE_FAILED"
        case working = "TASK_STATE_WORKING"
        case refusal
    }

    func answer(_ call: UpstreamCall) throws(UpstreamFailure) -> JSONValue {
        if isAway { throw .unreachable("the restaurant") }
        heard.append(String(decoding: call.params, as: UTF8.self))
        do {
            let params = try JSONDocument(parsing: call.params).root
            let node: JSONNode
            let id = params["message"]?["taskId"]?.string ?? params["id"]?.string ?? ""
            if let over = ended[id] {
                if call.method == "SendMessage" { throw A2AError(.unsupportedOperation) }
                return try JSONDocument(parsing: over.bytes).root
            }
            switch call.method {
            case "SendMessage" where plainAnswer != nil: node = try plain()
            case "GetTask" where plainAnswer != nil:
                node = task(id, plainAnswer?.rawValue ?? "", nil)
            case "SendMessage", "SendStreamingMessage": node = ["task": send(params)]
            case "CancelTask":
                canceled.append(params["id"]?.string ?? "")
                node = task(params["id"]?.string ?? "", "TASK_STATE_CANCELED", nil)
            default: node = task(params["id"]?.string ?? "", endsAs, nil)
            }
            if losesAnswer, let over = answered.values.first {
                losesAnswer = false
                ended[id] = over
                throw UpstreamFailure.lost("the connection")
            }
            return try JSONDocument(parsing: node.bytes).root
        } catch let failure as UpstreamFailure {
            throw failure
        } catch let error as A2AError {
            throw .agent(error)
        } catch {
            throw .malformed("\(error)")
        }
    }

    private func plain() throws -> JSONNode {
        tasks += 1
        switch plainAnswer {
        case .message:
            return [
                "message": [
                    "messageId": .string("a-\(tasks)"), "role": "ROLE_AGENT",
                    "contextId": "ctx-plain", "parts": [["text": "Three places near you."]],
                ]
            ]
        case .refusal: throw A2AError(.unsupportedOperation)
        default: return ["task": task("r-\(tasks)", plainAnswer?.rawValue ?? "", nil)]
        }
    }

    /// The same as a stream: the task first, then what came of it.
    func stream(_ call: UpstreamCall) throws(UpstreamFailure) -> [StreamEvent] {
        let answer = try answer(call)
        do {
            guard let task = answer["task"], let id = task["id"]?.string else {
                return [try StreamEvent(wrapped: answer)]
            }
            let begun = self.task(
                id, breaksOff ? "TASK_STATE_WORKING" : "TASK_STATE_SUBMITTED", nil)
            let first = try StreamEvent(
                kind: .task, value: JSONDocument(parsing: begun.bytes).root)
            if breaksOff { return [first] }
            var update: JSONNode = ["taskId": .string(id)]
            update["contextId"] = task["contextId"]?.detached()
            update["status"] = task["status"]?.detached()
            return [
                first,
                try StreamEvent(
                    kind: .statusUpdate, value: JSONDocument(parsing: update.bytes).root),
            ]
        } catch {
            throw .malformed("\(error)")
        }
    }

    private func send(_ params: JSONValue) -> JSONNode {
        let message = params["message"]
        for part in message?["parts"]?.elements.map({ $0 }) ?? [] {
            guard part["metadata"]?[ExtensionURI.parts.rawValue]?["type"]?.string == "commit",
                let data = part["data"]
            else { continue }
            return commit(data, message?["taskId"]?.string ?? "")
        }
        var id = message?["taskId"]?.string ?? ""
        if id.isEmpty {
            tasks += 1
            id = "r-\(tasks)"
        }
        return task(
            id, "TASK_STATE_INPUT_REQUIRED",
            part(
                "draft",
                [
                    "ref": .string("Q-\(id)-\(price)"), "action": .string(action),
                    "items": [
                        [
                            "id": "menu-4", "title": "商务套餐定金", "qty": "1",
                            "unit": .string(price),
                        ]
                    ],
                    "total": ["value": .string(price), "currency": "CNY"],
                    "cancel": "free until 12:00",
                    "data": needsTelephone
                        ? [
                            [
                                "type": "phone.number", "purpose": "fulfil-order",
                                "retention": "604800",
                            ]
                        ] : [],
                ]))
    }

    private func commit(_ data: JSONValue, _ id: String) -> JSONNode {
        let key = data["key"]?.string ?? ""
        if let before = answered[key] { return before }
        commits += 1
        var guest: [String: String] = [:]
        for datum in data["disclosed"]?.elements.map({ $0 }) ?? [] {
            guest[datum["type"]?.string ?? ""] = datum["value"]?.string
        }
        told.append(guest)
        let done = task(
            id, "TASK_STATE_COMPLETED",
            part(
                "outcome",
                [
                    "ref": .string(data["ref"]?.string ?? ""), "order": "R-20261121-7",
                    "total": [
                        "value": .string(charged ?? data["total"]?["value"]?.string ?? ""),
                        "currency": "CNY",
                    ],
                ]))
        answered[key] = done
        return done
    }

    private func part(_ type: String, _ data: JSONNode) -> JSONNode {
        [
            "data": data,
            "metadata": .object([.init(ExtensionURI.parts.rawValue, ["type": .string(type)])]),
        ]
    }

    private func task(_ id: String, _ state: String, _ part: JSONNode?) -> JSONNode {
        var status: JSONNode = [
            "state": .string(state), "timestamp": "2026-11-21T01:00:00.000Z",
        ]
        if let part {
            status["message"] = [
                "messageId": "a1", "role": "ROLE_AGENT", "taskId": .string(id),
                "contextId": "ctx-\(id)", "parts": [["text": "A set menu."], part],
            ]
        }
        return ["id": .string(id), "contextId": .string("ctx-\(id)"), "status": status]
    }
}
