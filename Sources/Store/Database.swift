// SPDX-License-Identifier: Apache-2.0
import Bytes
import CSQLite
import Glibc

/// One connection. It stays on the thread that opened it.
@safe final class Database {
    /// How a connection may be used.
    enum Mode {
        case writer, reader
        /// Writes a new file, and may attach another by a URI that says how.
        case copier
    }

    private let handle: OpaquePointer
    private let mode: Mode
    private var literals: [UInt: PreparedStatement] = [:]
    private var composed: [String: PreparedStatement] = [:]

    /// Files of closed periods that this connection's thread reads.
    var closedFiles: [String: Database] = [:]

    /// Why nothing more can be done in this transaction: SQLite may have rolled it back already,
    /// and a statement that ran after that would commit on its own.
    private(set) var broken: StorageFault?
    /// Whether the device failed so that nobody can say what is on it.
    private(set) var isLost = false
    /// Pages in the write-ahead log after the last commit, and after the last commit that was
    /// copied into the database.
    private var logPages = 0
    private var copiedPages = 0

    /// Opens `path`; a writer creates it.
    ///
    /// - Parameter vfs: The name of SQLite's layer to the system; nil for its own.
    /// - Throws: `StorageFault` with SQLite's words, which name no content.
    init(path: String, _ mode: Mode, vfs: String? = nil) throws(StorageFault) {
        _ = Self.isConfigured
        var opened: OpaquePointer?
        let flags =
            switch mode {
            case .writer: SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
            case .reader: SQLITE_OPEN_READONLY
            case .copier: SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI
            }
        let code = unsafe sqlite3_open_v2(
            path, &opened, flags | SQLITE_OPEN_NOMUTEX, vfs)
        guard let opened = unsafe opened else { throw .busy }
        unsafe handle = unsafe opened
        self.mode = mode
        // Everything is initialised, so that `deinit` closes the handle also when this throws.
        guard code == SQLITE_OK else { throw fail(code) }
        unsafe sqlite3_extended_result_codes(handle, 1)
        unsafe sqlite3_busy_timeout(handle, Self.busyMilliseconds)
        _ = unsafe dg_sqlite_no_checkpoint_on_close(handle)
    }

    deinit {
        literals = [:]
        composed = [:]
        unsafe sqlite3_close_v2(handle)
    }

    /// Done before SQLite is first used: nobody reads its count of memory, and keeping it costs a
    /// lock at every allocation.
    private static let isConfigured = dg_sqlite_count_no_memory() == SQLITE_OK

    /// How long a connection waits for another's lock. Only the start and the end of a log can
    /// meet one, for one connection writes.
    private static let busyMilliseconds: Int32 = 5000

    /// Counts the pages of the log from now on. Setting any automatic checkpoint undoes it.
    func watchLog() {
        _ = unsafe sqlite3_wal_hook(
            handle,
            { context, _, _, pages in
                guard let context = unsafe context else { return SQLITE_OK }
                let database = unsafe Unmanaged<Database>.fromOpaque(context)
                unsafe database.takeUnretainedValue().logPages = Int(pages)
                return SQLITE_OK
            }, unsafe Unmanaged.passUnretained(self).toOpaque())
    }

    /// Pages by which the log has grown since it was copied. A log that is shorter than it was
    /// then has begun anew.
    var logGrowth: Int { logPages < copiedPages ? logPages : logPages - copiedPages }

    /// The log was copied, as far as readers let it.
    func logIsCopied() { copiedPages = logPages }
}

// MARK: - Statements

extension Database {
    /// Runs SQL that answers nothing, once: it is not kept.
    func execute(_ sql: String) throws(StorageFault) {
        if let broken { throw broken }
        let code = unsafe sqlite3_exec(handle, sql, nil, nil, nil)
        if code != SQLITE_OK { throw fail(code) }
    }

    /// Runs one statement and reads each row of its answer.
    @discardableResult
    func run<Row>(
        _ sql: StaticString, _ values: [SQLValue] = [],
        row: (borrowing PreparedStatement) throws(StorageFault) -> Row
    ) throws(StorageFault) -> [Row] {
        try rows(of: prepared(sql), values, row)
    }

    /// Runs one statement that answers nothing; says how many rows it changed.
    @discardableResult
    func run(_ sql: StaticString, _ values: [SQLValue] = []) throws(StorageFault) -> Int {
        let statement = try prepared(sql)
        try bind(values, to: statement)
        defer { statement.reset() }
        while try step(statement) {}
        return Int(unsafe sqlite3_changes(handle))
    }

