// SPDX-License-Identifier: Apache-2.0
import Bytes
import Crypto
import Gateway
import Node

/// This organisation as its configuration file describes it, whole and without faults.
struct OwnOrganisation {
    static let option = HelpPage.Option(
        "--config", "FILE", "this gateway's configuration; default: dragoman.json")

    /// The file and what it says.
    let path: String
    let text: [UInt8]
    let assembly: Assembly

    var configuration: Configuration { assembly.configuration }
    var entity: EntityID { configuration.entity }
    var key: SigningKey { assembly.settings.signingKey }

    /// - Throws: When the file has a fault: nothing is signed in the name of a broken one.
    init(_ arguments: Arguments, _ shell: any Shell) throws(Failure) {
        path = arguments["--config"] ?? "dragoman.json"
        text = try Input.bytes(path, limit: Configuration.bytesMax)
        do {
            assembly = try Assembly(parsing: text, from: path, now: shell.time.now())
        } catch {
            throw .no("\(path) has faults; 'dragoman check \(path)' names them")
        }
    }

    /// A path in the folder of the configuration, as the configuration writes it and as it is here.
    func besides(_ name: String) -> String { LocalFile.resolve(name, besides: path) }

    /// The certificates that travel beside what is signed here, base64 of DER.
    var certificateTexts: [String] {
        assembly.settings.certificates.map { Base64.encode($0.der) }
    }

    /// Whose signatures are believed here: those of the configuration, and of a company
    /// that is about to be added.
    func signatories(and other: PeerDescriptor? = nil) -> Signatories {
        let parties = assembly.settings.parties
        var trust = parties.mapValues(\.trust)
        var keys = parties.compactMapValues(\.key)
        if let other, parties[other.entity] == nil {
            trust[other.entity] = TrustAnchors(certificates: other.authorities)
            if other.isKeySeparate { keys[other.entity] = try? VerifyingKey(jwk: other.key) }
        }
        return Signatories(entity: entity, key: key.verifying, trust: trust, keys: keys)
    }

    /// The authorities that vouch for this organisation.
    func authorities(_ named: String?, now: Instant) throws(Failure) -> [Certificate] {
        let own = configuration.entities.first { $0.entity == entity }
        guard let file = named ?? own.map({ besides($0.trust) }) else {
            throw .misuse(
                "\(path) does not say who vouches for \(entity): name its authorities with --ca "
                    + "FILE, or add it to \"entities\"")
        }
        let text = try Input.text(file)
        do throws(CertificateFault) {
            let authorities = try Certificate.chain(pem: text).filter(\.isAuthority)
            _ = try CertificatePath.verify(
                chain: assembly.settings.certificates,
                anchors: TrustAnchors(certificates: authorities), purpose: .server,
                host: entity.host, at: now)
            return authorities
        } catch {
            throw .misuse(
                "\(file) does not vouch for this gateway's certificate: \(error.rawValue)")
        }
    }
}
