// SPDX-License-Identifier: Apache-2.0
internal import COpenSSL

/// The names of a certificate's subject alternative name extension (RFC 5280 §4.2.1.6) that the
/// gateway reads.
struct SubjectAltNames {
    private(set) var uris: [String] = []
    private(set) var dnsNames: [String] = []

    /// Reads the extension; without one there are no names.
    ///
    /// - Throws: ``CertificateFault/subjectAltName`` when it occurs twice, cannot be read, or holds
    ///   a URI or DNS name with anything but printable ASCII (a NUL, say, that cuts a name short).
    init(of certificate: borrowing X509Handle) throws(CertificateFault) {
        var state: Int32 = 0
        let found = unsafe X509_get_ext_d2i(
            certificate.raw, NID_subject_alt_name, &state, nil)
        ERR_clear_error()
        guard let found = unsafe found else {
            if state == -1 { return }
            throw .subjectAltName
        }
        let names = OpaquePointer(found)
        defer { unsafe GENERAL_NAMES_free(names) }
        for index in unsafe 0..<OPENSSL_sk_num(names) {
            guard let name = unsafe OPENSSL_sk_value(names, index) else { continue }
            try unsafe read(name.assumingMemoryBound(to: GENERAL_NAME.self))
        }
    }

    private mutating func read(
        _ name: UnsafePointer<GENERAL_NAME>
    ) throws(CertificateFault) {
        var type: Int32 = 0
        let value = unsafe GENERAL_NAME_get0_value(name, &type)
        guard type == GEN_URI || type == GEN_DNS else { return }
        guard let text = unsafe Self.text(value) else { throw .subjectAltName }
        if type == GEN_URI { uris.append(text) } else { dnsNames.append(text) }
    }

    private static func text(_ value: UnsafeMutableRawPointer?) -> String? {
        guard let string = unsafe value?.assumingMemoryBound(to: ASN1_STRING.self) else {
            return nil
        }
        let count = unsafe Int(ASN1_STRING_length(string))
        let start = unsafe ASN1_STRING_get0_data(string)
        let bytes = unsafe Array(UnsafeBufferPointer(start: start, count: count))
        guard !bytes.isEmpty, bytes.allSatisfy({ 0x21...0x7E ~= $0 }) else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }
}
