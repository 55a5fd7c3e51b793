// SPDX-License-Identifier: Apache-2.0
import JSON
import Node
import TestSupport
import Testing

/// Single values of a configuration, accepted and refused, by the parser and by the schema.
@Suite struct ConfigurationVectorTests {
    private let schema: SchemaCheck

    init() throws {
        let text = try Files.text("\(Files.repository)/Spec/schemas/configuration.json")
        schema = SchemaCheck(try JSONDocument(parsing: text).root)
    }

    @Test func theBaseIsGood() throws {
        for file in ["accepted.json", "refused.json"] {
            let base = try #require(try SpecVectors.json("config", file)["base"])
            _ = try Configuration(parsing: base.detached().bytes)
            #expect(schema.faults(in: base) == [])
        }
    }

    @Test func acceptedOnesAreAccepted() throws {
        for vector in try vectors("accepted.json") {
            #expect(throws: Never.self, "\(vector)") {
                try Configuration(parsing: vector.text)
            }
            #expect(try faults(vector) == [], "\(vector)")
        }
    }

    @Test func refusedOnesAreRefusedAtTheirPlace() throws {
        for vector in try vectors("refused.json") {
            do throws(ConfigurationFaults) {
                _ = try Configuration(parsing: vector.text)
                Issue.record("accepted: \(vector)")
            } catch {
                let found = error.faults.map { "\($0.pointer): \($0.rule)" }
                #expect(found == ["\(vector.pointer): \(vector.rule ?? "")"], "\(vector)")
                let line = error.faults.first?.line
                #expect(line == vector.line, "\(vector)")
            }
            #expect(try faults(vector).isEmpty == vector.isGoodForSchema, "\(vector)")
        }
    }

    // MARK: Vectors

    private struct Vector: CustomStringConvertible {
        let text: [UInt8]
        let pointer: String
        let value: JSONNode
        let rule: String?
        let isGoodForSchema: Bool
        /// Where the value stands; each place of a configuration is put on a line of its own.
        let line: Int
        var description: String { "\(pointer) = \(value.text)" }
    }

    private func vectors(_ file: String) throws -> [Vector] {
        let root = try SpecVectors.json("config", file)
        let base = try #require(root["base"]).detached()
        let cases = try #require(root["cases"])
        #expect(cases.count > 0)
        return try cases.elements.map { item in
            let pointer = try #require(item["pointer"]?.string)
            let value = try #require(item["value"]).detached()
            let steps = pointer.split(separator: "/").map(String.init)
            let marked = put(.raw(Array("\n".utf8) + value.bytes), at: steps[...], in: base)
            return Vector(
                text: marked.bytes, pointer: pointer, value: value, rule: item["rule"]?.string,
                isGoodForSchema: item["schema"]?.string == "accepts", line: 2)
        }
    }

    private func faults(_ vector: Vector) throws -> [String] {
        schema.faults(in: try JSONDocument(parsing: vector.text).root)
    }

    /// `node` with another value at a place that it has.
    private func put(
        _ value: JSONNode, at steps: ArraySlice<String>, in node: JSONNode
    ) -> JSONNode {
        guard let step = steps.first else { return value }
        let rest = steps.dropFirst()
        switch node {
        case .array(var elements):
            guard let index = Int(step), elements.indices.contains(index) else { return node }
            elements[index] = put(value, at: rest, in: elements[index])
            return .array(elements)
        case .object:
            var node = node
            guard let member = node[step] else { return node }
            node[step] = put(value, at: rest, in: member)
            return node
        default: return node
        }
    }
}
