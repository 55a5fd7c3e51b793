// SPDX-License-Identifier: Apache-2.0
package import A2A
package import Bytes
import Consent

/// What a gateway remembers of one task that it brokers; it survives a restart.
package struct TaskRecord: Sendable, Equatable {
    /// The caller's id of the task, made here.
    package let id: String
    /// The caller's id of the context.
    package let contextID: String
    package let owner: Owner
    /// The name of the agent at this gateway.
    package let agent: String
    /// Where the task lives: an entity id, or `local`.
    package let route: String
    /// The next hop's id of the task.
    package let upstreamTaskID: String
    /// The next hop's id of the context.
    package let upstreamContextID: String?
    /// The user's request that it belongs to, the same at every hop (UUIDv7).
    package let exchange: String
    /// SHA-256 of the certificate with which the task was begun, base64url; `nil` for a client on
    /// this side.
    package var certificate: String?
    package let created: Instant
    package var updated: Instant
    /// The state the caller was last told.
    package var state: TaskState
    /// The task as the caller was last told it, kept where this gateway answers for the state
    /// itself; the text of an A2A `Task`.
    package var snapshot: [UInt8]?
    /// Consent and books of a task that may bind the user.
    package var undertaking: Undertaking?
    /// When it ends by itself because nobody answered; `nil` where nobody is waited for.
    package var due: Instant?
    /// How often the row was written since it was made. A write that was made from an older one is
    /// refused, so that nothing is lost where two steps meet.
    package var revision: Int64 = 0

    package init(
        id: String, contextID: String, owner: Owner, agent: String, route: String,
        upstreamTaskID: String, upstreamContextID: String?, exchange: String, created: Instant,
        state: TaskState
    ) {
        self.id = id
        self.contextID = contextID
        self.owner = owner
        self.agent = agent
        self.route = route
        self.upstreamTaskID = upstreamTaskID
        self.upstreamContextID = upstreamContextID
        self.exchange = exchange
        self.created = created
        updated = created
        self.state = state
    }

    /// The ids under which the caller knows it.
    package var alias: Alias { Alias(taskID: id, contextID: contextID) }

    /// The nonce of the question that waits for the user's word.
    package var question: String? {
        guard state == .authRequired, undertaking?.stage == .asked else { return nil }
        return undertaking?.ask?.nonce
    }

    /// Whom calls to the next hop about it speak for (Spec §1.6); `nil` where no user is named.
    var user: String? {
        let user = undertaking.flatMap { $0.isGranted ? $0.subject : nil } ?? owner.user
        return user.isEmpty ? nil : user
    }

    /// Whether it is too late to cancel.
    var isCommitting: Bool { undertaking?.isCommitting ?? false }

    /// Takes a state on. Whoever was waited for is waited for no more.
    mutating func enter(_ state: TaskState, at now: Instant) {
        self.state = state
        updated = now
        due = nil
    }

    /// ``route`` of a task at a local agent.
    package static let localRoute = "local"
}

/// Tasks at rest. Every method is one statement inside the journal's transaction.
package protocol TaskStorage: AnyObject {
    /// Adds a task; its owner never changes afterwards.
    ///
    /// - Throws: `StorageFault.constraint` when the id or the pair (route, upstream id) is taken.
    func insert(_ task: TaskRecord) throws(StorageFault)
    /// Writes what may change (state, snapshot, undertaking, updated, due), if the row still is at
    /// the record's revision.
    ///
    /// - Returns: The record as it now stands; `nil` where another write came first, and nothing
    ///   was written.
    /// - Throws: `StorageFault.constraint` for another state after a terminal one.
    func update(_ task: TaskRecord) throws(StorageFault) -> TaskRecord?
    /// The task called `id`.
    func task(id: String) throws(StorageFault) -> TaskRecord?
    /// The task that the next hop calls `upstreamTaskID`.
    func task(
        route: String, agent: String, upstreamTaskID: String
    ) throws(StorageFault) -> TaskRecord?
    /// Tasks of `owner` at `agent`, newest change first, after the given row, at most `limit`.
    func tasks(
        owner: Owner, agent: String, contextID: String?, state: TaskState?,
        after: (updated: Instant, id: String)?, limit: Int
    ) throws(StorageFault) -> [TaskRecord]
    /// How many tasks ``tasks(owner:agent:contextID:state:after:limit:)`` counts in all.
    func taskCount(
        owner: Owner, agent: String, contextID: String?, state: TaskState?
    ) throws(StorageFault) -> Int
    /// Every task of one exchange.
    func tasks(exchange: String) throws(StorageFault) -> [TaskRecord]
    /// Tasks whose time is up at `now`, the longest overdue first.
    func tasksDue(at now: Instant, limit: Int) throws(StorageFault) -> [TaskRecord]
    /// Tasks of `party` with an open question, the youngest question first.
    func tasksAsking(party: String, limit: Int) throws(StorageFault) -> [TaskRecord]
    /// The task whose open question has this nonce.
    func task(question nonce: String) throws(StorageFault) -> TaskRecord?
}
