// SPDX-License-Identifier: Apache-2.0
import Glibc

/// An IPv4 or IPv6 address, without port.
package struct IPAddress: Hashable, Sendable, CustomStringConvertible {
    /// Four or sixteen bytes in network order.
    package let bytes: [UInt8]
    /// Index of the network interface a link-local IPv6 address belongs to; 0 for none.
    package let scope: UInt32

    /// - Parameter bytes: Four or sixteen bytes in network order; nil for any other count.
    package init?(bytes: [UInt8], scope: UInt32 = 0) {
        guard bytes.count == 4 || bytes.count == 16 else { return nil }
        self.bytes = bytes
        self.scope = scope
    }

    /// Reads dotted decimal of four parts, or IPv6 text (RFC 4291 §2.2) with or without brackets.
    ///
    /// The looser spellings of `inet_aton` (octal, hexadecimal, fewer parts) give nil: they are
    /// how an address is smuggled past a check of host names.
    package init?(_ text: some StringProtocol) {
        var text = String(text)
        if text.hasPrefix("["), text.hasSuffix("]") {
            text = String(text.dropFirst().dropLast())
            guard text.contains(":") else { return nil }
        }
        guard !text.utf8.contains(0) else { return nil }
        let isV6 = text.utf8.contains(UInt8(ascii: ":"))
        var bytes = [UInt8](repeating: 0, count: isV6 ? 16 : 4)
        guard unsafe inet_pton(isV6 ? AF_INET6 : AF_INET, text, &bytes) == 1 else { return nil }
        self.bytes = bytes
        scope = 0
    }

    /// 127.0.0.1.
    package static let loopback = IPAddress(known: [127, 0, 0, 1])
    /// ::1.
    package static let loopbackV6 = IPAddress(known: [UInt8](repeating: 0, count: 15) + [1])
    /// Every IPv4 interface.
    package static let any = IPAddress(known: [0, 0, 0, 0])

    private init(known bytes: [UInt8]) {
        self.bytes = bytes
        scope = 0
    }

    /// Whether it has sixteen bytes.
    package var isV6: Bool { bytes.count == 16 }

    /// Canonical text, IPv6 without brackets and compressed (RFC 5952).
    package var description: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let family = isV6 ? AF_INET6 : AF_INET
        guard unsafe inet_ntop(family, bytes, &text, socklen_t(text.count)) != nil else {
            return "?"
        }
        return String(
            decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The IPv4 address inside a mapped one (::ffff:a.b.c.d), else the address itself.
    package var unmapped: IPAddress {
        let prefix: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]
        guard isV6, bytes.starts(with: prefix) else { return self }
        return IPAddress(known: Array(bytes.suffix(4)))
    }

    /// Whether the address is one of the public Internet: none of the special-purpose blocks of the
    /// IANA registries (RFC 6890), where a URL given by a stranger must not lead.
    package var isPublic: Bool {
        let address = unmapped
        let blocks = address.isV6 ? IPAddress.specialV6 : IPAddress.specialV4
        if blocks.contains(where: { $0.contains(address.bytes) }) { return false }
        // Only 2000::/3 is global unicast (RFC 4291 §2.4).
        return !address.isV6 || address.bytes[0] & 0xE0 == 0x20
    }

    private struct Block {
        let prefix: [UInt8]
        let bits: Int

        func contains(_ bytes: [UInt8]) -> Bool {
            for bit in 0..<bits {
                let mask = UInt8(0x80) >> UInt8(bit % 8)
                let expected = bit / 8 < prefix.count ? prefix[bit / 8] : 0
                if bytes[bit / 8] & mask != expected & mask { return false }
            }
            return true
        }
    }

    private static let specialV4: [Block] = [
        Block(prefix: [0], bits: 8),  // this network
        Block(prefix: [10], bits: 8),  // private, RFC 1918
        Block(prefix: [100, 64], bits: 10),  // carrier-grade NAT, RFC 6598
        Block(prefix: [127], bits: 8),  // loopback
        Block(prefix: [169, 254], bits: 16),  // link-local and cloud metadata
        Block(prefix: [172, 16], bits: 12),  // private
        Block(prefix: [192, 0, 0], bits: 24),  // protocol assignments
        Block(prefix: [192, 0, 2], bits: 24),  // documentation
        Block(prefix: [192, 88, 99], bits: 24),  // former 6to4 relays
        Block(prefix: [192, 168], bits: 16),  // private
        Block(prefix: [198, 18], bits: 15),  // benchmarking
        Block(prefix: [198, 51, 100], bits: 24),  // documentation
        Block(prefix: [203, 0, 113], bits: 24),  // documentation
        Block(prefix: [224], bits: 4),  // multicast
        Block(prefix: [240], bits: 4),  // reserved and broadcast
    ]

    private static let specialV6: [Block] = [
        Block(prefix: [0x20, 0x01, 0x00], bits: 23),  // protocol assignments, Teredo, ORCHID
        Block(prefix: [0x20, 0x01, 0x0D, 0xB8], bits: 32),  // documentation
        Block(prefix: [0x20, 0x02], bits: 16),  // 6to4, which embeds any IPv4 address
        Block(prefix: [0x3F, 0xFF, 0x00], bits: 20),  // documentation
    ]
}
