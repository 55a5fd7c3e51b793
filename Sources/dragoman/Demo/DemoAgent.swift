// SPDX-License-Identifier: Apache-2.0
import A2A
import Bindings
import Consent
import Gateway
import HTTP
import JSON
import Node
import Synchronization

/// The restaurant's agent, which sells tables, the antiques agent beside it, which would rather
/// publish than answer, and one that only answers. They speak plain A2A and know nothing of grants,
/// keys or books.
///
/// It does what a business does (Spec §3): answers a wish with a draft, changes nothing, and acts
/// on the commit part once per key.
final class DemoAgent: Service {
    /// What it sells under which path.
    enum Trade: String, CaseIterable {
        case dining
        case antiques
        case places

        /// Name, purpose and skill, for its card.
        var words: (name: String, does: String, skill: String) {
            switch self {
            case .dining: ("The Inn", "Books tables.", "book")
            case .antiques: ("Antiques", "Says what a piece is worth.", "appraise")
            case .places: ("Places", "Knows what is near.", "near")
            }
        }
    }

    private struct State {
        var price = "328.00"
        var tasks = 0
        var drafts: [String: String] = [:]
        var orders: [String: String] = [:]
        /// What it was told of the guest, by order.
        var guests: [String: String] = [:]
        var published = 0
    }

    private let state = Mutex(State())

    /// Tables that were really booked.
    var orderCount: Int { state.withLock { $0.orders.count } }
    /// The telephone numbers of its guests, which it keeps to itself.
    var telephones: [String] { state.withLock { $0.guests.values.sorted() } }
    /// Listings that were really published.
    var publishedCount: Int { state.withLock { $0.published } }

    /// Asks another price from the next wish on.
    func setPrice(_ price: String) { state.withLock { $0.price = price } }

    func refusal(
        of head: HTTPRequestHead, at listener: ListenerSettings, from peer: Presenter?
    ) -> ServiceResponse? { nil }

    func respond(
        to request: ServiceRequest, through upstreams: any Upstreams
    ) async -> ServiceResponse {
        let segments = request.head.target.segments ?? []
        guard let trade = segments.first.flatMap({ Trade(rawValue: $0) }) else {
            return Self.answer([UInt8]("Nothing is here\n".utf8), status: 404)
        }
        if segments.last == "agent-card.json" {
            return Self.answer(Self.card(trade, request.head).bytes)
        }
        let call: JSONRPC.Call
        do { call = try JSONRPC.decode(request.body) } catch {
            return Self.answer(JSONRPC.response(id: error.id, error: error.error))
        }
        switch call.operation {
        case .sendMessage where trade == .places:
            return Self.answer(JSONRPC.response(id: call.id, result: Self.places.bytes))
        case .sendMessage(let send):
            let task: JSONNode = ["task": message(send.message, trade)]
            return Self.answer(JSONRPC.response(id: call.id, result: task.bytes))
        case .cancelTask(let cancel):
            let task = Self.task(cancel.id, "TASK_STATE_CANCELED", nil, "As you wish.")
            return Self.answer(JSONRPC.response(id: call.id, result: task.bytes))
        default:
            return Self.answer(
                JSONRPC.response(id: call.id, error: A2AError(.unsupportedOperation)))
        }
    }

    private static func answer(_ body: [UInt8], status: Int = 200) -> ServiceResponse {
        ServiceResponse(
            status: status, fields: [.contentType: "application/json"], body: .bytes(body))
    }

    private static func card(_ trade: Trade, _ head: HTTPRequestHead) -> JSONNode {
        let url = "http://\(head.authority)/\(trade.rawValue)"
        let (name, does, skill) = trade.words
        return [
            "name": .string(name), "description": .string(does), "version": "1.0.0",
            "supportedInterfaces": [
                [
                    "url": .string(url), "protocolBinding": "JSONRPC", "protocolVersion": "1.0",
                ]
            ],
            "capabilities": ["streaming": false],
            "defaultInputModes": ["text/plain"], "defaultOutputModes": ["text/plain"],
            "skills": [
                [
                    "id": .string(skill), "name": .string(name), "description": .string(does),
                    "tags": ["demo"],
                ]
            ],
        ]
    }

