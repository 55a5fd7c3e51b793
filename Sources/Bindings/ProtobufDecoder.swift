// SPDX-License-Identifier: Apache-2.0
import A2A
import Bytes
import JSON

/// Reads protobuf bytes and writes the same message as JSON (the ProtoJSON mapping): defaults are
/// left out, names are in lowerCamelCase, enumerations by name where the number has one.
package struct ProtobufDecoder {
    private let limits: ProtobufLimits
    private var fieldsLeft: Int
    private var mergedBytesLeft: Int
    private var depth = 0
    /// The names of the fields that are being read, from the outermost.
    private var path: [String] = []
    private var writer = JSONWriter()

    /// The JSON text of `bytes`, one object.
    ///
    /// - Throws: ``ProtobufFault`` naming the field and the rule.
    package static func json(
        _ bytes: ArraySlice<UInt8>, as type: ProtobufMessage,
        limits: ProtobufLimits = .standard
    ) throws(ProtobufFault) -> [UInt8] {
        var decoder = ProtobufDecoder(limits: limits)
        try decoder.message(bytes, type)
        return decoder.writer.bytes
    }

    private init(limits: ProtobufLimits) {
        self.limits = limits
        fieldsLeft = limits.fields
        mergedBytesLeft = limits.mergedBytes
    }

    private func fault(_ rule: ProtobufFault.Rule) -> ProtobufFault {
        ProtobufFault(place: path.joined(separator: "."), rule: rule)
    }

    // MARK: Messages

    /// What was found of one field: all its values, in order.
    private struct Found {
        var values: [ProtobufReader.Value] = []
    }

    private mutating func message(
        _ bytes: ArraySlice<UInt8>, _ type: ProtobufMessage
    ) throws(ProtobufFault) {
        let found = try collect(bytes, type)
        try nest()
        writer.beginObject()
        for (field, found) in zip(type.fields, found) where !found.values.isEmpty {
            path.append(field.name.name)
            try write(field, found.values, in: bytes)
            path.removeLast()
        }
        writer.endObject()
        depth -= 1
    }

    /// Sorts the fields of a message by their place in the table. Fields that are not in it are
    /// skipped.
    private mutating func collect(
        _ bytes: ArraySlice<UInt8>, _ type: ProtobufMessage
    ) throws(ProtobufFault) -> [Found] {
        var found = [Found](repeating: Found(), count: type.fields.count)
        var reader = ProtobufReader(bytes)
        var chosen: Int?
        while !reader.isAtEnd {
            try countField()
            let read: ProtobufReader.Field?
            do {
                read = try reader.field()
            } catch {
                throw fault(error)
            }
            guard let read, let place = type.fields.firstIndex(where: { $0.number == read.number })
            else { continue }
            let field = type.fields[place]
            guard read.wire == field.wire || read.wire == .bytes && field.isPackable else {
                if type.isNamed { path.append(field.name.name) }
                throw fault(.wireType)
            }
            switch field.shape {
            case .oneof:
                // The last of a oneof counts; the same one again is merged.
                if let chosen, chosen != place { found[chosen].values = [] }
                chosen = place
            case .plain, .optional, .repeated, .map: break
            }
            found[place].values.append(read.value)
        }
        return found
    }

    private mutating func countField() throws(ProtobufFault) {
        fieldsLeft -= 1
        if fieldsLeft < 0 { throw fault(.tooManyFields) }
    }

    private mutating func nest() throws(ProtobufFault) {
        depth += 1
        if depth > limits.depth { throw fault(.tooDeep) }
    }

    // MARK: Fields

    private mutating func write(
        _ field: ProtobufField, _ values: [ProtobufReader.Value], in bytes: ArraySlice<UInt8>
    ) throws(ProtobufFault) {
        switch field.shape {
        case .plain, .optional, .oneof:
            let value = try merged(values, field, in: bytes)
            if case .plain = field.shape, isDefault(value, field.kind) { return }
            writer.name(field.name.name)
            try write(value, field.kind)
        case .repeated:
            writer.name(field.name.name)
            try nest()
            writer.beginArray()
            for value in values {
                if case .bytes(let range) = value, field.isPackable {
                    try writePacked(bytes[range], field.kind)
                } else {
                    try write(Value(value, in: bytes), field.kind)
                }
            }
            writer.endArray()
            depth -= 1
        case .map:
            writer.name(field.name.name)
            try writeMap(values, field.kind, in: bytes)
        }
    }

    /// A value with the bytes it is in.
    private enum Value {
        case number(UInt64)
        case bytes(ArraySlice<UInt8>)

        init(_ value: ProtobufReader.Value, in bytes: ArraySlice<UInt8>) {
            switch value {
            case .number(let number): self = .number(number)
            case .bytes(let range): self = .bytes(bytes[range])
            }
        }
    }

    /// The one value of a field that may stand there once: of messages the merger of all, which is
    /// the message of their bytes one after the other; else the last.
    private mutating func merged(
        _ values: [ProtobufReader.Value], _ field: ProtobufField, in bytes: ArraySlice<UInt8>
    ) throws(ProtobufFault) -> Value {
        guard values.count > 1, field.kind.isMessage else {
            return Value(values[values.count - 1], in: bytes)
        }
        var whole: [UInt8] = []
        for case .bytes(let range) in values {
            mergedBytesLeft -= range.count
            if mergedBytesLeft < 0 { throw fault(.mergedTooLarge) }
            whole += bytes[range]
        }
        return .bytes(whole[...])
    }

    private func isDefault(_ value: Value, _ kind: ProtobufField.Kind) -> Bool {
        switch value {
        case .number(let number):
            if case .bool = kind { return number == 0 }
            return UInt32(truncatingIfNeeded: number) == 0
        case .bytes(let bytes): return bytes.isEmpty && !kind.isMessage
        }
    }

    private mutating func writePacked(
        _ bytes: ArraySlice<UInt8>, _ kind: ProtobufField.Kind
    ) throws(ProtobufFault) {
        var reader = ProtobufReader(bytes)
        while !reader.isAtEnd {
            try countField()
            let number: UInt64
            do {
                number = try reader.varint()
            } catch {
                throw fault(error)
            }
            try write(.number(number), kind)
        }
    }

    private mutating func write(
        _ value: Value, _ kind: ProtobufField.Kind
    ) throws(ProtobufFault) {
        switch (kind, value) {
        case (.bool, .number(let number)): writer.bool(number != 0)
        case (.int32, .number(let number)): writer.int(Int32(truncatingIfNeeded: number))
        case (.double, .number(let bits)):
            let number = Double(bitPattern: bits)
            guard number.isFinite else { throw fault(.notFinite) }
            writer.double(number)
        case (.enumeration(let names), .number(let number)):
            let number = Int32(truncatingIfNeeded: number)
            if let name = names.indices.contains(Int(number)) ? names[Int(number)] : nil {
                writer.string(name)
            } else {
                writer.int(number)
            }
        case (.string, .bytes(let bytes)): writer.string(try text(bytes))
        case (.bytes, .bytes(let bytes)): writer.string(Base64.encode(bytes))
        case (.message(let type), .bytes(let bytes)): try message(bytes, type)
        case (.structure, .bytes(let bytes)): try structure(bytes)
        case (.list, .bytes(let bytes)): try list(bytes)
        case (.value, .bytes(let bytes)): try self.value(bytes)
        case (.timestamp, .bytes(let bytes)):
            let moment = try moment(bytes)
            guard moment.isTimestamp else { throw fault(.time) }
            writer.string(moment.timestamp())
        case (.duration, .bytes(let bytes)):
            let moment = try moment(bytes)
            guard moment.isDuration else { throw fault(.time) }
            writer.string(moment.duration())
        case (.any, .bytes(let bytes)): try any(bytes)
        default: throw fault(.wireType)
        }
    }

    private func text(_ bytes: ArraySlice<UInt8>) throws(ProtobufFault) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else { throw fault(.encoding) }
        return text
    }

    // MARK: Maps and the well-known types

    private mutating func writeMap(
        _ values: [ProtobufReader.Value], _ kind: ProtobufField.Kind, in bytes: ArraySlice<UInt8>
    ) throws(ProtobufFault) {
        let entry = ProtobufMessage.entry(kind)
        try nest()
        // The last value of a key counts, and a name may stand in JSON once only.
        var places: [String: Int] = [:]
        var entries: [(key: String, values: [ProtobufReader.Value], bytes: ArraySlice<UInt8>)] = []
        for case .bytes(let range) in values {
            let found = try collect(bytes[range], entry)
            var key = ""
            if case .bytes(let range)? = found[0].values.last { key = try text(bytes[range]) }
            let new = (key, found[1].values, bytes[range])
            if let place = places[key] {
                entries[place] = new
            } else {
                places[key] = entries.count
                entries.append(new)
            }
        }
        writer.beginObject()
        for (key, values, bytes) in entries {
            writer.name(key)
            path.append(key)
            if values.isEmpty {
                try write(kind.wire == .varint ? .number(0) : .bytes([]), kind)
            } else {
                try write(try merged(values, entry.fields[1], in: bytes), kind)
            }
            path.removeLast()
        }
        writer.endObject()
        depth -= 1
    }

    private mutating func structure(_ bytes: ArraySlice<UInt8>) throws(ProtobufFault) {
        let found = try collect(bytes, .structure)
        try writeMap(found[0].values, .value, in: bytes)
    }

    /// A `google.protobuf.Value`; one that says nothing is read as null.
    private mutating func value(_ bytes: ArraySlice<UInt8>) throws(ProtobufFault) {
        let found = try collect(bytes, .value)
        guard let place = found.firstIndex(where: { !$0.values.isEmpty }) else {
            return writer.null()
        }
        let field = ProtobufMessage.value.fields[place]
        let value = try merged(found[place].values, field, in: bytes)
        if field.number == 1 { return writer.null() }
        try write(value, field.kind)
    }

    private mutating func list(_ bytes: ArraySlice<UInt8>) throws(ProtobufFault) {
        let found = try collect(bytes, .list)
        try nest()
        writer.beginArray()
        for case .bytes(let range) in found[0].values { try value(bytes[range]) }
        writer.endArray()
        depth -= 1
    }

    private mutating func moment(
        _ bytes: ArraySlice<UInt8>
    ) throws(ProtobufFault) -> ProtobufMoment {
        let found = try collect(bytes, .moment)
        var moment = ProtobufMoment(seconds: 0, nanoseconds: 0)
        if case .number(let number)? = found[0].values.last {
            moment.seconds = Int64(bitPattern: number)
        }
        if case .number(let number)? = found[1].values.last {
            moment.nanoseconds = Int32(truncatingIfNeeded: number)
        }
        return moment
    }

    /// An `Any`: the members of a message that is known here beside `@type`, else its bytes.
    private mutating func any(_ bytes: ArraySlice<UInt8>) throws(ProtobufFault) {
        let found = try collect(bytes, .any)
        var url = ""
        var content: ArraySlice<UInt8> = []
        if case .bytes(let range)? = found[0].values.last { url = try text(bytes[range]) }
        if case .bytes(let range)? = found[1].values.last { content = bytes[range] }
        try nest()
        writer.beginObject()
        writer.member("@type", url)
        if let type = ProtobufMessage.detail(url) {
            let found = try collect(content, type)
            for (field, found) in zip(type.fields, found) where !found.values.isEmpty {
                path.append(field.name.name)
                try write(field, found.values, in: content)
                path.removeLast()
            }
        } else {
            writer.member("value", Base64.encode(content))
        }
        writer.endObject()
        depth -= 1
    }
}

