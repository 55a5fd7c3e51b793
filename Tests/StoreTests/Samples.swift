// SPDX-License-Identifier: Apache-2.0
import Accounting
import Bytes
import Consent
import TestSupport
import Testing

@testable import Store

/// The two implementations of the storage protocols: what holds for one holds for the other.
enum Backend: String, CaseIterable, CustomTestStringConvertible {
    case memory, sqlite

    var testDescription: String { rawValue }

    /// Empty tables of the ledger, and how one of their transactions is run.
    func ledger() throws -> LedgerTables {
        switch self {
        case .memory:
            let books = MemoryLedger()
            return LedgerTables(storage: books) { body in
                try books.transaction { try body(books) }
            }
        case .sqlite:
            let file = try OpenFile()
            return LedgerTables(storage: file.transaction) { body in
                try file.savepoint { try body(file.transaction) }
            }
        }
    }

    /// Empty tables of consent.
    func consent() throws -> ConsentTables {
        switch self {
        case .memory:
            let records = MemoryConsent()
            return ConsentTables(storage: records) { body in
                try records.transaction { records throws(any Error) in try body(records) }
            }
        case .sqlite:
            let file = try OpenFile()
            return ConsentTables(storage: file.transaction) { body in
                try file.savepoint { try body(file.transaction) }
            }
        }
    }
}

struct LedgerTables {
    let storage: any LedgerStorage
    let transaction: ((any LedgerStorage) throws -> Void) throws -> Void

    init(
        storage: any LedgerStorage,
        transaction: @escaping ((any LedgerStorage) throws -> Void) throws -> Void
    ) {
        self.storage = storage
        self.transaction = transaction
    }
}

struct ConsentTables {
    let storage: any ConsentStorage
    let transaction: ((any ConsentStorage) throws -> Void) throws -> Void

    init(
        storage: any ConsentStorage,
        transaction: @escaping ((any ConsentStorage) throws -> Void) throws -> Void
    ) {
        self.storage = storage
        self.transaction = transaction
    }
}

/// A database on this very thread, without the journal's threads.
final class OpenFile {
    let folder: TemporaryFolder
    let database: Database
    let transaction: SQLiteTransaction

    init() throws {
        folder = try TemporaryFolder()
        let path = "\(folder.path)/journal.db"
        _ = try DatabaseFile.make(path)
        database = try Database(path: path, .writer)
        try Schema.prepare(database, isUnclean: false)
        transaction = SQLiteTransaction(
            database, ClosedBooks(folder: "\(folder.path)/books", fileSystem: nil))
    }

    func savepoint(_ body: () throws -> Void) throws {
        try database.execute("SAVEPOINT test")
        do {
            try body()
        } catch {
            try database.execute("ROLLBACK TO test; RELEASE test")
            throw error
        }
        try database.execute("RELEASE test")
    }
}

/// Records of the ledger, each made from a number.
struct Samples {
    let now = Instant(seconds: 1_795_219_200)
    let peer: EntityID
    let other: EntityID
    private let random = SeededRandom(seed: 11)

    init() throws {
        peer = try #require(EntityID("https://v.example"))
        other = try #require(EntityID("https://w.example"))
    }

    func op(at instant: Instant? = nil) -> OperationID {
        OperationID(at: instant ?? now, random: random)
    }

    func hash() throws -> HashName { try #require(HashName(Base64URL.encode(random.bytes(32)))) }

    func account(_ code: AccountCode = .receivable, of peer: EntityID? = nil) -> AccountKey {
        AccountKey(peer: peer ?? self.peer, code: code, currency: .cny)
    }

    var income: AccountKey { AccountKey(peer: nil, code: .feeIncome, currency: .cny) }

    func hold(
        _ op: OperationID? = nil, postBy seconds: Int64 = 60, exchange: OperationID? = nil
    ) throws -> HoldRecord {
        let request = HoldRequest(
            op: op ?? self.op(), charge: Money(micros: 200_000, .cny),
            commission: Money(micros: 15_000_000, .cny), sale: Money(micros: 328_000_000, .cny),
            quote: try hash(), lifeMilliseconds: seconds * 1000,
            postBy: now.adding(seconds: seconds))
        return HoldRecord(
            peer: peer, side: .caller, kind: exchange == nil ? .block : .task,
            exchange: exchange, tariff: try hash(), request: request, placed: now)
    }

    func resolution(_ op: OperationID) -> HoldResolution {
        HoldResolution(
            op: op, at: now.adding(seconds: 5), charge: Money(micros: 200_000, .cny),
            commission: .zero(.cny), sale: Money(micros: 1, .cny))
    }

    func posting(
        _ op: OperationID, _ index: Int = 0, _ kind: Posting.Kind = .single,
        resolves: Posting.Reference? = nil, amount: Int64 = 100
    ) -> Posting {
        Posting(
            peer: peer, reference: Posting.Reference(op: op, index: index), kind: kind,
            resolves: resolves, debit: account(), credit: income, amount: amount, booked: now)
    }

    func line(
        _ op: OperationID, _ name: String = "take", amount: Int64 = 100, isOwedToUs: Bool = true,
        booked: Instant? = nil
    ) throws -> StatementLine {
        StatementLine(
            peer: peer, op: op, kind: .commission, name: name, exchange: self.op(),
            basis: Money(micros: 7, .cny), amount: Money(micros: amount, .cny),
            isOwedToUs: isOwedToUs, booked: booked ?? now, tariff: try hash())
    }
}
