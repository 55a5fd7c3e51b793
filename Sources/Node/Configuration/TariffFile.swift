// SPDX-License-Identifier: Apache-2.0
package import Accounting
package import Bytes
package import Crypto
import JSON

/// What is wrong with a file of tariffs: one sentence, without a full stop.
package struct TariffFileFault: Error, Equatable, Sendable, CustomStringConvertible {
    package let description: String
    /// Where, as a JSON Pointer (RFC 6901); empty for the whole file.
    package let pointer: String

    init(_ description: String, at pointer: String = "") {
        self.description = description
        self.pointer = pointer
    }

    /// The same fault of something that stands at `place`.
    fileprivate func within(_ place: String) -> TariffFileFault {
        TariffFileFault(description, at: place + pointer)
    }
}

/// The tariffs between two companies as a file: every version with the signatures of both, so that
/// either can show the other's. Spec §6.3.
package struct TariffFile: Sendable, Equatable {
    /// The `typ` of a signed tariff (Spec §5.3.1).
    package static let type = "a2a-tariff+jwt"
    /// More versions are a mistake: old ones may be left out, the oldest first.
    static let mostVersions = 64

    /// One party's signature of a version.
    package struct Signature: Sendable, Equatable {
        /// An `a2a-tariff+jwt`.
        package let token: String
        /// The signer's certificates, base64 of DER, leaf first.
        package let certificates: [String]

        package init(token: String, certificates: [String]) {
            self.token = token
            self.certificates = certificates
        }
    }

    /// One version; it holds once both have signed.
    package struct Version: Sendable, Equatable {
        package var signatures: [LinkSide: Signature]

        package init(_ signatures: [LinkSide: Signature]) { self.signatures = signatures }
    }

    /// Oldest first.
    package var versions: [Version]

    package init(versions: [Version]) { self.versions = versions }
}

// MARK: - As JSON

extension TariffFile {
    /// Reads a file. Signatures are not checked yet.
    package init(parsing bytes: [UInt8]) throws(TariffFileFault) {
        let root: JSONValue
        do { root = try JSONDocument(parsing: bytes).root } catch {
            throw TariffFileFault("not JSON: \(error)")
        }
        guard root["v"]?.string == "tariffs/1" else {
            throw TariffFileFault("\"v\" is not \"tariffs/1\"", at: "/v")
        }
        guard root.members.allSatisfy({ ["v", "versions"].contains($0.name) }),
            let list = root["versions"], list.kind == .array,
            (1...Self.mostVersions).contains(list.count)
        else {
            throw TariffFileFault("there is one member beside \"v\": \"versions\", an array")
        }
        versions = []
        for (index, value) in list.elements.enumerated() {
            do throws(TariffFileFault) { versions.append(try Version(value)) } catch {
                throw error.within("/versions/\(index)")
            }
        }
    }

    /// The file, to be read by people too.
    package var bytes: [UInt8] {
        let versions = versions.map { version in
            JSONNode.object(
                LinkSide.allCases.compactMap { side in
                    version.signatures[side].map { .init(side.rawValue, $0.node) }
                })
        }
        let root: JSONNode = ["v": "tariffs/1", "versions": .array(versions)]
        return root.bytes + [0x0A]
    }
}

extension TariffFile.Version {
    fileprivate init(_ value: JSONValue) throws(TariffFileFault) {
        signatures = [:]
        for member in value.members {
            guard let side = LinkSide(rawValue: member.name),
                let token = member.value["jws"]?.string, let list = member.value["cert"],
                member.value.count == 2, list.kind == .array
            else { throw Self.form }
            var certificates: [String] = []
            for element in list.elements {
                guard let text = element.string else { throw Self.form }
                certificates.append(text)
            }
            signatures[side] = .init(token: token, certificates: certificates)
        }
        if signatures.isEmpty { throw Self.form }
    }

    private static let form = TariffFileFault(
        "a version has \"up\" and \"down\", each with \"jws\" and \"cert\"")

    /// The name by which holds and records refer to the version: the hash of what the caller
    /// signed (Spec §5.3.1). nil before both have signed.
    package var name: HashName? {
        guard let up = signatures[.caller], signatures[.callee] != nil else { return nil }
        return (try? up.unverified()).flatMap { HashName($0.nameHash) }
    }

    /// What is signed, read but not verified: for people who are about to agree.
    ///
    /// - Throws: When a signature is no token, the payload no tariff, or the two payloads differ.
    package func draft() throws(TariffFileFault) -> (payload: [UInt8], tariff: Tariff) {
        var payload: [UInt8]?
        for side in LinkSide.allCases {
            guard let signature = signatures[side] else { continue }
            let token: UnverifiedToken
            do throws(TariffFileFault) { token = try signature.unverified() } catch {
                throw error.within("/\(side.rawValue)")
            }
            if let payload, payload != token.payload {
                throw TariffFileFault("the two have signed different tariffs")
            }
            payload = token.payload
        }
        guard let payload else { throw Self.form }
        do {
            let claims = try JSONDocument(parsing: payload, limits: .token)
            return (payload, try Tariff(claims.root))
        } catch let fault as FormatFault {
            throw TariffFileFault("the tariff breaks a rule: \(fault)")
        } catch {
            throw TariffFileFault("the tariff is not JSON: \(error)")
        }
    }
}

