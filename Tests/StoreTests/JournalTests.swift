// SPDX-License-Identifier: Apache-2.0
import Accounting
import Bytes
import Glibc
import TestSupport
import Testing

@testable import Store

/// The two threads and what they promise to those who wait.
@Suite struct JournalTests {
    let folder: TemporaryFolder
    let samples: Samples
    var path: String { "\(folder.path)/journal.db" }

    init() throws {
        folder = try TemporaryFolder()
        samples = try Samples()
    }

    private struct Stop: Error, Equatable {}

    @Test func aRefusalUndoesItsOwnJobAlone() async throws {
        let journal = try SQLiteJournal(path: path)
        let holds = try (0..<40).map { _ in try samples.hold() }
        await withTaskGroup { group in
            for (index, hold) in holds.enumerated() {
                group.addTask {
                    do {
                        try await journal.write { tx in
                            try tx.insertHold(hold)
                            if index % 3 == 0 { throw Stop() }
                        }
                        #expect(index % 3 != 0)
                    } catch {
                        #expect(error is Stop && index % 3 == 0)
                    }
                }
            }
        }
        let peer = samples.peer
        let stored = try await journal.read { try $0.pendingHolds(peer, .cny).map(\.op) }
        let kept = holds.enumerated().filter { $0.offset % 3 != 0 }.map(\.element.op)
        #expect(stored == kept.sorted())
        journal.close()
    }

    @Test func whatWasAcknowledgedIsThereAfterwards() async throws {
        let hold = try samples.hold()
        let peer = samples.peer
        var journal = try SQLiteJournal(path: path)
        try await journal.write { try $0.insertHold(hold) }
        #expect(try await journal.read { try $0.hold(peer, hold.op) } == hold)
        journal.close()
        journal = try SQLiteJournal(path: path)
        #expect(try await journal.read { try $0.hold(peer, hold.op) } == hold)
        journal.close()
    }