    /// An answer that is no task and binds nobody.
    private static let places: JSONNode = [
        "message": [
            "messageId": "places-1", "role": "ROLE_AGENT", "contextId": "places",
            "parts": [["text": "The Inn, 200 m from here, has two private rooms."]],
        ]
    ]

    // MARK: Trade

    private func message(_ message: Message, _ trade: Trade) -> JSONNode {
        let commits = message.value["parts"]?.elements.compactMap { part -> JSONValue? in
            let type = part["metadata"]?[ExtensionURI.parts.rawValue]?["type"]?.string
            return type == "commit" ? part["data"] : nil
        }
        return state.withLock { state in
            guard let commit = commits?.first, let id = message.taskID else {
                return Self.draft(message.taskID, trade, &state)
            }
            guard let total = commit["total"]?["value"]?.string, state.drafts[id] == total,
                let key = commit["key"]?.string
            else { return Self.task(id, "TASK_STATE_REJECTED", nil, "That was not offered.") }
            let told = commit["disclosed"]?.elements.first(where: { datum in
                datum["type"]?.string == "phone.number"
            })
            if trade == .dining {
                guard let telephone = told?["value"]?.string else {
                    return Self.task(
                        id, "TASK_STATE_REJECTED", nil, "No table without a telephone number.")
                }
                state.guests[key] = telephone
            }
            if trade == .antiques { state.published += 1 }
            let order = state.orders[key] ?? "R-\(state.orders.count + 1)"
            state.orders[key] = order
            let outcome: JSONNode = [
                "ref": .string(commit["ref"]?.string ?? ""), "order": .string(order),
                "total": ["value": .string(total), "currency": "CNY"],
            ]
            return Self.task(
                id, "TASK_STATE_COMPLETED", Self.part("outcome", outcome), "Booked: \(order).")
        }
    }

    private static func draft(
        _ known: String?, _ trade: Trade, _ state: inout State
    ) -> JSONNode {
        state.tasks += 1
        let id = known ?? "agent-\(state.tasks)"
        let price = trade == .dining ? state.price : "88000.00"
        state.drafts[id] = price
        let data: JSONNode = [
            [
                "type": "phone.number", "purpose": "fulfil-order",
                "retention": "604800",
            ]
        ]
        var draft: JSONNode = [
            "ref": .string("Q-\(state.tasks)"),
            "action": trade == .dining ? "order.create" : "listing.publish",
            "items": [
                [
                    "id": "1",
                    "title": trade == .dining
                        ? "Set menu for a client dinner, deposit" : "Vase as photographed",
                    "qty": "1", "unit": .string(price),
                ]
            ],
            "total": ["value": .string(price), "currency": "CNY"],
            "cancel": "free until noon tomorrow",
        ]
        if trade == .dining { draft["data"] = data }
        return task(
            id, "TASK_STATE_INPUT_REQUIRED", part("draft", draft),
            trade == .dining
                ? "A table at 19:00 and the set menu." : "Worth 88,000. Shall I list it for sale?")
    }

    private static func part(_ type: String, _ data: JSONNode) -> JSONNode {
        [
            "data": data,
            "metadata": .object([.init(ExtensionURI.parts.rawValue, ["type": .string(type)])]),
        ]
    }

    private static func task(
        _ id: String, _ state: String, _ part: JSONNode?, _ words: String
    ) -> JSONNode {
        let text: JSONNode = ["text": .string(words)]
        return [
            "id": .string(id), "contextId": .string("context-\(id)"),
            "status": [
                "state": .string(state),
                "message": [
                    "messageId": .string("answer-\(id)"), "role": "ROLE_AGENT",
                    "taskId": .string(id), "contextId": .string("context-\(id)"),
                    "parts": .array(part.map { [text, $0] } ?? [text]),
                ],
            ],
        ]
    }
}
