// SPDX-License-Identifier: Apache-2.0

/// Frames of HTTP/2 made by hand, as an attacker makes them.
package enum Frames {
    package static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
    package static let hello = preface + settings([])
    package static let ack = frame(4, flags: 1)

    package static func frame(
        _ type: UInt8, flags: UInt8 = 0, stream: Int32 = 0, _ payload: [UInt8] = []
    ) -> [UInt8] {
        number(payload.count, bytes: 3) + [type, flags] + number(Int(stream), bytes: 4) + payload
    }

    package static func data(_ stream: Int32, _ payload: [UInt8] = [], end: Bool = false) -> [UInt8]
    {
        frame(0, flags: end ? 1 : 0, stream: stream, payload)
    }

    package static func headers(
        _ stream: Int32, _ block: [UInt8], end: Bool = true, whole: Bool = true
    ) -> [UInt8] {
        frame(1, flags: (end ? 1 : 0) | (whole ? 4 : 0), stream: stream, block)
    }

    package static func continuation(_ stream: Int32, _ block: [UInt8], last: Bool) -> [UInt8] {
        frame(9, flags: last ? 4 : 0, stream: stream, block)
    }

    package static func priority(_ stream: Int32) -> [UInt8] {
        frame(2, stream: stream, [0, 0, 0, 0, 16])
    }

    package static func reset(_ stream: Int32, _ code: Int = 8) -> [UInt8] {
        frame(3, stream: stream, number(code, bytes: 4))
    }

    package static func settings(_ entries: [(Int, Int)]) -> [UInt8] {
        frame(4, entries.flatMap { number($0.0, bytes: 2) + number($0.1, bytes: 4) })
    }

    package static func ping() -> [UInt8] {
        frame(6, [1, 2, 3, 4, 5, 6, 7, 8])
    }

    package static func windowUpdate(_ stream: Int32, _ increment: Int) -> [UInt8] {
        frame(8, stream: stream, number(increment, bytes: 4))
    }

    /// A complete GET or POST.
    package static func request(
        _ stream: Int32, end: Bool = true, _ fields: [(String, String)] = []
    ) -> [UInt8] {
        headers(stream, head(end ? "GET" : "POST", fields), end: end)
    }

    package static func head(
        _ method: String = "GET", _ fields: [(String, String)] = [], path: String = "/"
    ) -> [UInt8] {
        let pseudo = [
            (":method", method), (":scheme", "https"), (":authority", "a.example"),
            (":path", path),
        ]
        return (pseudo + fields).flatMap { literal($0.0, $0.1) }
    }

    /// A field without indexing (RFC 7541 §6.2.2), not Huffman coded.
    package static func literal(_ name: String, _ value: String) -> [UInt8] {
        [0] + string(Array(name.utf8)) + string(Array(value.utf8))
    }

    /// A field that enters the dynamic table, whose first index is 62.
    package static func indexed(_ name: String, _ value: String) -> [UInt8] {
        [0x40] + string(Array(name.utf8)) + string(Array(value.utf8))
    }

    package static func string(_ bytes: [UInt8]) -> [UInt8] {
        guard bytes.count >= 127 else { return [UInt8(bytes.count)] + bytes }
        var length: [UInt8] = [127]
        var rest = bytes.count - 127
        while rest >= 128 {
            length.append(UInt8(rest % 128) | 0x80)
            rest /= 128
        }
        return length + [UInt8(rest)] + bytes
    }

    package static func number(_ value: Int, bytes: Int) -> [UInt8] {
        (0..<bytes).reversed().map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
    }
}

/// What came back, taken apart.
package struct SentFrame: Equatable {
    package let type: UInt8
    package let flags: UInt8
    package let stream: Int32
    package let payload: [UInt8]

    /// The number in RST_STREAM or GOAWAY that says why.
    package var reason: UInt32? {
        guard type == 3 || type == 7, payload.count >= 4 else { return nil }
        let bytes = type == 3 ? payload[0..<4] : payload[4..<8]
        return bytes.reduce(0) { $0 << 8 | UInt32($1) }
    }

    package static func all(_ bytes: [UInt8]) -> [SentFrame] {
        var frames: [SentFrame] = []
        var rest = bytes[...]
        while rest.count >= 9 {
            let head = Array(rest.prefix(9))
            let length = Int(head[0]) << 16 | Int(head[1]) << 8 | Int(head[2])
            let stream = head[5...8].reduce(Int32(0)) { $0 << 8 | Int32($1) }
            frames.append(
                SentFrame(
                    type: head[3], flags: head[4], stream: stream,
                    payload: Array(rest.dropFirst(9).prefix(length))))
            rest = rest.dropFirst(9 + length)
        }
        return frames
    }
}
