// SPDX-License-Identifier: Apache-2.0
package import Bytes

/// What a certificate's one URI says about its owner.
package enum CertificateIdentity: Hashable, Sendable {
    /// An organisation of the network.
    case entity(EntityID)
    /// A SPIFFE ID, which the configuration may map to an entity.
    case spiffe(String)

    /// Reads a URI; nil when it is neither.
    package init?(uri: String) {
        if let entity = EntityID(uri) {
            self = .entity(entity)
        } else if Self.isSPIFFE(uri) {
            self = .spiffe(uri)
        } else {
            return nil
        }
    }

    /// The URI.
    package var text: String {
        switch self {
        case .entity(let entity): entity.text
        case .spiffe(let uri): uri
        }
    }

    /// SPIFFE-ID §2: `spiffe://`, a trust domain of lower-case letters, digits, dots, hyphens and
    /// underscores, then segments of which none is empty, `.` or `..`; at most 2048 bytes.
    private static func isSPIFFE(_ uri: String) -> Bool {
        let scheme = "spiffe://"
        guard uri.hasPrefix(scheme), uri.utf8.count <= 2048 else { return false }
        let parts = uri.utf8.dropFirst(scheme.utf8.count)
            .split(separator: 0x2F, omittingEmptySubsequences: false)
        guard let domain = parts.first, (1...255).contains(domain.count), parts.count > 1 else {
            return false
        }
        let isDomain = domain.allSatisfy { isUnreserved($0) && !(0x41...0x5A ~= $0) }
        return isDomain
            && parts.dropFirst().allSatisfy { segment in
                !segment.isEmpty && segment.allSatisfy(isUnreserved)
                    && !segment.elementsEqual(".".utf8) && !segment.elementsEqual("..".utf8)
            }
    }

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F: true
        default: false
        }
    }
}
