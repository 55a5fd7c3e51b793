// SPDX-License-Identifier: Apache-2.0
package import Accounting
package import Bytes
import Glibc
import Synchronization

/// Why a period was not closed; nothing has changed then.
package enum ClosingFault: Error, Equatable, Sendable {
    /// Before this instant something may still be booked in it.
    case tooEarly(Instant)
    /// A later period is closed already.
    case outOfOrder
    /// Another closing is under way.
    case underWay
}

/// A period whose records lie in a file of their own.
package struct ClosedPeriod: Equatable, Sendable {
    /// `2026-11`.
    package let name: String
    /// The path of the file.
    package let path: String
    /// What the file holds.
    package let postings: Int
    package let lines: Int
}

/// Where a closing stands; tests stop it after each.
enum ClosingStep: CaseIterable {
    case folderMade, copied, verified, removed
}

extension SQLiteJournal {
    /// Moves what was finished before the end of `period` into a file of its own.
    ///
    /// The database stays the truth throughout: a file counts only once the transaction that takes
    /// its records out of the database also names it. Whatever stops the procedure, it can be
    /// called again; a period that is closed is answered and left alone. Writers wait only for the
    /// last step.
    ///
    /// - Throws: `ClosingFault`, `StorageFault`.
    /// - SeeAlso: Spec/decisions/0006.
    package func closePeriod(_ period: StatementPeriod, now: Instant) async throws -> ClosedPeriod {
        try await closePeriod(period, now: now) { _ in }
    }

    /// Calls `reached` after each step; what it throws stops the procedure there.
    func closePeriod(
        _ period: StatementPeriod, now: Instant,
        reached: @escaping @Sendable (ClosingStep) throws -> Void
    ) async throws -> ClosedPeriod {
        let closing = Closing(name: period.name, until: period.to, now: now, books: closed)
        if let known = try await find(closing) { return known }
        let earliest = period.to.adding(seconds: Closing.graceSeconds)
        if now < earliest { throw ClosingFault.tooEarly(earliest) }
        guard closingIsFree.exchange(false, ordering: .acquiring) else {
            throw ClosingFault.underWay
        }
        defer { closingIsFree.store(true, ordering: .releasing) }
        let path = path
        try await ThreadStart.run {
            try closing.makeFile()
            try reached(.folderMade)
            try closing.copy(from: path)
            try reached(.copied)
            try closing.verify()
            try reached(.verified)
        }
        try await alone { try closing.remove(from: $0) }
        try reached(.removed)
        guard let done = try await find(closing) else { throw StorageFault.corrupt("period") }
        return done
    }

    /// The closed periods, oldest first.
    package func closedPeriods() async throws -> [ClosedPeriod] {
        let books = closed
        return try await read { tx in
            guard let tx = tx as? SQLiteTransaction else { throw StorageFault.io("journal") }
            return try tx.database.run(
                "SELECT name, postings, lines FROM period ORDER BY until"
            ) { row in
                ClosedPeriod(
                    name: row.text(0), path: books.path(row.text(0)),
                    postings: Int(row.integer(1)), lines: Int(row.integer(2)))
            }
        }
    }

    private func find(_ closing: Closing) async throws -> ClosedPeriod? {
        let periods = try await closedPeriods()
        if let known = periods.first(where: { $0.name == closing.name }) { return known }
        let last = try await alone { try $0.number("SELECT max(until) FROM period") }
        if let last, last >= closing.until.milliseconds { throw ClosingFault.outOfOrder }
        return nil
    }
}

extension StatementPeriod {
    /// `2026-11`, by the offset on which the companies agreed.
    fileprivate var name: String {
        String(from.adding(seconds: offsetMinutes * 60).rfc3339.prefix(7))
    }
}

/// The closing of one period.
private struct Closing: Sendable {
    let name: String
    let until: Instant
    let now: Instant
    let books: ClosedBooks

    /// A hold lives at most a week, and only what was placed in a period is booked in it: a day
    /// more, and nothing can come that belongs to it.
    static let graceSeconds: Int64 = 8 * 86_400

    /// How long a finished hold stays at hand, because its operations may be repeated: a day more
    /// than ids are remembered (Spec §5.5.8).
    private static let holdSeconds: Int64 = 47 * 86_400

    private var path: String { books.path(name) }

    /// Ids sort by when they were made: the first of all that were made at the end or later.
    private var firstOperation: String {
        OperationID(at: until, random: NoRandomness()).text
    }

    /// Holds that ended before this are put away.
    private var holdsUntil: Instant { min(until, now.adding(seconds: -Self.holdSeconds)) }

    // MARK: The file

