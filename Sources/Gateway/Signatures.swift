// SPDX-License-Identifier: Apache-2.0
import A2A
import Accounting
import Bytes
import Consent
import Crypto
import JSON

extension GatewayState {
    /// The key with which `entity` signs, if this gateway has reason to believe it.
    ///
    /// A configured key decides. Otherwise the certificates beside the object do: valid now under
    /// the trust that is configured for that entity, with its id as the one URI (Spec §1.3).
    /// Nothing is fetched.
    func signingKey(
        of entity: EntityID, certificates: [String], now: Instant
    ) throws(A2AError) -> VerifyingKey {
        let settings = settings
        if entity == settings.entity { return settings.signingKey.verifying }
        guard let party = settings.parties[entity] else {
            throw A2AError(
                refusal: .notAuthorized, by: .consent,
                reason: ConsentError.untrusted.rawValue,
                message: "A signed object is of a party that is not known here")
        }
        if let key = party.key { return key }
        let untrusted = A2AError(
            refusal: .notAuthorized, by: .consent, reason: ConsentError.untrusted.rawValue,
            message: "The certificates beside a signed object do not vouch for its signer")
        var chain: [Certificate] = []
        for text in certificates.prefix(Self.certificatesMax) {
            guard let der = Base64.decode(text), let certificate = try? Certificate(der: der)
            else { throw untrusted }
            chain.append(certificate)
        }
        guard let leaf = chain.first, let key = leaf.publicKey,
            let identity = try? CertificatePath.identity(of: leaf), case .entity(entity) = identity,
            (try? CertificatePath.verify(
                chain: chain, anchors: party.trust, purpose: .client, host: nil, at: now)) != nil
        else { throw untrusted }
        return key
    }

    /// Longest certificate chain beside a signed object.
    static var certificatesMax: Int { 4 }

    /// The claims of a signed accounting object.
    ///
    /// - Returns: The claims, and the name by which other records refer to the object.
    func verified(
        _ token: String, type: String, by entity: EntityID, certificates: [String], now: Instant
    ) throws(A2AError) -> (claims: JSONValue, name: HashName) {
        let key = try signingKey(of: entity, certificates: certificates, now: now)
        do {
            let unverified = try UnverifiedToken(compact: token)
            let document = try signatures.verified(unverified, by: key, type: type)
            guard let name = HashName(unverified.nameHash) else { throw TokenFault.signature }
            return (document.claims.root, name)
        } catch {
            throw A2AError(LedgerRefusal.signature)
        }
    }

    /// Signs an accounting object.
    func sign(_ node: JSONNode, type: String) -> (token: String, name: HashName) {
        let token = TokenSigner.sign(node, type: type, key: settings.signingKey)
        guard let name = Self.name(of: token) else {
            invariant(false, "a token signed here has a name")
            preconditionFailure()
        }
        return (token, name)
    }

    /// The name of a signed object.
    static func name(of token: String) -> HashName? {
        (try? UnverifiedToken(compact: token)).flatMap { HashName($0.nameHash) }
    }

    /// The certificates that travel beside what is signed here.
    var certificateTexts: [String] {
        settings.certificates.map { Base64.encode($0.der) }
    }

    /// The same where an empty list may not stand.
    var certificateList: [String]? { certificateTexts.isEmpty ? nil : certificateTexts }
}

/// The `typ` of the signed objects of accounting (Spec/accounting.md).
enum AccountingType {
    static let quote = "a2a-quote+jwt"
    static let hop = "a2a-hop+jwt"
    static let acknowledgement = "a2a-ack+jwt"
    static let tariff = "a2a-tariff+jwt"
    static let block = "a2a-block+jwt"
}
