// SPDX-License-Identifier: Apache-2.0
import A2A
import Bindings
import Bytes
import Gateway
import HTTP
import IO
import JSON

/// Calls to local agents that speak A2A 0.3 (Spec/divergences.md).
extension LoopUpstreams {
    /// A call as JSON-RPC of 0.3.
    func requestV03(
        _ call: UpstreamCall, at interface: AgentInterface, _ fields: HTTPFields
    ) throws(UpstreamFailure) -> Request {
        guard let method = V03Method(current: call.method) else {
            throw .agent(A2AError(.unsupportedOperation))
        }
        var fields = fields
        if let extensions = call.extensions.flatMap({ try? HTTPFieldValue($0) }) {
            fields.append(.xA2AExtensions, extensions)
        }
        let body: [UInt8]
        do {
            body = try JSONRPCV03.request(id: 1, method: method, params: call.params)
        } catch {
            throw .unreachable("the request cannot be written in 0.3: \(error.message)")
        }
        return try Self.request(.post, at: interface, interface.path, fields, body)
    }

    /// Opens a stream in which the task is told at the end where the agent leaves that out.
    func streamV03(
        _ call: UpstreamCall, at interface: AgentInterface, before deadline: MonotonicInstant,
        in scope: RequestUpstreams?
    ) async throws(UpstreamFailure) -> any UpstreamEvents {
        if call.method == V03Method.subscribeToTask.current {
            return try await subscribeV03(call, at: interface, before: deadline, in: scope)
        }
        let events = try await stream(call, at: interface, before: deadline, in: scope)
        return V03Stretch(events, of: call, by: self, in: scope)
    }

    /// Subscribes to a task. 1.0 wants the task first, which 0.3 does not promise: it is asked for
    /// once the stream is open, so that no change of it is missed.
    ///
    /// - Throws: `UNSUPPORTED_OPERATION` for a task that has ended, whatever the agent says of it.
    private func subscribeV03(
        _ call: UpstreamCall, at interface: AgentInterface, before deadline: MonotonicInstant,
        in scope: RequestUpstreams?
    ) async throws(UpstreamFailure) -> any UpstreamEvents {
        var events: (any UpstreamEvents)?
        var failure: UpstreamFailure?
        do throws(UpstreamFailure) {
            events = try await stream(call, at: interface, before: deadline, in: scope)
        } catch {
            guard case .agent = error else { throw error }
            failure = error
        }
        let task: StreamEvent
        do throws(UpstreamFailure) {
            task = try await self.task(of: call, params: call.params, in: scope)
            if task.state?.isTerminal ?? false {
                throw .agent(A2AError(.unsupportedOperation, "The task has ended"))
            }
            if let failure, !(task.state?.isInterrupted ?? false) { throw failure }
        } catch {
            events?.cancel()
            throw error
        }
        return V03Stretch(events, of: call, by: self, in: scope, from: task)
    }

    /// The task that a call is about, as its agent has it now.
    fileprivate func task(
        of call: UpstreamCall, params: [UInt8], in scope: RequestUpstreams?
    ) async throws(UpstreamFailure) -> StreamEvent {
        let value = try await self.call(
            UpstreamCall(
                destination: call.destination, method: V03Method.getTask.current, params: params,
                extensions: call.extensions, traceparent: call.traceparent,
                onBehalfOf: call.onBehalfOf, user: call.user, timeout: call.timeout), in: scope)
        do {
            return try StreamEvent(kind: .task, value: value)
        } catch {
            throw .malformed(error.message)
        }
    }
}

extension UpstreamCall {
    /// How much of a task's history it asks for.
    var historyLength: Int? {
        guard let params = try? JSONDocument(parsing: params).root else { return nil }
        let field = ProtoField("historyLength")
        let value = params.field(field) ?? params.field(ProtoField("configuration"))?.field(field)
        return value?.int.map { Int(clamping: max($0, 0)) }
    }
}

/// What the stream of a 0.3 agent says of a task, in the order that 1.0 has: the task first where
/// one subscribed to it, and its end last.
private final class V03Stretch: UpstreamEvents {
    /// Nil where the agent had no stream.
    private let events: (any UpstreamEvents)?
    private let call: UpstreamCall
    private let upstreams: LoopUpstreams
    private weak var scope: RequestUpstreams?
    /// The task to be told first.
    private var first: StreamEvent?
    private let isSubscription: Bool
    private var hasBegun = false
    private var isOver = false
    /// What was told last.
    private var told: (task: String?, state: TaskState?)

    init(
        _ events: (any UpstreamEvents)?, of call: UpstreamCall, by upstreams: LoopUpstreams,
        in scope: RequestUpstreams?, from first: StreamEvent? = nil
    ) {
        self.events = events
        self.call = call
        self.upstreams = upstreams
        self.scope = scope
        self.first = first
        isSubscription = first != nil
    }

    func next() async throws(UpstreamFailure) -> StreamEvent? {
        if let first = first.take() { return note(first) }
        guard let events, !isOver else { return nil }
        do throws(UpstreamFailure) {
            var event = try await events.next()
            // The agent's own first snapshot is not newer than the one that was asked for.
            if isSubscription, !hasBegun, event?.kind == .task { event = try await events.next() }
            hasBegun = true
            if let event { return note(event) }
        } catch {
            // Agents that run nothing for a task that waits have no stream of it.
            if case .agent = error, isSubscription, !hasBegun, isSettled { return nil }
            throw error
        }
        return await end()
    }

    func cancel() {
        isOver = true
        events?.cancel()
    }

    private var isSettled: Bool {
        guard let state = told.state else { return false }
        return state.isTerminal || state.isInterrupted
    }

    private func note(_ event: StreamEvent) -> StreamEvent {
        told = (event.taskID ?? told.task, event.state ?? told.state)
        return event
    }

    /// Agents may end their streams before they have told how the task ended: it is asked for. A
    /// task that goes on has no end, and the stream just broke off.
    private func end() async -> StreamEvent? {
        guard !isOver, !isSettled, let id = told.task else { return nil }
        isOver = true
        let params: JSONNode = ["id": .string(id)]
        let task = try? await upstreams.task(of: call, params: params.bytes, in: scope)
        guard let task, let state = task.state, state.isTerminal || state.isInterrupted else {
            return nil
        }
        return note(task)
    }
}
