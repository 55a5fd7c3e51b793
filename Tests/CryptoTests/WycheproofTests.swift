// SPDX-License-Identifier: Apache-2.0
import Bytes
import Crypto
import JSON
import TestSupport
import Testing

/// C2SP/wycheproof, which is not part of this repository: run where it is found.
@Suite(
    .enabled("the shared folder with Wycheproof is absent") {
        Shared.path("vectors/wycheproof") != nil
    })
struct WycheproofTests {
    /// The tests of a file with the key of their group.
    private static func tests(
        _ file: String
    ) throws -> [(group: JSONValue, test: JSONValue, isValid: Bool)] {
        let path = try #require(Shared.path("vectors/wycheproof/\(file)"))
        let root = try JSONDocument(parsing: Files.bytes(path)).root
        return try #require(root["testGroups"]).elements.flatMap { group in
            try #require(group["tests"]).elements.map { test in
                let result = try #require(test["result"]?.string)
                #expect(result == "valid" || result == "invalid")
                return (group, test, result == "valid")
            }
        }
    }

    private static func hex(_ value: JSONValue?) throws -> [UInt8] {
        try #require(value?.string.flatMap { Hex.decode($0) })
    }

    @Test func ecdsaWithRawSignatures() throws {
        var seen = 0
        for (group, test, isValid) in try Self.tests("ecdsa_secp256r1_sha256_p1363_test.json") {
            let point = try Self.hex(group["publicKey"]?["uncompressed"])
            let jwk: JSONNode = [
                "kty": "EC", "crv": "P-256", "x": .string(Base64URL.encode(point[1...32])),
                "y": .string(Base64URL.encode(point[33...])),
            ]
            let key = try VerifyingKey(jwk: JWK(JSONDocument(parsing: jwk.bytes).root))
            let held = key.verify(try Self.hex(test["sig"]), of: try Self.hex(test["msg"]))
            #expect(held == isValid, "tcId \(test["tcId"]?.rawText ?? "")")
            seen += 1
        }
        #expect(seen == 262)
    }

    @Test func ed25519() throws {
        var seen = 0
        for (group, test, isValid) in try Self.tests("ed25519_test.json") {
            let bytes = try Self.hex(group["publicKey"]?["pk"])
            let jwk: JSONNode = [
                "kty": "OKP", "crv": "Ed25519", "x": .string(Base64URL.encode(bytes)),
            ]
            let value = try JSONDocument(parsing: jwk.bytes).root
            let key = try? VerifyingKey(jwk: JWK(value))
            let held = try key?.verify(Self.hex(test["sig"]), of: Self.hex(test["msg"])) ?? false
            #expect(held == isValid, "tcId \(test["tcId"]?.rawText ?? "")")
            seen += 1
        }
        #expect(seen == 151)
    }

    /// The groups with a P-256 key. Keys of other kinds must be refused as keys, whatever the
    /// signature, because there is one algorithm per key and these are not spoken.
    @Test func signaturesWithKeys() throws {
        var spoken = 0
        var refused = 0
        for (group, test, isValid) in try Self.tests("json_web_signature_test.json") {
            let value = try #require(group["public"] ?? group["private"])
            // HMAC keys and some compact texts are given as objects in the general form.
            guard let jwk = try? JWK(published: Self.withoutSecret(value)) else {
                refused += 1
                let isOurs = value["crv"]?.string == "P-256" && value["use"]?.string == "sig"
                #expect(!(isOurs && isValid), "tcId \(test["tcId"]?.rawText ?? "")")
                continue
            }
            let key = try VerifyingKey(jwk: jwk)
            let held = Self.verifies(test["jws"], key)
            #expect(held == isValid, "tcId \(test["tcId"]?.rawText ?? "")")
            spoken += 1
        }
        #expect(spoken == 39)
        #expect(spoken + refused == 401)
    }

    @Test func keys() throws {
        var refused = 0
        for (group, test, isValid) in try Self.tests("json_web_key_test.json") {
            let set = try #require((group["public"] ?? group["private"])?["keys"])
            let usable = set.elements.filter {
                (try? JWK(published: Self.withoutSecret($0))) != nil
            }
            // Every P-256 key of the file is faulty but the one in the mixed set, which has an
            // HMAC key beside it; the caller chooses a key by kid and never mixes kinds.
            let isMixed = set.elements.contains { $0["kty"]?.string == "oct" }
            #expect(usable.isEmpty || (isMixed && !isValid))
            if usable.isEmpty { refused += 1 }
            _ = test
        }
        #expect(refused == 25)
    }

    private static func withoutSecret(_ value: JSONValue) throws -> JSONValue {
        var node = value.detached()
        node["d"] = nil
        return try JSONDocument(parsing: node.bytes).root
    }

    private static func verifies(_ jws: JSONValue?, _ key: VerifyingKey) -> Bool {
        guard let jws else { return false }
        if let compact = jws.string {
            return (try? JWS.verify(compact: compact, key: key)) != nil
        }
        return (try? JWS.verify(flattened: jws, key: key)) != nil
    }
}
