// SPDX-License-Identifier: Apache-2.0
import Bytes

/// The head of a frame (RFC 9113 §4.1).
struct FrameHead: Sendable {
    static let size = 9

    let length: Int
    let type: UInt8
    let flags: UInt8
    let stream: Int32
    /// The stream that a PRIORITY of regular length names (RFC 7540 §6.3): the only payload that
    /// is judged with the head.
    var dependency: Int32?

    /// Whether ``dependency`` follows the head.
    var hasDependency: Bool { type == Self.priority && length == 5 }
    static let dependencySize = 4

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
        let count = partial.count + bytes.endIndex - start
        guard count >= FrameHead.size else { return hold(bytes[start...]) }
        var head = Self.head(partial, bytes[start...])
        var size = FrameHead.size
        if head.hasDependency {
            size += FrameHead.dependencySize
            guard count >= size else { return hold(bytes[start...]) }
            head.dependency = Self.number(at: FrameHead.size, partial, bytes[start...])
        }
        let held = partial
        partial.removeAll(keepingCapacity: true)
        begin(head, seen: size - FrameHead.size)
        return .frame(head, held: held, end: start + size - held.count)
    }

    private mutating func hold(_ bytes: ArraySlice<UInt8>) -> Step {
        partial.append(contentsOf: bytes)
        return .held
    }

    private mutating func begin(_ head: FrameHead, seen: Int) {
        payloadLeft = head.length - seen
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
        let length = byte(0, held, rest) << 16 | byte(1, held, rest) << 8 | byte(2, held, rest)
        return FrameHead(
            length: length, type: UInt8(byte(3, held, rest)), flags: UInt8(byte(4, held, rest)),
            stream: number(at: 5, held, rest))
    }

    /// 31 bits, as streams are numbered; the bit in front of them is reserved or a flag.
    private static func number(
        at index: Int, _ held: [UInt8], _ rest: ArraySlice<UInt8>
    ) -> Int32 {
        let bits = (index..<index + 4).reduce(0) { $0 << 8 | byte($1, held, rest) }
        return Int32(bits & 0x7FFF_FFFF)
    }

    private static func byte(_ index: Int, _ held: [UInt8], _ rest: ArraySlice<UInt8>) -> Int {
        Int(index < held.count ? held[index] : rest[rest.startIndex + index - held.count])
    }
}
