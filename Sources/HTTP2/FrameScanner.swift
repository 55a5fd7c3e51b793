// SPDX-License-Identifier: Apache-2.0
import Bytes

/// The head of a frame (RFC 9113 §4.1).
struct FrameHead: Sendable {
    static let size = 9

    let length: Int
    let type: UInt8
    let flags: UInt8
    let stream: Int32

    static let data: UInt8 = 0
    static let headers: UInt8 = 1
    static let priority: UInt8 = 2
    static let resetStream: UInt8 = 3
    static let settings: UInt8 = 4
    static let pushPromise: UInt8 = 5
    static let ping: UInt8 = 6
    static let goAway: UInt8 = 7
    static let windowUpdate: UInt8 = 8
    static let continuation: UInt8 = 9
    static let priorityUpdate: UInt8 = 16

    /// END_STREAM of DATA and HEADERS, ACK of SETTINGS and PING.
    var hasFirstFlag: Bool { flags & 0x1 != 0 }
    var endsHeaders: Bool { flags & 0x4 != 0 }
}

/// Follows the frames of the peer without touching them.
///
/// It runs before the library for three reasons. It sees every frame, also those that the library
/// skips in silence. It can stop in front of a frame. And it holds back the nine bytes of a
/// frame's head until they are complete, because libnghttp2 1.52 takes each piece of a
/// CONTINUATION's head for a further CONTINUATION and drops honest slow peers.
struct FrameScanner: Sendable {
    private var prefaceLeft: Int
    private var payloadLeft = 0
    private var type: UInt8 = 0
    private var isInHeaderBlock = false
    private var partial: [UInt8] = []
    /// Since when a frame that is not DATA, or a header block, has begun and not ended.
    private(set) var unfinishedSince: MonotonicInstant?

    /// A server's peer begins with the 24 bytes of the preface, a client's does not.
    init(expectsPreface: Bool) {
        prefaceLeft = expectsPreface ? 24 : 0
    }

    enum Step {
        /// The bytes up to `end` belong to what went before.
        case pass(end: Int)
        /// A frame begins; its head's last byte is before `end`, `held` are bytes of it from an
        /// earlier call that were not passed on yet.
        case frame(FrameHead, held: [UInt8], end: Int)
        /// The rest is the beginning of a head and is kept.
        case held
    }

    /// Looks at `bytes` from `start` on; called until it has reached the end.
    mutating func next(
        _ bytes: ArraySlice<UInt8>, from start: Int, now: MonotonicInstant
    ) -> Step {
        if prefaceLeft > 0 {
            let count = min(prefaceLeft, bytes.endIndex - start)
            prefaceLeft -= count
            return .pass(end: start + count)
        }
        if payloadLeft > 0 {
            let count = min(payloadLeft, bytes.endIndex - start)
            payloadLeft -= count
            if payloadLeft == 0, !isInHeaderBlock { unfinishedSince = nil }
            return .pass(end: start + count)
        }
        if unfinishedSince == nil { unfinishedSince = now }
        let missing = FrameHead.size - partial.count
        guard bytes.endIndex - start >= missing else {
            partial.append(contentsOf: bytes[start...])
            return .held
        }
        let held = partial
        partial.removeAll(keepingCapacity: true)
        let end = start + missing
        let head = Self.head(held, bytes[start..<end])
        begin(head)
        return .frame(head, held: held, end: end)
    }

    private mutating func begin(_ head: FrameHead) {
        payloadLeft = head.length
        type = head.type
        switch head.type {
        case FrameHead.headers, FrameHead.pushPromise, FrameHead.continuation:
            isInHeaderBlock = !head.endsHeaders
        default:
            break
        }
        // A DATA frame may take as long as its sender's line needs; its stream has a deadline.
        let isUnhurried = head.type == FrameHead.data || payloadLeft == 0
        if isUnhurried, !isInHeaderBlock { unfinishedSince = nil }
    }

    private static func head(_ held: [UInt8], _ rest: ArraySlice<UInt8>) -> FrameHead {
        func byte(_ index: Int) -> Int {
            Int(index < held.count ? held[index] : rest[rest.startIndex + index - held.count])
        }
        let stream = byte(5) << 24 | byte(6) << 16 | byte(7) << 8 | byte(8)
        return FrameHead(
            length: byte(0) << 16 | byte(1) << 8 | byte(2), type: UInt8(byte(3)),
            flags: UInt8(byte(4)), stream: Int32(stream & 0x7FFF_FFFF))
    }
}
