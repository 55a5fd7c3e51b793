// SPDX-License-Identifier: Apache-2.0
import A2A
import Bytes
import Gateway
import JSON
import Store
import TestSupport
import Testing

/// A task belongs to (entity, user): for everybody else it does not exist (Spec §1.6).
@Suite struct OwnershipTests {
    /// A task at the executor, begun by the super-app under a grant of the phone's user.
    private struct Begun {
        let network: Network
        let task: TaskRecord

        init() async throws {
            network = try Network()
            try await network.open()
            _ = try await network.say("A table")
            let executor = network.executor.journal
            let user = try #require(
                try await network.app.journal.read { tx in
                    try tx.tasksDue(at: Instant(seconds: 4_000_000_000), limit: 1).first
                }?.owner.user)
            let owner = Owner(party: network.app.entity.text, user: user)
            let found = try await executor.read { tx in
                try tx.tasks(
                    owner: owner, agent: "dining", contextID: nil, state: nil, after: nil,
                    limit: 9)
            }
            task = try #require(found.first)
            #expect(found.count == 1)
        }

        /// The super-app, speaking for `user`.
        func app(for user: String?) -> Caller {
            Caller(
                party: .peer(network.app.presenter),
                extensions: Set(ExtensionURI.allCases.map(\.rawValue)), user: user)
        }