extension ProtobufField {
    var wire: ProtobufWire { kind.wire }

    /// Whether its values may stand one after the other in one run of bytes.
    var isPackable: Bool {
        if case .repeated = shape { return kind.wire == .varint }
        return false
    }
}

extension ProtobufField.Kind {
    /// Whether its values are messages, which merge when they stand twice.
    var isMessage: Bool {
        switch self {
        case .message, .structure, .list, .value, .timestamp, .duration, .any: true
        case .string, .bytes, .bool, .int32, .double, .enumeration: false
        }
    }
}

extension ProtobufMessage {
    static let structure = ProtobufMessage(unnamed: [.init(1, "fields", .value, .map)])
    /// The members of its one `oneof`, in the order of their numbers.
    static let value = ProtobufMessage(unnamed: [
        .init(1, "nullValue", .int32, .oneof), .init(2, "numberValue", .double, .oneof),
        .init(3, "stringValue", .string, .oneof), .init(4, "boolValue", .bool, .oneof),
        .init(5, "structValue", .structure, .oneof), .init(6, "listValue", .list, .oneof),
    ])
    static let list = ProtobufMessage(unnamed: [.init(1, "values", .value, .repeated)])
    static let any = ProtobufMessage(unnamed: [
        .init(1, "typeUrl", .string), .init(2, "value", .bytes),
    ])
    /// `Timestamp` and `Duration` alike. Seconds have 64 bits, which matters to nobody but
    /// ``ProtobufMoment``.
    static let moment = ProtobufMessage(unnamed: [
        .init(1, "seconds", .int32), .init(2, "nanos", .int32),
    ])
    /// An entry of a `map<string, …>`.
    static func entry(_ kind: ProtobufField.Kind) -> ProtobufMessage {
        ProtobufMessage(unnamed: [
            .init(1, "key", .string), .init(2, "value", kind, .optional),
        ])
    }
}
