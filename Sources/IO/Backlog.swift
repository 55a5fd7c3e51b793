// SPDX-License-Identifier: Apache-2.0

/// Bytes that the kernel would not take yet, first in first out.
struct Backlog {
    private var bytes: [UInt8] = []
    private var start = 0

    var count: Int { bytes.count - start }
    var isEmpty: Bool { start == bytes.count }

    mutating func append(_ span: Span<UInt8>) {
        if start > 0, start >= bytes.count / 2 {
            bytes.removeFirst(start)
            start = 0
        }
        unsafe span.withUnsafeBufferPointer { unsafe bytes.append(contentsOf: $0) }
    }

    func offer<Outcome>(to write: (Span<UInt8>) -> Outcome) -> Outcome {
        write(bytes.span.extracting(droppingFirst: start))
    }

    mutating func consume(_ count: Int) {
        start += count
        // A drained connection owns no memory.
        if isEmpty { self = Backlog() }
    }
}

/// What a socket knows about its writing side.
struct OutputState {
    var backlog = Backlog()
    /// The kernel took less than offered and will announce room by an edge.
    var isBlocked = false
    /// Someone was told to wait and is to hear of room.
    var isAwaited = false
    /// Our end is to be finished once the backlog is gone.
    var isFinishing = false
    var hasFinished = false
}
