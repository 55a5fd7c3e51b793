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
        let event = try await taskEvent(upstreamCall("GetTask", params.bytes))
        // Who asks again and again must learn of a question and of an end as a stream would.
        if task.undertaking != nil { return try await undertake(event, task).0.bytes }
        try await note(event.state, of: task)
        return event.rewritten(alias: task.alias).bytes
    }

    /// CancelTask. A task that waits for the user is canceled here and at the next hop.
    func cancelTask(_ request: TaskRequest) async throws(A2AError) -> [UInt8] {
        let task = try await ownTask(request.id)
        if task.state.isTerminal { throw A2AError(.taskNotCancelable) }
        if task.undertaking?.isCommitting ?? false {
            throw A2AError(.taskNotCancelable, "The act has already begun")
        }
        let params: JSONNode = ["id": .string(task.upstreamTaskID)]
        let event = try await taskEvent(upstreamCall("CancelTask", params.bytes))
        if task.undertaking != nil {
            let rendered = try await concludeTask(task, event)
            return rendered.bytes
        }
        try await note(event.state, of: task)
        return event.rewritten(alias: task.alias).bytes
    }

    /// ListTasks: of the caller's own, newest change first, from this gateway's memory.
    func listTasks(_ request: ListTasksRequest) async throws(A2AError) -> [UInt8] {
        let owner = caller.owner(user: nil)
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
        let version = gateway.feed.subscribe(request.id)
        let task = try await ownTask(request.id)
        if task.state.isTerminal {
            throw A2AError(.unsupportedOperation, "The task has ended")
        }
        if task.snapshot != nil {
            return FeedEvents(gateway: gateway, task: task, version: version)
        }
        let params: JSONNode = ["id": .string(task.upstreamTaskID)]
        do {
            let events = try await upstreams.stream(
                upstreamCall("SubscribeToTask", params.bytes))
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
        if let end = state.flatMap({ BlockBook.End($0) }) {
            gateway.blocks.conclude(task: task.id, end, now: gateway.time.now())
        }
        guard let state, state != task.state else { return }
        var changed = task
        changed.state = state
        changed.updated = gateway.time.now()
        try await gateway.write { [changed] in try $0.update(changed) }
        gateway.feed.changed(task.id)
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

/// The events of a task that this gateway answers for: its snapshot now and after every change.
final class FeedEvents: ExchangeEvents {
    private let gateway: GatewayState
    private let task: TaskRecord
    private var version: UInt64
    private var last: [UInt8]?
    private var ended = false

    init(gateway: GatewayState, task: TaskRecord, version: UInt64) {
        self.gateway = gateway
        self.task = task
        self.version = version
    }

    func next() async throws(A2AError) -> RenderedEvent? {
        if ended { return nil }
        guard last != nil else {
            last = task.snapshot
            return task.snapshot.map { RenderedEvent(kind: .task, bytes: $0) }
        }
        while true {
            version = await gateway.feed.wait(for: task.id, since: version)
            if ended { return nil }
            let id = task.id
            guard let now = try await gateway.read({ try $0.task(id: id) }),
                let snapshot = now.snapshot
            else { return nil }
            if snapshot == last { continue }
            last = snapshot
            if now.state.isTerminal { ended = true }
            return RenderedEvent(kind: .task, bytes: snapshot)
        }
    }

    func cancel() {
        ended = true
        gateway.feed.changed(task.id)
    }
}
