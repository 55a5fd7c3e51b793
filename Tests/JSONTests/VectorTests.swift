// SPDX-License-Identifier: Apache-2.0

import Bytes
import JSON
import TestSupport
import Testing

/// The cases of `Spec/vectors/json/`, which its README describes.
@Suite struct VectorTests {
    @Test func acceptedTexts() throws {
        for vector in try JSONVector.all("accept.json") {
            #expect(vector.fault == nil, "\(vector.name)")
        }
    }

    @Test func refusedTexts() throws {
        for vector in try JSONVector.all("refuse.json") {
            let fault = try #require(vector.fault, "\(vector.name) was accepted")
            let found = "\(fault.rule.rawValue) at \(fault.offset)"
            #expect(found == "\(vector["rule"]) at \(vector["offset"])", "\(vector.name)")
            let place = "line \(fault.line), column \(fault.column)"
            #expect(
                place == "line \(vector["line"]), column \(vector["column"])", "\(vector.name)")
        }
    }

    @Test func canonicalTexts() throws {
        for vector in try JSONVector.all("canonical.json") {
            let root = try JSONDocument(parsing: vector.text).root
            do {
                let canonical = try JSONCanonical.encode(root)
                let expected = try #require(vector.value["canonical"]?.string)
                #expect(String(decoding: canonical, as: UTF8.self) == expected, "\(vector.name)")
                #expect(try JSONCanonical.encode(root.detached()) == canonical, "\(vector.name)")
            } catch let fault as JSONFault {
                #expect(fault.rule.rawValue == vector["rule"], "\(vector.name)")
                #expect(fault.offset.description == vector["offset"], "\(vector.name)")
            }
        }
    }

    @Test func everyRuleHasAVector() throws {
        let refused = try JSONVector.all("refuse.json") + JSONVector.all("canonical.json")
        let rules = Set(refused.compactMap { $0.value["rule"]?.string })
        #expect(rules == Set(JSONFault.Rule.allCases.map(\.rawValue)))
    }

    @Test func everyFileIsRun() {
        let names = SpecVectors.files(in: "json").map { $0.split(separator: "/").last ?? "" }
        #expect(names == ["README.md", "accept.json", "canonical.json", "refuse.json"])
    }
}

private struct JSONVector {
    let value: JSONValue
    let text: [UInt8]

    static func all(_ file: String) throws -> [JSONVector] {
        let vectors = try SpecVectors.json("json", file).elements.map(JSONVector.init)
        #expect(vectors.count > 30)
        #expect(Set(vectors.map(\.name)).count == vectors.count)
        return vectors
    }

    init(_ value: JSONValue) throws {
        self.value = value
        if let text = value["text"]?.string {
            self.text = Array(text.utf8)
        } else if let hex = value["hex"]?.string {
            text = try #require(Hex.decode(hex))
        } else {
            var text: [UInt8] = []
            for part in try #require(value["parts"]).elements {
                let piece = try #require(part[0]?.string).utf8
                for _ in 0..<(try #require(part[1]?.int)) { text += piece }
            }
            self.text = text
        }
    }

    var name: String { self["name"] }

    /// A member's string, or the text of another scalar.
    subscript(_ name: String) -> String { value[name]?.string ?? value[name]?.rawText ?? "" }

    var fault: JSONFault? {
        let limits: JSONLimits
        switch value["limits"]?.string {
        case "token": limits = .token
        case "grammar": limits = .grammar
        default: limits = .standard
        }
        do {
            _ = try JSONDocument(parsing: text, limits: limits)
            return nil
        } catch {
            return error
        }
    }
}
