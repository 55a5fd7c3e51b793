// SPDX-License-Identifier: Apache-2.0

import Accounting
import JSON
import TestSupport
import Testing

/// Every object of the accounting extension against `Spec/vectors/accounting`.
@Suite struct FormatVectorTests {
    @Test func tariffsAreReadStrictly() throws {
        let vectors = try SpecVectors.json("accounting", "tariffs.json")
        let base = try #require(vectors["base"]).detached()
        let text = try Files.text("\(Files.repository)/Spec/schemas/tariff.json")
        let schema = SchemaCheck(try JSONDocument(parsing: text).root)
        var faults: Set<String> = []
        for vector in try elements(vectors, "cases") {
            let value = try edited(base, vector)
            let outcome = read { () throws(FormatFault) in try Tariff(value).node }
            faults.insert(outcome.text)
            // What is accepted the schema accepts, and what it can know it refuses; that a floor
            // is needed beside another member it cannot.
            let isForm =
                ["unknown", "missing", "kind"].contains { outcome.text.hasPrefix($0) }
                && !outcome.text.hasSuffix("floor")
            let known = schema.faults(in: value)
            if outcome.text == "ok" { #expect(known.isEmpty, "\(name(vector)): \(known)") }
            if isForm { #expect(!known.isEmpty, "\(name(vector)): the schema allows it") }
            #expect(outcome.text == (try string(vector, "expect")), "\(name(vector))")
            guard let node = outcome.node else { continue }
            let again = try JSONDocument(parsing: node.bytes).root
            #expect(try Tariff(again) == Tariff(value), "\(name(vector))")
        }
        let rules = Set(faults.compactMap { $0.split(separator: " ").first.map(String.init) })
        #expect(rules.isSuperset(of: FormatFault.Rule.allCases.map(\.rawValue)))
    }

    @Test func objectsAreReadStrictly() throws {
        let vectors = try SpecVectors.json("accounting", "wire.json")
        let bases = try #require(vectors["bases"])
        for vector in try elements(vectors, "cases") {
            let kind = try string(vector, "of")
            let base = try #require(bases[kind]).detached()
            let value = try edited(base, vector)
            let outcome = read { () throws(FormatFault) in try node(of: kind, value) }
            #expect(outcome.text == (try string(vector, "expect")), "\(kind): \(name(vector))")
            // What is read is written as it was, so that the bytes of both sides are comparable.
            if let node = outcome.node {
                let again = try JSONDocument(parsing: node.bytes).root
                #expect(
                    try JSONCanonical.encode(again) == JSONCanonical.encode(value),
                    "\(kind): \(name(vector))")
            }
        }
    }

    private func node(of kind: String, _ value: JSONValue) throws(FormatFault) -> JSONNode {
        switch kind {
        case "hold": try HoldRequest(value).node
        case "hold_extend": try HoldExtension(value).node
        case "post": try Post(value).node
        case "void": try HoldVoid(value).node
        case "block": try BlockOpening(value).node
        case "draw": try Draw(value).node
        case "usage": try UsageCounter(value).node
        case "quote": try Quote(value).node
        case "ack": try Acknowledgement(value).node
        case "metadata": try AccountingMetadata(value).node
        default: try HopRecord(value).node
        }
    }

    private func read(
        _ body: () throws(FormatFault) -> JSONNode
    ) -> (text: String, node: JSONNode?) {
        do throws(FormatFault) { return ("ok", try body()) } catch {
            return ("\(error.rule.rawValue) at \(error.path)", nil)
        }
    }

    /// `base` with the members of the vector's `set` in place and those of `remove` gone.
    private func edited(_ base: JSONNode, _ vector: JSONValue) throws -> JSONValue {
        var node = base
        for name in vector["remove"]?.elements.compactMap(\.string) ?? [] { node[name] = nil }
        if let set = vector["set"] {
            for member in set.members { node[member.name] = member.value.detached() }
        }
        return try JSONDocument(parsing: node.bytes).root
    }

    private func name(_ vector: JSONValue) -> String { vector["name"]?.string ?? "" }
}
