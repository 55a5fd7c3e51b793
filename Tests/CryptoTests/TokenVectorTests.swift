// SPDX-License-Identifier: Apache-2.0
import Bytes
import Crypto
import JSON
import TestSupport
import Testing

/// One case of `Spec/vectors/jose/tokens.json`.
struct TokenVector: CustomTestStringConvertible {
    let name: String
    let key: JSONValue
    let type: String
    let token: String
    /// The fault and, for a malformed token, its rule; nil when the token is good.
    let fault: String?
    let value: JSONValue

    var testDescription: String { name }

    static func all() throws -> [TokenVector] {
        try SpecVectors.json("jose", "tokens.json").elements.map { value in
            TokenVector(
                name: try #require(value["name"]?.string), key: try #require(value["key"]),
                type: try #require(value["type"]?.string),
                token: try #require(value["token"]?.string), fault: value["fault"]?.string,
                value: value)
        }
    }
}

extension TokenFault {
    /// As the vectors spell it.
    var name: String {
        switch self {
        case .malformed(let rule): "malformed \(rule)"
        case .header: "header"
        case .type: "type"
        case .algorithm: "algorithm"
        case .key: "key"
        case .signature: "signature"
        case .tooLarge: "tooLarge"
        }
    }
}

@Suite struct TokenVectorTests {
    private static func outcome(
        _ vector: TokenVector, _ verify: (UnverifiedToken, VerifyingKey) throws -> VerifiedToken
    ) throws -> Result<VerifiedToken, TokenFault> {
        let key = try VerifyingKey(jwk: JWK(vector.key))
        do {
            return .success(try verify(UnverifiedToken(compact: vector.token), key))
        } catch let fault as TokenFault {
            return .failure(fault)
        }
    }

    @Test(arguments: try TokenVector.all())
    func vector(_ vector: TokenVector) throws {
        let outcome = try Self.outcome(vector) { try $0.verified(by: $1, type: vector.type) }
        switch outcome {
        case .failure(let fault): #expect(fault.name == vector.fault)
        case .success(let verified):
            #expect(vector.fault == nil)
            #expect(verified.claims.bytes == Array((vector.value["claims"]?.string ?? "").utf8))
            #expect(verified.token.nameHash == vector.value["nameHash"]?.string)
            #expect(verified.token.wholeHash == vector.value["wholeHash"]?.string)
            #expect(verified.token.keyID == verified.key.thumbprint)
        }
    }

    @Test(arguments: try TokenVector.all())
    func aCacheChangesNoAnswer(_ vector: TokenVector) throws {
        let cache = VerifiedTokenCache(capacity: 1)
        for _ in 1...2 {
            let outcome = try Self.outcome(vector) {
                try cache.verified($0, by: $1, type: vector.type)
            }
            switch outcome {
            case .failure(let fault): #expect(fault.name == vector.fault)
            case .success: #expect(vector.fault == nil)
            }
        }
        #expect(cache.count == (vector.fault == nil ? 1 : 0))
    }

    @Test func everyFaultHasAVector() throws {
        let kinds = Set(try TokenVector.all().compactMap { $0.fault?.split(separator: " ").first })
        let known: Set<Substring> = [
            "malformed", "header", "type", "algorithm", "key", "signature", "tooLarge",
        ]
        #expect(kinds == known)
    }

    @Test func theSecondSignatureHasTheSameName() throws {
        let vectors = try TokenVector.all()
        let good = try #require(vectors.first { $0.name == "good ES256" })
        let other = try #require(vectors.first { $0.name.hasPrefix("A13") })
        let first = try UnverifiedToken(compact: good.token)
        let second = try UnverifiedToken(compact: other.token)
        #expect(first.nameHash == second.nameHash)
        #expect(first.wholeHash != second.wholeHash)
    }

    @Test func peekingReadsTheSamePayloadRules() throws {
        for vector in try TokenVector.all() {
            guard let fault = vector.fault, fault.hasPrefix("malformed payload-"),
                fault != "malformed payload-base64url"
            else { continue }
            let token = try UnverifiedToken(compact: vector.token)
            let peeked = #expect(throws: TokenFault.self) { try token.peekClaims() }
            #expect(peeked?.name == fault)
        }
    }
}
