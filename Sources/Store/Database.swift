// SPDX-License-Identifier: Apache-2.0
import Bytes
import CSQLite

/// A value of SQLite's STRICT tables.
enum SQLValue {
    case null
    case integer(Int64)
    case text(String)
    case blob([UInt8])

    static func optional(_ text: String?) -> SQLValue { text.map { .text($0) } ?? .null }
    static func optional(_ bytes: [UInt8]?) -> SQLValue { bytes.map { .blob($0) } ?? .null }
    static func optional(_ number: Int64?) -> SQLValue { number.map { .integer($0) } ?? .null }
}

/// One connection. It stays on the thread that opened it.
@safe final class Database {
    private let handle: OpaquePointer
    private var statements: [String: Statement] = [:]

    /// How a connection may be used.
    enum Mode { case writer, reader }

    /// Opens `path`; a writer creates it.
    ///
    /// - Throws: `StorageFault` with SQLite's words, which name no content.
    init(path: String, _ mode: Mode) throws(StorageFault) {
        var opened: OpaquePointer?
        let flags =
            mode == .writer
            ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX
            : SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX
        let code = unsafe sqlite3_open_v2(path, &opened, flags, nil)
        guard let opened = unsafe opened else { throw .full }
        guard code == SQLITE_OK else {
            let fault = unsafe Self.fault(code, opened)
            unsafe sqlite3_close_v2(opened)
            throw fault
        }
        unsafe handle = unsafe opened
        unsafe sqlite3_extended_result_codes(handle, 1)
        unsafe sqlite3_busy_timeout(handle, 5000)
        _ = unsafe dg_sqlite_no_checkpoint_on_close(handle)
    }

    deinit {
        statements = [:]
        unsafe sqlite3_close_v2(handle)
    }

    /// Runs SQL that answers nothing.
    func execute(_ sql: String) throws(StorageFault) {
        let code = unsafe sqlite3_exec(handle, sql, nil, nil, nil)
        if code != SQLITE_OK { throw unsafe Self.fault(code, handle) }
    }

    /// Runs one statement and reads each row of its answer.
    @discardableResult
    func run<Row>(
        _ sql: String, _ values: [SQLValue] = [],
        row: (borrowing Statement) throws(StorageFault) -> Row
    ) throws(StorageFault) -> [Row] {
        let statement = try prepared(sql)
        try statement.bind(values)
        defer { statement.reset() }
        var rows: [Row] = []
        while try statement.step() { rows.append(try row(statement)) }
        return rows
    }

    /// Runs one statement that answers nothing; says how many rows it changed.
    @discardableResult
    func run(_ sql: String, _ values: [SQLValue] = []) throws(StorageFault) -> Int {
        let statement = try prepared(sql)
        try statement.bind(values)
        defer { statement.reset() }
        while try statement.step() {}
        return Int(unsafe sqlite3_changes(handle))
    }

    /// Statements are compiled once; the program has a fixed number of them.
    private func prepared(_ sql: String) throws(StorageFault) -> Statement {
        if let statement = statements[sql] { return statement }
        var compiled: OpaquePointer?
        let code = unsafe sqlite3_prepare_v3(
            handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &compiled, nil)
        guard code == SQLITE_OK, let compiled = unsafe compiled else {
            throw unsafe Self.fault(code, handle)
        }
        let statement = unsafe Statement(compiled, handle)
        statements[sql] = statement
        return statement
    }

    /// What an SQLite code means for the gateway.
    @unsafe fileprivate static func fault(_ code: Int32, _ handle: OpaquePointer) -> StorageFault {
        let words = unsafe String(cString: sqlite3_errmsg(handle))
        switch code & 0xFF {
        case SQLITE_FULL, SQLITE_NOMEM, SQLITE_BUSY, SQLITE_LOCKED: return .full
        case SQLITE_CONSTRAINT: return .constraint(words)
        case SQLITE_CORRUPT, SQLITE_NOTADB: return .corrupt(words)
        default: return .io("\(words) (\(code))")
        }
    }
}

/// One compiled statement.
@safe final class Statement {
    private let handle: OpaquePointer
    private let database: OpaquePointer

    @unsafe fileprivate init(_ handle: OpaquePointer, _ database: OpaquePointer) {
        unsafe self.handle = handle
        unsafe self.database = database
    }

    deinit { unsafe sqlite3_finalize(handle) }

    fileprivate func bind(_ values: [SQLValue]) throws(StorageFault) {
        for (index, value) in values.enumerated() {
            let place = Int32(index + 1)
            let code: Int32
            switch value {
            case .null: code = unsafe sqlite3_bind_null(handle, place)
            case .integer(let number): code = unsafe sqlite3_bind_int64(handle, place, number)
            case .text(let text):
                code = unsafe dg_sqlite_bind_text(handle, place, text, UInt64(text.utf8.count))
            case .blob(let bytes):
                code = unsafe bytes.withUnsafeBytes { buffer in
                    // A null pointer would bind NULL, not an empty blob.
                    unsafe buffer.isEmpty
                        ? sqlite3_bind_zeroblob(handle, place, 0)
                        : dg_sqlite_bind_blob(
                            handle, place, buffer.baseAddress, UInt64(buffer.count))
                }
            }
            if code != SQLITE_OK { throw unsafe Database.fault(code, database) }
        }
    }

    fileprivate func step() throws(StorageFault) -> Bool {
        switch unsafe sqlite3_step(handle) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        case let code: throw unsafe Database.fault(code, database)
        }
    }

    fileprivate func reset() {
        unsafe sqlite3_reset(handle)
        unsafe sqlite3_clear_bindings(handle)
    }

    // MARK: Columns, from 0

    func integer(_ column: Int32) -> Int64 { unsafe sqlite3_column_int64(handle, column) }

    func isNull(_ column: Int32) -> Bool {
        unsafe sqlite3_column_type(handle, column) == SQLITE_NULL
    }

    func text(_ column: Int32) -> String {
        guard let bytes = unsafe sqlite3_column_text(handle, column) else { return "" }
        let count = Int(unsafe sqlite3_column_bytes(handle, column))
        return unsafe String(
            decoding: UnsafeBufferPointer(start: bytes, count: count), as: UTF8.self)
    }

    func blob(_ column: Int32) -> [UInt8] {
        guard let bytes = unsafe sqlite3_column_blob(handle, column) else { return [] }
        let count = Int(unsafe sqlite3_column_bytes(handle, column))
        return unsafe Array(UnsafeRawBufferPointer(start: bytes, count: count))
    }

    func optionalText(_ column: Int32) -> String? { isNull(column) ? nil : text(column) }
    func optionalBlob(_ column: Int32) -> [UInt8]? { isNull(column) ? nil : blob(column) }
    func optionalInteger(_ column: Int32) -> Int64? { isNull(column) ? nil : integer(column) }
}
