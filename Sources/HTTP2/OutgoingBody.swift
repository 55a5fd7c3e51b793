// SPDX-License-Identifier: Apache-2.0
import HTTP

/// The bytes of one body that wait to be sent.
struct OutgoingBody: Sendable {
    private var bytes: [UInt8] = []
    private var start = 0
    /// Set by the owner; nothing may be added any more.
    private(set) var isEnded = false
    /// To be sent after the last byte; empty means none.
    private(set) var trailers = HTTPFields()
    /// Bytes taken out so far.
    private(set) var taken = 0

    var count: Int { bytes.count - start }
    var isEmpty: Bool { start == bytes.count }

    mutating func append(_ new: [UInt8]) {
        if isEmpty {
            bytes = new
            start = 0
            return
        }
        if start > Self.compactAt {
            bytes.removeSubrange(..<start)
            start = 0
        }
        bytes.append(contentsOf: new)
    }

    mutating func end(trailers: HTTPFields) {
        isEnded = true
        self.trailers = trailers
    }

    /// Copies the next `count` bytes to `target`.
    mutating func take(_ count: Int, into target: UnsafeMutablePointer<UInt8>) {
        unsafe bytes.withUnsafeBufferPointer { source in
            guard let base = source.baseAddress, count > 0 else { return }
            unsafe target.update(from: base + start, count: count)
        }
        start += count
        taken += count
        if isEmpty {
            bytes = []
            start = 0
        }
    }

    private static let compactAt = 64 << 10
}
