// SPDX-License-Identifier: Apache-2.0
internal import COpenSSL
package import Crypto

/// Why a TLS session ended, or never began. After any of them the session is dead: send what
/// ``TLSSession/drainCiphertext(_:)`` still holds (it may be our alert) and close the socket.
///
/// Reasons are OpenSSL's fixed words; no error carries bytes of a key, a certificate or a message.
package enum TLSError: Error, Equatable, Sendable {
    /// We do not accept the peer's certificate.
    case peerRejected(CertificateFault)
    /// The peer showed no certificate and one is required.
    case noPeerCertificate
    /// No application protocol in common (RFC 7301 §3.2), or none offered where one is required.
    case noCommonProtocol
    /// The peer does not speak TLS 1.3.
    case noCommonVersion
    /// The peer ended the session with a fatal alert.
    case alert(TLSAlert)
    /// What came is not TLS, or breaks its rules.
    case violation(reason: String)
    /// The bytes ended without close_notify: what was read may have been cut (RFC 8446 §6.1).
    case truncated
    /// We have said close_notify; nothing can be written any more.
    case closed
    /// No memory for the session or its bytes.
    case outOfMemory
}

/// A fatal alert of the peer (RFC 8446 §6).
package struct TLSAlert: Hashable, Sendable, CustomStringConvertible {
    /// The AlertDescription of RFC 8446 §6.
    package let code: UInt8

    package init(code: UInt8) { self.code = code }

    /// A message that may not come here.
    package static let unexpectedMessage = TLSAlert(code: 10)
    /// A record that cannot be decrypted.
    package static let badRecordMAC = TLSAlert(code: 20)
    /// No way to agree.
    package static let handshakeFailure = TLSAlert(code: 40)
    /// Our certificate breaks a rule.
    package static let badCertificate = TLSAlert(code: 42)
    /// Our certificate is of a kind, or for a use, that the peer does not take.
    package static let unsupportedCertificate = TLSAlert(code: 43)
    /// Our certificate is not valid any more.
    package static let certificateExpired = TLSAlert(code: 45)
    /// Our certificate is refused for another reason.
    package static let certificateUnknown = TLSAlert(code: 46)
    /// A field with a value that cannot be.
    package static let illegalParameter = TLSAlert(code: 47)
    /// Nobody the peer trusts vouches for our certificate.
    package static let unknownCA = TLSAlert(code: 48)
    /// The peer does not speak our version.
    package static let protocolVersion = TLSAlert(code: 70)
    /// We showed no certificate.
    package static let certificateRequired = TLSAlert(code: 116)
    /// None of our application protocols is the peer's.
    package static let noApplicationProtocol = TLSAlert(code: 120)

    /// The name in RFC 8446, with blanks, or the number of an alert that has no name there.
    package var description: String {
        // OpenSSL 3.0 knows the number and not the name.
        if self == .certificateRequired { return "certificate required" }
        let name = unsafe SSL_alert_desc_string_long(Int32(code))
        let words = unsafe name.map { unsafe String(cString: $0) }
        guard let words, words != "unknown" else { return "alert \(code)" }
        return words
    }
}

extension TLSError {
    /// Empties OpenSSL's error queue of this thread into one value: the oldest entry is the cause,
    /// the later ones are what it led to.
    static func drained() -> TLSError {
        let code = ERR_get_error()
        defer { ERR_clear_error() }
        guard code != 0 else { return .violation(reason: "unknown") }
        let reason = Int32(truncatingIfNeeded: code) & ERR_REASON_MASK
        if reason == ERR_R_MALLOC_FAILURE { return .outOfMemory }
        guard (code >> ERR_LIB_OFFSET) & UInt(ERR_LIB_MASK) == UInt(ERR_LIB_SSL) else {
            return .violation(reason: words(code))
        }
        switch reason {
        case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE: return .noPeerCertificate
        case SSL_R_NO_APPLICATION_PROTOCOL: return .noCommonProtocol
        case SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_WRONG_SSL_VERSION, SSL_R_VERSION_TOO_LOW:
            return .noCommonVersion
        case SSL_AD_REASON_OFFSET..<(SSL_AD_REASON_OFFSET + 256):
            return .alert(TLSAlert(code: UInt8(reason - SSL_AD_REASON_OFFSET)))
        default: return .violation(reason: words(code))
        }
    }

    private static func words(_ code: UInt) -> String {
        guard let text = unsafe ERR_reason_error_string(code) else { return "unknown" }
        return unsafe String(cString: text)
    }
}
