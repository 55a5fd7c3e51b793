// SPDX-License-Identifier: Apache-2.0
import Accounting
import Bytes
import Gateway
import Store
import Synchronization
import TestSupport

/// Holds and what becomes of them, taken by several callers at once, with a log of what the store
/// acknowledged.
final class Traffic: Sendable {
    /// What the store said it had done.
    struct Entry: Sendable {
        let hold: OperationID
        /// The operation that ended it; nil when it was placed.
        let end: OperationID?
        /// How often the power had been cut when the caller knew.
        let cuts: Int
    }

    let keeper: Bookkeeper
    let now: Instant
    private let cuts: @Sendable () -> Int
    private let state = Mutex<(entries: [Entry], faults: [StorageFault])>(([], []))

    init(
        _ keeper: Bookkeeper, now: Instant, cuts: @escaping @Sendable () -> Int = { 0 }
    ) {
        self.keeper = keeper
        self.now = now
        self.cuts = cuts
    }

    var entries: [Entry] { state.withLock { $0.entries } }
    var faults: [StorageFault] { state.withLock { $0.faults } }

    /// `callers` at once take `count` holds each, one after the other.
    func run(
        on journal: SQLiteJournal, callers: Int = 6, count: Int, seed: UInt64
    ) async {
        await withTaskGroup { group in
            for caller in 0..<callers {
                let random = SeededRandom(seed: seed &* 1009 &+ UInt64(caller))
                group.addTask { [self] in
                    for _ in 0..<count { await one(on: journal, random) }
                }
            }
        }
    }

    private func one(on journal: SQLiteJournal, _ random: SeededRandom) async {
        var random = random
        let fen = Int64.random(in: 1...40_000, using: &random)
        let (keeper, now) = (keeper, now)
        do {
            let request = try keeper.request(fen, now: now, random: random)
            try await journal.write { try keeper.place(request, $0, now: now) }
            log(request.op, nil)
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<6:
                let post = keeper.post(request, now: now, random: random)
                try await journal.write { try keeper.receive(post, $0, now: now) }
                log(request.op, post.op)
            case 6..<8:
                let op = OperationID(at: now, random: random)
                try await journal.write { try keeper.void(request, op: op, $0, now: now) }
                log(request.op, op)
            default: break
            }
        } catch {
            let fault = error as? StorageFault ?? .corrupt("\(error)")
            state.withLock { $0.faults.append(fault) }
        }
    }

    private func log(_ hold: OperationID, _ end: OperationID?) {
        // Asked after the acknowledgement: a cut that is not counted yet came after the commit.
        let entry = Entry(hold: hold, end: end, cuts: cuts())
        state.withLock { $0.entries.append(entry) }
    }

    /// What is wrong with books that were cut off for the `cut`-th time, or not at all: empty when
    /// nothing that was acknowledged before is lost, debits are credits, and each hold ended once.
    func problems(of journal: SQLiteJournal, cut: Int = .max) async throws -> [String] {
        let entries = entries.filter { $0.cuts <= cut }
        let keeper = keeper
        return try await journal.read { tx in
            var problems = try keeper.ledger(tx).audit().map(\.description)
            for entry in entries {
                guard let hold = try tx.hold(keeper.peer, entry.hold) else {
                    problems.append("hold \(entry.hold) is lost")
                    continue
                }
                if let end = entry.end, hold.resolution?.op != end {
                    problems.append("the end \(end) of hold \(entry.hold) is lost")
                }
            }
            return problems
        }
    }
}
