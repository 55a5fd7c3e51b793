// SPDX-License-Identifier: Apache-2.0
import A2A
import Bytes
import JSON

extension Exchange {
    /// GetTask: from memory where this gateway answers for the state, else from the next hop.
    func getTask(_ request: TaskRequest) async throws(A2AError) -> [UInt8] {
        let task = try await ownTask(request.id)
        if let snapshot = task.snapshot { return snapshot }
        var params = JSONWriter()
        params.beginObject()
        params.member("id", task.upstreamTaskID)
        if let length = request.historyLength { params.member("historyLength", Int64(length)) }
        params.endObject()
        let event = try await taskEvent(upstreamCall("GetTask", params.bytes, for: task.user))
        // Who asks again and again must learn of a question and of an end as a stream would.
        if task.undertaking != nil { return try await undertake(event, task).0.bytes }
        try await note(event.state, of: task)
        return event.rewritten(alias: task.alias).bytes
    }

    /// CancelTask.
    ///
    /// Whoever answers for the state decides: this gateway while it waits for the user's word on
    /// its own agent's offer, else the next hop. Against an act that begins at the same moment one
    /// of the two comes first in the journal, and the other is refused.
    func cancelTask(_ request: TaskRequest) async throws(A2AError) -> [UInt8] {
        let task = try await ownTask(request.id)
        try Self.requireCancelable(task)
        if task.route == TaskRecord.localRoute, task.due != nil {
            let (rendered, after) = try await end(
                task, state: .canceled, text: "Canceled.", tellingAgent: true,
                while: { $0.due != nil && !$0.isCommitting })
            if after.state == .canceled { return rendered.bytes }
            try Self.requireCancelable(after)
            // It waits for nobody any more: the agent has gone on meanwhile and knows best.
        }
        let event = try await taskEvent(upstreamCall("CancelTask", about: task))
        if task.undertaking != nil {
            guard event.state?.isTerminal ?? false else {
                return event.rewritten(alias: task.alias).bytes
            }
            let (rendered, after) = try await conclude(task, event, outcome: nil)
            if after.state != event.state { try Self.requireCancelable(after) }
            return rendered.bytes
        }
        try await note(event.state, of: task)
        return event.rewritten(alias: task.alias).bytes
    }

    private static func requireCancelable(_ task: TaskRecord) throws(A2AError) {
        if task.state.isTerminal { throw A2AError(.taskNotCancelable) }
        if task.isCommitting { throw A2AError(.taskNotCancelable, "The act has already begun") }
    }

    /// ListTasks: of the caller's own, newest change first, from this gateway's memory.
    func listTasks(_ request: ListTasksRequest) async throws(A2AError) -> [UInt8] {
        let owner = caller.owner(user: caller.user)
        let name = agent.name
        let after = try request.pageToken.map { token throws(A2AError) in try PageToken(token) }
        let (rows, total) = try await gateway.read { tx in
            (
                try tx.tasks(
                    owner: owner, agent: name, contextID: request.contextID, state: request.state,
                    after: after.map { ($0.updated, $0.id) }, limit: request.pageSize + 1),
                try tx.taskCount(
                    owner: owner, agent: name, contextID: request.contextID, state: request.state)
            )
        }
        let page = rows.prefix(request.pageSize)
        var writer = JSONWriter()
        writer.beginObject()
        writer.name("tasks")
        writer.beginArray()
        for task in page { writer.raw(task.snapshot ?? task.outline) }
        writer.endArray()
        writer.member(
            "nextPageToken",
            rows.count > request.pageSize
                ? page.last.map { PageToken(updated: $0.updated, id: $0.id).text } ?? "" : "")
        writer.member("pageSize", Int64(page.count))
        writer.member("totalSize", Int64(total))
        writer.endObject()
        return writer.bytes
    }

    /// SubscribeToTask: the task as it is, then what changes.
    func subscribe(_ request: TaskRequest) async throws(A2AError) -> any ExchangeEvents {
        var task = try await ownTask(request.id)
        if task.state.isTerminal {
            throw A2AError(.unsupportedOperation, "The task has ended")
        }
        if task.snapshot != nil {
            guard let changes = gateway.feed.subscribe(task.id) else {
                throw A2AError(
                    .retryLater, "Too many listen to this task",
                    retryAfter: A2AError.retrySeconds)
            }
            // Read again: what changed before anybody listened must not be missed.
            task = try await ownTask(request.id)
            return FeedEvents(gateway: gateway, task: task, changes)
        }
        do {
            let events = try await upstreams.stream(
                upstreamCall("SubscribeToTask", about: task))
            return Relay(self, continuing: task, events)
        } catch {
            throw A2AError(error)
        }
    }

    /// The bare task that GetTask and CancelTask answer with.
    func taskEvent(_ call: UpstreamCall) async throws(A2AError) -> StreamEvent {
        do {
            return try StreamEvent(kind: .task, value: await upstreams.call(call))
        } catch let failure as UpstreamFailure {
            throw A2AError(failure)
        } catch let error as A2AError {
            throw error
        } catch {
            throw A2AError(.internalError)
        }
    }

    /// Remembers a state that the next hop reports.
    func note(_ state: TaskState?, of task: TaskRecord) async throws(A2AError) {
        guard let state else { return }
        let now = gateway.time.now()
        var current = task
        if state != task.state {
            current = try await gateway.change(task.id) { _, task in
                // An end stays, whatever an answer says that was longer on its way.
                if task.state.isTerminal || task.state == state { return false }
                task.enter(state, at: now)
                return true
            }.task
        }
        guard let end = BlockBook.End(current.state) else { return }
        gateway.blocks.conclude(task: task.id, end, now: now)
    }
}

extension TaskRecord {
    /// What ListTasks says of a task whose whole text lives at the next hop.
    var outline: [UInt8] {
        let node: JSONNode = [
            "id": .string(id), "contextId": .string(contextID),
            "status": [
                "state": .string(state.rawValue), "timestamp": .string(updated.rfc3339),
            ],
        ]
        return node.bytes
    }
}

/// Where the next page of ListTasks begins. Opaque to callers; it names no task of another owner,
/// because the page is always read under the caller's own ownership.
struct PageToken {
    let updated: Instant
    let id: String

    init(updated: Instant, id: String) {
        self.updated = updated
        self.id = id
    }

    init(_ text: String) throws(A2AError) {
        guard let bytes = Base64URL.decode(text) else { throw .invalid("pageToken", "is unknown") }
        let parts = String(decoding: bytes, as: UTF8.self).split(separator: " ")
        guard parts.count == 2, let milliseconds = Int64(parts[0]) else {
            throw .invalid("pageToken", "is unknown")
        }
        updated = Instant(milliseconds: milliseconds)
        id = String(parts[1])
    }

    var text: String { Base64URL.encode(Array("\(updated.milliseconds) \(id)".utf8)) }
}
