// SPDX-License-Identifier: Apache-2.0

/// Bytes received and not yet read, with strict lines.
struct HTTP1Input: Sendable {
    private var bytes: [UInt8] = []
    private var start = 0
    /// Where the search for the next line's end goes on; no byte is looked at twice.
    private var searched = 0

    var count: Int { bytes.count - start }

    mutating func append(_ new: ArraySlice<UInt8>) {
        if start == bytes.count {
            bytes.removeAll(keepingCapacity: bytes.capacity <= Self.keptCapacity)
            start = 0
            searched = 0
        } else if start > Self.keptCapacity {
            bytes.removeSubrange(..<start)
            searched -= start
            start = 0
        }
        bytes.append(contentsOf: new)
    }

    /// The next line without its CRLF, `nil` while its end has not come.
    /// - Throws: `tooLong` when it has more than `limit` bytes, or the rule about line ends.
    mutating func line(
        limit: Int, tooLong: HTTP1Fault
    ) throws(HTTP1Fault) -> ArraySlice<UInt8>? {
        searched = max(searched, start)
        // Each byte is judged when it is reached, so that the rule named is the same however the
        // bytes were cut.
        while searched < bytes.count, bytes[searched] != 0x0A {
            let isReturn = bytes[searched] == 0x0D
            guard searched - start < limit || (isReturn && searched - start == limit) else {
                throw tooLong
            }
            if isReturn {
                // It must be followed by LF; at the very end that is seen when more has come.
                guard searched + 1 < bytes.count else { return nil }
                guard bytes[searched + 1] == 0x0A else { throw .bareCR }
            }
            searched += 1
        }
        guard searched < bytes.count else { return nil }
        guard searched > start, bytes[searched - 1] == 0x0D else { throw .bareLF }
        let line = bytes[start..<(searched - 1)]
        searched += 1
        start = searched
        return line
    }

    /// At most `limit` of the bytes that are there.
    mutating func take(atMost limit: Int) -> [UInt8] {
        let end = start + min(limit, count)
        let piece = Array(bytes[start..<end])
        start = end
        searched = max(searched, start)
        return piece
    }

    /// Capacity kept for the next message; more was for one large body.
    private static let keptCapacity = 64 << 10
}
