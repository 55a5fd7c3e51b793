// SPDX-License-Identifier: Apache-2.0
import Bytes
import Crypto
import Node

/// The certificate, the key and the authority of one entity, as files of one folder.
struct CertificateFiles {
    static let authorityFile = "ca.pem"
    static let authorityKeyFile = "ca-key.pem"
    static let certificateFile = "cert.pem"
    static let keyFile = "key.pem"

    /// An authority outlives many certificates; ten years are what people still replace by hand.
    static let authorityDays: Int64 = 3650
    /// A certificate is renewed yearly.
    static let certificateDays: Int64 = 365
    /// Certificates begin this much early, for clocks that are slow. In seconds.
    private static let headStart: Int64 = 300

    let authority: CertificateAuthority
    let certificate: Certificate
    let key: SigningKey

    /// A new authority for `entity` and a certificate of it.
    ///
    /// - Parameter days: How long the certificate is good.
    static func make(
        entity: EntityID, dnsNames: [String] = [], algorithm: KeyAlgorithm = .p256,
        days: Int64 = certificateDays, _ shell: any Shell
    ) throws(Failure) -> CertificateFiles {
        let now = shell.time.now()
        do {
            // Common names hold 64 characters; nobody reads them but people.
            let authority = try CertificateAuthority.create(
                name: String("\(entity.host) authority".suffix(64)), key: .generate(algorithm),
                notBefore: now.adding(seconds: -headStart),
                notAfter: now.adding(seconds: max(authorityDays, days) * 86_400),
                random: shell.random)
            return try CertificateFiles(
                authority: authority, entity: entity, dnsNames: dnsNames, algorithm: algorithm,
                days: days, shell)
        } catch let failure as Failure {
            throw failure
        } catch {
            throw .misuse("cannot make an authority: \(error)")
        }
    }

    /// A new certificate and key of an authority that is there already.
    init(
        authority: CertificateAuthority, entity: EntityID, dnsNames: [String],
        algorithm: KeyAlgorithm, days: Int64, _ shell: any Shell
    ) throws(Failure) {
        key = .generate(algorithm)
        self.authority = authority
        let now = shell.time.now()
        do {
            certificate = try authority.issue(
                entity: entity, dnsNames: dnsNames, key: key.verifying,
                notBefore: now.adding(seconds: -Self.headStart),
                notAfter: now.adding(seconds: days * 86_400), random: shell.random)
        } catch {
            throw .misuse(
                "cannot make a certificate: a DNS name or the number of days cannot stand, "
                    + "or the authority ends before it")
        }
    }

    /// The files, each with its name and readers; the authority's only if it is new.
    func files(withAuthority: Bool) -> [(name: String, text: String, readers: LocalFile.Readers)] {
        let own: [(String, String, LocalFile.Readers)] = [
            (Self.certificateFile, certificate.pem, .everyone), (Self.keyFile, key.pem, .owner),
        ]
        guard withAuthority else { return own }
        return [
            (Self.authorityFile, authority.certificate.pem, .everyone),
            (Self.authorityKeyFile, authority.key.pem, .owner),
        ] + own
    }
}

extension LocalFile {
    /// Writes files that must not be there yet: none is written if one is.
    static func createAll(
        _ files: [(path: String, text: String, readers: Readers)]
    ) throws(Failure) {
        if let taken = files.first(where: { exists($0.path) }) {
            throw .misuse("\(taken.path) is there already and stays as it is")
        }
        for file in files {
            do { try create(file.path, Array(file.text.utf8), for: file.readers) } catch {
                throw .misuse("cannot write \(error)")
            }
        }
    }

    /// Makes a folder unless there is one.
    static func folder(_ path: String) throws(Failure) {
        do { try makeDirectory(path) } catch { throw .misuse("cannot make the folder \(error)") }
    }
}
