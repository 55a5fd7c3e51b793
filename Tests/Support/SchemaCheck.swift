// SPDX-License-Identifier: Apache-2.0
package import JSON

/// Holds a document against a JSON Schema of this repository. It knows the words that our schemas
/// use and refuses a schema with any other, so that no rule is silently not checked.
package struct SchemaCheck {
    package let root: JSONValue

    package init(_ schema: JSONValue) { root = schema }

    /// What is wrong, as `path: rule`; empty for a document that conforms.
    package func faults(in value: JSONValue) -> [String] { check(value, root, "") }

    /// The schema of a place, with references followed; a name of a member, or `[]` for elements.
    package func schema(at path: [String]) -> JSONValue? {
        path.reduce(root as JSONValue?) { schema, step in
            guard let schema = schema.map(resolved) else { return nil }
            return step == "[]" ? schema["items"] : schema["properties"]?[step]
        }.map(resolved)
    }

    private func resolved(_ schema: JSONValue) -> JSONValue {
        guard let name = schema["$ref"]?.string else { return schema }
        return root["$defs"]?[String(name.dropFirst("#/$defs/".count))] ?? schema
    }

    private func check(_ value: JSONValue, _ schema: JSONValue, _ path: String) -> [String] {
        schema.members.flatMap { rule, operand -> [String] in
            let isGood: Bool
            switch rule {
            case "$schema", "$id", "$defs", "title", "description", "default": return []
            case "$ref": return check(value, resolved(schema), path)
            case "properties":
                return value.members.flatMap { member in
                    operand[member.name].map {
                        check(member.value, $0, "\(path).\(member.name)")
                    } ?? []
                }
            case "additionalProperties":
                let others = value.members.filter { schema["properties"]?[$0.name] == nil }
                if operand.kind == .object {
                    return others.flatMap { check($0.value, operand, "\(path).\($0.name)") }
                }
                return others.map { "\(path).\($0.name): unknown" }
            case "items":
                return value.elements.enumerated().flatMap {
                    check($0.element, operand, "\(path)[\($0.offset)]")
                }
            case "required":
                return operand.elements.compactMap(\.string).filter { value[$0] == nil }
                    .map { "\(path).\($0): missing" }
            case "type": isGood = Self.isKind(value, operand.string ?? "")
            case "enum": isGood = operand.elements.contains { $0.rawText == value.rawText }
            case "minimum": isGood = value.int ?? .min >= operand.int ?? .max
            case "maximum": isGood = value.int ?? .max <= operand.int ?? .min
            case "minLength": isGood = value.string?.count ?? 0 >= operand.int ?? .max
            case "minItems": isGood = value.count >= operand.int ?? .max
            case "pattern":
                let expression = try? Regex(operand.string ?? "(")
                isGood = expression.map { value.string?.contains($0) == true } ?? false
            default: return ["\(path): the schema has a word unknown here: \(rule)"]
            }
            return isGood ? [] : ["\(path): \(rule)"]
        }
    }

    private static func isKind(_ value: JSONValue, _ name: String) -> Bool {
        switch name {
        case "object": value.kind == .object
        case "array": value.kind == .array
        case "string": value.kind == .string
        case "boolean": value.kind == .bool
        case "integer": value.int != nil
        default: false
        }
    }
}
