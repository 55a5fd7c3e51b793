// SPDX-License-Identifier: Apache-2.0
import Bytes
import Crypto
import JSON
import TestSupport
import Testing

/// One case of `Spec/vectors/pki/paths.json`.
struct PathVector: CustomTestStringConvertible {
    let name: String
    let value: JSONValue
    let certificates: JSONValue

    var testDescription: String { name }

    static func all() throws -> [PathVector] {
        let root = try SpecVectors.json("pki", "paths.json")
        let certificates = try #require(root["certificates"])
        return try #require(root["paths"]).elements.map {
            PathVector(
                name: try #require($0["name"]?.string), value: $0, certificates: certificates)
        }
    }

    /// The certificates that a member names, in order.
    func list(_ member: String) throws -> [Certificate] {
        try #require(value[member]).elements.map { name in
            let text = name.string.flatMap { certificates[$0]?.string }
            return try Certificate(der: try #require(text.flatMap { Base64.decode($0) }))
        }
    }
}

@Suite struct CertificateVectorTests {
    @Test(arguments: try PathVector.all())
    func path(_ vector: PathVector) throws {
        let chain = try vector.list("chain")
        let anchors = TrustAnchors(certificates: try vector.list("anchors"))
        let now = Instant(seconds: try #require(vector.value["at"]?.int))
        let purpose: CertificatePath.Purpose =
            vector.value["purpose"]?.string == "client" ? .client : .server
        do throws(CertificateFault) {
            let path = try CertificatePath.verify(
                chain: chain, anchors: anchors, purpose: purpose,
                host: vector.value["host"]?.string, at: now)
            #expect(vector.value["fault"] == nil)
            #expect(path == (try? vector.list("path")))
        } catch {
            #expect(error.rawValue == vector.value["fault"]?.string)
            return
        }
        let identity = try? CertificatePath.identity(of: chain[0])
        #expect(identity?.text == vector.value["identity"]?.string)
    }

    @Test func whatIsNoCertificateIsRefused() throws {
        let root = try SpecVectors.json("pki", "paths.json")
        for vector in try #require(root["unreadable"]).elements {
            let der = try #require(vector["der"]?.string.flatMap { Base64.decode($0) })
            let fault = #expect(throws: CertificateFault.self) { try Certificate(der: der) }
            #expect(fault?.rawValue == vector["fault"]?.string, "\(vector["name"]?.rawText ?? "")")
        }
    }

    @Test func facts() throws {
        let root = try SpecVectors.json("pki", "paths.json")
        let facts = try #require(root["facts"])
        let name = try #require(facts["certificate"]?.string)
        let text = try #require(root["certificates"]?[name]?.string)
        let certificate = try Certificate(der: try #require(Base64.decode(text)))
        #expect(certificate.thumbprint == facts["thumbprint"]?.string)
        #expect(certificate.notBefore.seconds == facts["notBefore"]?.int)
        #expect(certificate.notAfter.seconds == facts["notAfter"]?.int)
        #expect(certificate.subject == facts["subject"]?.string)
        #expect(certificate.issuer == facts["issuer"]?.string)
        #expect(certificate.serial == facts["serial"]?.string)
        #expect(certificate.uriSANs == facts["uris"]?.elements.compactMap { $0.string })
        #expect(certificate.dnsSANs == facts["dns"]?.elements.compactMap { $0.string })
        let again = try Certificate.chain(pem: certificate.pem + "comment\n" + certificate.pem)
        #expect(again == [certificate, certificate])
    }

    @Test func everyFaultHasAVector() throws {
        let root = try SpecVectors.json("pki", "paths.json")
        let seen = [root["paths"], root["unreadable"]].flatMap {
            $0?.elements.compactMap { $0["fault"]?.string } ?? []
        }
        // These arise when issuing, or in reading an identity; `internal` cannot be provoked.
        let elsewhere: Set<CertificateFault> = [.template, .authority, .internal, .identity]
        #expect(
            Set(seen)
                == Set(
                    CertificateFault.allCases.filter { !elsewhere.contains($0) }
                        .map(\.rawValue)))
    }
}
