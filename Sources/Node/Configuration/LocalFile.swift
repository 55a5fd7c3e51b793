// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Whole files of this machine: configurations, certificates, keys, signed papers. Small, read at
/// once and written at once.
package enum LocalFile {
    /// What the system said no to.
    package struct Fault: Error, Equatable, Sendable, CustomStringConvertible {
        package let path: String
        /// The system's words, as `No such file or directory`.
        package let reason: String

        package var description: String { "\(path): \(reason)" }

        init(_ path: String, _ reason: String) {
            self.path = path
            self.reason = reason
        }

        init(_ path: String, errno code: Int32) {
            self.init(path, unsafe String(cString: strerror(code)))
        }
    }

    /// Who may read a file that is made here.
    package enum Readers: Sendable {
        /// The owner alone: keys and tokens.
        case owner
        /// Whom the umask allows.
        case everyone

        fileprivate var mode: mode_t { self == .owner ? 0o600 : 0o644 }
    }

    /// Largest file that is read unless the caller allows another: certificates and papers are far
    /// smaller, and a device or a mistaken path must not fill the memory.
    package static let standardLimit = 4 << 20

    /// All bytes of a regular file, of a pipe, or of standard input, which is `-`.
    package static func read(
        _ path: String, limit: Int = standardLimit
    ) throws(Fault) -> [UInt8] {
        let file = unsafe path == "-" ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw Fault(path, errno: errno) }
        defer { close(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = unsafe Glibc.read(file, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw Fault(path, errno: errno) }
            if count == 0 { return bytes }
            bytes += chunk[..<count]
            guard bytes.count <= limit else {
                throw Fault(path, "longer than \(limit) bytes")
            }
        }
    }

    /// The text of a file; bytes that are not UTF-8 become U+FFFD and are refused by what reads it.
    package static func text(_ path: String) throws(Fault) -> String {
        String(decoding: try read(path), as: UTF8.self)
    }

    /// Whether something is at `path`.
    package static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

    /// Whether any account of this machine may read the file: too many for a private key.
    package static func isReadableByAll(_ path: String) -> Bool {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return false }
        return status.st_mode & 0o004 != 0
    }

    /// Makes a file that does not exist yet and waits until the disk has it.
    package static func create(
        _ path: String, _ bytes: [UInt8], for readers: Readers
    ) throws(Fault) {
        let file = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, readers.mode)
        guard file >= 0 else { throw Fault(path, errno: errno) }
        defer { close(file) }
        try write(bytes, to: file, path)
    }

    /// Puts `bytes` in the place of a file, all or nothing; who may read it stays as it is.
    package static func replace(_ path: String, _ bytes: [UInt8]) throws(Fault) {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { throw Fault(path, errno: errno) }
        let draft = path + ".new"
        _ = unsafe unlink(draft)
        let file = unsafe open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw Fault(draft, errno: errno) }
        defer { close(file) }
        do throws(Fault) {
            try write(bytes, to: file, draft)
            guard fchmod(file, status.st_mode & 0o777) == 0, unsafe rename(draft, path) == 0 else {
                throw Fault(path, errno: errno)
            }
        } catch {
            _ = unsafe unlink(draft)
            throw error
        }
    }

    /// Makes a directory that only its owner may enter, unless there is one.
    package static func makeDirectory(_ path: String) throws(Fault) {
        if unsafe mkdir(path, 0o700) != 0, errno != EEXIST { throw Fault(path, errno: errno) }
    }

    /// `path` as it is meant by a file at `file`: relative to that file's folder.
    package static func resolve(_ path: String, besides file: String) -> String {
        guard !path.hasPrefix("/"), let slash = file.lastIndex(of: "/") else { return path }
        return file[...slash] + path
    }

    /// `path` from the root: one that is relative belongs to the folder that the process is in.
    ///
    /// - Throws: When that folder is gone.
    package static func absolute(_ path: String) throws(Fault) -> String {
        if path.hasPrefix("/") { return path }
        guard let folder = unsafe getcwd(nil, 0) else { throw Fault(path, errno: errno) }
        defer { unsafe free(folder) }
        return unsafe String(cString: folder) + "/" + path
    }

    private static func write(
        _ bytes: [UInt8], to file: Int32, _ path: String
    ) throws(Fault) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes {
                unsafe Glibc.write(file, $0.baseAddress, $0.count)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Fault(path, errno: errno) }
            rest = rest.dropFirst(count)
        }
        guard fsync(file) == 0 else { throw Fault(path, errno: errno) }
    }
}
