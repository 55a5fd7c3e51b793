// SPDX-License-Identifier: Apache-2.0

import Consent
import JSON
import TestSupport
import Testing

/// The vectors of `Spec/vectors/consent`, under both algorithms of hop keys.
@Suite struct VectorTests {
    @Test(arguments: try ConsentVector.all("ES256"))
    func es256(_ vector: ConsentVector) throws { try check(vector) }

    @Test(arguments: try ConsentVector.all("Ed25519"))
    func ed25519(_ vector: ConsentVector) throws { try check(vector) }

    @Test func thereAreVectors() throws {
        #expect(try ConsentVector.all("ES256").count == 137)
        #expect(try ConsentVector.all("Ed25519").count == 46)
    }

    private func check(_ vector: ConsentVector) throws {
        let runner = ConsentVectorRunner()
        var last: String?
        for (index, call) in vector.calls.elements.enumerated() {
            let before = runner.storage.recordCount
            last = try runner.run(call)
            #expect(last == call["out"]?.string, "call \(index) of \(vector.name)")
            if last != nil, call["call"]?.string != "act" {
                #expect(runner.storage.recordCount == before, "a refusal records nothing")
            }
        }
        #expect(last == vector.expect)
    }
}
