// SPDX-License-Identifier: Apache-2.0
import A2A
import Accounting
import Bytes
import JSON

extension Exchange {
    /// Gives the next hop's answer to the caller: ids aliased, states remembered, our metadata
    /// replaced.
    func relay(_ passage: Passage, _ answer: Answer) async throws(A2AError) -> Reply {
        switch answer {
        case .event(let event):
            let relay = Relay(self, passage, nil)
            return reply(try await relay.take(event), to: passage)
        case .events(let events):
            let relay = Relay(self, passage, events)
            // The first event is waited for, so that a refusal is an error and not a stream.
            guard let first = try await relay.next() else {
                throw A2AError(.invalidAgentResponse, "The agent's stream ended without an event")
            }
            relay.first = first
            return .events(relay)
        }
    }

    /// An answer of one event in the form in which the caller asked for it.
    func reply(_ event: RenderedEvent, to passage: Passage) -> Reply {
        passage.streaming ? .events(OneEvent(event)) : .value(event.wrapped)
    }

    /// The next hop broke off or refused to go on. How the task stands there is how it stands
    /// here: it is asked once now, and if it does not know the end yet, later again.
    ///
    /// - Returns: What it told, where that ends the stream in any case.
    func learnEnd(of task: TaskRecord) async -> RenderedEvent? {
        let id = task.id
        guard let current = try? await gateway.read({ try $0.task(id: id) }),
            !current.state.isTerminal, current.due == nil
        else { return nil }
        do throws(A2AError) {
            let event = try await taskEvent(upstreamCall("GetTask", about: current))
            var rendered = event.rewritten(alias: current.alias)
            if current.undertaking != nil || bindsUser {
                rendered = try await undertake(event, current).0
            } else {
                try await note(event.state, of: current)
            }
            if event.state?.isPaused ?? false { return rendered }
        } catch {
            account.refusal = account.refusal ?? error.reason
        }
        try? await follow(current)
        return nil
    }
}

/// A stream of one event.
final class OneEvent: ExchangeEvents {
    private var event: RenderedEvent?

    init(_ event: RenderedEvent) { self.event = event }

    func next() async throws(A2AError) -> RenderedEvent? { event.take() }

    func cancel() { event = nil }
}

extension TaskState {
    /// Whether the agent does nothing more by itself: the task ended, or waits for somebody.
    var isPaused: Bool { isTerminal || self == .inputRequired || self == .authRequired }
}

/// The events of one task on their way up through this hop.
final class Relay: ExchangeEvents {
    private let exchange: Exchange
    private let upstream: (any UpstreamEvents)?
    private let passage: Passage?
    private var task: TaskRecord?
    /// An event that was taken before the answer began.
    fileprivate(set) var first: RenderedEvent?
    private var ended = false

    /// The answer to a message.
    init(_ exchange: Exchange, _ passage: Passage, _ upstream: (any UpstreamEvents)?) {
        self.exchange = exchange
        self.passage = passage
        self.upstream = upstream
        task = passage.task
    }

    /// The rest of a task that is known already.
    init(_ exchange: Exchange, continuing task: TaskRecord, _ upstream: any UpstreamEvents) {
        self.exchange = exchange
        self.upstream = upstream
        passage = nil
        self.task = task
    }

    func next() async throws(A2AError) -> RenderedEvent? {
        if let event = first {
            first = nil
            return event
        }
        guard !ended, let upstream else { return nil }
        do {
            guard let event = try await upstream.next() else {
                let wasCanceled = ended
                ended = true
                guard !wasCanceled, let task, !task.state.isPaused else { return nil }
                // The stream ended before the task did.
                return await exchange.learnEnd(of: task)
            }
            let rendered = try await take(event)
            // A question to the user ends the stream at every gateway; whoever waits for the
            // answer subscribes or asks again.
            if task?.state == .authRequired {
                ended = true
                upstream.cancel()
            }
            return rendered
        } catch let failure as UpstreamFailure {
            let wasCanceled = ended
            ended = true
            if wasCanceled { return nil }
            return try await breakOff(failure)
        } catch let error as A2AError {
            ended = true
            upstream.cancel()
            await exchange.remember(error)
            throw error
        } catch {
            ended = true
            throw A2AError(.internalError)
        }
    }

