// SPDX-License-Identifier: Apache-2.0
internal import Glibc

/// A folder of one test, gone when the test is.
package final class Scratch: Sendable {
    package let path: String

    /// Makes it.
    package init() throws(Files.Missing) { path = try Files.temporaryFolder() }

    deinit { Files.remove(path) }

    /// Writes a file, in a folder that is made if need be, and gives its path.
    @discardableResult
    package func file(_ name: String, _ text: String) throws(Files.Missing) -> String {
        let path = "\(self.path)/\(name)"
        if let slash = path.lastIndex(of: "/") {
            _ = unsafe mkdir(String(path[..<slash]), 0o700)
        }
        guard let file = unsafe fopen(path, "w") else { throw Files.Missing(path: path) }
        defer { unsafe fclose(file) }
        let bytes = Array(text.utf8)
        guard unsafe fwrite(bytes, 1, bytes.count, file) == bytes.count else {
            throw Files.Missing(path: path)
        }
        return path
    }

    /// Sets the permission bits of a file.
    package static func setMode(_ path: String, _ mode: UInt32) { _ = unsafe chmod(path, mode) }

    /// The permission bits of a file; 0 where there is none.
    package static func mode(_ path: String) -> UInt32 {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return 0 }
        return status.st_mode & 0o777
    }
}