        func call(
            _ method: String, _ params: JSONNode, as caller: Caller
        ) async -> Result<JSONValue, A2AError> {
            do {
                let operation = try Operation(
                    method: method, params: JSONDocument(parsing: params.bytes).root)
                return .success(
                    try await network.run(
                        operation, as: caller, at: network.executor, agent: "dining"))
            } catch let error as A2AError {
                return .failure(error)
            } catch {
                return .failure(A2AError(.internalError, "\(error)"))
            }
        }
    }

    private static func message(
        task: String? = nil, context: String? = nil, references: [String] = []
    ) -> JSONNode {
        var message: JSONNode = [
            "messageId": "m9", "role": "ROLE_USER", "parts": [["text": "And now?"]],
        ]
        message["taskId"] = task.map { .string($0) }
        message["contextId"] = context.map { .string($0) }
        if !references.isEmpty {
            message["referenceTaskIds"] = .array(references.map { .string($0) })
        }
        return ["message": message]
    }

    /// Every way to name a task.
    static let ways: [(String, @Sendable (String) -> JSONNode)] = [
        ("GetTask", { ["id": .string($0)] }), ("CancelTask", { ["id": .string($0)] }),
        ("SubscribeToTask", { ["id": .string($0)] }),
        ("SendMessage", { message(task: $0) }),
        ("SendStreamingMessage", { message(task: $0) }),
        ("SendMessage", { message(references: [$0]) }),
    ]

    @Test(arguments: ways.indices)
    func anotherUserOfTheSamePeerFindsNothing(_ way: Int) async throws {
        let begun = try await Begun()
        let (method, params) = Self.ways[way]
        let absent = UUIDv7(at: begun.network.time.now(), random: SeededRandom(seed: 9)).text
        for user in [nil, "", "u.somebody-else", begun.task.owner.user + "x"] {
            let foreign = await begun.call(
                method, params(begun.task.id), as: begun.app(for: user))
            let nothing = await begun.call(method, params(absent), as: begun.app(for: user))
            #expect(foreign.failure == A2AError(.taskNotFound))
            #expect(foreign.failure == nothing.failure)
        }
        // Nothing happened to it.
        let id = begun.task.id
        let now = try await begun.network.executor.journal.read { try $0.task(id: id) }
        #expect(now == begun.task)
    }

    @Test func itsOwnUserFindsIt() async throws {
        let begun = try await Begun()
        let owner = begun.app(for: begun.task.owner.user)
        let id: JSONNode = ["id": .string(begun.task.id)]
        let found = try await begun.call("GetTask", id, as: owner).get()
        #expect(found["status"]?["state"]?.string == "TASK_STATE_AUTH_REQUIRED")
        let canceled = try await begun.call("CancelTask", id, as: owner).get()
        #expect(canceled["status"]?["state"]?.string == "TASK_STATE_CANCELED")
    }

    /// The same user's name at another company is another user.
    @Test func anotherPeerFindsNothingUnderTheSameUser() async throws {
        let begun = try await Begun()
        let phone = Caller(
            party: .peer(begun.network.phone.presenter), user: begun.task.owner.user)
        let answer = await begun.call("GetTask", ["id": .string(begun.task.id)], as: phone)
        #expect(answer.failure == A2AError(.taskNotFound))
    }

    @Test func listsHoldTheTasksOfTheNamedUser() async throws {
        let begun = try await Begun()
        func ids(_ user: String?) async throws -> [String] {
            let list = try await begun.call("ListTasks", [:], as: begun.app(for: user)).get()
            #expect(list["totalSize"]?.int == Int64(list["tasks"]?.count ?? -1))
            return list["tasks"]?.elements.compactMap { $0["id"]?.string } ?? []
        }
        #expect(try await ids(begun.task.owner.user) == [begun.task.id])
        #expect(try await ids(nil).isEmpty)
        #expect(try await ids("u.somebody-else").isEmpty)
    }

    /// What the gateways between send names the user, so that the whole way works without chains.
    @Test func theGatewaysNameTheirUser() async throws {
        let network = try Network()
        try await network.open()
        var users: [String: Set<String?>] = [:]
        network.tamper = { call throws(UpstreamFailure) in
            users[call.method, default: []].insert(call.user)
            return call
        }
        let asked = try await network.say("A table")
        let id = try #require(asked["task"]?["id"]?.string)
        let ask = try #require(try await network.asks().first)
        _ = try await network.decide(try #require(ask["nonce"]?.string), approves: false)
        let task = try await network.getTask(id, at: network.phone, as: Network.user)
        #expect(task["status"]?["state"]?.string == "TASK_STATE_REJECTED")
        let named = users.values.reduce(into: Set<String?>()) { $0.formUnion($1) }
        #expect(named.count == 1 && named.first.flatMap { $0 }?.hasPrefix("u.") == true)
    }

    /// A second message in one context reaches the agent's same context through all gateways, and
    /// another user's message with that context does not.
    @Test func aContextIsItsUsersToo() async throws {
        let network = try Network()
        try await network.open()
        let context = try #require(try await network.say("A table")["task"]?["contextId"]?.string)
        func contextAtTheAgent(_ caller: Caller) async throws -> String? {
            _ = try await network.say("And wine", context: context, as: caller)
            let heard = network.restaurant.heard.last.map { Array($0.utf8) } ?? []
            return try JSONDocument(parsing: heard).root["message"]?["contextId"]?.string
        }
        #expect(try await contextAtTheAgent(Network.user) == "ctx-r-1")
        let other = Caller(party: .local(listener: "phone", principal: "wang"))
        let foreign = try #require(try await contextAtTheAgent(other))
        #expect(foreign != "ctx-r-1")
    }

    /// The header says one user and the verified chain another.
    @Test func aChainOfAnotherUserIsRefused() async throws {
        let network = try Network()
        try await network.open()
        network.tamper = { call throws(UpstreamFailure) in
            UpstreamCall(
                destination: call.destination, method: call.method, params: call.params,
                extensions: call.extensions, traceparent: nil, onBehalfOf: nil,
                user: "u.somebody-else", timeout: call.timeout)
        }
        let error = await #expect(throws: A2AError.self) { try await network.say("A table") }
        #expect(error?.reason == "consent_holder")
        #expect(network.restaurant.heard.isEmpty)
    }
}

extension Result {
    /// What it failed with.
    var failure: Failure? {
        if case .failure(let error) = self { return error }
        return nil
    }
}
