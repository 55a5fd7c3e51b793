// SPDX-License-Identifier: Apache-2.0
import Bytes
import Crypto
import JSON
import TestSupport
import Testing

/// One case of a file under `Spec/vectors/jose`.
struct JOSEVector: CustomTestStringConvertible {
    let name: String
    let value: JSONValue

    var testDescription: String { name }

    subscript(_ member: String) -> String? { value[member]?.string }

    static func all(in file: String) throws -> [JOSEVector] {
        try SpecVectors.json("jose", file).elements.map {
            JOSEVector(name: try #require($0["name"]?.string), value: $0)
        }
    }
}

extension KeyError {
    /// As the vectors spell it.
    var name: String {
        switch self {
        case .malformed: "malformed"
        case .unsupported: "unsupported"
        case .privateMember: "privateMember"
        case .notOnCurve: "notOnCurve"
        case .encrypted: "encrypted"
        case .mismatch: "mismatch"
        }
    }
}

@Suite struct KeyTests {
    /// The key's thumbprint, or the fault.
    private static func outcome(_ make: () throws(KeyError) -> JWK) throws -> String {
        do {
            let jwk = try make()
            #expect(try VerifyingKey(jwk: jwk).thumbprint == jwk.thumbprint)
            return jwk.thumbprint
        } catch {
            return error.name
        }
    }

    @Test(arguments: try JOSEVector.all(in: "keys.json"))
    func aPublicKey(_ vector: JOSEVector) throws {
        let value = try #require(vector.value["jwk"])
        let outcome = try Self.outcome { () throws(KeyError) in try JWK(value) }
        #expect(outcome == vector["fault"] ?? vector["thumbprint"])
        let published = try Self.outcome { () throws(KeyError) in try JWK(published: value) }
        let expected =
            vector["published"] ?? vector["publishedFault"] ?? vector["fault"]
            ?? vector["thumbprint"]
        #expect(published == expected)
    }

    @Test(arguments: try JOSEVector.all(in: "private-keys.json"))
    func aPrivateKey(_ vector: JOSEVector) throws {
        let key: SigningKey
        do throws(KeyError) {
            if let pem = vector["pem"] {
                key = try SigningKey(pem: pem)
            } else {
                guard let jwk = vector.value["jwk"] else { throw .malformed("vector") }
                key = try SigningKey(privateJWK: jwk)
            }
        } catch {
            #expect(error.name == vector["fault"])
            return
        }
        #expect(key.verifying.thumbprint == vector["thumbprint"])
        let message = Array((vector["message"] ?? "any").utf8)
        let signature = key.sign(message)
        #expect(key.verifying.verify(signature, of: message))
        if let expected = vector["signature"] {
            #expect(Base64URL.encode(signature) == expected)
        }
    }

    @Test func everyFaultHasAVector() throws {
        let files = ["keys.json", "private-keys.json"]
        let faults = try files.flatMap { try JOSEVector.all(in: $0).compactMap { $0["fault"] } }
        let known: Set = [
            "malformed", "unsupported", "privateMember", "notOnCurve", "encrypted", "mismatch",
        ]
        #expect(Set(faults) == known)
    }

    @Test(arguments: [KeyAlgorithm.p256, .ed25519])
    func aKeyComesBackFromItsPEM(algorithm: KeyAlgorithm) throws {
        let key = SigningKey.generate(algorithm)
        #expect(try SigningKey(pem: key.pem).verifying == key.verifying)
        #expect(try SigningKey(der: key.pkcs8).verifying == key.verifying)
        #expect(throws: KeyError.self) { try SigningKey(der: key.pkcs8 + [0]) }
        #expect(throws: KeyError.self) { try SigningKey(der: key.pkcs8.dropLast()) }
        let document = try JSONDocument(parsing: key.verifying.jwk.node.bytes)
        #expect(try JWK(document.root) == key.verifying.jwk)
    }

    @Test(arguments: [KeyAlgorithm.p256, .ed25519])
    func aSignatureIsOverOneMessageByOneKey(algorithm: KeyAlgorithm) {
        let key = SigningKey.generate(algorithm)
        let other = SigningKey.generate(algorithm)
        #expect(key.verifying != other.verifying)
        for message in [[], [0], Array("message".utf8), [UInt8](repeating: 7, count: 100_000)] {
            let signature = key.sign(message)
            #expect(signature.count == 64)
            #expect(key.verifying.verify(signature, of: message))
            #expect(!key.verifying.verify(signature, of: message + [0]))
            #expect(!other.verifying.verify(signature, of: message))
            for index in signature.indices {
                var changed = signature
                changed[index] ^= 1
                #expect(!key.verifying.verify(changed, of: message))
            }
        }
        #expect(!key.verifying.verify([], of: []))
    }

    @Test func smallNumbersKeepTheirLength() throws {
        // Every 256th r or s begins with a zero octet: it must stay in r || s and leave the DER.
        let key = SigningKey.generate(.p256)
        var short = 0
        for number in 0..<2000 where short < 3 {
            let message = Array("message \(number)".utf8)
            let signature = key.sign(message)
            #expect(signature.count == 64)
            guard signature[0] == 0 || signature[32] == 0 else { continue }
            short += 1
            #expect(key.verifying.verify(signature, of: message))
        }
        #expect(short > 0)
    }

    @Test func aKeyVerifiesFromManyTasks() async {
        let key = SigningKey.generate(.p256)
        let message = Array("shared".utf8)
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<16 {
                group.addTask { key.verifying.verify(key.sign(message), of: message) }
            }
            for await held in group { #expect(held) }
        }
    }
}
