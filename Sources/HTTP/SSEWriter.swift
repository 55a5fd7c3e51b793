// SPDX-License-Identifier: Apache-2.0

/// Writes `text/event-stream`: each event's data on one line, as JSON is written here.
///
/// Nothing is passed through: an event of an upstream is parsed and written anew, and a line
/// break in any part is refused, so no text of anyone can begin a line of its own.
package enum SSEWriter {
    /// A comment that keeps idle connections from being cut by what lies between.
    package static let keepAlive = Array(":\n\n".utf8)

    /// Appends one event: `data` on one line, usually JSON; `event:` and `id:` only when given (a
    /// reader takes the name `message` when there is none).
    /// - Throws: ``SSEFault/lineBreak`` for CR, LF or NUL in any of them; nothing is written.
    package static func write(
        data: [UInt8], event: String? = nil, id: String? = nil, into output: inout [UInt8]
    ) throws(SSEFault) {
        try check(data.span)
        if let event { try check(event.utf8Span.span) }
        if let id { try check(id.utf8Span.span) }
        if let event { put("event: ", event.utf8, into: &output) }
        if let id { put("id: ", id.utf8, into: &output) }
        put("data: ", data, into: &output)
        output.append(0x0A)
    }

    private static func check(_ bytes: Span<UInt8>) throws(SSEFault) {
        for index in bytes.indices {
            guard bytes[index] != 0x0A, bytes[index] != 0x0D, bytes[index] != 0 else {
                throw .lineBreak
            }
        }
    }

    private static func put(
        _ name: String, _ bytes: some Collection<UInt8>, into output: inout [UInt8]
    ) {
        output.append(contentsOf: name.utf8)
        output.append(contentsOf: bytes)
        output.append(0x0A)
    }
}
