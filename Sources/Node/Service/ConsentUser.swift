// SPDX-License-Identifier: Apache-2.0
import A2A
import Bytes
import Gateway
import HTTP

/// The service parameter `Consent-User`: the user for whom a gateway calls (Spec §1.6).
enum ConsentUser {
    /// Most bytes of a user's name, those of a text in a token (Spec §4.2).
    static let bytesMax = 2048

    /// The user as the field's value: base64url, because a pseudonym is any text.
    static func field(_ user: String) -> String { Base64URL.encode(Array(user.utf8)) }

    /// The user whom a peer names; `nil` where it names none, and for a local client, who is known
    /// by its credential alone.
    ///
    /// - Throws: `INVALID_PARAMS` for a field that stands twice or is no base64url of a name.
    static func read(
        _ fields: HTTPFields, of party: Caller.Party
    ) throws(A2AError) -> String? {
        guard case .peer = party else { return nil }
        let values = fields.all(.consentUser)
        guard let value = values.first else { return nil }
        guard values.count == 1, let bytes = Base64URL.decode(value), !bytes.isEmpty,
            bytes.count <= bytesMax, let user = String(validating: bytes, as: UTF8.self)
        else { throw .invalid("Consent-User", "must be base64url of the user's name, once") }
        return user
    }
}

extension HTTPFieldName {
    /// The user for whom a gateway calls another.
    static let consentUser: HTTPFieldName = "consent-user"
}
