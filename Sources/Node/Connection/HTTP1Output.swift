// SPDX-License-Identifier: Apache-2.0

/// Bytes of HTTP/1.1 messages on their way to a channel, first in first out.
struct HTTP1Output {
    private var bytes: [UInt8] = []
    private var start = 0

    var count: Int { bytes.count - start }
    var isEmpty: Bool { start == bytes.count }

    mutating func append(_ new: [UInt8]) {
        if isEmpty {
            self = HTTP1Output()
            bytes = new
        } else {
            bytes += new
        }
    }

    /// Appends what `body` writes.
    mutating func write(_ body: (inout [UInt8]) -> Void) { body(&bytes) }

    mutating func take(atMost limit: Int, into output: inout [UInt8]) {
        let end = min(bytes.count, start + limit)
        output += bytes[start..<end]
        start = end
        if isEmpty {
            self = HTTP1Output()
        } else if start >= Self.compactAt {
            bytes.removeFirst(start)
            start = 0
        }
    }

    /// Bytes taken from the front before the rest is moved there.
    private static let compactAt = 64 << 10
}
