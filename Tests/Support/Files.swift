// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// Reading files in tests.
package enum Files {
    /// Why a test could not read what it needs.
    package struct Missing: Error, CustomStringConvertible {
        package let path: String
        package var description: String { "cannot read \(path)" }
    }

    /// The repository, found from where this file was compiled.
    package static let repository = String(
        #filePath.dropLast("/Tests/Support/Files.swift".count))

    /// All bytes of a file.
    package static func bytes(_ path: String) throws(Missing) -> [UInt8] {
        guard let file = unsafe fopen(path, "rb") else { throw Missing(path: path) }
        defer { unsafe fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = unsafe fread(&chunk, 1, chunk.count, file)
            if count == 0 { break }
            bytes += chunk[..<count]
        }
        guard unsafe ferror(file) == 0 else { throw Missing(path: path) }
        return bytes
    }

    /// A file as text; bytes that are not UTF-8 become U+FFFD.
    package static func text(_ path: String) throws(Missing) -> String {
        String(decoding: try bytes(path), as: UTF8.self)
    }

    /// The names in a folder, sorted, without those that start with a dot; empty when there is no
    /// such folder.
    package static func names(in folder: String) -> [String] {
        guard let stream = unsafe opendir(folder) else { return [] }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }

    /// Whether something is at `path`.
    package static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }
}

extension Files {
    /// A fresh folder that the test removes again.
    package static func temporaryFolder() throws(Missing) -> String {
        var template = Array("/tmp/dragoman-test-XXXXXX".utf8CString)
        guard let made = unsafe mkdtemp(&template) else { throw Missing(path: "/tmp") }
        return unsafe String(cString: made)
    }

    /// Removes a folder and the files and folders in it.
    package static func remove(_ folder: String) {
        for name in names(in: folder) {
            let path = "\(folder)/\(name)"
            if unsafe unlink(path) != 0 { remove(path) }
        }
        _ = unsafe rmdir(folder)
    }
}

extension Files {
    /// Makes a folder for its owner, unless there is one.
    package static func makeFolder(_ path: String) { _ = unsafe mkdir(path, 0o700) }

    /// Writes a file, which is made if there is none, from `offset` on.
    package static func write(
        _ bytes: [UInt8], to path: String, at offset: Int = 0
    ) throws(Missing) {
        let file = unsafe open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw Missing(path: path) }
        defer { close(file) }
        let written = unsafe bytes.withUnsafeBytes {
            unsafe pwrite(file, $0.baseAddress, $0.count, offset)
        }
        guard written == bytes.count else { throw Missing(path: path) }
    }

    /// A variable of the environment, by which a person bounds a long run.
    package static func environment(_ name: String) -> String? {
        guard let value = unsafe getenv(name) else { return nil }
        return unsafe String(cString: value)
    }
}

extension Files {
    /// The permissions of a file; `nil` when there is none.
    package static func mode(_ path: String) -> UInt32? {
        var facts = stat()
        guard unsafe stat(path, &facts) == 0 else { return nil }
        return facts.st_mode & 0o777
    }
}
