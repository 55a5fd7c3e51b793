// SPDX-License-Identifier: Apache-2.0

/// A big-endian cursor over bytes. Each step answers nil, and does not move, when too few are left.
package struct ByteReader: Sendable {
    private let bytes: ArraySlice<UInt8>
    private var index: Int

    /// A cursor at the start of `bytes`.
    package init(_ bytes: [UInt8]) { self.init(bytes[...]) }

    /// A cursor at the start of `bytes`.
    package init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        index = bytes.startIndex
    }

    /// How many bytes have not been read.
    package var remaining: Int { bytes.endIndex - index }

    /// Whether every byte has been read.
    package var isAtEnd: Bool { remaining == 0 }

    /// The next byte.
    package mutating func u8() -> UInt8? { integer(1).map { UInt8($0) } }
    /// The next two bytes.
    package mutating func u16() -> UInt16? { integer(2).map { UInt16($0) } }
    /// The next three bytes.
    package mutating func u24() -> UInt32? { integer(3).map { UInt32($0) } }
    /// The next four bytes.
    package mutating func u32() -> UInt32? { integer(4).map { UInt32($0) } }
    /// The next eight bytes.
    package mutating func u64() -> UInt64? { integer(8) }

    /// The next `count` bytes; nil also for a negative count.
    package mutating func bytes(_ count: Int) -> [UInt8]? {
        guard count >= 0, count <= remaining else { return nil }
        defer { index += count }
        return Array(bytes[index..<index + count])
    }

    /// Every byte that is left.
    package mutating func rest() -> [UInt8] {
        defer { index = bytes.endIndex }
        return Array(bytes[index...])
    }

    private mutating func integer(_ width: Int) -> UInt64? {
        guard width <= remaining else { return nil }
        defer { index += width }
        return bytes[index..<index + width].reduce(0) { $0 << 8 | UInt64($1) }
    }
}

/// Appends big-endian integers and byte strings.
package struct ByteWriter: Sendable {
    /// What has been written.
    package private(set) var bytes: [UInt8] = []

    /// An empty writer with room for `capacity` bytes.
    package init(capacity: Int = 0) { bytes.reserveCapacity(capacity) }

    /// One byte.
    package mutating func u8(_ value: UInt8) { bytes.append(value) }
    /// Two bytes.
    package mutating func u16(_ value: UInt16) { integer(UInt64(value), 2) }
    /// Three bytes; `value` must be under 2^24.
    package mutating func u24(_ value: UInt32) {
        invariant(value < 1 << 24, "an integer of three bytes is under 2^24")
        integer(UInt64(value), 3)
    }
    /// Four bytes.
    package mutating func u32(_ value: UInt32) { integer(UInt64(value), 4) }
    /// Eight bytes.
    package mutating func u64(_ value: UInt64) { integer(value, 8) }
    /// `more`, unchanged and without a length before it.
    package mutating func bytes(_ more: some Sequence<UInt8>) { bytes.append(contentsOf: more) }

    private mutating func integer(_ value: UInt64, _ width: Int) {
        for index in 0..<width {
            bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * (width - 1 - index))))
        }
    }
}