    func cancel() {
        ended = true
        upstream?.cancel()
    }

    /// The next hop ended the stream with an error. What it refused is refused to the caller, and
    /// the task has ended here before the caller hears it. Where only the line broke, an end that
    /// it tells on asking is as good as the stream's.
    private func breakOff(_ failure: UpstreamFailure) async throws(A2AError) -> RenderedEvent {
        var learned: RenderedEvent?
        if let task { learned = await exchange.learnEnd(of: task) }
        if case .agent = failure {
            exchange.account.refusedBy = exchange.route
        } else if let learned {
            return learned
        }
        let error = A2AError(failure)
        await exchange.remember(error)
        throw error
    }

    /// Makes the caller's event of the agent's.
    func take(_ event: StreamEvent) async throws(A2AError) -> RenderedEvent {
        if let passage { exchange.hear(event, passage) }
        guard let upstreamID = event.taskID else {
            guard event.kind == .message else {
                throw A2AError(.invalidAgentResponse, "\(event.kind.rawValue) names no task")
            }
            let own = try await exchange.concludeMessage(event, passage)
            return event.rewritten(
                alias: Alias(taskID: nil, contextID: contextID(shownFor: event)), own: own)
        }
        let task = try await record(event, upstreamID)
        if task.undertaking != nil || exchange.bindsUser {
            let (rendered, changed) = try await exchange.undertake(event, task)
            self.task = changed
            return rendered
        }
        if let state = event.state {
            try await exchange.note(state, of: task)
            self.task?.state = state
        }
        return event.rewritten(alias: task.alias, own: exchange.counted(passage))
    }

    /// The task that the event is about, remembered before the caller hears of it.
    private func record(
        _ event: StreamEvent, _ upstreamID: String
    ) async throws(A2AError) -> TaskRecord {
        if let task {
            if task.upstreamTaskID == upstreamID { return task }
            throw A2AError(.invalidAgentResponse, "The agent's stream names another task")
        }
        guard let passage else { throw A2AError(.internalError) }
        let gateway = exchange.gateway
        let now = gateway.time.now()
        var fresh = TaskRecord(
            id: UUIDv7(at: now, random: gateway.random).text,
            contextID: contextID(shownFor: event), owner: passage.owner,
            agent: exchange.agent.name, route: exchange.route, upstreamTaskID: upstreamID,
            upstreamContextID: event.contextID ?? passage.upstreamContextID,
            exchange: passage.exchange.text, created: now, state: event.state ?? .submitted)
        fresh.undertaking = passage.undertaking
        fresh.certificate = exchange.caller.certificate
        try await gateway.write { [fresh] in try $0.insert(fresh) }
        gateway.blocks.bind(passage.tickets, to: fresh.id)
        task = fresh
        exchange.account.task = fresh.id
        return fresh
    }

    /// The context id to show: the caller's own where the agent kept it, else one that proves
    /// whose it is.
    private func contextID(shownFor event: StreamEvent) -> String {
        if let passage {
            if let given = passage.request.message.contextID,
                event.contextID == nil || event.contextID == passage.upstreamContextID
            {
                return given
            }
            if let task = passage.task { return task.contextID }
        }
        let gateway = exchange.gateway
        let upstream =
            event.contextID ?? passage?.upstreamContextID
            ?? UUIDv7(at: gateway.time.now(), random: gateway.random).text
        return exchange.gateway.contexts.outward(
            upstream, owner: passage?.owner ?? exchange.caller.owner(user: nil),
            agent: exchange.agent.name)
    }
}
