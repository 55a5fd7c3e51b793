// SPDX-License-Identifier: Apache-2.0
package import Bytes
package import Gateway
import Synchronization

/// The journal in SQLite: exactly one connection writes, another only reads
/// (Spec/decisions/0002).
package final class SQLiteJournal: Journal {
    private let writer: DatabaseThread
    private let reader: DatabaseThread
    let path: String
    let options: StoreOptions
    /// Whether no period is being closed.
    let closingIsFree = Atomic(true)

    /// Opens or makes the database at `path`.
    package init(path: String, _ options: StoreOptions = StoreOptions()) throws(StorageFault) {
        self.path = path
        self.options = options
        writer = try DatabaseThread(path: path, .writer, options)
        do throws(StorageFault) {
            reader = try DatabaseThread(path: path, .reader, options)
        } catch {
            writer.stop()
            throw error
        }
    }

    deinit {
        reader.stopSoon()
        writer.stopSoon()
    }

    /// Whether writes are taken. A full disk makes it false; it becomes true again by itself when
    /// there is room.
    package var isReady: Bool { writer.isReady }

    /// Runs `body` on the writing connection; returns after the commit.
    package func write<Value: Sendable>(
        _ body: @escaping @Sendable (any JournalTransaction) throws -> Value
    ) async throws -> Value {
        try await Self.run(on: writer) { [closed] database in
            try body(SQLiteTransaction(database, closed))
        }
    }

    /// Runs `body` on a connection that cannot write.
    /// Runs `body` on a connection that cannot write.
    package func read<Value: Sendable>(
        _ body: @escaping @Sendable (any JournalTransaction) throws -> Value
    ) async throws -> Value {
        try await Self.run(on: reader) { [closed] database in
            try body(SQLiteTransaction(database, closed))
        }
    }

    /// Runs `body` on the writing connection between two transactions.
    func alone<Value: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws -> Value {
        try await Self.run(on: writer, isAlone: true, body)
    }

    /// Ends both threads after their waiting jobs; the log is folded into the database.
    package func close() {
        reader.stop()
        writer.stop()
    }

    /// Where the closed periods are.
    var closed: ClosedBooks {
        ClosedBooks(
            folder: options.books ?? DatabaseFile.folder(of: path) + "/books",
            fileSystem: options.fileSystem)
    }

    private static func run<Value: Sendable>(
        on thread: DatabaseThread, isAlone: Bool = false,
        _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws -> Value {
        let answer = Answer<Value>()
        return try await withCheckedThrowingContinuation { continuation in
            thread.submit(
                DatabaseThread.Job(
                    isAlone: isAlone,
                    run: { database in
                        do {
                            answer.set(.success(try body(database)))
                        } catch {
                            answer.set(.failure(error))
                            throw error
                        }
                    },
                    finish: { fault in
                        if let fault {
                            continuation.resume(throwing: fault)
                        } else {
                            continuation.resume(with: answer.take())
                        }
                    }))
        }
    }
}

/// What a job came to, between its run and the commit.
private final class Answer<Value: Sendable>: Sendable {
    private let result = Mutex<Result<Value, any Error>?>(nil)

    func set(_ value: Result<Value, any Error>) { result.withLock { $0 = value } }

    func take() -> Result<Value, any Error> {
        result.withLock { $0 } ?? .failure(StorageFault.io("the job did not run"))
    }
}

/// The tables within one transaction.
final class SQLiteTransaction: JournalTransaction {
    let database: Database
    let closed: ClosedBooks
    /// Where the last page of postings ended.
    var postingCursor: PostingCursor?

    init(_ database: Database, _ closed: ClosedBooks) {
        self.database = database
        self.closed = closed
    }
}
