// SPDX-License-Identifier: Apache-2.0
package import Accounting
package import Bytes
package import Consent

/// Messages owed to somebody, kept until they are acknowledged.
package struct OutboxRow: Sendable, Equatable {
    /// Given by the storage; rises.
    package let sequence: Int64
    package let item: OutboxItem
    /// When it is to be tried next.
    package let due: Instant
    package let tries: Int

    package init(sequence: Int64, item: OutboxItem, due: Instant, tries: Int) {
        self.sequence = sequence
        self.item = item
        self.due = due
        self.tries = tries
    }
}

/// What an outbox row asks for.
package enum OutboxItem: Sendable, Equatable {
    /// A post that the other side has not acknowledged yet: `POST /acct/v1/holds/{op}:post`.
    case post(peer: EntityID, op: String, body: [UInt8])
    /// A void, likewise.
    case void(peer: EntityID, op: String, body: [UInt8])
    /// A receipt that the budget keeper has not taken yet.
    case receipt(keeper: EntityID, path: String, body: [UInt8])
    /// The commit message of an act whose effect is due: the task's id here.
    case commit(task: String)
    /// A task whose end the next hop has not told yet: the task's id here.
    case follow(task: String)
    /// A task that ended here and of which the next hop does not know yet: the task's id here.
    case cancel(task: String)

    /// Two items with one key are the same duty; the storage keeps one.
    package var key: String {
        switch self {
        case .post(let peer, let op, _): "post \(peer.text) \(op)"
        case .void(let peer, let op, _): "void \(peer.text) \(op)"
        case .receipt(let keeper, let path, let body):
            "receipt \(keeper.text) \(path) \(body.hashKey)"
        case .commit(let task): "commit \(task)"
        case .follow(let task): "follow \(task)"
        case .cancel(let task): "cancel \(task)"
        }
    }
}

extension [UInt8] {
    /// FNV-1a; only tells the rows of one outbox apart.
    fileprivate var hashKey: String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in self { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return String(hash, radix: 16)
    }
}

/// The outbox at rest.
package protocol OutboxStorage: AnyObject {
    /// Adds `item` unless one with its key waits already.
    func enqueue(_ item: OutboxItem, due: Instant) throws(StorageFault)
    /// Rows that are due at `now`, oldest first.
    func outboxDue(at now: Instant, limit: Int) throws(StorageFault) -> [OutboxRow]
    /// When the next row is due.
    func outboxNextDue() throws(StorageFault) -> Instant?
    /// Puts a row off.
    func postpone(_ row: OutboxRow, until due: Instant) throws(StorageFault)
    /// The duty is done.
    func remove(outbox item: OutboxItem) throws(StorageFault)
}

/// Everything at rest, within one transaction.
package protocol JournalTransaction: TaskStorage, OutboxStorage, ConsentStorage, LedgerStorage,
    OperatorStorage
{}

/// The durable memory of a gateway.
///
/// A body runs on the writer's thread in one savepoint. What it throws undoes the savepoint and
/// reaches the caller; the caller goes on only after the commit is on disk.
package protocol Journal: Sendable {
    /// Runs `body` and commits what it wrote.
    ///
    /// - Throws: What `body` throws; `StorageFault` where the disk refuses.
    func write<Value: Sendable>(
        _ body: @escaping @Sendable (any JournalTransaction) throws -> Value
    ) async throws -> Value
    /// Runs `body`, which only reads.
    func read<Value: Sendable>(
        _ body: @escaping @Sendable (any JournalTransaction) throws -> Value
    ) async throws -> Value
}
