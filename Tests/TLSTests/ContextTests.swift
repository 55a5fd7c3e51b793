// SPDX-License-Identifier: Apache-2.0
import Crypto
import TLS
import TestSupport
import Testing

@Suite struct ContextTests {
    private let organisation: TestOrganisation

    init() throws { organisation = try TestOrganisation("hotel.example") }

    @Test func aKeyMustBeThatOfTheCertificate() throws {
        let other = try TestOrganisation("other.example")
        #expect(throws: TLSContextError.keyMismatch) {
            _ = try TLSIdentity(chain: organisation.chain, key: other.key)
        }
    }

    @Test func whatIsNotPEMIsRefused() {
        let pem = organisation.certificate.pem
        #expect(throws: TLSContextError.badKey) { _ = try TLSIdentity(certificates: pem, key: pem) }
        #expect(throws: TLSContextError.badCertificates) {
            _ = try TLSIdentity(certificates: "", key: organisation.key.pem)
        }
    }

    @Test func aSessionOfTheOtherRoleIsAMistake() async {
        await #expect(processExitsWith: .failure) {
            let organisation = try TestOrganisation("hotel.example")
            let identity = try TLSIdentity(chain: organisation.chain, key: organisation.key)
            let server = try TLSContext(server: identity, peers: nil, protocols: [.h2])
            _ = try TLSSession(connecting: server, to: .host("hotel.example"))
        }
    }

    @Test func anEncryptedKeyIsRefusedWithoutAsking() {
        // PKCS#8 of a P-256 key under the passphrase "secret".
        #expect(throws: TLSContextError.badKey) {
            _ = try TLSIdentity(certificates: organisation.certificate.pem, key: encryptedKey)
        }
    }
}

private let encryptedKey = """
    -----BEGIN ENCRYPTED PRIVATE KEY-----
    MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAh+cvpKWpDWRwICCAAw
    DAYIKoZIhvcNAgkFADAdBglghkgBZQMEAQIEEEg1u51LjGdBFcLGcJMq11sEgZBe
    +ebGc4F8G52VGTv1Ebjk0YFtnEf54371Yi2Z0s6NyBoBXx7qzrgEgfb9srJN/Ijq
    vegeUYGcg1Nf9J45IwbaB5nFaMQK7Z3XaMXzPTmjxZrvK7GJVjmQCcF9UtOcJxtG
    egngwUyhRPHlelZIDiWpeiVSmKcXvbuAYJlJsjo5PnN7AhKsJBvLisKQWcSF/ys=
    -----END ENCRYPTED PRIVATE KEY-----
    """
