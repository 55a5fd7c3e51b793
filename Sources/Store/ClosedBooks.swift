// SPDX-License-Identifier: Apache-2.0
import Accounting
import Bytes

/// Where the files of closed periods are (Spec/decisions/0006).
struct ClosedBooks: Sendable {
    let folder: String
    let fileSystem: String?

    /// The path of the file of a period.
    func path(_ name: String) -> String { "\(folder)/\(name).db" }

    /// Opens a file to be read, and makes sure that it is one.
    func open(_ name: String) throws(StorageFault) -> Database {
        let path = path(name)
        guard DatabaseFile.exists(path) else { throw .io("\(path) is missing") }
        let database = try Database(path: path, .reader, vfs: fileSystem)
        try database.execute(Schema.readerSettings)
        guard try database.number("PRAGMA application_id") == Schema.closedApplicationID,
            try database.number("PRAGMA user_version") == Schema.version
        else { throw .corrupt("\(path) is no file of a closed period") }
        return database
    }
}

/// A closed period as the database remembers it.
struct PeriodRow {
    let name: String
    let until: Instant
    let postings: Int
    /// When its first and last line were booked; nil when it has none.
    let firstLine: Instant?
    let lastLine: Instant?
}

/// Where a page of postings ended: after `sequence` of the file that is the `source`-th, the
/// database itself being the last.
struct PostingCursor {
    var offset: Int
    var source: Int
    var sequence: Int64
}

extension SQLiteTransaction {
    /// The closed periods, oldest first.
    func periods() throws(StorageFault) -> [PeriodRow] {
        try database.run(
            "SELECT name, until, postings, line_first, line_last FROM period ORDER BY until"
        ) { row in
            PeriodRow(
                name: row.text(0), until: Instant(milliseconds: row.integer(1)),
                postings: Int(row.integer(2)),
                firstLine: row.optionalInteger(3).map { Instant(milliseconds: $0) },
                lastLine: row.optionalInteger(4).map { Instant(milliseconds: $0) })
        }
    }

    /// The file of a closed period, kept open with the connection.
    func file(of period: PeriodRow) throws(StorageFault) -> Database {
        if let file = database.closedFiles[period.name] { return file }
        let file = try closed.open(period.name)
        if database.closedFiles.count >= Self.openFilesMax { database.closedFiles = [:] }
        database.closedFiles[period.name] = file
        return file
    }

    /// The first answer of a file of those periods that can hold a record of the operation `op`;
    /// every file where that is nil. An id is made before its record is, by up to the lead that
    /// clocks are allowed, so that fresh ids cost no look.
    func firstClosed<Value>(
        _ op: OperationID?, _ find: (Database) throws(StorageFault) -> Value?
    ) throws(StorageFault) -> Value? {
        for period in try periods().reversed() {
            if let op, op.instant >= period.until.adding(seconds: Self.idLead) { return nil }
            if let value = try find(file(of: period)) { return value }
        }
        return nil
    }

    /// Files kept open by one connection: the year that a person may leaf through.
    private static let openFilesMax = 12

    /// Seconds by which an id may be ahead of the clock (Spec §5.5.8), and some more.
    private static let idLead: Int64 = 600
}

// MARK: - Postings

extension SQLiteTransaction {
    /// The closed periods come first, in their order: what one of them holds was finished before
    /// what is left was.
    func postings(from offset: Int, limit: Int) throws(StorageFault) -> [Posting] {
        let periods = try periods()
        var cursor: PostingCursor
        if let known = postingCursor, known.offset == offset {
            cursor = known
        } else {
            cursor = try seek(offset, periods)
        }
        var found: [Posting] = []
        while found.count < limit {
            let source =
                cursor.source < periods.count ? try file(of: periods[cursor.source]) : database
            let page = try Self.page(of: source, after: cursor.sequence, limit - found.count)
            found += page.map(\.posting)
            if let last = page.last {
                cursor.sequence = last.sequence
            } else if cursor.source < periods.count {
                cursor.source += 1
                cursor.sequence = 0
            } else {
                break
            }
        }
        cursor.offset = offset + found.count
        postingCursor = cursor
        return found
    }

    private func seek(
        _ offset: Int, _ periods: [PeriodRow]
    ) throws(StorageFault) -> PostingCursor {
        var rest = offset
        var source = 0
        while source < periods.count, rest >= periods[source].postings {
            rest -= periods[source].postings
            source += 1
        }
        let file = source < periods.count ? try self.file(of: periods[source]) : database
        let sequence =
            rest == 0
            ? 0
            : try file.number(
                "SELECT seq FROM posting ORDER BY seq LIMIT 1 OFFSET ?",
                [.integer(Int64(rest - 1))])
        return PostingCursor(offset: offset, source: source, sequence: sequence ?? .max)
    }

    private static func page(
        of source: Database, after sequence: Int64, _ limit: Int
    ) throws(StorageFault) -> [(sequence: Int64, posting: Posting)] {
        try source.run(
            """
            SELECT p.peer, p.op, p.idx, p.kind, p.resolves_op, p.resolves_idx, p.amount, p.booked,
            d.peer, d.code, d.ccy, c.peer, c.code, c.ccy, p.seq
            FROM posting p JOIN account d ON d.id=p.dr JOIN account c ON c.id=p.cr
            WHERE p.seq>? ORDER BY p.seq LIMIT ?
            """, [.integer(sequence), .integer(Int64(limit))]
        ) { row throws(StorageFault) in (row.integer(14), try posting(row)) }
    }

    private static func posting(_ row: borrowing PreparedStatement) throws(StorageFault) -> Posting
    {
        guard let kind = Posting.Kind(rawValue: row.text(3)) else {
            throw .corrupt("posting.kind")
        }
        var resolves: Posting.Reference?
        if let op = row.optionalText(4) {
            resolves = Posting.Reference(op: try operation(op), index: Int(row.integer(5)))
        }
        return Posting(
            peer: try entity(row.text(0)),
            reference: Posting.Reference(
                op: try operation(row.text(1)), index: Int(row.integer(2))),
            kind: kind, resolves: resolves, debit: try accountKey(row, from: 8),
            credit: try accountKey(row, from: 11), amount: row.integer(6),
            booked: Instant(milliseconds: row.integer(7)))
    }
}
