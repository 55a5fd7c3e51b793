// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// Data made by others that is not part of the repository (JSONTestSuite, RFC 8785 pairs,
/// Wycheproof, the A2A documents). Tests that need it skip, with a word, where it is absent.
package enum Shared {
    /// The folder: `DRAGOMAN_SHARED` when that is set, else `shared` beside the repository or
    /// beside one of the two folders above it; nil where none is found.
    package static let root: String? = {
        if let named = unsafe getenv("DRAGOMAN_SHARED") {
            return unsafe String(cString: named)
        }
        let candidates = ["/../shared", "/../../shared", "/../../../shared"]
        return candidates.map { Files.repository + $0 }
            .first { Files.exists($0 + "/vectors") }
    }()

    /// The path of something in that folder, or nil where it is absent.
    package static func path(_ relative: String) -> String? {
        guard let path = root.map({ $0 + "/" + relative }), Files.exists(path) else { return nil }
        return path
    }
}
