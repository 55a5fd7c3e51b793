// SPDX-License-Identifier: Apache-2.0
import A2A
import JSON

extension HTTPJSON {
    /// How the text of a query parameter becomes JSON (A2A §11.5).
    enum QueryKind {
        case string
        case integer
        case bool
    }

    /// What the query of an operation may name, in the order in which it is written. Parameters
    /// that are not listed are ignored, as unknown members of a body are.
    static func query(of method: String) -> [(field: ProtoField, kind: QueryKind)] {
        switch method {
        case "GetTask": [(tenant, .string), (ProtoField("historyLength"), .integer)]
        case "ListTasks":
            [
                (tenant, .string), (ProtoField("contextId"), .string),
                (ProtoField("status"), .string), (ProtoField("pageSize"), .integer),
                (ProtoField("pageToken"), .string), (ProtoField("historyLength"), .integer),
                (ProtoField("statusTimestampAfter"), .string),
                (ProtoField("includeArtifacts"), .bool),
            ]
        case "ListTaskPushNotificationConfigs":
            [
                (tenant, .string), (ProtoField("pageSize"), .integer),
                (ProtoField("pageToken"), .string),
            ]
        default: [(tenant, .string)]
        }
    }

    /// The request object that a query says.
    ///
    /// - Throws: ``A2AError`` `INVALID_PARAMS` for a parameter that is given twice or is not of
    ///   its kind.
    static func object(
        of method: String, _ parameters: [(name: String, value: String)]
    ) throws(A2AError) -> JSONValue {
        var writer = JSONWriter()
        writer.beginObject()
        for (field, kind) in query(of: method) {
            let given = parameters.filter { JSONValue.names(field, $0.name) }
            guard let text = given.first?.value else { continue }
            if given.count > 1 { throw .invalid(field.name, "is given twice") }
            switch kind {
            case .string: writer.member(field.name, text)
            case .integer:
                guard let number = Int64(text), text.first != "+" else {
                    throw .invalid(field.name, "must be an integer")
                }
                writer.member(field.name, number)
            case .bool:
                guard text == "true" || text == "false" else {
                    throw .invalid(field.name, "must be true or false")
                }
                writer.member(field.name, text == "true")
            }
        }
        writer.endObject()
        return try document(writer.bytes, .standard).root
    }
}
