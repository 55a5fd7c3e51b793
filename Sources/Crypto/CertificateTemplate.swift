// SPDX-License-Identifier: Apache-2.0
package import Bytes
internal import COpenSSL

/// What a certificate is to say, before somebody signs it. Its form is RFC 5280's; what it says may
/// be anything, so that tests can make the certificates that must be refused.
package struct CertificateTemplate: Sendable {
    /// The usages of RFC 5280 §4.2.1.12 that occur here.
    package enum Usage: String, Hashable, Sendable, CaseIterable {
        case serverAuth, clientAuth, codeSigning, anyExtendedKeyUsage
    }

    /// 3, but for a test.
    package var version = 3
    /// The common name, at most 64 characters; empty for no subject at all.
    package var commonName: String
    /// Big-endian, positive.
    package var serial: [UInt8]
    /// Whole seconds; a fraction is cut off.
    package var notBefore: Instant
    package var notAfter: Instant
    package var uris: [String] = []
    /// DNS names, and IPv4 addresses, which become addresses.
    package var dnsNames: [String] = []
    /// Whether it is an authority.
    package var isAuthority = false
    /// How many authorities may follow before the leaf; nil for any number.
    package var pathLength: Int?
    /// Written in this order; none for no extension.
    package var usages: [Usage] = []
    /// DNS subtrees that an authority, or a leaf in a test, is confined to.
    package var permittedNames: [String] = []

    /// A template for version 3 without extensions but basic constraints, key usage and the key
    /// identifiers.
    package init(commonName: String, serial: [UInt8], notBefore: Instant, notAfter: Instant) {
        self.commonName = commonName
        self.serial = serial
        self.notBefore = notBefore
        self.notAfter = notAfter
    }

    /// 16 random octets that make a positive number of full length.
    package static func randomSerial(from random: some RandomBytes) -> [UInt8] {
        var serial = random.bytes(16)
        serial[0] = serial[0] & 0x7F | 0x40
        return serial
    }

    /// The certificate of `key`, signed with `signer`. `issuer` is nil for a self-signed one.
    ///
    /// - Throws: ``CertificateFault/template`` for a text that no certificate can carry.
    package func signed(
        for key: VerifyingKey, by signer: SigningKey, issuer: Certificate?
    ) throws(CertificateFault) -> Certificate {
        guard let raw = unsafe X509_new() else { throw .internal }
        let certificate = unsafe X509Handle(owning: raw)
        ERR_clear_error()
        defer { ERR_clear_error() }
        guard fill(certificate, key), name(certificate, issuer),
            version != 3 || extend(certificate, issuer),
            sign(certificate, signer)
        else { throw .template }
        return try Certificate(der: unsafe DER.encode { unsafe i2d_X509(certificate.raw, $0) })
    }

    private func fill(_ certificate: borrowing X509Handle, _ key: VerifyingKey) -> Bool {
        let number = unsafe BN_bin2bn(serial, Int32(serial.count), nil)
        defer { unsafe BN_free(number) }
        let raw = unsafe certificate.raw
        return unsafe X509_set_version(raw, version - 1) == 1
            && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(raw)) != nil
            && ASN1_TIME_set(X509_getm_notBefore(raw), time_t(notBefore.seconds)) != nil
            && ASN1_TIME_set(X509_getm_notAfter(raw), time_t(notAfter.seconds)) != nil
            && X509_set_pubkey(raw, key.handle.raw) == 1
    }

    private func name(_ certificate: borrowing X509Handle, _ issuer: Certificate?) -> Bool {
        let raw = unsafe certificate.raw
        let subject = unsafe X509_get_subject_name(raw)
        let bytes = Array(commonName.utf8)
        if !bytes.isEmpty {
            guard
                unsafe X509_NAME_add_entry_by_NID(
                    subject, NID_commonName, MBSTRING_UTF8, bytes, Int32(bytes.count), -1, 0) == 1
            else { return false }
        }
        let authority = unsafe issuer.map { unsafe X509_get_subject_name($0.raw) } ?? subject
        return unsafe X509_set_issuer_name(raw, authority) == 1
    }

    private func sign(_ certificate: borrowing X509Handle, _ signer: SigningKey) -> Bool {
        let digest = unsafe signer.algorithm == .p256 ? EVP_sha256() : nil
        return unsafe X509_sign(certificate.raw, signer.handle.raw, digest) > 0
    }

    private func extend(_ certificate: borrowing X509Handle, _ issuer: Certificate?) -> Bool {
        let length = pathLength.map { ",pathlen:\($0)" } ?? ""
        var extensions: [(Int32, String)] = [
            (
                NID_basic_constraints,
                isAuthority ? "critical,CA:TRUE\(length)" : "critical,CA:FALSE"
            ),
            (
                NID_key_usage,
                isAuthority ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature"
            ),
            (NID_subject_key_identifier, "hash"),
        ]
        if issuer != nil { extensions.append((NID_authority_key_identifier, "keyid:always")) }
        if !usages.isEmpty {
            extensions.append((NID_ext_key_usage, usages.map(\.rawValue).joined(separator: ",")))
        }
        for (nid, value) in extensions {
            let raw = unsafe certificate.raw
            guard unsafe dg_x509_add_extension(raw, issuer?.raw ?? raw, nid, value) == 1 else {
                return false
            }
        }
        return addNames(certificate) && addConstraints(certificate)
    }
}

