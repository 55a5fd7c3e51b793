// SPDX-License-Identifier: Apache-2.0
import Bytes
import Crypto
import JSON
import Testing

@Suite struct TokenTests {
    private let claims: JSONNode = ["iss": "https://a.example", "exp": 1_795_163_400]

    @Test(arguments: [KeyAlgorithm.p256, .ed25519])
    func whatIsSignedVerifies(algorithm: KeyAlgorithm) throws {
        let key = SigningKey.generate(algorithm)
        let compact = TokenSigner.sign(claims, type: "a2a-act+jwt", key: key)
        let token = try UnverifiedToken(compact: compact)
        let verified = try token.verified(by: key.verifying, type: "a2a-act+jwt")
        #expect(verified.claims.bytes == claims.bytes)
        let header = try #require(
            compact.split(separator: ".").first.flatMap {
                Base64URL.decode($0)
            })
        let thumbprint = key.verifying.thumbprint
        let expected =
            #"{"alg":"\#(algorithm.name)","typ":"a2a-act+jwt","kid":"\#(thumbprint)"}"#
        #expect(String(decoding: header, as: UTF8.self) == expected)
    }

    @Test func twoSignersCanSignTheSameBytes() throws {
        let keys = [SigningKey.generate(.p256), SigningKey.generate(.ed25519)]
        let tokens = try keys.map {
            try UnverifiedToken(
                compact: TokenSigner.sign(payload: claims.bytes, type: "a2a-hop+jwt", key: $0))
        }
        #expect(tokens[0].payload == tokens[1].payload)
        #expect(tokens[0].nameHash != tokens[1].nameHash)
    }

    @Test(arguments: [KeyAlgorithm.p256, .ed25519])
    func everyChangedCharacterIsNoticed(algorithm: KeyAlgorithm) throws {
        let key = SigningKey.generate(algorithm)
        let compact = Array(TokenSigner.sign(claims, type: "t", key: key).utf8)
        for index in compact.indices {
            var changed = compact
            changed[index] = changed[index] == 0x41 ? 0x42 : 0x41
            let text = String(decoding: changed, as: UTF8.self)
            #expect(throws: TokenFault.self) {
                try UnverifiedToken(compact: text).verified(by: key.verifying, type: "t")
            }
        }
    }

    @Test func aCacheForgetsTheLeastRecentlyUsed() throws {
        let key = SigningKey.generate(.ed25519)
        let cache = VerifiedTokenCache(capacity: 2)
        let tokens = try (0..<3).map {
            try UnverifiedToken(compact: TokenSigner.sign(["n": .int($0)], type: "t", key: key))
        }
        for token in tokens {
            _ = try cache.verified(token, by: key.verifying, type: "t")
            #expect(cache.count <= 2)
        }
        #expect(cache.count == 2)
    }

    @Test func aCacheDoesNotMixUpKeysOrTypes() throws {
        let key = SigningKey.generate(.p256)
        let other = SigningKey.generate(.p256)
        let cache = VerifiedTokenCache()
        let token = try UnverifiedToken(
            compact: TokenSigner.sign(claims, type: "t", key: key))
        _ = try cache.verified(token, by: key.verifying, type: "t")
        #expect(throws: TokenFault.key) {
            try cache.verified(token, by: other.verifying, type: "t")
        }
        #expect(throws: TokenFault.type) {
            try cache.verified(token, by: key.verifying, type: "u")
        }
    }
}
