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

/// One compiled statement. Its codes mean something to its ``Database`` alone.
@safe final class PreparedStatement {
    private let handle: OpaquePointer

    @unsafe init(_ handle: OpaquePointer) { unsafe self.handle = handle }

    deinit { unsafe sqlite3_finalize(handle) }

    func bind(_ values: [SQLValue]) -> Int32 {
        var place: Int32 = 0
        for value in values {
            place += 1
            let code = bind(value, at: place)
            if code != SQLITE_OK { return code }
        }
        return SQLITE_OK
    }

    private func bind(_ value: SQLValue, at place: Int32) -> Int32 {
        switch value {
        case .null: unsafe sqlite3_bind_null(handle, place)
        case .integer(let number): unsafe sqlite3_bind_int64(handle, place, number)
        case .text(let text):
            unsafe dg_sqlite_bind_text(handle, place, text, UInt64(text.utf8.count))
        case .blob(let bytes):
            unsafe bytes.withUnsafeBytes { buffer in
                // A null pointer would bind NULL, not an empty blob.
                unsafe buffer.isEmpty
                    ? sqlite3_bind_zeroblob(handle, place, 0)
                    : dg_sqlite_bind_blob(
                        handle, place, buffer.baseAddress, UInt64(buffer.count))
            }
        }
    }

    func step() -> Int32 { unsafe sqlite3_step(handle) }

    /// Makes it ready for the next run. The values stay bound: every run binds all of them again.
    func reset() { unsafe sqlite3_reset(handle) }

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
