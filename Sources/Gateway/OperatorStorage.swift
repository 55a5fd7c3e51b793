// SPDX-License-Identifier: Apache-2.0
package import A2A
import Accounting
package import Bytes
package import Consent

/// What the people who run a gateway ask of its journal, and what they decide. Every method is one
/// statement inside the journal's transaction.
package protocol OperatorStorage: AnyObject {
    // MARK: Refusals

    /// Adds a refusal and forgets all but the newest ``RefusalRecord/kept``.
    func insert(_ refusal: RefusalRecord) throws(StorageFault)
    /// The newest refusals of a task or of an exchange, oldest first, at most `limit`.
    func refusals(
        task: String?, exchange: String?, limit: Int
    ) throws(StorageFault) -> [RefusalRecord]

    // MARK: Explanations

    /// What was reserved here under one root, in order.
    func reservations(root: String) throws(StorageFault) -> [ReservationRecord]
    /// Tasks whose id lies before `before`, newest first.
    ///
    /// At most ``TaskSearch/scanned`` tasks are looked at, so that a filter that matches nothing
    /// costs no more than one that does.
    func tasks(_ search: TaskSearch) throws(StorageFault) -> TaskPage

    // MARK: Peers

    /// Peers whose new requests are refused, with the time since when.
    func suspensions() throws(StorageFault) -> [(peer: EntityID, since: Instant)]
    /// Keeps the time of the first call.
    func suspend(_ peer: EntityID, at: Instant) throws(StorageFault)
    func resume(_ peer: EntityID) throws(StorageFault)

    // MARK: Health

    /// How much waits.
    func backlog() throws(StorageFault) -> Backlog
    /// Writes one row, to see whether writing works.
    func probe(at: Instant) throws(StorageFault)
}

/// Which tasks an operator wants to see.
package struct TaskSearch: Sendable, Equatable {
    /// Only tasks in this state.
    package var state: TaskState?
    /// Only tasks of this party: an entity id, or `edge:<listener>/<principal>`.
    package var party: String?
    /// Only tasks whose id lies before it; the cursor of ``TaskPage/next``.
    package var before: String?
    /// Most tasks in the answer.
    package var limit = 50

    /// Tasks looked at for one page: some tens of milliseconds.
    package static let scanned = 10_000
    /// Largest ``limit``.
    package static let limitMax = 500

    package init() {}
}

/// Some tasks, newest first.
package struct TaskPage: Sendable {
    package var tasks: [TaskRecord]
    /// Where to go on; `nil` at the end.
    package var next: String?

    package init(tasks: [TaskRecord], next: String?) {
        self.tasks = tasks
        self.next = next
    }
}

/// How much a gateway still owes or waits for.
package struct Backlog: Sendable, Equatable {
    /// Messages in the outbox.
    package var outbox = 0
    /// When the oldest of them was first due.
    package var outboxSince: Instant?
    /// Holds that are neither posted nor released.
    package var pendingHolds = 0
    /// Tasks that wait for the user.
    package var openAsks = 0

    package init() {}
}

/// One refusal as it is remembered for ``Explanation``: codes and rules, never contents.
package struct RefusalRecord: Sendable, Equatable {
    package let at: Instant
    /// The id here of the task, if there was one.
    package let task: String?
    package let exchange: String?
    /// Who was refused: an entity id, or `edge:<listener>/<principal>`.
    package let party: String
    /// The A2A method, or `resume` and the like for what is none.
    package let method: String
    /// What the caller was told, as `consent_replay`.
    package let reason: String
    /// Which check refused, as `21.replay`; only the gateway that refused knows it.
    package let rule: String?
    /// Set where the next hop refused and this gateway passed it on.
    package let by: String?

    /// Refusals remembered; a row is about 200 bytes, so that they fill two megabytes.
    package static let kept = 10_000

    /// - Parameter reason: Another gateway's word may be anything; what is no code becomes `other`.
    package init(
        at: Instant, task: String?, exchange: String?, party: String, method: String,
        reason: String, rule: String?, by: String?
    ) {
        self.at = at
        self.task = task
        self.exchange = exchange
        self.party = party
        self.method = method
        self.reason = Self.token(reason)
        self.rule = rule
        self.by = by
    }

    /// Another gateway's word for its reason, as one harmless word.
    private static func token(_ text: String) -> String {
        let isToken = text.utf8.allSatisfy {
            ($0 >= 48 && $0 <= 57) || ($0 >= 65 && $0 <= 90) || ($0 >= 97 && $0 <= 122)
                || $0 == 95 || $0 == 46 || $0 == 45
        }
        return isToken && !text.isEmpty && text.utf8.count <= 64 ? text : "other"
    }
}