extension TariffFile.Signature {
    fileprivate var node: JSONNode {
        ["jws": .string(token), "cert": .array(certificates.map { .string($0) })]
    }

    func unverified() throws(TariffFileFault) -> UnverifiedToken {
        do { return try UnverifiedToken(compact: token) } catch {
            throw TariffFileFault("a signature is no token: \(error)", at: "/jws")
        }
    }
}

// MARK: - Verifying

/// Whose signatures are believed, and why.
package struct Signatories: Sendable {
    /// This gateway's own entity and key.
    package let entity: EntityID
    package let key: VerifyingKey
    /// Who vouches for whom.
    package let trust: [EntityID: TrustAnchors]
    /// Keys that are known by themselves, whatever certificates say.
    package let keys: [EntityID: VerifyingKey]

    package init(
        entity: EntityID, key: VerifyingKey, trust: [EntityID: TrustAnchors],
        keys: [EntityID: VerifyingKey]
    ) {
        self.entity = entity
        self.key = key
        self.trust = trust
        self.keys = keys
    }
}

extension TariffFile {
    /// The versions, once both parties of each are shown to have signed it.
    ///
    /// - Throws: The first fault, with the number of the version.
    package func verified(
        by signatories: Signatories, now: Instant
    ) throws(TariffFileFault) -> TariffVersions {
        var pinned: [PinnedTariff] = []
        for (index, version) in versions.enumerated() {
            do throws(TariffFileFault) {
                pinned.append(try version.verified(by: signatories, now: now))
            } catch {
                throw error.within("/versions/\(index)")
            }
        }
        do { return try TariffVersions(pinned) } catch {
            throw TariffFileFault(
                "the versions do not follow upon each other: \(error.rawValue)", at: "/versions")
        }
    }
}

extension TariffFile.Version {
    /// The version under its name, which is the hash of what the caller signed.
    package func verified(
        by signatories: Signatories, now: Instant
    ) throws(TariffFileFault) -> PinnedTariff {
        let tariff = try draft().tariff
        for side in LinkSide.allCases {
            try check(side, of: tariff, signatories, now)
        }
        guard let name else { throw TariffFileFault("one of the two has not signed") }
        let tokens = LinkSide.allCases.compactMap { signatures[$0]?.token }
        return PinnedTariff(name: name, tariff: tariff, tokens: tokens)
    }

    /// Checks one side's signature.
    package func check(
        _ side: LinkSide, of tariff: Tariff, _ signatories: Signatories, _ now: Instant
    ) throws(TariffFileFault) {
        let entity = side == .caller ? tariff.caller : tariff.callee
        let place = "/\(side.rawValue)"
        guard let signature = signatures[side] else {
            throw TariffFileFault(
                "\(entity) has not signed version \(tariff.version)", at: place)
        }
        let key: VerifyingKey
        do throws(TariffFileFault) { key = try signature.key(of: entity, signatories, now) } catch {
            throw error.within(place)
        }
        do {
            _ = try signature.unverified().verified(by: key, type: TariffFile.type)
        } catch {
            throw TariffFileFault(
                "the signature of \(entity) does not hold: \(error)", at: place + "/jws")
        }
    }
}

extension TariffFile.Signature {
    /// The key that signs for `entity`. A tariff outlives the certificates beside it, so they need
    /// only have been valid until they ended.
    fileprivate func key(
        of entity: EntityID, _ signatories: Signatories, _ now: Instant
    ) throws(TariffFileFault) -> VerifyingKey {
        if entity == signatories.entity,
            try unverified().keyID == signatories.key.thumbprint
        {
            return signatories.key
        }
        if let key = signatories.keys[entity] { return key }
        guard let anchors = signatories.trust[entity] else {
            throw TariffFileFault("\(entity) is not known here")
        }
        do {
            var chain: [Certificate] = []
            for text in certificates.prefix(CertificatePath.maximumIntermediates + 2) {
                guard let der = Base64.decode(text) else { throw CertificateFault.encoding }
                chain.append(try Certificate(der: der))
            }
            guard let leaf = chain.first else { throw CertificateFault.emptyChain }
            // OpenSSL counts the last second as after the end.
            let end = leaf.notAfter.adding(seconds: -1)
            _ = try CertificatePath.verify(
                chain: chain, anchors: anchors, purpose: .client, host: nil, at: min(now, end))
            guard try CertificatePath.identity(of: leaf) == .entity(entity) else {
                throw CertificateFault.identity
            }
            guard let key = leaf.publicKey else { throw CertificateFault.keyAlgorithm }
            return key
        } catch {
            throw TariffFileFault(
                "the certificates beside the signature of \(entity): \(error)", at: "/cert")
        }
    }
}
