// SPDX-License-Identifier: Apache-2.0
package import JSON

extension JSONSplice {
    /// Puts the string `text` in place of `value`.
    package mutating func replace(_ value: JSONValue, string text: String) {
        replace(value, with: .string(text))
    }

    /// Sets the member `field` of `object` to the string `text`, whether or not it is there.
    package mutating func set(_ field: ProtoField, _ text: String, in object: JSONValue) {
        if let present = object[field.name] ?? field.original.flatMap({ object[$0] }) {
            replace(present, with: .string(text))
        } else {
            add(field.name, .string(text), to: object)
        }
    }

    /// Sets the member `field` of `object` to `bytes`, whether or not it is there.
    package mutating func set(_ field: ProtoField, bytes: [UInt8], in object: JSONValue) {
        if let present = object[field.name] ?? field.original.flatMap({ object[$0] }) {
            replace(present, with: bytes)
        } else {
            add(field.name, .raw(bytes), to: object)
        }
    }
}

/// What becomes of the extensions' metadata when an object crosses a hop.
///
/// Our URIs are hop by hop (Spec §1): they are dropped wherever they stand, and what this hop has
/// to say is put in their place.
package struct MetadataEdit: Sendable {
    /// What replaces our members; URI and one JSON value each.
    package var put: [(uri: ExtensionURI, bytes: [UInt8])]

    package init(put: [(uri: ExtensionURI, bytes: [UInt8])] = []) { self.put = put }

    /// Drops our members and adds nothing.
    package static var strip: MetadataEdit { MetadataEdit() }

    /// The metadata object after the edit, or `nil` when nothing had to change.
    package func applied(to metadata: JSONValue?) -> [UInt8]? {
        if put.isEmpty {
            guard let metadata, Self.hopByHop.contains(where: { metadata[$0.rawValue] != nil })
            else { return nil }
        }
        var writer = JSONWriter()
        writer.beginObject()
        if let metadata, metadata.kind == .object {
            for member in metadata.members where !Self.isOurs(member.name) {
                writer.name(member.name)
                writer.value(member.value)
            }
        }
        for member in put {
            writer.name(member.uri.rawValue)
            writer.raw(member.bytes)
        }
        writer.endObject()
        return writer.bytes
    }

    private static let hopByHop: [ExtensionURI] = [.consent, .accounting, .discovery]

    private static func isOurs(_ name: String) -> Bool {
        hopByHop.contains { $0.rawValue == name }
    }

    /// Edits the metadata of `object`.
    package func edit(_ object: JSONValue, in splice: inout JSONSplice) {
        let metadata = object["metadata"]
        guard let bytes = applied(to: metadata) else { return }
        splice.set(.metadata, bytes: bytes, in: object)
    }
}
