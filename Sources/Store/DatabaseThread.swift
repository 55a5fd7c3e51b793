// SPDX-License-Identifier: Apache-2.0
import Bytes
import Glibc
import Synchronization

/// A thread of its own with one connection, and the jobs that wait for it.
///
/// Whatever waits when the writing thread is free becomes one transaction, so that under load one
/// fsync serves many callers; nobody waits for company (group commit without a timer).
final class DatabaseThread: Sendable {
    /// One caller's work.
    struct Job: Sendable {
        /// Whether it runs between transactions, on its own; else in a savepoint of its own.
        var isAlone = false
        /// Does the work; throws to have it undone.
        let run: @Sendable (Database) throws -> Void
        /// Tells the caller, after the commit: `nil` when it is on disk.
        let finish: @Sendable (StorageFault?) -> Void
    }

    private struct State {
        var jobs: [Job] = []
        var isStopping = false
        var isFull = false
    }

    private let state = Mutex(State())
    private let wake = WakeUp()
    private let mode: Database.Mode
    private let options: StoreOptions

    /// Most jobs in one transaction: their latency is the transaction's.
    static let batchMax = 1000

    /// Opens the database on a new thread and waits until it is ready.
    init(
        path: String, _ mode: Database.Mode, _ options: StoreOptions
    ) throws(StorageFault) {
        self.mode = mode
        self.options = options
        let opening = Opening()
        let start = ThreadStart { [self] in
            let database: Database
            do throws(StorageFault) {
                database = try Self.open(path, mode, options)
            } catch {
                opening.done(error)
                return
            }
            opening.done(nil)
            serve(database)
            wake.ended()
        }
        guard start.launch() else { throw .io("no thread can be started") }
        if let fault = opening.wait() { throw fault }
    }

    private static func open(
        _ path: String, _ mode: Database.Mode, _ options: StoreOptions
    ) throws(StorageFault) -> Database {
        guard mode == .writer else {
            let database = try Database(path: path, .reader, vfs: options.fileSystem)
            try database.execute(Schema.readerSettings)
            return database
        }
        let isUnclean = try DatabaseFile.make(path)
        let database = try Database(path: path, .writer, vfs: options.fileSystem)
        try Schema.prepare(database, isUnclean: isUnclean)
        database.watchLog()
        return database
    }

    /// Whether it takes jobs: neither out of room nor stopping.
    var isReady: Bool { state.withLock { !$0.isFull && !$0.isStopping } }

    /// Has `job` done in its turn, or refuses it at once: when too many wait, while there is no
    /// room, and after ``stop()``.
    func submit(_ job: Job) {
        let fault = state.withLock { state -> StorageFault? in
            if state.isStopping { return .io("the store is closed") }
            if state.isFull { return .full }
            if state.jobs.count >= options.waitingMax { return .busy }
            state.jobs.append(job)
            return nil
        }
        if let fault { job.finish(fault) } else { wake.signal() }
    }

    /// Lets the waiting jobs end and then the thread, without waiting for it.
    func stopSoon() {
        state.withLock { $0.isStopping = true }
        wake.signal()
    }

    /// Lets the waiting jobs end, then the thread, and waits for it.
    func stop() {
        stopSoon()
        wake.waitUntilEnded()
    }
}

// MARK: - On the thread

extension DatabaseThread {
    private func serve(_ database: Database) {
        while true {
            let (batch, isStopping, isFull) = take()
            if !batch.isEmpty {
                switch mode {
                case .writer: write(batch, database)
                case .reader, .copier: for job in batch { read(job, database) }
                }
            } else if isStopping {
                break
            } else {
                idle(database, isFull)
            }
        }
        if mode == .writer, !database.isLost {
            checkpoint(database, "PRAGMA wal_checkpoint(TRUNCATE)")
        }
    }

    /// The jobs of the next transaction: as many as wait, or one that runs alone.
    private func take() -> (jobs: [Job], isStopping: Bool, isFull: Bool) {
        state.withLock { state in
            let first = state.jobs.prefix(Self.batchMax)
            let together = first.firstIndex(where: \.isAlone) ?? first.endIndex
            let batch = Array(first.prefix(max(1, together)))
            state.jobs.removeFirst(batch.count)
            return (batch, state.isStopping, state.isFull)
        }
    }

