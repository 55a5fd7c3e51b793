// SPDX-License-Identifier: Apache-2.0
import A2A

/// A protobuf message type as a table of its fields. One encoder and one decoder walk such tables,
/// so that nothing is generated and a field is one line.
package struct ProtobufMessage: Sendable {
    /// In the order of their numbers, which is the order in which they are written.
    let fields: [ProtobufField]
    /// Whether the fields have names in JSON; those of the well-known types have none.
    let isNamed: Bool

    init(_ fields: ProtobufField...) {
        self.fields = fields.sorted { $0.number < $1.number }
        isNamed = true
    }

    init(unnamed fields: [ProtobufField]) {
        self.fields = fields
        isNamed = false
    }
}

/// One field of a message type.
struct ProtobufField: Sendable {
    let number: Int
    /// Its names in JSON.
    let name: ProtoField
    let kind: Kind
    let shape: Shape

    /// The types that A2A's fields have.
    enum Kind: Sendable {
        case string
        case bytes
        case bool
        case int32
        case double
        /// The names of the values 0, 1, 2 …
        case enumeration([String])
        case message(ProtobufMessage)
        /// `google.protobuf.Struct`, `ListValue`, `Value`, `Timestamp`, `Duration` and `Any`, whose
        /// JSON is not that of their fields.
        case structure
        case list
        case value
        case timestamp
        case duration
        case any
    }

    /// How often a field stands there, and what its absence means.
    enum Shape: Sendable {
        /// A default value is not written.
        case plain
        /// Presence is told apart from the default value.
        case optional
        /// A member of the message's one `oneof`: presence counts, and only one may be present.
        case oneof
        case repeated
        /// `map<string, …>`, an object in JSON.
        case map
    }

    init(_ number: Int, _ name: String, _ kind: Kind, _ shape: Shape = .plain) {
        self.number = number
        self.name = ProtoField(name)
        self.kind = kind
        self.shape = shape
    }
}

extension ProtobufField.Kind {
    /// How values of the kind are written.
    var wire: ProtobufWire {
        switch self {
        case .bool, .int32, .enumeration: .varint
        case .double: .fixed64
        default: .bytes
        }
    }
}

/// The wire types of protobuf that proto3 has.
enum ProtobufWire: UInt8, Sendable {
    case varint = 0
    case fixed64 = 1
    case bytes = 2
    case groupStart = 3
    case groupEnd = 4
    case fixed32 = 5
}

/// What is wrong with a message, and where.
package struct ProtobufFault: Error, Equatable, Sendable {
    /// The path of the field, in JSON names; empty for the whole.
    package let place: String
    package let rule: Rule

    /// The rules of the wire format, of our limits and of the mapping to JSON.
    package enum Rule: String, Error, CaseIterable, Sendable {
        /// The bytes end within a field.
        case truncated
        /// A varint of more than ten bytes, or of more than 64 bits.
        case overlongVarint = "overlong-varint"
        /// The number 0, or above 2^29−1.
        case fieldNumber = "field-number"
        /// A wire type that does not exist, or that a known field does not have.
        case wireType = "wire-type"
        /// A group's end without its beginning, or the other way round.
        case group
        /// A string that is not UTF-8.
        case encoding
        /// More levels than ``ProtobufLimits/depth``.
        case tooDeep = "too-deep"
        /// More fields than ``ProtobufLimits/fields``.
        case tooManyFields = "too-many-fields"
        /// More bytes of messages that stand in pieces than ``ProtobufLimits/mergedBytes``.
        case mergedTooLarge = "merged-too-large"
        /// A number that JSON cannot write: not finite.
        case notFinite = "not-finite"
        /// A time or duration out of range, or not in its form.
        case time
        /// JSON of another kind than the field.
        case kind
        /// An integer that does not fit into 32 bits.
        case range
        /// Text that is not base64.
        case base64
        /// Two members of one `oneof`.
        case oneof
    }
}

/// What one message may make us do.
package struct ProtobufLimits: Sendable {
    /// Levels of JSON: the same as ``JSONLimits/depth``, since it becomes JSON.
    package var depth = 64
    /// Fields and list elements in all. Two bytes can be a field whose bookkeeping takes thirty,
    /// so that without this limit 8 MiB could become 240; no real message comes near it.
    package var fields = 1 << 18
    /// Bytes of messages that stand in several pieces, which are copied to be read as one. No
    /// writer makes such; copies within copies would multiply the message by its depth.
    package var mergedBytes = 1 << 20

    package init() {}

    /// The limits that hold unless a test has others.
    package static let standard = ProtobufLimits()
}
