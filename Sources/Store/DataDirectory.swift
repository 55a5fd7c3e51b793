// SPDX-License-Identifier: Apache-2.0
package import Bytes
import Glibc

/// The directory of one gateway's memory. A lock keeps a second process out, because two writers
/// would corrupt the books.
@safe package struct DataDirectory: ~Copyable, Sendable {
    private let lock: Int32
    /// The path of the directory.
    package let path: String

    /// Why a directory cannot be used.
    package enum Fault: Error, Equatable, Sendable {
        /// It cannot be made or entered; the system's word.
        case unusable(String)
        /// Another process has it.
        case inUse
    }

    /// Makes the directory, readable by its owner alone, and takes its lock. The lock ends with
    /// the value, or with the process however that ends.
    package init(path: String) throws(Fault) {
        if unsafe mkdir(path, 0o700) != 0, errno != EEXIST { throw .unusable(systemWord()) }
        let file = unsafe open("\(path)/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        if file < 0 { throw .unusable(systemWord()) }
        if flock(file, LOCK_EX | LOCK_NB) != 0 {
            let isTaken = errno == EWOULDBLOCK
            let word = systemWord()
            close(file)
            throw isTaken ? .inUse : .unusable(word)
        }
        lock = file
        self.path = path
    }

    deinit { close(lock) }

    /// The path of the database.
    package var journal: String { "\(path)/journal.db" }

    /// The folder of the closed periods.
    package var books: String { "\(path)/books" }
}

extension SQLiteJournal {
    /// A secret of this gateway that survives restarts, made on first use.
    package func secret(_ name: String, random: any RandomBytes) async throws -> [UInt8] {
        let fresh = random.bytes(32)
        return try await write { tx in
            guard let tx = tx as? SQLiteTransaction else { throw StorageFault.io("journal") }
            try tx.database.run(
                "INSERT INTO meta VALUES(?,?) ON CONFLICT(name) DO NOTHING",
                [.text("secret \(name)"), .blob(fresh)])
            return try tx.database.run(
                "SELECT value FROM meta WHERE name=?", [.text("secret \(name)")]
            ) { $0.blob(0) }.first ?? fresh
        }
    }
}

/// What SQLite leaves to its user about the files of a database.
enum DatabaseFile {
    /// Makes an empty file that its owner alone may read, unless there is one; SQLite gives the
    /// files beside it the same mode. Its name is on disk before anything is in it.
    ///
    /// - Returns: Whether the last process to write it ended without closing it: then the log has
    ///   not been folded into the database.
    static func make(_ path: String) throws(StorageFault) -> Bool {
        let file = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        if file < 0 { throw .io("\(path): \(systemWord())") }
        close(file)
        try syncFolder(of: path)
        var log = stat()
        return unsafe stat("\(path)-wal", &log) == 0 && log.st_size > 0
    }

    /// Makes the names in the folder of `path` durable.
    static func syncFolder(of path: String) throws(StorageFault) {
        let folder = folder(of: path)
        let file = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if file < 0 { throw .io("\(folder): \(systemWord())") }
        defer { close(file) }
        if fsync(file) != 0 { throw .io("\(folder): \(systemWord())") }
    }

    /// Whether something is at `path`.
    static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

    /// The folder that `path` lies in.
    static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}

/// The system's word on the last call that failed.
func systemWord() -> String { unsafe String(cString: strerror(errno)) }
