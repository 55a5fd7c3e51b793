// SPDX-License-Identifier: Apache-2.0
import A2A
import Bytes

extension GatewayState {
    /// Changes a task from what it is at that moment: whatever the body finds holds until its
    /// change is on disk.
    ///
    /// - Parameter body: Looks at the task, changes it and says `true`; `false` leaves everything
    ///   as it is.
    /// - Returns: The task as it now is, and whether this changed it.
    /// - Throws: What the body throws; `TASK_NOT_FOUND` for a task that is not there.
    @discardableResult
    func change(
        _ id: String,
        _ body: @escaping @Sendable (any JournalTransaction, inout TaskRecord) throws -> Bool
    ) async throws(A2AError) -> (task: TaskRecord, isChanged: Bool) {
        let result = try await write { tx -> (TaskRecord, Bool) in
            guard let current = try tx.task(id: id) else { throw A2AError(.taskNotFound) }
            var task = current
            guard try body(tx, &task) else { return (current, false) }
            // Read in this transaction, so nobody can have written in between.
            guard let written = try tx.update(task) else { throw StorageFault.busy }
            return (written, true)
        }
        if result.1 { feed.changed(id) }
        return (task: result.0, isChanged: result.1)
    }
}

extension TaskRecord {
    /// The task as this gateway tells it without asking anybody.
    var told: RenderedEvent { RenderedEvent(kind: .task, bytes: snapshot ?? outline) }
}
