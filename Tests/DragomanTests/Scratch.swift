// SPDX-License-Identifier: Apache-2.0
import Glibc
import TestSupport

/// A folder of one test, gone when the test is.
final class Scratch {
    struct Fault: Error { let path: String }

    let path: String

    init() throws { path = try Files.temporaryFolder() }

    deinit { Files.remove(path) }

    /// Writes a file and gives its path.
    func file(_ name: String, _ text: String) throws -> String {
        let path = "\(self.path)/\(name)"
        guard let file = unsafe fopen(path, "w") else { throw Fault(path: path) }
        defer { unsafe fclose(file) }
        let bytes = Array(text.utf8)
        guard unsafe fwrite(bytes, 1, bytes.count, file) == bytes.count else {
            throw Fault(path: path)
        }
        return path
    }

    /// The permission bits of a file.
    static func mode(_ path: String) -> mode_t {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return 0 }
        return status.st_mode & 0o777
    }
}
