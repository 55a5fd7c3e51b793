// SPDX-License-Identifier: Apache-2.0
internal import CLoopBIO
internal import COpenSSL
import Crypto

/// An application protocol of RFC 7301.
package enum ApplicationProtocol: String, Hashable, Sendable {
    case h2
    case http11 = "http/1.1"
}

/// What a stranger may make us hold and compute before we know who it is.
package struct TLSLimits: Sendable {
    /// Certificates in a chain: a leaf, its issuers, the anchor. Each costs 250 µs to read.
    package var chainLength = CertificatePath.maximumIntermediates + 2
    /// Bytes in the peer's certificate message: six ordinary certificates fit.
    package var chainBytes = 16 << 10

    /// Enough for every honest peer.
    package static let standard = TLSLimits()
}

/// How sessions of one kind are made: our role, identity and protocols, and who verifies the peer.
///
/// TLS 1.3 only, groups X25519 and P-256. Never tickets, session cache or early data: a resumed
/// handshake skips certificate checks and early data can be replayed. Immutable; a changed
/// certificate or trust means a new context, and sessions keep the context they began with.
@safe package final class TLSContext: Sendable {
    let role: Role
    let protocols: [ApplicationProtocol]
    let verifier: PeerVerifier?
    let limits: TLSLimits
    /// Only read after `init`; OpenSSL counts its references atomically.
    nonisolated(unsafe) let handle: OpaquePointer
    /// The certificate we show, if any: its `notAfter` says when to renew.
    package let identity: TLSIdentity?

    enum Role: Sendable {
        case server
        case client
    }

    /// A server. Clients must show a certificate that `peers` accepts; `peers: nil` asks for none
    /// (an edge where clients authenticate otherwise).
    ///
    /// Without `http11` among the protocols a client has to offer one of them by ALPN; with it, a
    /// client that offers nothing speaks HTTP/1.1.
    package convenience init(
        server identity: TLSIdentity, peers: PeerVerifier?, protocols: [ApplicationProtocol],
        limits: TLSLimits = .standard
    ) throws(TLSContextError) {
        try self.init(.server, identity, peers, protocols, limits)
    }

    /// A client, with an own certificate unless `identity` is nil. Servers are always verified.
    ///
    /// Without `http11` among the protocols a server has to choose one of them by ALPN.
    package convenience init(
        client identity: TLSIdentity?, peers: @escaping PeerVerifier,
        protocols: [ApplicationProtocol], limits: TLSLimits = .standard
    ) throws(TLSContextError) {
        try self.init(.client, identity, peers, protocols, limits)
    }

    private init(
        _ role: Role, _ identity: TLSIdentity?, _ verifier: PeerVerifier?,
        _ protocols: [ApplicationProtocol], _ limits: TLSLimits
    ) throws(TLSContextError) {
        ERR_clear_error()
        let method = unsafe role == .server ? TLS_server_method() : TLS_client_method()
        guard let handle = unsafe SSL_CTX_new(method) else { throw .drained() }
        (self.role, self.protocols, self.limits) = (role, protocols, limits)
        (self.verifier, self.identity) = (verifier, identity)
        unsafe self.handle = handle
        try setProfile()
        if let identity { try show(identity) }
        setProtocols()
        setVerification()
    }

    deinit { unsafe SSL_CTX_free(handle) }

    /// True when a session without a negotiated protocol is refused.
    var requiresProtocol: Bool { !protocols.isEmpty && !protocols.contains(.http11) }
}

extension TLSContext {
    /// OpenSSL's own list, written out so that a system-wide openssl.cnf cannot change it.
    private static let cipherSuites =
        "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256"

    private func setProfile() throws(TLSContextError) {
        unsafe SSL_CTX_set_security_level(handle, 2)
        unsafe dg_tls_set_options(handle)
        unsafe dg_tls_set_chain_limit(handle, limits.chainBytes)
        guard unsafe dg_tls_only_1_3(handle) == 1,
            unsafe SSL_CTX_set_ciphersuites(handle, Self.cipherSuites) == 1,
            unsafe dg_tls_set_groups(handle, "X25519:P-256") == 1,
            unsafe SSL_CTX_set_num_tickets(handle, 0) == 1,
            unsafe SSL_CTX_set_max_early_data(handle, 0) == 1,
            unsafe SSL_CTX_set_recv_max_early_data(handle, 0) == 1
        else { throw .drained() }
    }

    private func show(_ identity: TLSIdentity) throws(TLSContextError) {
        guard unsafe SSL_CTX_use_certificate(handle, identity.certificates[0].raw) == 1,
            unsafe SSL_CTX_use_PrivateKey(handle, identity.key.raw) == 1
        else { throw .drained() }
        for issuer in identity.certificates.dropFirst() {
            guard unsafe dg_tls_add_chain_certificate(handle, issuer.raw) == 1 else {
                throw .drained()
            }
        }
    }

    private func setProtocols() {
        let list = protocols.flatMap { [UInt8($0.rawValue.utf8.count)] + Array($0.rawValue.utf8) }
        switch role {
        case .client:
            // Returns 0 for success, unlike its neighbours; it only fails without memory.
            _ = unsafe SSL_CTX_set_alpn_protos(handle, list, UInt32(list.count))
        case .server where !protocols.isEmpty:
            unsafe SSL_CTX_set_alpn_select_cb(handle, selectProtocol, nil)
            if requiresProtocol { unsafe SSL_CTX_set_client_hello_cb(handle, requireALPN, nil) }
        case .server: break
        }
    }

    /// Our verifier takes the place of OpenSSL's chain building, which knows one pool of roots and
    /// not whom each of them may vouch for.
    private func setVerification() {
        guard verifier != nil else {
            unsafe SSL_CTX_set_verify(handle, SSL_VERIFY_NONE, nil)
            return
        }
        unsafe SSL_CTX_set_verify(handle, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil)
        unsafe SSL_CTX_set_cert_verify_callback(handle, verifyPeer, nil)
    }
}

extension TLSContextError {
    static func drained() -> TLSContextError {
        let code = ERR_get_error()
        defer { ERR_clear_error() }
        guard let words = unsafe ERR_reason_error_string(code) else {
            return .refused(reason: "unknown")
        }
        return unsafe .refused(reason: String(cString: words))
    }
}
