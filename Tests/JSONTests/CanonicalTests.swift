// SPDX-License-Identifier: Apache-2.0

import JSON
import TestSupport
import Testing

@Suite struct CanonicalTests {
    /// The pairs of cyberphone/json-canonicalization, byte for byte.
    @Test(
        .enabled(
            if: Shared.path("vectors/jcs") != nil,
            "the RFC 8785 pairs are not in the shared folder"))
    func pairsOfTheRFC() throws {
        let folder = try #require(Shared.path("vectors/jcs"))
        let names = Files.names(in: folder + "/input")
        #expect(names.count == 6)
        for name in names {
            let document = try JSONDocument(parsing: Files.bytes(folder + "/input/" + name))
            let expected = try Files.bytes(folder + "/output/" + name)
            #expect(try JSONCanonical.encode(document.root) == expected, "\(name)")
            #expect(try JSONCanonical.encode(document.root.detached()) == expected, "\(name)")
        }
    }
}
