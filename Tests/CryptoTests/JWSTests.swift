// SPDX-License-Identifier: Apache-2.0
import Bytes
import Crypto
import JSON
import TestSupport
import Testing

extension JWSFault {
    /// As the vectors spell it.
    var name: String {
        switch self {
        case .malformed: "malformed"
        case .critical: "critical"
        case .algorithm: "algorithm"
        case .signature: "signature"
        case .tooLarge: "tooLarge"
        }
    }
}

@Suite struct JWSTests {
    @Test(arguments: try JOSEVector.all(in: "jws.json"))
    func vector(_ vector: JOSEVector) throws {
        let key = try VerifyingKey(jwk: JWK(try #require(vector.value["key"])))
        let compact = try #require(vector["compact"])
        do throws(JWSFault) {
            let (_, payload) = try JWS.verify(compact: compact, key: key)
            #expect(String(decoding: payload, as: UTF8.self) == vector["payload"])
        } catch {
            #expect(error.name == vector["fault"])
        }
        // The same in its other two forms.
        let parts = compact.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3 else { return }
        let flattened: JSONNode = [
            "protected": .string(parts[0]), "payload": .string(parts[1]),
            "signature": .string(parts[2]), "header": ["note": "unsigned"],
        ]
        let value = try JSONDocument(parsing: flattened.bytes).root
        do throws(JWSFault) {
            let (_, payload) = try JWS.verify(flattened: value, key: key)
            #expect(String(decoding: payload, as: UTF8.self) == vector["payload"])
            let detached = JWS.Detached(protected: parts[0], signature: parts[2])
            _ = try JWS.verify(detached, payload: payload, key: key)
        } catch {
            #expect(error.name == vector["fault"])
        }
    }

    @Test(arguments: [KeyAlgorithm.p256, .ed25519])
    func whatIsSignedVerifies(algorithm: KeyAlgorithm) throws {
        let key = SigningKey.generate(algorithm)
        let payload = Array(#"{"name":"Tea"}"#.utf8)
        let members = [JSONNode.Member("typ", "JOSE"), JSONNode.Member("kid", "card-1")]
        let compact = JWS.sign(payload, members: members, key: key)
        let (header, read) = try JWS.verify(compact: compact, key: key.verifying)
        #expect(read == payload)
        #expect(header.keyID == "card-1" && header.type == "JOSE")
        #expect(header.algorithm == algorithm.name)

        let detached = JWS.signDetached(payload, members: members, key: key)
        #expect(try JWS.verify(detached, payload: payload, key: key.verifying).keyID == "card-1")
        #expect(throws: JWSFault.signature) {
            try JWS.verify(detached, payload: payload + [0x20], key: key.verifying)
        }
        #expect(try JWS.Header(protected: detached.protected).keyID == "card-1")
    }

    @Test func theFlattenedFormIsRead() throws {
        let key = SigningKey.generate(.p256)
        let detached = JWS.signDetached([1, 2, 3], key: key)
        func fault(_ node: JSONNode) throws -> JWSFault? {
            let value = try JSONDocument(parsing: node.bytes).root
            do throws(JWSFault) {
                _ = try JWS.verify(flattened: value, key: key.verifying)
                return nil
            } catch {
                return error
            }
        }
        let good: JSONNode = [
            "protected": .string(detached.protected), "payload": "AQID",
            "signature": .string(detached.signature),
        ]
        #expect(try fault(good) == nil)
        var repeated = good
        repeated["header"] = ["alg": "none"]
        #expect(try fault(repeated) == .malformed("unprotected-header"))
        var text = good
        text["header"] = "x"
        #expect(try fault(text) == .malformed("unprotected-header"))
        for member in ["protected", "payload", "signature"] {
            var less = good
            less[member] = nil
            #expect(try fault(less) == .malformed("flattened-members"))
        }
        #expect(try fault([]) == .malformed("flattened-members"))
    }

    @Test func whatIsTooLargeIsNotRead() throws {
        let key = SigningKey.generate(.ed25519)
        let large = String(repeating: "A", count: JWS.maximumBytes + 1)
        #expect(throws: JWSFault.tooLarge) {
            try JWS.verify(compact: large, key: key.verifying)
        }
    }
}
