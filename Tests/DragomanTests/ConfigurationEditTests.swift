// SPDX-License-Identifier: Apache-2.0
import JSON
import Testing

@testable import dragoman

@Suite struct ConfigurationEditTests {
    private func append(_ text: String) -> String? {
        ConfigurationEdit.append(["a": 1], to: "peers", in: Array(text.utf8)).map {
            String(decoding: $0, as: UTF8.self)
        }
    }

    @Test(arguments: [
        (
            "{\n    \"peers\": []\n}\n",
            "{\n    \"peers\": [\n        {\n            \"a\": 1\n        }\n    ]\n}\n"
        ),
        (
            "{\n    \"peers\": [\n        // none yet\n    ]\n}",
            "{\n    \"peers\": [\n        // none yet\n        {\n            \"a\": 1\n        }\n"
                + "    ]\n}"
        ),
        (
            "{\"peers\": [ {\"b\": \"]\"} /* ] */ // \"x\"\n]}",
            "{\"peers\": [ {\"b\": \"]\"}, /* ] */ // \"x\"\n        {\n            \"a\": 1\n"
                + "        }\n]}"
        ),
        (
            "{ // start\n    \"x\": 1 // last\n}",
            "{ // start\n    \"x\": 1, // last\n    \"peers\": [\n        {\n            \"a\": 1\n"
                + "        }\n    ]\n}"
        ),
        (
            "{}",
            "{\n    \"peers\": [\n        {\n            \"a\": 1\n        }\n    ]\n}"
        ),
    ])
    func everythingElseStays(_ before: String, _ after: String) throws {
        let edited = try #require(append(before))
        #expect(edited == after)
        let root = try JSONDocument(parsing: JSONComments.strip(Array(edited.utf8))).root
        let last = root["peers"].flatMap { $0[$0.count - 1] }
        #expect(last?.rawText.filter { !$0.isWhitespace } == #"{"a":1}"#)
    }

    @Test(arguments: ["{\"peers\": {}}", "[]", "{", ""])
    func noPlaceIsSafe(_ text: String) { #expect(append(text) == nil) }

    @Test func prettyJSONIsTheSameJSON() throws {
        let node: JSONNode = [
            "s": "a\"b", "list": ["x", "y"], "empty": [], "none": .object([]),
            "deep": [["k": [1, 2]]],
        ]
        let text = ConfigurationEdit.pretty(node, indent: 0)
        #expect(try JSONDocument(parsing: text).root.detached() == node)
        #expect(text.contains("    \"list\": [ \"x\", \"y\" ],\n"))
    }
}
