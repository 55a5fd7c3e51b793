// SPDX-License-Identifier: Apache-2.0
package import Bytes
internal import COpenSSL

/// One X.509 certificate (RFC 5280) and the facts that others ask about. That it can be read says
/// nothing about trust; see ``CertificatePath``.
///
/// To read one costs 250 µs, so it is done once per handshake or file and the value kept.
@safe package final class Certificate: Sendable {
    /// The certificate as received.
    package let der: [UInt8]
    /// RFC 8705 §3.1 `x5t#S256`: base64url of the SHA-256 of ``der``.
    package let thumbprint: String
    /// The first second of its validity.
    package let notBefore: Instant
    /// The first second after its validity: RFC 5280 would still count it in, OpenSSL does not.
    package let notAfter: Instant
    /// The distinguished names by RFC 4514, for people to read; never an identity.
    package let subject: String
    package let issuer: String
    /// Lower-case hexadecimal; a minus sign in front of a number that should not be negative.
    package let serial: String
    /// The URIs among the subject alternative names, in their order.
    package let uriSANs: [String]
    /// The DNS names among the subject alternative names, in their order.
    package let dnsSANs: [String]
    /// The key, when it is of a kind that signs tokens: nil for RSA and P-384.
    package let publicKey: VerifyingKey?
    /// RFC 7638 thumbprint of ``publicKey``.
    package var publicKeyThumbprint: String? { publicKey?.thumbprint }

    /// An `X509`, whose extensions were read once here; it does not change any more.
    nonisolated(unsafe) let raw: OpaquePointer

    /// Reads one certificate in DER.
    ///
    /// - Throws: ``CertificateFault``: `encoding` when it is not exactly that, `subjectAltName`
    ///   for a name that is not printable ASCII, `keyAlgorithm` for a broken P-256 or Ed25519 key.
    package init(der: [UInt8]) throws(CertificateFault) {
        let parsed = unsafe DER.decode(
            der, { unsafe d2i_X509(nil, $0, $1) }, free: { unsafe X509_free($0) })
        guard let parsed = unsafe parsed else { throw .encoding }
        let handle = unsafe X509Handle(owning: parsed)
        // The outer wrapping is read leniently; only one spelling may have this thumbprint.
        guard unsafe DER.encode({ unsafe i2d_X509(handle.raw, $0) }) == der,
            let start = unsafe Self.instant(X509_get0_notBefore(handle.raw)),
            let end = unsafe Self.instant(X509_get0_notAfter(handle.raw))
        else { throw .encoding }
        let names = try SubjectAltNames(of: handle)
        self.der = der
        thumbprint = Base64URL.encode(Digest.sha256(der))
        (notBefore, notAfter) = (start, end)
        subject = unsafe Self.text(X509_get_subject_name(handle.raw))
        issuer = unsafe Self.text(X509_get_issuer_name(handle.raw))
        serial = handle.serial
        (uriSANs, dnsSANs) = (names.uris, names.dnsNames)
        publicKey = try handle.verifyingKey()
        unsafe X509_check_purpose(handle.raw, -1, 0)
        unsafe raw = handle.take()
    }

    deinit { unsafe X509_free(raw) }

    /// The certificates of PEM text, in their order.
    ///
    /// - Throws: ``CertificateFault/encoding`` when there is none, and as ``init(der:)``.
    package static func chain(pem text: String) throws(CertificateFault) -> [Certificate] {
        let blocks = PEM.decode(text, label: "CERTIFICATE")
        guard !blocks.isEmpty else { throw .encoding }
        var chain: [Certificate] = []
        for block in blocks {
            guard let der = block else { throw .encoding }
            chain.append(try Certificate(der: der))
        }
        return chain
    }

    /// The certificate in PEM.
    package var pem: String { PEM.encode(der, label: "CERTIFICATE") }

    /// Seconds since the epoch, for every year that a certificate can name.
    private static func instant(_ time: UnsafePointer<ASN1_TIME>?) -> Instant? {
        guard let epoch = unsafe ASN1_TIME_set(nil, 0) else { return nil }
        defer { unsafe ASN1_STRING_free(epoch) }
        var days: Int32 = 0
        var seconds: Int32 = 0
        guard unsafe ASN1_TIME_diff(&days, &seconds, epoch, time) == 1 else { return nil }
        return Instant(seconds: Int64(days) * 86_400 + Int64(seconds))
    }

    private static func text(_ name: OpaquePointer?) -> String {
        let output = unsafe BIO_new(BIO_s_mem())
        defer { unsafe BIO_free(output) }
        guard unsafe X509_NAME_print_ex(output, name, 0, dg_rfc4514_flags()) >= 0 else { return "" }
        var bytes = [UInt8](repeating: 0, count: unsafe BIO_ctrl_pending(output))
        let count = unsafe BIO_read(output, &bytes, Int32(bytes.count))
        return String(decoding: bytes.prefix(Int(max(count, 0))), as: UTF8.self)
    }
}

extension Certificate: Hashable {
    package static func == (a: Certificate, b: Certificate) -> Bool { a.der == b.der }
    package func hash(into hasher: inout Hasher) { hasher.combine(thumbprint) }
}

/// An `X509` while its facts are read; freed unless it is taken out.
@safe struct X509Handle: ~Copyable {
    let raw: OpaquePointer

    init(owning raw: OpaquePointer) { unsafe self.raw = raw }

    deinit { unsafe X509_free(raw) }

    /// The certificate, which the caller frees from now on.
    func take() -> OpaquePointer {
        _ = unsafe X509_up_ref(raw)
        return unsafe raw
    }

    /// The serial number in hexadecimal, with a minus sign where it is negative.
    var serial: String {
        let number = unsafe X509_get0_serialNumber(raw)
        guard let value = unsafe ASN1_INTEGER_to_BN(number, nil) else { return "" }
        defer { unsafe BN_free(value) }
        var bytes = [UInt8](repeating: 0, count: (Int(unsafe BN_num_bits(value)) + 7) / 8)
        _ = unsafe BN_bn2bin(value, &bytes)
        return (unsafe BN_is_negative(value) == 1 ? "-" : "") + Hex.encode(bytes)
    }

    /// The key as one that verifies tokens; nil for other kinds.
    func verifyingKey() throws(CertificateFault) -> VerifyingKey? {
        guard let key = unsafe X509_get_pubkey(raw) else {
            ERR_clear_error()
            return nil
        }
        do {
            return try VerifyingKey(jwk: unsafe KeyHandle(owning: key).jwk())
        } catch {
            if error == .unsupported { return nil }
            throw .keyAlgorithm
        }
    }
}
