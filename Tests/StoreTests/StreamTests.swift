// SPDX-License-Identifier: Apache-2.0
import A2A
import Bytes
import Consent
import Gateway
import JSON
import Store
import TestSupport
import Testing

/// Streams through three gateways: what ends in the middle of one ends at every hop, and what a
/// call is refused, a stream is refused (Spec §2.3).
@Suite struct StreamTests {
    /// What a client saw of a stream: its events, and the error at its end.
    private struct Seen {
        var states: [String] = []
        var error: A2AError?
        var task: String?
        var isStream = false

        mutating func note(_ event: JSONValue) {
            let body = event["task"] ?? event["statusUpdate"]
            task = body?["id"]?.string ?? body?["taskId"]?.string ?? task
            if let state = body?["status"]?["state"]?.string { states.append(state) }
        }
    }

    private static func message(
        task: String? = nil, part: JSONNode = ["text": "A table"], more: JSONNode? = nil
    ) -> JSONNode {
        var message: JSONNode = [
            "messageId": "m1", "role": "ROLE_USER", "parts": .array([part]),
        ]
        message["taskId"] = task.map { .string($0) }
        var params: JSONNode = ["message": message]
        params["configuration"] = more
        return params
    }

    private func send(
        _ method: String, _ params: JSONNode, _ network: Network
    ) async throws -> Seen {
        var seen = Seen()
        do {
            let operation = try Operation(
                method: method, params: JSONDocument(parsing: params.bytes).root)
            let exchange = try network.exchange(
                as: Network.user, at: network.phone, agent: "dining")
            switch try await exchange.run(operation) {
            case .value(let bytes): seen.note(try JSONDocument(parsing: bytes).root)
            case .events(let events):
                seen.isStream = true
                while let event = try await events.next() {
                    seen.note(try JSONDocument(parsing: event.wrapped).root)
                }
            }
        } catch let error as A2AError {
            seen.error = error
        }
        return seen
    }

    private func states(_ id: String, _ network: Network) async throws -> [TaskState?] {
        var states: [TaskState?] = []
        var id: String? = id
        for company in [network.phone, network.app, network.executor] {
            guard let known = id else { break }
            let task = try await company.journal.read { try $0.task(id: known) }
            states.append(task?.state)
            id = task?.upstreamTaskID
        }
        return states
    }

    private func streaming() async throws -> Network {
        let network = try Network()
        try await network.open()
        network.isStreaming = true
        return network
    }

    @Test func aStreamEndsWithTheQuestion() async throws {
        let network = try await streaming()
        let seen = try await send("SendStreamingMessage", Self.message(), network)
        #expect(seen.error == nil)
        #expect(seen.states == ["TASK_STATE_SUBMITTED", "TASK_STATE_AUTH_REQUIRED"])
        let nonce = try #require(try await network.asks().first?["nonce"]?.string)
        let done = try await network.decide(nonce, approves: true)
        #expect(done["state"]?.string == "TASK_STATE_COMPLETED")
    }

    /// The offer is refused after the task was told of: before the client hears the refusal, the
    /// task has ended at every hop, and nothing stays held.
    @Test(arguments: ["price", "action", "nonce"])
    func aRefusalInTheMiddleEndsTheTaskAtEveryHop(_ reason: String) async throws {
        let network = try await streaming()
        switch reason {
        case "price": network.restaurant.price = "500.01"
        case "action": network.restaurant.action = "order.cancel"
        default:
            // The phone itself refuses: the executor's question has the nonce of an open one.
            network.isStreaming = false
            _ = try await network.say("A table")
            network.askTamper = try await network.asks().first?["nonce"]?.string
            network.isStreaming = true
        }
        let seen = try await send("SendStreamingMessage", Self.message(), network)
        #expect(seen.states == ["TASK_STATE_SUBMITTED"])
        #expect(seen.error != nil)
        let id = try #require(seen.task)
        let atOnce = try await states(id, network)
        #expect(atOnce.first == .failed)
        for _ in 0..<3 { await network.housekeeping() }
        let after = try await states(id, network)
        #expect(after.count == 3 && after.allSatisfy { $0?.isTerminal ?? false }, "\(after)")
        if reason != "nonce" {
            #expect(atOnce == [.failed, .failed, .failed])
            for company in [network.phone, network.app, network.executor] {
                #expect(try await company.pendingHolds() == 0)
            }
        }
        #expect(network.restaurant.canceled.count == 1)
        let told = try await network.getTask(id, at: network.phone, as: Network.user)
        #expect(told["status"]?["state"]?.string == "TASK_STATE_FAILED")
    }

    /// A stream that breaks off before the task ends: every hop learns of the end later.
    @Test func aStreamThatBreaksOffIsFollowed() async throws {
        let network = try await streaming()
        network.restaurant.breaksOff = true
        let seen = try await send("SendStreamingMessage", Self.message(), network)
        let id = try #require(seen.task)
        #expect(try await states(id, network) == [.working, .working, .working])
        network.restaurant.endsAs = "TASK_STATE_REJECTED"
        for _ in 0..<8 {
            network.time.advance(seconds: 10)
            await network.housekeeping()
        }
        #expect(try await states(id, network) == [.rejected, .rejected, .rejected])
        for company in [network.phone, network.app, network.executor] {
            #expect(try await company.pendingHolds() == 0)
        }
    }