    @Test func aReaderCannotWrite() async throws {
        let journal = try SQLiteJournal(path: path)
        let hold = try samples.hold()
        await #expect(throws: StorageFault.self) {
            try await journal.read { try $0.insertHold(hold) }
        }
        let peer = samples.peer
        #expect(try await journal.read { try $0.hold(peer, hold.op) } == nil)
        journal.close()
    }

    /// One that waits behind a slow job sees the limit; those who wait already are served.
    @Test func tooManyWaitingAreRefused() async throws {
        var options = StoreOptions()
        options.waitingMax = 4
        let journal = try SQLiteJournal(path: path, options)
        let gate = WakeUp()
        let started = WakeUp()
        async let slow: Void = journal.write { _ in
            started.signal()
            gate.wait()
        }
        await Blocking.run { started.wait() }
        let outcomes = await withTaskGroup(of: StorageFault?.self) { group in
            for _ in 0..<10 { group.addTask { await fault { try await journal.write { _ in } } } }
            var outcomes: [StorageFault?] = []
            for await outcome in group {
                outcomes.append(outcome)
                // Six are refused at once; then the slow one may end.
                if outcomes.count == 6 { gate.signal() }
            }
            return outcomes
        }
        try await slow
        #expect(outcomes == Array(repeating: .busy, count: 6) + Array(repeating: nil, count: 4))
        journal.close()
        await #expect(throws: StorageFault.io("the store is closed")) {
            try await journal.write { _ in }
        }
    }

    /// The fault of the store that `body` throws, if it does.
    private func fault(_ body: () async throws -> Void) async -> StorageFault? {
        do {
            try await body()
            return nil
        } catch {
            return error as? StorageFault
        }
    }

    @Test func theFilesAreTheOwnersAlone() async throws {
        let directory = try DataDirectory(path: "\(folder.path)/data")
        let journal = try SQLiteJournal(path: directory.journal)
        let hold = try samples.hold()
        try await journal.write { try $0.insertHold(hold) }
        for name in ["journal.db", "journal.db-wal", "journal.db-shm", "lock"] {
            #expect(try mode("\(directory.path)/\(name)") == 0o600, "\(name)")
        }
        #expect(try mode(directory.path) == 0o700)
        journal.close()
    }

    private func mode(_ path: String) throws -> mode_t {
        var status = stat()
        let answer = unsafe stat(path, &status)
        try #require(answer == 0)
        return status.st_mode & 0o777
    }

    @Test func secretsSurvive() async throws {
        var journal = try SQLiteJournal(path: path)
        let random = SeededRandom(seed: 1)
        let secret = try await journal.secret("context", random: random)
        #expect(secret.count == 32)
        #expect(try await journal.secret("context", random: random) == secret)
        #expect(try await journal.secret("another", random: random) != secret)
        journal.close()
        journal = try SQLiteJournal(path: path)
        #expect(try await journal.secret("context", random: random) == secret)
        journal.close()
    }

    /// A clean stop leaves no log; a log that is left makes the next start look at every page.
    @Test func anUncleanStopIsChecked() async throws {
        let journal = try SQLiteJournal(path: path)
        // Enough that the index of the holds has pages of its own.
        for _ in 0..<20 {
            let holds = try (0..<20).map { _ in try samples.hold() }
            try await journal.write { tx in for hold in holds { try tx.insertHold(hold) } }
        }
        journal.close()
        #expect(try Files.bytes("\(path)-wal").isEmpty)

        // The type of the last page, a leaf of some index, becomes one that there is not.
        try Files.write([1], to: path, at: Files.bytes(path).count - 8192)
        try SQLiteJournal(path: path).close()
        try Files.write(Array("what a crash left".utf8), to: "\(path)-wal", at: 0)
        let fault = #expect(throws: StorageFault.self) { try SQLiteJournal(path: path) }
        guard case .corrupt(let words) = fault else {
            Issue.record("\(String(describing: fault))")
            return
        }
        #expect(words.hasPrefix("quick_check: "))
    }

    @Test(arguments: [
        ("PRAGMA application_id = 5", "not a database of this program"),
        ("PRAGMA user_version = 99", "tables of version 99, this program knows 2"),
    ])
    func anotherDatabaseIsNotOpened(_ sql: String, _ words: String) throws {
        try SQLiteJournal(path: path).close()
        let database = try Database(path: path, .writer)
        try database.execute(sql)
        #expect(throws: StorageFault.corrupt(words)) { try SQLiteJournal(path: path) }
    }

    @Test func aFileOfAnotherProgramIsNotOpened() throws {
        let database = try Database(path: path, .writer)
        try database.execute("CREATE TABLE somebodys(x)")
        #expect(throws: StorageFault.corrupt("not a database of this program")) {
            try SQLiteJournal(path: path)
        }
    }

    /// A job may not go on after the transaction under it has ended, nor hide that it has.
    @Test func aSwallowedFaultStillEndsTheTransaction() throws {
        let file = try OpenFile()
        try file.database.execute("PRAGMA max_page_count = 80; BEGIN")
        #expect(throws: StorageFault.full) {
            try file.database.run(
                "INSERT INTO meta VALUES('big', zeroblob(4000000))")
        }
        #expect(file.database.broken == .full)
        #expect(throws: StorageFault.full) {
            try file.database.run("INSERT INTO meta VALUES('small', x'00')")
        }
        file.database.rollBack()
        try file.database.run("INSERT INTO meta VALUES('small', x'00')")
    }

    @Test func reportsStrangeSums() throws {
        let file = try OpenFile()
        for _ in 0..<2 {
            try file.transaction.insertStatementLine(samples.line(samples.op(), amount: .max))
        }
        #expect(throws: StorageFault.corrupt("integer overflow (1)")) {
            try file.transaction.statementBalance(
                samples.peer, .cny, before: samples.now.adding(seconds: 1))
        }
        #expect(file.database.broken == nil)
    }
}

/// Waiting without holding one of the threads that run tests.
enum Blocking {
    static func run(_ body: @escaping @Sendable () -> Void) async {
        try? await ThreadStart.run(body)
    }
}
