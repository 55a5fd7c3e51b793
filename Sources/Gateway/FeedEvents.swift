// SPDX-License-Identifier: Apache-2.0
import A2A

/// The events of a task that this gateway answers for: its snapshot now and after every change.
final class FeedEvents: ExchangeEvents {
    private let gateway: GatewayState
    private let task: TaskRecord
    private let changes: TaskSubscription
    private var last: [UInt8]?
    private var ended = false

    init(gateway: GatewayState, task: TaskRecord, _ changes: TaskSubscription) {
        self.gateway = gateway
        self.task = task
        self.changes = changes
    }

    func next() async throws(A2AError) -> RenderedEvent? {
        if ended { return nil }
        guard last != nil else {
            last = task.snapshot
            if task.state.isTerminal { cancel() }
            return task.snapshot.map { RenderedEvent(kind: .task, bytes: $0) }
        }
        while await changes.next() {
            let id = task.id
            guard let now = try await gateway.read({ try $0.task(id: id) }),
                let snapshot = now.snapshot
            else { break }
            if snapshot == last { continue }
            last = snapshot
            if now.state.isTerminal { cancel() }
            return RenderedEvent(kind: .task, bytes: snapshot)
        }
        cancel()
        return nil
    }

    func cancel() {
        ended = true
        changes.end()
    }
}