    /// Both forms of a message are refused alike.
    @Test(arguments: ["price", "action", "task", "ended", "part", "push", "context", "away"])
    func aCallAndAStreamAreRefusedAlike(_ reason: String) async throws {
        var errors: [A2AError] = []
        for method in ["SendMessage", "SendStreamingMessage"] {
            let network = try Network()
            try await network.open()
            var params = Self.message()
            switch reason {
            case "price": network.restaurant.price = "500.01"
            case "action": network.restaurant.action = "order.cancel"
            case "task": params = Self.message(task: "no-such-task")
            case "ended":
                let asked = try await network.say("A table")
                let nonce = try #require(try await network.asks().first?["nonce"]?.string)
                _ = try await network.decide(nonce, approves: false)
                params = Self.message(task: asked["task"]?["id"]?.string)
            case "part":
                params = Self.message(part: [
                    "data": ["ref": "1"],
                    "metadata": .object([
                        .init(ExtensionURI.parts.rawValue, ["type": "commit"])
                    ]),
                ])
            case "push":
                params = Self.message(more: ["taskPushNotificationConfig": ["url": "https://x"]])
            case "context":
                let asked = try await network.say("A table")
                var message = Self.message(task: asked["task"]?["id"]?.string)
                message["message"]?["contextId"] = "another"
                params = message
            default: network.restaurant.isAway = true
            }
            let seen = try await send(method, params, network)
            errors.append(try #require(seen.error, "\(method) was not refused"))
            #expect(seen.states.isEmpty && !seen.isStream, "a refusal is no stream")
            for _ in 0..<3 { await network.housekeeping() }
            if reason != "away", reason != "context" {
                for company in [network.phone, network.app, network.executor] {
                    #expect(try await company.pendingHolds() == 0)
                }
            }
        }
        #expect(errors[0] == errors[1])
    }

    /// An act and a denial that are sent as a stream are answered as one, and once.
    @Test(arguments: [true, false])
    func aDecisionIsAnsweredInTheFormOfTheCall(_ approves: Bool) async throws {
        let network = try await streaming()
        _ = try await network.say("A table")
        let nonce = try #require(try await network.asks().first?["nonce"]?.string)
        var forms: [String] = []
        network.tamper = { call throws(UpstreamFailure) in
            forms.append(call.method)
            return UpstreamCall(
                destination: call.destination,
                method: call.method == "SendMessage" ? "SendStreamingMessage" : call.method,
                params: call.params, extensions: call.extensions, traceparent: nil,
                onBehalfOf: nil, user: call.user, timeout: call.timeout)
        }
        let done = try await network.decide(nonce, approves: approves)
        #expect(forms == ["SendMessage"])
        #expect(
            done["state"]?.string == (approves ? "TASK_STATE_COMPLETED" : "TASK_STATE_REJECTED"))
        #expect(network.restaurant.commits == (approves ? 1 : 0))
    }
}

extension Network {
    /// A stream from the next hop, event by event.
    func stream(
        _ call: UpstreamCall, from: Organisation
    ) async throws(UpstreamFailure) -> any UpstreamEvents {
        switch call.destination {
        case .local: return try ListedEvents(restaurant.stream(call))
        case .peer(let entity, let agent):
            guard let peer = self[entity] else { throw .unreachable(entity.text) }
            do {
                let operation = try Operation(
                    method: call.method, params: JSONDocument(parsing: call.params).root)
                let caller = Caller(
                    party: .peer(from.presenter),
                    extensions: Set(ExtensionURI.list([call.extensions ?? ""])), user: call.user)
                switch try await exchange(as: caller, at: peer, agent: agent).run(operation) {
                case .value(let bytes):
                    return ListedEvents([
                        try StreamEvent(wrapped: JSONDocument(parsing: bytes).root)
                    ])
                case .events(let events): return PassedEvents(events, askTamper)
                }
            } catch let error as A2AError {
                throw .agent(error)
            } catch {
                throw .malformed("\(error)")
            }
        }
    }
}

/// Events that are known already.
final class ListedEvents: UpstreamEvents {
    private var events: [StreamEvent]

    init(_ events: [StreamEvent]) { self.events = events }

    func next() async throws(UpstreamFailure) -> StreamEvent? {
        events.isEmpty ? nil : events.removeFirst()
    }

    func cancel() { events = [] }
}

/// A gateway's stream as the gateway before it hears it.
final class PassedEvents: UpstreamEvents {
    private let events: any ExchangeEvents
    private let nonce: String?

    init(_ events: any ExchangeEvents, _ nonce: String?) {
        self.events = events
        self.nonce = nonce
    }

    func next() async throws(UpstreamFailure) -> StreamEvent? {
        do {
            guard let event = try await events.next() else { return nil }
            var value = try JSONDocument(parsing: event.bytes).root
            let consent = value["status"]?["message"]?["metadata"]?[ConsentMetadata.uri]
            if let nonce, let own = consent?["ask"]?["nonce"]?.string {
                let text = String(decoding: event.bytes, as: UTF8.self)
                let changed = text.split(separator: own, omittingEmptySubsequences: false)
                value = try JSONDocument(parsing: Array(changed.joined(separator: nonce).utf8)).root
            }
            return try StreamEvent(kind: event.kind, value: value)
        } catch let error as A2AError {
            throw .agent(error)
        } catch {
            throw .malformed("\(error)")
        }
    }

    func cancel() { events.cancel() }
}
