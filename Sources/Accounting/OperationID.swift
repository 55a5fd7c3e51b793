// SPDX-License-Identifier: Apache-2.0

package import Bytes

/// The name of one operation, exchange or record in accounting: a UUID of version 7 in 26 digits
/// of Crockford's base 32, which fits into the order number of every payment rail.
///
/// Made by whoever starts the operation and durable there before it is first sent. Its first 48
/// bits say when, so that an id older than the memory of ids is refused rather than taken for new.
/// - SeeAlso: Spec §5.4.1.
package struct OperationID: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The same id as a UUID.
    package let uuid: UUIDv7

    /// The id of `uuid`, or nil when it is not of version 7.
    package init?(_ uuid: UUIDv7) {
        guard uuid.bytes[6] >> 4 == 7, uuid.bytes[8] >> 6 == 2 else { return nil }
        self.uuid = uuid
    }

    /// Reads 26 upper-case digits, or nil.
    package init?(_ text: some StringProtocol) {
        guard let bytes = Base32Crockford.decode(text), let uuid = UUIDv7(bytes: bytes)
        else { return nil }
        self.init(uuid)
    }

    /// A new id.
    package init(at instant: Instant, random: some RandomBytes) {
        uuid = UUIDv7(at: instant, random: random)
    }

    /// The 26 digits.
    package var text: String { uuid.base32 }

    /// When it was made, by its maker's clock.
    package var instant: Instant { uuid.instant }

    package var description: String { text }

    package static func < (a: OperationID, b: OperationID) -> Bool { a.uuid < b.uuid }
}

/// The name of a signed object: the SHA-256 of a JWS signing input (or of what the field says) in
/// base64url without padding. Accounting compares and stores such names; it never computes one.
package struct HashName: Hashable, Sendable, CustomStringConvertible {
    /// 43 characters.
    package let text: String

    /// Reads 43 characters of base64url that stand for 32 bytes, or nil.
    package init?(_ text: some StringProtocol) {
        guard text.utf8.count == 43, Base64URL.decode(text)?.count == 32 else { return nil }
        self.text = String(text)
    }

    package var description: String { text }
}
