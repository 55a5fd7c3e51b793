// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc

/// Why a file could not be read or written.
package enum FileError: Error, Hashable, Sendable {
    /// The file is larger than the caller takes.
    case tooLarge
    /// The kernel refused, e.g. ENOENT, EACCES, ENOSPC.
    case failed(SystemError)
}

/// Files, by calls that block: for start-up, the command line and ``FileIO``.
package enum FileSystem {
    /// The whole of a file of at most `limit` bytes.
    package static func read(_ path: String, limit: Int) throws(FileError) -> [UInt8] {
        do throws(SystemError) {
            let file = try open(path, O_RDONLY)
            var bytes: [UInt8] = []
            // One byte more than allowed tells a file at the limit from one beyond it; the size
            // that stat reports may be old, or zero for special files.
            while bytes.count <= limit {
                let part = try readPart(file, atMost: min(64 << 10, limit + 1 - bytes.count))
                if part.isEmpty { return bytes }
                bytes += part
            }
        } catch {
            throw .failed(error)
        }
        throw .tooLarge
    }

    /// Puts `bytes` in place of a file so that, whatever happens, the path holds either all of the
    /// old or all of the new contents, and the new ones are on the disk when this returns.
    ///
    /// They go to a new file beside it, which is synchronised and renamed, and the directory is
    /// synchronised after that. When it throws, the old file is as it was.
    /// A symbolic link at `path` is itself replaced.
    /// - Parameter mode: Permissions of the new file, exactly, whatever the umask.
    package static func replace(
        _ path: String, with bytes: [UInt8], mode: UInt32 = 0o644
    ) throws(FileError) {
        let temporary = "\(path).\(uniqueSuffix()).tmp"
        do throws(SystemError) {
            do throws(SystemError) {
                try writeNew(temporary, bytes, mode)
                guard unsafe rename(temporary, path) == 0 else { throw .current("rename") }
            } catch {
                _ = unsafe unlink(temporary)
                throw error
            }
            try synchronizeDirectory(of: path)
        } catch {
            throw .failed(error)
        }
    }

    /// Creates a directory and those above it that are missing; fine if it exists.
    package static func createDirectory(
        _ path: String, mode: UInt32 = 0o755
    ) throws(FileError) {
        var current = path.hasPrefix("/") ? "/" : ""
        for part in path.split(separator: "/") {
            current += current.isEmpty || current.hasSuffix("/") ? "\(part)" : "/\(part)"
            if unsafe mkdir(current, mode_t(mode)) != 0, errno != EEXIST {
                throw .failed(.current("mkdir"))
            }
        }
        guard fingerprint(path)?.isDirectory == true else {
            throw .failed(SystemError("mkdir", ENOTDIR))
        }
    }

    /// Removes a file; fine if it does not exist.
    package static func remove(_ path: String) throws(FileError) {
        if unsafe unlink(path) != 0, errno != ENOENT { throw .failed(.current("unlink")) }
    }

    /// Whether something exists at `path`.
    package static func exists(_ path: String) -> Bool { fingerprint(path) != nil }

    /// What tells one state of a file from another without reading it.
    struct Fingerprint: Hashable, Sendable {
        var device: UInt64
        var inode: UInt64
        var size: Int64
        var modified: Int64
        var changed: Int64
        var isDirectory: Bool
    }

    /// The state of the file at `path`, following symbolic links; nil if there is none.
    static func fingerprint(_ path: String) -> Fingerprint? {
        var facts = stat()
        guard unsafe stat(path, &facts) == 0 else { return nil }
        return Fingerprint(
            device: UInt64(facts.st_dev), inode: UInt64(facts.st_ino), size: Int64(facts.st_size),
            modified: nanoseconds(facts.st_mtim), changed: nanoseconds(facts.st_ctim),
            isDirectory: facts.st_mode & S_IFMT == S_IFDIR)
    }

    private static func nanoseconds(_ time: timespec) -> Int64 {
        Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
    }

    private static func open(
        _ path: String, _ flags: Int32, mode: UInt32 = 0
    ) throws(SystemError) -> Descriptor {
        while true {
            let number = unsafe Glibc.open(path, flags | O_CLOEXEC, mode_t(mode))
            if number >= 0 { return Descriptor(owning: number) }
            if errno != EINTR { throw .current("open") }
        }
    }

    private static func readPart(
        _ file: borrowing Descriptor, atMost limit: Int
    ) throws(SystemError) -> [UInt8] {
        while true {
            let number = file.number
            var count = 0
            let part = unsafe [UInt8](unsafeUninitializedCapacity: limit) { space, initialized in
                count = unsafe Glibc.read(number, space.baseAddress, limit)
                initialized = max(0, count)
            }
            if count >= 0 { return part }
            if errno != EINTR { throw .current("read") }
        }
    }

    private static func writeNew(
        _ path: String, _ bytes: [UInt8], _ mode: UInt32
    ) throws(SystemError) {
        // O_EXCL: never through a link that someone else has put there.
        let file = try open(path, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
        guard fchmod(file.number, mode_t(mode)) == 0 else { throw .current("fchmod") }
        var written = 0
        while written < bytes.count {
            let number = file.number
            let count = unsafe bytes.withUnsafeBytes { space in
                unsafe write(
                    number, space.baseAddress?.advanced(by: written), space.count - written)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .current("write") }
            written += count
        }
        guard fsync(file.number) == 0 else { throw .current("fsync") }
        try file.close()
    }

    private static func synchronizeDirectory(of path: String) throws(SystemError) {
        let slash = path.lastIndex(of: "/")
        let parent = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let directory = try open(parent, O_RDONLY | O_DIRECTORY)
        guard fsync(directory.number) == 0 else { throw .current("fsync") }
    }

    /// 64 random bits: two writers of one path never share a temporary file.
    private static func uniqueSuffix() -> String {
        var bits: UInt64 = 0
        _ = unsafe cl_random(&bits, MemoryLayout<UInt64>.size)
        return String(bits, radix: 36)
    }
}

/// Files for code that runs on a loop: each call runs on a blocking thread.
package struct FileIO: Sendable {
    private let thread: BlockingThread

    /// - Parameter thread: Where the calls run; may be shared.
    package init(on thread: BlockingThread) { self.thread = thread }

    /// As ``FileSystem/read(_:limit:)``.
    package func read(_ path: String, limit: Int) async throws(FileError) -> [UInt8] {
        try await thread.run { () throws(FileError) in
            try FileSystem.read(path, limit: limit)
        }
    }

    /// As ``FileSystem/replace(_:with:mode:)``.
    package func replace(
        _ path: String, with bytes: [UInt8], mode: UInt32 = 0o644
    ) async throws(FileError) {
        try await thread.run { () throws(FileError) in
            try FileSystem.replace(path, with: bytes, mode: mode)
        }
    }
}
