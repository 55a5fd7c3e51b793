// SPDX-License-Identifier: Apache-2.0
internal import COpenSSL
internal import Crypto

/// What one session's handshake knows and decides inside OpenSSL's callbacks. The session owns it;
/// OpenSSL holds a plain pointer to it as the session's application data.
final class Handshake {
    let context: TLSContext
    let destination: Destination?
    /// The verifier's answer.
    var peer: PeerIdentity?
    /// Why we refused, which OpenSSL's error queue could not say.
    var refusal: TLSError?

    init(_ context: TLSContext, _ destination: Destination?) {
        self.context = context
        self.destination = destination
    }

    /// OpenSSL's numbers for application data that `SSL_set_app_data` stands for.
    static let slot: Int32 = 0

    static func of(_ session: OpaquePointer?) -> Handshake? {
        guard unsafe session != nil, let data = unsafe SSL_get_ex_data(session, slot) else {
            return nil
        }
        return unsafe Unmanaged<Handshake>.fromOpaque(data).takeUnretainedValue()
    }

    /// Asks the verifier about the chain that OpenSSL holds for the peer.
    func judge(_ presented: OpaquePointer?) throws(CertificateFault) -> PeerIdentity {
        let count = Int(unsafe dg_tls_chain_count(presented))
        guard count <= context.limits.chainLength else { throw .chainTooLong }
        var chain: [Certificate] = []
        for index in 0..<count {
            let x509 = unsafe dg_tls_chain_certificate(presented, Int32(index))
            chain.append(try Certificate(der: unsafe der(of: x509)))
        }
        guard let verifier = context.verifier else { throw .internal }
        return try verifier(
            PeerPresentation(
                chain: chain, purpose: context.role == .server ? .client : .server,
                destination: destination))
    }

    private func der(of x509: OpaquePointer?) -> [UInt8] {
        let count = Int(unsafe i2d_X509(x509, nil))
        guard count > 0 else { return [] }
        return unsafe [UInt8](unsafeUninitializedCapacity: count) { bytes, initialized in
            var cursor = bytes.baseAddress
            initialized = Int(unsafe i2d_X509(x509, &cursor))
        }
    }
}

/// `SSL_CTX_set_cert_verify_callback`: 1 accepts; otherwise the error set here chooses the alert.
func verifyPeer(_ store: OpaquePointer?, _ argument: UnsafeMutableRawPointer?) -> Int32 {
    let session = unsafe OpaquePointer(
        X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()))
    guard let handshake = unsafe Handshake.of(session) else { return 0 }
    func refuse(_ refusal: TLSError, _ error: Int32) -> Int32 {
        handshake.refusal = refusal
        unsafe X509_STORE_CTX_set_error(store, error)
        return 0
    }
    // The server's choice comes before its certificate, so a client refuses it here, with an alert.
    if handshake.context.role == .client, handshake.context.requiresProtocol,
        unsafe negotiatedProtocol(session) == nil
    {
        return refuse(.noCommonProtocol, X509_V_ERR_APPLICATION_VERIFICATION)
    }
    do {
        handshake.peer = try unsafe handshake.judge(X509_STORE_CTX_get0_untrusted(store))
        unsafe X509_STORE_CTX_set_error(store, X509_V_OK)
        return 1
    } catch {
        return refuse(.peerRejected(error), verifyResult(for: error))
    }
}

/// `SSL_CTX_set_alpn_select_cb`: the first of our protocols that the client offers.
func selectProtocol(
    _ session: OpaquePointer?, _ chosen: UnsafeMutablePointer<UnsafePointer<UInt8>?>?,
    _ chosenCount: UnsafeMutablePointer<UInt8>?, _ offered: UnsafePointer<UInt8>?,
    _ offeredCount: UInt32, _ argument: UnsafeMutableRawPointer?
) -> Int32 {
    guard let handshake = unsafe Handshake.of(session), let chosen = unsafe chosen,
        let chosenCount = unsafe chosenCount
    else { return SSL_TLSEXT_ERR_ALERT_FATAL }
    let offer = unsafe UnsafeBufferPointer(start: offered, count: Int(offeredCount))
    for wanted in handshake.context.protocols {
        let name = Array(wanted.rawValue.utf8)
        var at = 0
        while at < offer.count {
            let count = Int(unsafe offer[at])
            guard at + 1 + count <= offer.count else { break }
            let candidate = unsafe UnsafeBufferPointer(rebasing: offer[(at + 1)..<(at + 1 + count)])
            if unsafe candidate.elementsEqual(name) {
                // OpenSSL copies the name before the offer goes away.
                unsafe (chosen.pointee, chosenCount.pointee) = (
                    candidate.baseAddress, UInt8(candidate.count)
                )
                return SSL_TLSEXT_ERR_OK
            }
            at += 1 + count
        }
    }
    handshake.refusal = .noCommonProtocol
    return SSL_TLSEXT_ERR_ALERT_FATAL
}

/// `SSL_CTX_set_client_hello_cb`: refuses a client that offers no protocol at all. OpenSSL would
/// let it pass without asking `selectProtocol`.
func requireALPN(
    _ session: OpaquePointer?, _ alert: UnsafeMutablePointer<Int32>?,
    _ argument: UnsafeMutableRawPointer?
) -> Int32 {
    var bytes: UnsafePointer<UInt8>?
    var count = 0
    let type = UInt32(TLSEXT_TYPE_application_layer_protocol_negotiation)
    if unsafe SSL_client_hello_get0_ext(session, type, &bytes, &count) == 1 {
        return SSL_CLIENT_HELLO_SUCCESS
    }
    unsafe Handshake.of(session)?.refusal = .noCommonProtocol
    unsafe alert?.pointee = SSL_AD_NO_APPLICATION_PROTOCOL
    return SSL_CLIENT_HELLO_ERROR
}

/// The protocol that a session's handshake has settled on.
func negotiatedProtocol(_ session: OpaquePointer?) -> ApplicationProtocol? {
    var bytes: UnsafePointer<UInt8>?
    var count: UInt32 = 0
    unsafe SSL_get0_alpn_selected(session, &bytes, &count)
    let name = unsafe UnsafeBufferPointer(start: bytes, count: Int(count))
    return unsafe ApplicationProtocol(rawValue: String(decoding: name, as: UTF8.self))
}

/// OpenSSL's verification result that stands for `fault`: it sends the alert that belongs to it.
private func verifyResult(for fault: CertificateFault) -> Int32 {
    switch fault {
    case .expired: X509_V_ERR_CERT_HAS_EXPIRED  // certificate_expired
    case .emptyChain, .chainTooLong, .untrusted:
        X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY  // unknown_ca
    case .version, .keyAlgorithm, .leafIsAuthority, .extendedKeyUsage, .weakAlgorithm, .purpose:
        X509_V_ERR_INVALID_PURPOSE  // unsupported_certificate
    case .encoding, .serial, .leafNameConstraints, .subjectAltName, .identity, .signature,
        .notYetValid, .issuer, .nameConstraints, .extensions, .host:
        X509_V_ERR_CERT_REJECTED  // bad_certificate
    case .template, .authority, .internal: X509_V_ERR_OUT_OF_MEM  // internal_error
    }
}
