// SPDX-License-Identifier: Apache-2.0
package import Bytes
import Crypto

/// Who stands at the other end of the connection that brought a chain. A chain is worth nothing
/// without one: any prefix of a valid chain is itself a valid chain of someone else.
package struct Presenter: Hashable, Sendable {
    /// The entity id that mutual TLS authenticated.
    package let entity: EntityID
    /// `x5t#S256` of the presented certificate.
    package let certificate: String
    /// The RFC 7638 thumbprint of the certificate's key; nil for keys that are no JWK here (RSA,
    /// P-384).
    package let key: String?

    /// A peer as the TLS layer saw it.
    package init(entity: EntityID, certificate: String, key: String?) {
        self.entity = entity
        self.certificate = certificate
        self.key = key
    }

    /// Step 10. A grant that names a certificate is bound to it and its key; any grant is bound
    /// to the entity that holds it.
    func check(holds grant: Grant) throws(Refusal) {
        if let bound = grant.confirmation.certificate {
            try require(certificate == bound, .holder, "10.certificate")
            if let key {
                try require(key == grant.confirmation.key.thumbprint, .holder, "10.key")
            }
        }
        try require(entity == grant.holder, .holder, "10.entity")
    }
}