    /// Makes an empty file, without whatever an interrupted closing left.
    func makeFile() throws(StorageFault) {
        if unsafe mkdir(books.folder, 0o700) == 0 {
            try DatabaseFile.syncFolder(of: books.folder)
        } else if errno != EEXIST {
            throw .io("\(books.folder): \(systemWord())")
        }
        for ending in ["", "-journal", "-wal", "-shm"] { _ = unsafe unlink(path + ending) }
        _ = try DatabaseFile.make(path)
    }

    /// Copies what is finished. Nothing of it can change any more (the tables see to that), so
    /// that a later look at the database finds the same.
    func copy(from journal: String) throws(StorageFault) {
        let file = try Database(path: path, .copier, vfs: books.fileSystem)
        try file.execute(Schema.closedSettings)
        try file.execute("ATTACH '\(Self.uri(journal))' AS live")
        try file.execute("BEGIN IMMEDIATE")
        try file.execute(Schema.books)
        try file.execute(
            "PRAGMA application_id = \(Schema.closedApplicationID);"
                + "PRAGMA user_version = \(Schema.version);")
        try copyPostings(to: file)
        try file.run(
            "INSERT INTO main.line SELECT * FROM live.line WHERE booked<?",
            [.integer(until.milliseconds)])
        try file.run(
            "INSERT INTO main.total SELECT * FROM live.total WHERE booked<?",
            [.integer(until.milliseconds)])
        try file.run(
            "INSERT INTO main.hop SELECT * FROM live.hop WHERE ack IS NOT NULL AND post<?",
            [.text(firstOperation)])
        try file.run(
            """
            INSERT INTO main.hold SELECT * FROM live.hold h WHERE state<>'pending' AND res_at<?
            AND NOT EXISTS(SELECT 1 FROM live.hop e
            WHERE e.peer=h.peer AND e.post=h.res_op AND e.ack IS NULL)
            """, [.integer(holdsUntil.milliseconds)])
        try file.run(
            """
            INSERT INTO main.block SELECT * FROM live.block b WHERE EXISTS(SELECT 1
            FROM main.hold h WHERE h.peer=b.peer AND h.op=b.hold)
            """)
        try file.execute("COMMIT")
        try DatabaseFile.syncFolder(of: path)
    }

    /// What was booked at once, and what was held where it has also ended: so the file adds up by
    /// itself. Its accounts have the sums of just these postings.
    private func copyPostings(to file: Database) throws(StorageFault) {
        try file.run(
            """
            INSERT INTO main.account SELECT id, peer, code, ccy, 0, 0, 0, 0, NULL, debit_normal
            FROM live.account
            """)
        try file.run(
            """
            INSERT INTO main.posting SELECT * FROM live.posting p WHERE p.booked<?1 AND
            CASE p.kind
            WHEN 'single' THEN 1
            WHEN 'pending' THEN EXISTS(SELECT 1 FROM live.posting r WHERE r.peer=p.peer
            AND r.resolves_op=p.op AND r.resolves_idx=p.idx AND r.booked<?1)
            ELSE EXISTS(SELECT 1 FROM live.posting h WHERE h.peer=p.peer AND h.op=p.resolves_op
            AND h.idx=p.resolves_idx AND h.booked<?1)
            END ORDER BY p.seq
            """, [.integer(until.milliseconds)])
        try file.run(
            """
            UPDATE main.account SET dr_post=(SELECT coalesce(sum(amount), 0) FROM live.posting p
            WHERE p.dr=account.id AND p.kind IN ('single', 'post')
            AND p.seq IN (SELECT seq FROM main.posting)),
            cr_post=(SELECT coalesce(sum(amount), 0) FROM live.posting p
            WHERE p.cr=account.id AND p.kind IN ('single', 'post')
            AND p.seq IN (SELECT seq FROM main.posting))
            """)
    }

    /// Opens the file again and adds it up.
    func verify() throws(StorageFault) {
        let file = try books.open(name)
        try Schema.check(file)
        let wrong = try file.number(
            """
            SELECT count(*) FROM account a
            LEFT JOIN (SELECT dr id, sum(amount) total FROM posting
            WHERE kind IN ('single', 'post') GROUP BY dr) d ON d.id=a.id
            LEFT JOIN (SELECT cr id, sum(amount) total FROM posting
            WHERE kind IN ('single', 'post') GROUP BY cr) c ON c.id=a.id
            WHERE a.dr_post<>coalesce(d.total, 0) OR a.cr_post<>coalesce(c.total, 0)
            """)
        guard wrong == 0 else { throw .corrupt("\(path): an account is not its postings' sum") }
        let unbalanced = try file.number(
            """
            SELECT count(*) FROM (SELECT 1 FROM account GROUP BY ccy
            HAVING sum(dr_post)<>sum(cr_post))
            """)
        guard unbalanced == 0 else { throw .corrupt("\(path): debits are not credits") }
        let open = try file.number(
            """
            SELECT count(*) FROM posting p WHERE kind='pending' AND NOT EXISTS(SELECT 1
            FROM posting r WHERE r.peer=p.peer AND r.resolves_op=p.op AND r.resolves_idx=p.idx)
            """)
        guard open == 0 else { throw .corrupt("\(path): a hold has no end") }
    }

