// SPDX-License-Identifier: Apache-2.0
import Bytes
import Glibc
import Synchronization

/// A thread of its own with one connection, and the jobs that wait for it.
///
/// Whatever waits when the thread is free becomes one transaction, so that under load one fsync
/// serves many callers; nobody waits for company (group commit without a timer).
final class DatabaseThread: Sendable {
    /// One caller's work. It runs in a savepoint of its own.
    struct Job: Sendable {
        /// Does the work; throws to have it undone.
        let run: @Sendable (Database) throws -> Void
        /// Tells the caller, after the commit: `nil` when it is on disk.
        let finish: @Sendable (StorageFault?) -> Void
    }

    private struct State {
        var jobs: [Job] = []
        var isStopping = false
        var isIdle = false
    }

    private let state = Mutex(State())
    private let wake = WakeUp()
    private let mode: Database.Mode

    /// Most jobs in one transaction: their latency is the transaction's.
    static let batchMax = 1000

    /// Opens the database on a new thread and waits until it is ready.
    init(path: String, _ mode: Database.Mode) throws(StorageFault) {
        self.mode = mode
        let opening = Opening()
        let start = ThreadStart { [self] in
            let database: Database
            do throws(StorageFault) {
                database = try Database(path: path, mode)
                if mode == .writer {
                    try Schema.prepare(database)
                } else {
                    try database.execute(Schema.readerSettings)
                }
            } catch {
                opening.done(error)
                return
            }
            opening.done(nil)
            serve(database)
        }
        guard start.launch() else { throw .io("no thread can be started") }
        if let fault = opening.wait() { throw fault }
    }

    /// Has `job` done in its turn. After ``stop()`` it is refused at once.
    func submit(_ job: Job) {
        let isTaken = state.withLock { state in
            if state.isStopping { return false }
            state.jobs.append(job)
            return true
        }
        if isTaken { wake.signal() } else { job.finish(.io("the store is closed")) }
    }

    /// Lets the waiting jobs end, then the thread, and waits for it.
    func stop() {
        state.withLock { $0.isStopping = true }
        wake.signal()
        wake.waitUntilEnded()
    }

    private func serve(_ database: Database) {
        var commits = 0
        while true {
            let (batch, isStopping) = state.withLock { state -> ([Job], Bool) in
                let batch = Array(state.jobs.prefix(Self.batchMax))
                state.jobs.removeFirst(batch.count)
                return (batch, state.isStopping)
            }
            if batch.isEmpty {
                if mode == .writer, commits > 0 {
                    checkpoint(database, "PASSIVE")
                    commits = 0
                }
                if isStopping { break }
                wake.wait()
                continue
            }
            run(batch, on: database)
            commits += batch.count
            if mode == .writer, commits >= Self.checkpointCommits {
                checkpoint(database, "PASSIVE")
                commits = 0
            }
        }
        if mode == .writer { checkpoint(database, "TRUNCATE") }
        wake.ended()
    }

    /// Commits between checkpoints under steady load; the log stays within tens of megabytes.
    private static let checkpointCommits = 4000

    private func checkpoint(_ database: Database, _ kind: String) {
        // A checkpoint that fails is tried again with the next one; nothing depends on it but the
        // size of the log.
        _ = try? database.run("PRAGMA wal_checkpoint(\(kind))") { $0.integer(0) }
    }

    private func run(_ batch: [Job], on database: Database) {
        var finished: [Job] = []
        do throws(StorageFault) {
            try database.execute(mode == .writer ? "BEGIN IMMEDIATE" : "BEGIN")
            for job in batch {
                try database.execute("SAVEPOINT job")
                do {
                    try job.run(database)
                    try database.execute("RELEASE job")
                } catch {
                    // The job knows what it threw and tells its caller itself.
                    try database.execute("ROLLBACK TO job; RELEASE job")
                }
                finished.append(job)
            }
            try database.execute("COMMIT")
        } catch {
            try? database.execute("ROLLBACK")
            if mode == .writer { DiskFailure.stopIfLost(error) }
            for job in batch { job.finish(error) }
            return
        }
        for job in finished { job.finish(nil) }
    }
}

/// What to do when the disk itself fails.
enum DiskFailure {
    /// After an error from write or fsync the pages are gone from the cache and cannot be asked
    /// for again: going on would acknowledge what is not there. The process ends; after a restart
    /// the log says what was committed.
    static func stopIfLost(_ fault: StorageFault) {
        guard case .io(let words) = fault else { return }
        let text = Array("dragoman: the disk failed, stopping: \(words)\n".utf8)
        _ = unsafe text.withUnsafeBytes { unsafe write(2, $0.baseAddress, $0.count) }
        _exit(74)
    }
}