// MARK: - Names, built as values so that no text is ever parsed as configuration

extension CertificateTemplate {
    private func addNames(_ certificate: borrowing X509Handle) -> Bool {
        guard !uris.isEmpty || !dnsNames.isEmpty else { return true }
        let names = unsafe OPENSSL_sk_new_null()
        defer { unsafe GENERAL_NAMES_free(names) }
        var succeeded = true
        for uri in uris { succeeded = unsafe succeeded && Self.add(GEN_URI, uri, to: names) }
        for name in dnsNames {
            let type = IPv4.isAddress(name) ? GEN_IPADD : GEN_DNS
            succeeded = unsafe succeeded && Self.add(type, name, to: names)
        }
        let critical: Int32 = commonName.isEmpty ? 1 : 0
        return unsafe succeeded
            && X509_add1_ext_i2d(
                certificate.raw, NID_subject_alt_name, UnsafeMutableRawPointer(names), critical, 0)
                == 1
    }

    private func addConstraints(_ certificate: borrowing X509Handle) -> Bool {
        guard !permittedNames.isEmpty else { return true }
        guard let constraints = unsafe NAME_CONSTRAINTS_new() else { return false }
        defer { unsafe NAME_CONSTRAINTS_free(constraints) }
        let subtrees = unsafe OPENSSL_sk_new_null()
        unsafe constraints.pointee.permittedSubtrees = subtrees
        for name in permittedNames {
            guard let subtree = unsafe GENERAL_SUBTREE_new() else { return false }
            unsafe OPENSSL_sk_push(subtrees, subtree)
            guard unsafe Self.set(GEN_DNS, name, in: subtree.pointee.base) else { return false }
        }
        return unsafe X509_add1_ext_i2d(
            certificate.raw, NID_name_constraints, constraints, 1, 0) == 1
    }

    private static func add(_ type: Int32, _ text: String, to names: OpaquePointer?) -> Bool {
        guard let name = unsafe GENERAL_NAME_new() else { return false }
        guard unsafe set(type, text, in: name), unsafe OPENSSL_sk_push(names, name) > 0 else {
            unsafe GENERAL_NAME_free(name)
            return false
        }
        return true
    }

    private static func set(
        _ type: Int32, _ text: String, in name: UnsafeMutablePointer<GENERAL_NAME>?
    ) -> Bool {
        if type == GEN_IPADD {
            guard let address = unsafe a2i_IPADDRESS(text) else { return false }
            unsafe GENERAL_NAME_set0_value(name, type, address)
            return true
        }
        guard let string = unsafe ASN1_IA5STRING_new() else { return false }
        let bytes = Array(text.utf8)
        guard unsafe ASN1_STRING_set(string, bytes, Int32(bytes.count)) == 1 else {
            unsafe ASN1_IA5STRING_free(string)
            return false
        }
        unsafe GENERAL_NAME_set0_value(name, type, string)
        return true
    }
}