    /// Like ``run(_:_:row:)`` for a text that was put together, of which the program has few.
    @discardableResult
    func run<Row>(
        composed sql: String, _ values: [SQLValue] = [],
        row: (borrowing PreparedStatement) throws(StorageFault) -> Row
    ) throws(StorageFault) -> [Row] {
        if let statement = composed[sql] { return try rows(of: statement, values, row) }
        let statement = try prepared(sql)
        composed[sql] = statement
        return try rows(of: statement, values, row)
    }

    /// The first column of the first row, as a number.
    func number(_ sql: StaticString, _ values: [SQLValue] = []) throws(StorageFault) -> Int64? {
        try run(sql, values) { $0.optionalInteger(0) }.first ?? nil
    }

    /// Undoes the transaction, if there still is one. It does not fail: where the disk does, the
    /// next start undoes it from the log.
    func rollBack() {
        broken = nil
        if unsafe sqlite3_get_autocommit(handle) == 0 {
            _ = unsafe sqlite3_exec(handle, "ROLLBACK", nil, nil, nil)
        }
    }

    /// Undoes the transaction, if there still is one, and lets go of an attached file. What broke
    /// the transaction stays known.
    func detach(_ name: String) {
        for sql in ["ROLLBACK", "DETACH \(name)"] {
            _ = unsafe sqlite3_exec(handle, sql, nil, nil, nil)
        }
    }

    private func rows<Row>(
        of statement: PreparedStatement, _ values: [SQLValue],
        _ row: (borrowing PreparedStatement) throws(StorageFault) -> Row
    ) throws(StorageFault) -> [Row] {
        try bind(values, to: statement)
        defer { statement.reset() }
        var rows: [Row] = []
        while try step(statement) { rows.append(try row(statement)) }
        return rows
    }

    /// Statements are compiled once. A literal is known by its address, because hashing its text
    /// costs about as much as running it.
    private func prepared(_ sql: StaticString) throws(StorageFault) -> PreparedStatement {
        let address = unsafe UInt(bitPattern: sql.utf8Start)
        if let statement = literals[address] { return statement }
        let statement = try prepared(sql.description)
        literals[address] = statement
        return statement
    }

    private func prepared(_ sql: String) throws(StorageFault) -> PreparedStatement {
        if let broken { throw broken }
        var compiled: OpaquePointer?
        let code = unsafe sqlite3_prepare_v3(
            handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &compiled, nil)
        guard code == SQLITE_OK, let compiled = unsafe compiled else { throw fail(code) }
        return unsafe PreparedStatement(compiled)
    }

    private func bind(_ values: [SQLValue], to statement: PreparedStatement) throws(StorageFault) {
        if let broken { throw broken }
        let code = statement.bind(values)
        if code != SQLITE_OK { throw fail(code) }
    }

    private func step(_ statement: PreparedStatement) throws(StorageFault) -> Bool {
        switch statement.step() {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        case let code: throw fail(code)
        }
    }
}

// MARK: - Faults

extension Database {
    /// What an SQLite code means for the gateway. All but a broken rule end the transaction.
    private func fail(_ code: Int32) -> StorageFault {
        let words = unsafe String(cString: sqlite3_errmsg(handle))
        let fault: StorageFault
        switch code & 0xFF {
        case SQLITE_CONSTRAINT:
            return .constraint(words)
        case SQLITE_ERROR, SQLITE_MISMATCH, SQLITE_RANGE, SQLITE_TOOBIG:
            // The statement does not fit the stored values, as a sum that leaves 64 bits.
            return .corrupt("\(words) (\(code))")
        case SQLITE_FULL:
            fault = .full
        case SQLITE_BUSY, SQLITE_LOCKED, SQLITE_NOMEM, SQLITE_PROTOCOL:
            fault = .busy
        case SQLITE_IOERR where code == dg_sqlite_ioerr_nomem:
            fault = .busy
        case SQLITE_IOERR where isForRoom(code):
            fault = .full
        case SQLITE_IOERR, SQLITE_READONLY:
            fault = .io("\(words) (\(code))")
            isLost = mode == .writer
        case SQLITE_CORRUPT, SQLITE_NOTADB:
            fault = .corrupt("\(words) (\(code))")
            isLost = mode == .writer
        default:
            fault = .io("\(words) (\(code))")
        }
        broken = fault
        return fault
    }

    /// Whether a failed call of the system asked for more room than there is. A failed fsync is
    /// never that: whatever its reason, the pages that it was to write are gone.
    private func isForRoom(_ code: Int32) -> Bool {
        guard code != dg_sqlite_ioerr_fsync, code != dg_sqlite_ioerr_dir_fsync else {
            return false
        }
        return [ENOSPC, EDQUOT, EFBIG].contains(unsafe sqlite3_system_errno(handle))
    }
}