    // MARK: The database

    /// Takes out of the database what is in the file, in the one transaction that makes the file
    /// count.
    func remove(from database: Database) throws(StorageFault) {
        try database.run("ATTACH ? AS books", [.text(path)])
        defer { database.detach("books") }
        try database.run("BEGIN IMMEDIATE")
        try database.run("INSERT INTO closing VALUES(?)", [.integer(until.milliseconds)])
        try compare(database)
        try database.run(
            "DELETE FROM main.outcome WHERE forget_after<?", [.integer(now.milliseconds)])
        try database.run(
            "DELETE FROM main.posting WHERE seq IN (SELECT seq FROM books.posting)")
        try database.run(
            """
            DELETE FROM main.line
            WHERE (peer, op, name) IN (SELECT peer, op, name FROM books.line)
            """)
        try database.run("DELETE FROM main.total WHERE seq IN (SELECT seq FROM books.total)")
        try database.run("DELETE FROM main.hop WHERE seq IN (SELECT seq FROM books.hop)")
        try database.run(
            "DELETE FROM main.hold WHERE (peer, op) IN (SELECT peer, op FROM books.hold)")
        try database.run(
            "DELETE FROM main.draw WHERE (peer, block) IN (SELECT peer, hold FROM books.block)")
        try database.run(
            "DELETE FROM main.block WHERE (peer, hold) IN (SELECT peer, hold FROM books.block)")
        try carry(database)
        try database.run("DELETE FROM closing")
        try database.run("COMMIT")
    }

    /// Every record of the file is in the database, the same in every column.
    private func compare(_ database: Database) throws(StorageFault) {
        let strangers = try database.number(
            """
            SELECT (SELECT count(*) FROM
            (SELECT * FROM books.posting EXCEPT SELECT * FROM main.posting))
            + (SELECT count(*) FROM (SELECT * FROM books.line EXCEPT SELECT * FROM main.line))
            + (SELECT count(*) FROM (SELECT * FROM books.total EXCEPT SELECT * FROM main.total))
            + (SELECT count(*) FROM (SELECT * FROM books.hop EXCEPT SELECT * FROM main.hop))
            + (SELECT count(*) FROM (SELECT * FROM books.hold EXCEPT SELECT * FROM main.hold))
            + (SELECT count(*) FROM (SELECT * FROM books.block EXCEPT SELECT * FROM main.block))
            """)
        guard strangers == 0 else { throw .corrupt("\(path) is not what the database has") }
    }

    /// Stores the sums of all files so far, and the period itself.
    private func carry(_ database: Database) throws(StorageFault) {
        let end = [SQLValue.integer(until.milliseconds)]
        try database.run(
            """
            INSERT INTO carried_account SELECT ?1, id, sum(dr), sum(cr) FROM (
            SELECT account id, dr_post dr, cr_post cr FROM carried_account
            WHERE until=(SELECT max(until) FROM period)
            UNION ALL SELECT id, dr_post, cr_post FROM books.account) GROUP BY id
            """, end)
        try database.run(
            """
            INSERT INTO carried_line SELECT ?1, peer, ccy, sum(owed) FROM (
            SELECT peer, ccy, balance owed FROM carried_line
            WHERE until=(SELECT max(until) FROM period)
            UNION ALL SELECT peer, ccy, CASE owed_to_us WHEN 1 THEN amount ELSE -amount END
            FROM books.line) GROUP BY peer, ccy
            """, end)
        try database.run(
            """
            INSERT INTO period SELECT ?2, ?1, ?3, (SELECT count(*) FROM books.posting), count(*),
            min(booked), max(booked) FROM books.line
            """, end + [.text(name), .integer(now.milliseconds)])
    }

    /// A URI of SQLite that opens `path` for reading alone.
    private static func uri(_ path: String) -> String {
        var text = "file:"
        for byte in path.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "/"), UInt8(ascii: "."),
                UInt8(ascii: "-"), UInt8(ascii: "_"):
                text.unicodeScalars.append(Unicode.Scalar(byte))
            default: text += "%" + Hex.encode([byte])
            }
        }
        return text + "?mode=ro"
    }
}

/// The least id of an instant has no random bits.
private struct NoRandomness: RandomBytes {
    func bytes(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count) }
}
