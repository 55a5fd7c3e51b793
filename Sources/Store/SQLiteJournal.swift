// SPDX-License-Identifier: Apache-2.0
package import Bytes
package import Gateway
import Synchronization

/// The journal in SQLite: exactly one connection writes, another only reads
/// (Spec/decisions/0002).
package final class SQLiteJournal: Journal {
    private let writer: DatabaseThread
    private let reader: DatabaseThread

    /// Opens or makes the database at `path`.
    package init(path: String) throws(StorageFault) {
        writer = try DatabaseThread(path: path, .writer)
        reader = try DatabaseThread(path: path, .reader)
    }

    /// Runs `body` on the writer; returns after the commit.
    package func write<Value: Sendable>(
        _ body: @escaping @Sendable (any JournalTransaction) throws -> Value
    ) async throws -> Value {
        try await Self.run(on: writer, body)
    }

    /// Runs `body` on a connection that cannot write.
    package func read<Value: Sendable>(
        _ body: @escaping @Sendable (any JournalTransaction) throws -> Value
    ) async throws -> Value {
        try await Self.run(on: reader, body)
    }

    /// Ends both threads after their waiting jobs; the log is folded into the database.
    package func close() {
        reader.stop()
        writer.stop()
    }

    private static func run<Value: Sendable>(
        on thread: DatabaseThread,
        _ body: @escaping @Sendable (any JournalTransaction) throws -> Value
    ) async throws -> Value {
        let answer = Answer<Value>()
        return try await withCheckedThrowingContinuation { continuation in
            thread.submit(
                DatabaseThread.Job(
                    run: { database in
                        do {
                            let value = try body(SQLiteTransaction(database))
                            answer.set(.success(value))
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

    init(_ database: Database) { self.database = database }
}
