// SPDX-License-Identifier: Apache-2.0
import Bytes
internal import COpenSSL

/// The one way values go in and out of OpenSSL's `d2i_…` and `i2d_…` functions.
enum DER {
    typealias Reader = (UnsafeMutablePointer<UnsafePointer<UInt8>?>, Int) -> OpaquePointer?
    typealias Writer = (UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?) -> Int32

    /// What `read` makes of `bytes`. Nil when it refuses them, or leaves some unread, in which case
    /// the value goes to `free`.
    static func decode(
        _ bytes: [UInt8], _ read: Reader, free: (OpaquePointer) -> Void
    ) -> OpaquePointer? {
        ERR_clear_error()
        defer { ERR_clear_error() }
        return unsafe bytes.withUnsafeBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return nil }
            var cursor: UnsafePointer<UInt8>? = unsafe start
            guard let value = unsafe read(&cursor, buffer.count) else { return nil }
            guard unsafe cursor == start + buffer.count else {
                unsafe free(value)
                return nil
            }
            return unsafe value
        }
    }

    /// What `write` writes; empty when it fails.
    static func encode(_ write: Writer) -> [UInt8] {
        let count = Int(write(nil))
        guard count > 0 else { return [] }
        var bytes = [UInt8](repeating: 0, count: count)
        let written = unsafe bytes.withUnsafeMutableBufferPointer { buffer in
            var cursor = buffer.baseAddress
            return unsafe Int(write(&cursor))
        }
        invariant(written == count, "DER changed its length")
        return bytes
    }
}