    private func idle(_ database: Database, _ isFull: Bool) {
        if isFull {
            if wake.wait(atMost: options.probeInterval) { return }
            probe(database)
        } else if mode == .writer, database.logGrowth > 0 {
            if wake.wait(atMost: options.idleInterval) { return }
            checkpoint(database, "PRAGMA wal_checkpoint(PASSIVE)")
        } else {
            wake.wait()
        }
    }

    /// A read needs no commit, so its caller hears of it at once.
    private func read(_ job: Job, _ database: Database) {
        do throws(StorageFault) {
            try database.run("BEGIN")
            // The job knows what it threw and tells its caller itself.
            try? job.run(database)
            if let broken = database.broken { throw broken }
            try database.run("COMMIT")
            job.finish(nil)
        } catch {
            database.rollBack()
            job.finish(error)
        }
    }

    private func write(_ batch: [Job], _ database: Database) {
        do throws(StorageFault) {
            if batch[0].isAlone {
                try? batch[0].run(database)
                if let broken = database.broken { throw broken }
            } else {
                try database.run("BEGIN IMMEDIATE")
                for job in batch { try runInSavepoint(job, database) }
                try database.run("COMMIT")
            }
        } catch {
            undo(database, error)
            for job in batch { job.finish(error) }
            return
        }
        for job in batch { job.finish(nil) }
        if database.logGrowth >= options.logPagesMax {
            checkpoint(database, "PRAGMA wal_checkpoint(PASSIVE)")
        }
    }

    private func runInSavepoint(_ job: Job, _ database: Database) throws(StorageFault) {
        try database.run("SAVEPOINT job")
        do {
            try job.run(database)
        } catch {
            // The job knows what it threw and tells its caller itself.
            if let broken = database.broken { throw broken }
            try database.run("ROLLBACK TO job")
        }
        // A job may have swallowed the fault that ended the transaction.
        if let broken = database.broken { throw broken }
        try database.run("RELEASE job")
    }

    /// Copies the log into the database, as far as readers let it. How far it came decides nothing
    /// but the size of the log; a device that fails under it is lost like under a commit.
    private func checkpoint(_ database: Database, _ pragma: StaticString) {
        do throws(StorageFault) {
            try database.run(pragma) { _ in }
            database.logIsCopied()
        } catch {
            undo(database, error)
        }
    }

    private func undo(_ database: Database, _ fault: StorageFault) {
        if database.isLost { lose(fault) }
        database.rollBack()
        guard mode == .writer, fault == .full else { return }
        let refused = state.withLock { state in
            state.isFull = true
            defer { state.jobs = [] }
            return state.jobs
        }
        for job in refused { job.finish(.full) }
    }

    /// Takes jobs again if so much can be written as a large transaction needs.
    private func probe(_ database: Database) {
        do throws(StorageFault) {
            try database.run("BEGIN IMMEDIATE")
            try database.run(
                "INSERT OR REPLACE INTO meta(name, value) VALUES('room', zeroblob(262144))")
            try database.run("COMMIT")
            try database.run("DELETE FROM meta WHERE name='room'")
            state.withLock { $0.isFull = false }
        } catch {
            undo(database, error)
        }
    }

    /// After an error from write or fsync the pages are gone from the cache and cannot be asked
    /// for again: going on would acknowledge what is not there. The process ends; after a restart
    /// the log says what was committed.
    private func lose(_ fault: StorageFault) {
        guard let onLostDisk = options.onLostDisk else {
            let text = Array("dragoman: the disk failed, stopping: \(fault)\n".utf8)
            _ = unsafe text.withUnsafeBytes {
                unsafe Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count)
            }
            _exit(Self.lostDiskStatus)
        }
        let refused = state.withLock { state in
            state.isStopping = true
            defer { state.jobs = [] }
            return state.jobs
        }
        for job in refused { job.finish(fault) }
        onLostDisk()
    }

    /// `EX_IOERR` of sysexits.h.
    private static let lostDiskStatus: Int32 = 74
}
