// SPDX-License-Identifier: Apache-2.0
internal import COpenSSL

/// The rules for a peer's own certificate beyond RFC 5280, in the order they are checked. OpenSSL
/// accepts what they refuse, and so do the proxies that were tried.
extension Certificate {
    /// Refuses a leaf that breaks a rule.
    func checkLeaf(for purpose: CertificatePath.Purpose) throws(CertificateFault) {
        guard unsafe X509_get_version(raw) == 2 else { throw .version }
        guard hasProperSerial else { throw .serial }
        guard hasAllowedKey else { throw .keyAlgorithm }
        guard !isAuthority else { throw .leafIsAuthority }
        guard !has(NID_name_constraints) else { throw .leafNameConstraints }
        guard let usages = extendedKeyUsages,
            usages.allSatisfy({ $0 == NID_server_auth || $0 == NID_client_auth }),
            usages.contains(purpose == .server ? NID_server_auth : NID_client_auth)
        else { throw .extendedKeyUsage }
        guard has(NID_subject_alt_name) else { throw .subjectAltName }
    }

    /// Whether basic constraints say that it is an authority.
    package var isAuthority: Bool {
        unsafe X509_get_extension_flags(raw) & UInt32(EXFLAG_CA) != 0
    }

    /// Whether the key is on the list: P-256, P-384, Ed25519, RSA of at least 2048 bits.
    var hasAllowedKey: Bool {
        guard let key = unsafe X509_get0_pubkey(raw) else {
            ERR_clear_error()
            return false
        }
        switch unsafe EVP_PKEY_get_base_id(key) {
        case EVP_PKEY_ED25519: return publicKey != nil
        case EVP_PKEY_RSA: return unsafe EVP_PKEY_get_bits(key) >= 2048
        case EVP_PKEY_EC:
            var isExplicit: Int32 = 0
            let parameter = OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS
            unsafe EVP_PKEY_get_int_param(key, parameter, &isExplicit)
            unsafe EVP_PKEY_up_ref(key)
            let curve = unsafe KeyHandle(owning: key).groupName
            return isExplicit == 0 && (curve == "prime256v1" || curve == "secp384r1")
        default: return false
        }
    }

    /// Whether a SAN is `host`: a DNS name, compared without case, or an IPv4 address.
    func isFor(host: String) -> Bool {
        let bytes = Array(host.utf8)
        guard !bytes.isEmpty, bytes.allSatisfy({ 0x21...0x7E ~= $0 }) else { return false }
        if IPv4.isAddress(host) {
            return unsafe X509_check_ip_asc(raw, host, 0) == 1
        }
        let flags =
            UInt32(X509_CHECK_FLAG_NEVER_CHECK_SUBJECT)
            | UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS)
        return unsafe X509_check_host(raw, host, bytes.count, flags, nil) == 1
    }

    /// RFC 5280 §4.1.2.2: positive, at most 20 octets, of which the sign takes a bit.
    private var hasProperSerial: Bool {
        guard !serial.hasPrefix("-"), !serial.isEmpty, serial.utf8.count <= 40 else {
            return false
        }
        return serial.utf8.count < 40 || serial.utf8.first.map { $0 < 0x38 } == true
    }

    private func has(_ nid: Int32) -> Bool {
        unsafe X509_get_ext_by_NID(raw, nid, -1) >= 0
    }

    /// The usages by OpenSSL's numbers, 0 for one it does not know; nil without the extension.
    private var extendedKeyUsages: [Int32]? {
        var state: Int32 = 0
        let found = unsafe X509_get_ext_d2i(raw, NID_ext_key_usage, &state, nil)
        ERR_clear_error()
        guard let found = unsafe found else { return nil }
        let usages = OpaquePointer(found)
        defer { unsafe OPENSSL_sk_pop_free(usages, { unsafe ASN1_OBJECT_free(OpaquePointer($0)) }) }
        return unsafe (0..<OPENSSL_sk_num(usages)).map { index in
            unsafe OBJ_obj2nid(OpaquePointer(OPENSSL_sk_value(usages, index)))
        }
    }
}

/// Telling an address from a name that is written with digits.
enum IPv4 {
    /// Whether `text` is four decimal numbers below 256 without leading zeros.
    static func isAddress(_ text: String) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { part in
                part.utf8.allSatisfy { 0x30...0x39 ~= $0 } && part.utf8.count <= 3
                    && (part == "0" || !part.hasPrefix("0")) && UInt8(part) != nil
            }
    }
}
