// SPDX-License-Identifier: Apache-2.0

/// Takes the fields of one message out of its bytes, in the order in which they stand there.
///
/// The fields that a later version may have added are skipped, groups included, as every reader of
/// protobuf must; all that breaks the wire format is refused.
struct ProtobufReader {
    private let bytes: ArraySlice<UInt8>
    private var index: Int

    /// The value of a field: a number, or where its bytes are.
    enum Value {
        case number(UInt64)
        case bytes(Range<Int>)
    }

    /// A field as it stands on the wire.
    struct Field {
        let number: Int
        let wire: ProtobufWire
        let value: Value
    }

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        index = bytes.startIndex
    }

    var isAtEnd: Bool { index == bytes.endIndex }

    /// The next field; nil for one that was a group, which no message here has.
    mutating func field() throws(ProtobufFault.Rule) -> Field? {
        let (number, wire) = try tag()
        switch wire {
        case .varint:
            return Field(number: number, wire: wire, value: .number(try varint()))
        case .fixed64: return Field(number: number, wire: wire, value: .number(try fixed(8)))
        case .fixed32: return Field(number: number, wire: wire, value: .number(try fixed(4)))
        case .bytes: return Field(number: number, wire: wire, value: .bytes(try run()))
        case .groupStart:
            try skipGroup(number)
            return nil
        case .groupEnd: throw .group
        }
    }

    /// An unsigned varint of at most 64 bits. Leading zeros are accepted, as protobuf has it.
    mutating func varint() throws(ProtobufFault.Rule) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            guard index < bytes.endIndex else { throw .truncated }
            let byte = bytes[index]
            index += 1
            // The tenth byte holds the last of 64 bits.
            if shift == 63, byte > 1 { throw .overlongVarint }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
    }

    private mutating func tag() throws(ProtobufFault.Rule) -> (Int, ProtobufWire) {
        let tag = try varint()
        guard let wire = ProtobufWire(rawValue: UInt8(tag & 7)) else { throw .wireType }
        guard (1...Self.numberMax).contains(tag >> 3) else { throw .fieldNumber }
        return (Int(tag >> 3), wire)
    }

    /// Little-endian bytes as a number.
    private mutating func fixed(_ width: Int) throws(ProtobufFault.Rule) -> UInt64 {
        guard bytes.endIndex - index >= width else { throw .truncated }
        var value: UInt64 = 0
        for offset in 0..<width { value |= UInt64(bytes[index + offset]) << (8 * offset) }
        index += width
        return value
    }

    /// The place of as many bytes as a varint says.
    private mutating func run() throws(ProtobufFault.Rule) -> Range<Int> {
        let count = try varint()
        guard count <= UInt64(bytes.endIndex - index) else { throw .truncated }
        defer { index += Int(count) }
        return index..<index + Int(count)
    }

    /// Skips to the end of the group that just began. Groups within are counted, not recursed into.
    private mutating func skipGroup(_ number: Int) throws(ProtobufFault.Rule) {
        var open = [number]
        while let inner = open.last {
            let (number, wire) = try tag()
            switch wire {
            case .varint: _ = try varint()
            case .fixed64: _ = try fixed(8)
            case .fixed32: _ = try fixed(4)
            case .bytes: _ = try run()
            case .groupStart:
                guard open.count < Self.groupsMax else { throw .tooDeep }
                open.append(number)
            case .groupEnd:
                guard number == inner else { throw .group }
                open.removeLast()
            }
        }
    }

    /// The greatest field number, 2^29−1.
    static let numberMax: UInt64 = 1 << 29 - 1
    /// How deep groups may nest that nobody reads; protobuf's own parsers stop at 100.
    private static let groupsMax = 100
}
