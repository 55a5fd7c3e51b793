// SPDX-License-Identifier: Apache-2.0
package import Bytes
import Glibc

/// The directory of one gateway's memory. A lock keeps a second process out, because two writers
/// would corrupt the books.
@safe package struct DataDirectory: ~Copyable {
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

    /// Makes the directory, readable by its owner alone, and takes its lock.
    package init(path: String) throws(Fault) {
        if unsafe mkdir(path, 0o700) != 0, errno != EEXIST {
            throw .unusable(unsafe String(cString: strerror(errno)))
        }
        let file = unsafe open("\(path)/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        if file < 0 { throw .unusable(unsafe String(cString: strerror(errno))) }
        if flock(file, LOCK_EX | LOCK_NB) != 0 {
            close(file)
            throw .inUse
        }
        lock = file
        self.path = path
    }

    deinit { close(lock) }

    /// The path of the database.
    package var journal: String { "\(path)/journal.db" }
}

extension SQLiteJournal {
    /// A secret of this gateway that survives restarts, made on first use.
    package func secret(_ name: String, random: any RandomBytes) async throws -> [UInt8] {
        let fresh = random.bytes(32)
        return try await write { tx in
            guard let tx = tx as? SQLiteTransaction else { throw StorageFault.io("journal") }
            try tx.database.run(
                "INSERT OR IGNORE INTO meta VALUES(?,?)", [.text(name), .blob(fresh)])
            return try tx.database.run(
                "SELECT value FROM meta WHERE name=?", [.text(name)]
            ) { $0.blob(0) }.first ?? fresh
        }
    }
}
