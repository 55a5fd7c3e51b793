// SPDX-License-Identifier: Apache-2.0
import Bytes
internal import COpenSSL

/// Whom one entity's certificates may come from: certificate authorities, or pinned keys. Trust is
/// kept per entity, never in one pool.
@safe package final class TrustAnchors: Sendable {
    /// The authorities, self-signed; a self-signed leaf may stand here for itself.
    package let certificates: [Certificate]
    /// RFC 7638 thumbprints of keys whose certificates need no issuer.
    package let pinnedKeys: Set<String>

    /// An `X509_STORE`, filled once; verifications share it.
    nonisolated(unsafe) let store: OpaquePointer

    /// Anchors of both kinds; with none at all, nothing is trusted.
    package init(certificates: [Certificate], pinnedKeys: Set<String> = []) {
        self.certificates = certificates
        self.pinnedKeys = pinnedKeys
        guard let store = unsafe X509_STORE_new() else { fatalError("X509_STORE_new failed") }
        for certificate in certificates {
            let result = unsafe X509_STORE_add_cert(store, certificate.raw)
            invariant(result == 1, "X509_STORE_add_cert failed")
        }
        unsafe self.store = store
    }

    deinit { unsafe X509_STORE_free(store) }
}
