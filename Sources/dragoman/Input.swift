// SPDX-License-Identifier: Apache-2.0
import Node

/// What commands read: a file, or standard input for `-`.
enum Input {
    /// Largest document of `tool json`: what a message may be, and a byte to see that it is more.
    static let documentLimit = 32 << 20 + 1

    /// All bytes; a file that cannot be read is misuse.
    static func bytes(
        _ path: String, limit: Int = LocalFile.standardLimit
    ) throws(Failure) -> [UInt8] {
        do { return try LocalFile.read(path, limit: limit) } catch {
            throw .misuse("cannot read \(error)")
        }
    }

    /// All text.
    static func text(_ path: String) throws(Failure) -> String {
        String(decoding: try bytes(path), as: UTF8.self)
    }
}
