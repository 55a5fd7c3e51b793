// SPDX-License-Identifier: Apache-2.0
import Accounting
import Bytes
import Crypto
import JSON
import Node
import TestSupport
import Testing

/// Files of tariffs against `Spec/vectors/meeting`, which another program signed (Spec §6.3).
@Suite struct TariffFileVectorTests {
    private let vectors: JSONValue
    private let signatories: Signatories
    private let schema: SchemaCheck

    init() throws {
        vectors = try SpecVectors.json("meeting", "tariff-files.json")
        let us = try #require(vectors["us"])
        var trust: [EntityID: TrustAnchors] = [:]
        for member in try #require(vectors["trust"]).members {
            let entity = try #require(EntityID(member.name))
            trust[entity] = TrustAnchors(
                certificates: try member.value.elements.compactMap(\.string).map {
                    try Certificate(der: try #require(Base64.decode($0)))
                })
        }
        signatories = Signatories(
            entity: try #require(us["entity"]?.string.flatMap { EntityID($0) }),
            key: try VerifyingKey(jwk: JWK(try #require(us["jwk"]))), trust: trust, keys: [:])
        let text = try Files.text("\(Files.repository)/Spec/schemas/tariffs.json")
        schema = SchemaCheck(try JSONDocument(parsing: text).root)
    }

    @Test func filesAreReadAsWritten() throws {
        let now = try #require(vectors["now"]?.string.flatMap { Instant(rfc3339: $0) })
        var pointers: Set<String> = []
        for vector in try #require(vectors["cases"]).elements {
            let name = vector["name"]?.string ?? ""
            let expected = try #require(vector["expect"])
            let text = vector["text"]?.string ?? vector["file"]?.rawText ?? ""
            do throws(TariffFileFault) {
                let versions = try TariffFile(parsing: Array(text.utf8))
                    .verified(by: signatories, now: now)
                let names = versions.versions.map { JSONNode.string($0.name.text) }
                #expect(JSONNode.array(names).text == expected["names"]?.compact, "\(name)")
                let numbers = versions.versions.map { JSONNode.int($0.tariff.version) }
                #expect(JSONNode.array(numbers).text == expected["vers"]?.compact, "\(name)")
            } catch {
                let fault = error
                pointers.insert(fault.pointer)
                #expect(fault.pointer == expected["pointer"]?.string, "\(name)")
                // What the parser of JSON and of certificates says is theirs.
                let rule = try #require(expected["rule"]?.string, "\(name): \(fault)")
                #expect(fault.description.hasPrefix(rule), "\(name): \(fault)")
            }
        }
        #expect(pointers.count > 8)
    }

    /// The schema knows the form; signatures, certificates and the order of versions it cannot.
    @Test func theSchemaKnowsTheForm() throws {
        for vector in try #require(vectors["cases"]).elements {
            guard let file = vector["file"] else { continue }
            let rule = vector["expect"]?["rule"]?.string
            let isForm =
                rule.map { rule in
                    ["a version has", "\"v\" is not", "there is one member"]
                        .contains { rule.hasPrefix($0) }
                } ?? false
            let faults = schema.faults(in: file)
            // It has no word for "at least one of the two", nor for so many versions.
            let isBeyond = ["a version that nobody signed", "sixty-five versions"]
                .contains(vector["name"]?.string ?? "")
            if isBeyond { continue }
            #expect(faults.isEmpty == !isForm, "\(vector["name"]?.string ?? ""): \(faults)")
        }
    }
}

extension JSONValue {
    /// Its text without white space.
    fileprivate var compact: String { detached().text }
}
