// SPDX-License-Identifier: Apache-2.0
import Bytes
import JSON
import TestSupport
import Testing

@testable import dragoman

/// Descriptors against `Spec/vectors/meeting`, which another program signed (Spec §6.2).
@Suite struct PeerDescriptorVectorTests {
    private let vectors: JSONValue
    private let schema: SchemaCheck

    init() throws {
        vectors = try SpecVectors.json("meeting", "descriptors.json")
        let text = try Files.text("\(Files.repository)/Spec/schemas/peer.json")
        schema = SchemaCheck(try JSONDocument(parsing: text).root)
    }

    @Test func descriptorsAreReadAsWritten() throws {
        var pointers: Set<String> = []
        for vector in try #require(vectors["cases"]).elements {
            let name = vector["name"]?.string ?? ""
            let expected = try #require(vector["expect"])
            let now = try #require(
                (vector["now"] ?? vectors["now"])?.string.flatMap { Instant(rfc3339: $0) })
            do throws(PeerDescriptor.Fault) {
                let received = try PeerDescriptor.receive(
                    vector["token"]?.string ?? "", now: now)
                #expect(received.fingerprint == expected["fingerprint"]?.string, "\(name)")
                let claims = expected["claims"].flatMap { try? JSONCanonical.encode($0) }
                let read = try? JSONCanonical.encode(
                    JSONDocument(parsing: received.descriptor.node.bytes).root)
                #expect(claims != nil && read == claims, "\(name)")
                if let claims = expected["claims"] {
                    #expect(schema.faults(in: claims).isEmpty, "\(name)")
                }
            } catch {
                pointers.insert(error.pointer)
                #expect(error.pointer == expected["pointer"]?.string, "\(name): \(error.rule)")
                let rule = expected["rule"]?.string ?? "nothing is wrong"
                #expect(error.rule.hasPrefix(rule), "\(name): \(error.rule)")
            }
        }
        #expect(pointers.count > 12)
    }
}
