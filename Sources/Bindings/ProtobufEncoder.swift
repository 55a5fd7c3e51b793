// SPDX-License-Identifier: Apache-2.0
import A2A
import Bytes
package import JSON

/// Writes a JSON object as protobuf bytes (the ProtoJSON mapping), fields in the order of their
/// numbers, maps in the order of the text.
///
/// What protobuf has no place for is lost: members that the table does not know, and the text of
/// numbers in `Struct` and `Value`, which become doubles (`Spec/divergences.md`). What contradicts
/// the table is refused.
package struct ProtobufEncoder {
    private var path: [String] = []

    /// The bytes of the message that `object` is.
    ///
    /// - Throws: ``ProtobufFault`` naming the member and the rule.
    package static func bytes(
        _ object: JSONValue, as type: ProtobufMessage
    ) throws(ProtobufFault) -> [UInt8] {
        var encoder = ProtobufEncoder()
        return try encoder.message(object, type)
    }

    private func fault(_ rule: ProtobufFault.Rule) -> ProtobufFault {
        ProtobufFault(place: path.joined(separator: "."), rule: rule)
    }

    // MARK: Messages

    private mutating func message(
        _ object: JSONValue, _ type: ProtobufMessage
    ) throws(ProtobufFault) -> [UInt8] {
        guard object.kind == .object else { throw fault(.kind) }
        var out = ProtobufWriter()
        var chosen = false
        for field in type.fields {
            guard let value = member(field, of: object) else { continue }
            if case .oneof = field.shape {
                if chosen { throw fault(.oneof) }
                chosen = true
            }
            path.append(field.name.name)
            try write(field, value, to: &out)
            path.removeLast()
        }
        return out.bytes
    }

    /// The member of a field. Null is absent everywhere but where it is a value.
    private func member(_ field: ProtobufField, of object: JSONValue) -> JSONValue? {
        if case .value = field.kind { return object[field.name.name] }
        return object.field(field.name)
    }

    private mutating func write(
        _ field: ProtobufField, _ value: JSONValue, to out: inout ProtobufWriter
    ) throws(ProtobufFault) {
        switch field.shape {
        case .plain: try write(field.number, value, field.kind, dropsDefault: true, to: &out)
        case .optional, .oneof: try write(field.number, value, field.kind, to: &out)
        case .repeated:
            guard value.kind == .array else { throw fault(.kind) }
            for element in value.elements { try write(field.number, element, field.kind, to: &out) }
        case .map: try writeMap(field.number, value, field.kind, to: &out)
        }
    }

    private mutating func writeMap(
        _ number: Int, _ object: JSONValue, _ kind: ProtobufField.Kind,
        to out: inout ProtobufWriter
    ) throws(ProtobufFault) {
        guard object.kind == .object else { throw fault(.kind) }
        for member in object.members {
            path.append(member.name)
            var entry = ProtobufWriter()
            entry.run(1, Array(member.name.utf8))
            try write(2, member.value, kind, to: &entry)
            out.run(number, entry.bytes)
            path.removeLast()
        }
    }

    private mutating func write(
        _ number: Int, _ value: JSONValue, _ kind: ProtobufField.Kind, dropsDefault: Bool = false,
        to out: inout ProtobufWriter
    ) throws(ProtobufFault) {
        switch kind {
        case .bool, .int32, .enumeration:
            let scalar = try scalar(value, kind)
            if dropsDefault, scalar == 0 { return }
            out.number(number, scalar)
        case .string:
            guard let text = value.string else { throw fault(.kind) }
            if dropsDefault, text.isEmpty { return }
            out.run(number, Array(text.utf8))
        case .bytes:
            guard let text = value.string else { throw fault(.kind) }
            guard let bytes = Base64.decodeLenient(text) else { throw fault(.base64) }
            if dropsDefault, bytes.isEmpty { return }
            out.run(number, bytes)
        case .message(let type): out.run(number, try message(value, type))
        case .double:
            guard let double = value.double else {
                throw fault(value.kind == .number ? .notFinite : .kind)
            }
            out.fixed64(number, double.bitPattern)
        case .structure: out.run(number, try structure(value))
        case .list: out.run(number, try list(value))
        case .value: out.run(number, try self.value(value))
        case .timestamp:
            guard let moment = value.string.flatMap({ ProtobufMoment(timestamp: $0) }) else {
                throw fault(.time)
            }
            out.run(number, Self.bytes(moment))
        case .duration:
            guard let moment = value.string.flatMap({ ProtobufMoment(duration: $0) }) else {
                throw fault(.time)
            }
            out.run(number, Self.bytes(moment))
        case .any: out.run(number, try any(value))
        }
    }

    /// A truth value, an integer or an enumeration's number as a varint. Integers are also read
    /// from strings, as ProtoJSON has it; a name that the enumeration does not know is its zero.
    private func scalar(
        _ value: JSONValue, _ kind: ProtobufField.Kind
    ) throws(ProtobufFault) -> UInt64 {
        let integer: Int64?
        switch kind {
        case .bool:
            guard let bool = value.bool else { throw fault(.kind) }
            return bool ? 1 : 0
        case .enumeration(let names):
            if let name = value.string { return UInt64(names.firstIndex(of: name) ?? 0) }
            integer = value.int
        default: integer = value.int ?? value.string.flatMap { Int64($0) }
        }
        guard let integer else { throw fault(.kind) }
        guard let small = Int32(exactly: integer) else { throw fault(.range) }
        return UInt64(bitPattern: Int64(small))
    }

    // MARK: The well-known types

    private mutating func structure(_ object: JSONValue) throws(ProtobufFault) -> [UInt8] {
        var out = ProtobufWriter()
        try writeMap(1, object, .value, to: &out)
        return out.bytes
    }

    private mutating func value(_ value: JSONValue) throws(ProtobufFault) -> [UInt8] {
        var out = ProtobufWriter()
        switch value.kind {
        case .null: out.number(1, 0)
        case .number: try write(2, value, .double, to: &out)
        case .string: out.run(3, Array((value.string ?? "").utf8))
        case .bool: out.number(4, value.bool == true ? 1 : 0)
        case .object: out.run(5, try structure(value))
        case .array: out.run(6, try list(value))
        }
        return out.bytes
    }

    private mutating func list(_ array: JSONValue) throws(ProtobufFault) -> [UInt8] {
        guard array.kind == .array else { throw fault(.kind) }
        var out = ProtobufWriter()
        for element in array.elements { out.run(1, try value(element)) }
        return out.bytes
    }

    private static func bytes(_ moment: ProtobufMoment) -> [UInt8] {
        var out = ProtobufWriter()
        if moment.seconds != 0 { out.number(1, UInt64(bitPattern: moment.seconds)) }
        if moment.nanoseconds != 0 {
            out.number(2, UInt64(bitPattern: Int64(moment.nanoseconds)))
        }
        return out.bytes
    }

    /// An `Any` of a message that is known here, or of the bytes that it was read from.
    private mutating func any(_ object: JSONValue) throws(ProtobufFault) -> [UInt8] {
        guard let url = object["@type"]?.string else { throw fault(.kind) }
        var out = ProtobufWriter()
        out.run(1, Array(url.utf8))
        let content: [UInt8]
        if let type = ProtobufMessage.detail(url) {
            content = try message(object, type)
        } else {
            guard let bytes = object["value"]?.string.flatMap({ Base64.decodeLenient($0) }) else {
                throw fault(.base64)
            }
            content = bytes
        }
        if !content.isEmpty { out.run(2, content) }
        return out.bytes
    }
}

/// Appends fields to a message.
struct ProtobufWriter {
    private(set) var bytes: [UInt8] = []

    /// A field of a varint.
    mutating func number(_ number: Int, _ value: UInt64) {
        tag(number, .varint)
        varint(value)
    }

    /// A field of eight bytes.
    mutating func fixed64(_ number: Int, _ value: UInt64) {
        tag(number, .fixed64)
        for shift in stride(from: 0, to: 64, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(shift)))
        }
    }

    /// A field of a run of bytes.
    mutating func run(_ number: Int, _ value: [UInt8]) {
        tag(number, .bytes)
        varint(UInt64(value.count))
        bytes += value
    }

    private mutating func tag(_ number: Int, _ wire: ProtobufWire) {
        varint(UInt64(number) << 3 | UInt64(wire.rawValue))
    }

    private mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}
