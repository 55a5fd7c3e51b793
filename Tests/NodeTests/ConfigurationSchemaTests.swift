// SPDX-License-Identifier: Apache-2.0
import Bytes
import JSON
import Node
import TestSupport
import Testing

/// The published schema and the parser know the same configuration.
@Suite struct ConfigurationSchemaTests {
    private let check: SchemaCheck

    init() throws {
        let text = try Files.text("\(Files.repository)/Spec/schemas/configuration.json")
        check = SchemaCheck(try JSONDocument(parsing: text).root)
    }

    /// Every object that a configuration can have, each with a member that nobody knows.
    private static let strange = """
        {
            "?": 0, "entity": "https://a.example", "log": {"?": 0}, "limits": {"?": 0},
            "identity": {"?": 0, "certificate": "c", "key": "k"},
            "entities": [
                {
                    "?": 0, "entity": "https://b.example", "name": "B", "trust": "t",
                    "grants": {"?": 0}
                }
            ],
            "listeners": [
                {
                    "?": 0, "name": "l", "kind": "local", "address": "unix:l",
                    "principals": [{"?": 0, "name": "p", "token_sha256": "\(hash)"}]
                }
            ],
            "peers": [{"?": 0, "entity": "https://b.example", "agents": [{"?": 0, "name": "x"}]}],
            "agents": [
                {
                    "?": 0, "name": "y", "url": "http://127.0.0.1:1", "tier": "aware",
                    "skills": [{"?": 0, "id": "s", "commit": "order.create"}]
                }
            ],
            "consent": {
                "?": 0,
                "templates": [
                    {"?": 0, "id": "t", "currency": "CNY", "per_act": "1.00", "total": "1.00"}
                ]
            }
        }
        """
    private static let hash = String(repeating: "0", count: 64)

    @Test func everyMemberOfOneIsOfTheOther() throws {
        let faults = try #require(throws: ConfigurationFaults.self) {
            try Configuration(parsing: Array(Self.strange.utf8))
        }
        #expect(faults.faults.count == 14, "one for each object")
        for fault in faults.faults {
            let steps = fault.path.dropLast(fault.path == "?" ? 1 : 2)
                .replacing(#/\[[0-9]+\]/#, with: ".[]").split(separator: ".").map(String.init)
            let known = fault.mend.dropFirst("Known members: ".count).split(separator: ", ")
            let schema = try #require(check.schema(at: steps), "\(fault)")
            let published = schema["properties"]?.members.map { $0.name } ?? []
            #expect(Set(known.map(String.init)) == Set(published), "\(fault.path)")
            #expect(schema["additionalProperties"]?.bool == false, "\(fault.path)")
        }
    }

    @Test func everyLimitHasTheSameRange() throws {
        let limits = try #require(check.schema(at: ["limits"])?["properties"])
        #expect(limits.count == 12)
        for (name, schema) in limits.members {
            let (low, high) = (try #require(schema["minimum"]?.int), schema["maximum"]?.int ?? 0)
            for (value, isGood) in [(low, true), (high, true), (low - 1, false), (high + 1, false)]
            {
                let text = Self.smallest(with: "\"limits\": {\"\(name)\": \(value)}")
                let read = try? Configuration(parsing: Array(text.utf8))
                #expect((read != nil) == isGood, "\(name): \(value)")
            }
        }
    }

    @Test func everyRequiredMemberIsMissed() throws {
        let text = Self.smallest(with: "\"name\": \"A\"")
        _ = try Configuration(parsing: Array(text.utf8))
        for member in check.root["required"]?.elements.compactMap(\.string) ?? [] {
            let less = text.replacing("\"\(member)\":", with: "\"x_\(member)\":")
            let faults = try #require(throws: ConfigurationFaults.self) {
                try Configuration(parsing: Array(less.utf8))
            }
            #expect(faults.faults.contains { $0.rule == "\"\(member)\" is missing" }, "\(member)")
        }
    }

    @Test(arguments: ["phone", "agentos", "inn"])
    func theExamplesConform(_ name: String) throws {
        let bytes = try Files.bytes("\(Files.repository)/Docker/organisations/\(name).json")
        let document = try JSONDocument(parsing: JSONComments.strip(bytes))
        #expect(check.faults(in: document.root) == [])
        #expect(try Configuration(parsing: bytes).entity.text == "https://\(name).example")
    }

    private static func smallest(with member: String) -> String {
        """
        {
            "entity": "https://a.example", \(member),
            "identity": {"certificate": "c", "key": "k"},
            "listeners": [{"name": "l", "kind": "link", "address": "0.0.0.0:1"}]
        }
        """
    }
}
