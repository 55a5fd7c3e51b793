// SPDX-License-Identifier: Apache-2.0
package import A2A
package import Bytes
package import Consent

/// Who called this gateway, as the listener proved it.
package struct Caller: Sendable {
    /// How the caller was proven.
    package enum Party: Sendable {
        /// A gateway of another company, by its certificate.
        case peer(Presenter)
        /// A client on this side: the listener and the principal its credential stands for.
        case local(listener: String, principal: String)
    }
    package let party: Party
    /// The extensions that the caller activated for this call.
    package let extensions: Set<String>
    /// The user for whom a peer says that it calls (Spec §1.6); `nil` where it names none.
    package let user: String?
    /// The W3C trace context, passed on as it came.
    package let traceparent: String?

    package init(
        party: Party, extensions: Set<String> = [], user: String? = nil,
        traceparent: String? = nil
    ) {
        self.party = party
        self.extensions = extensions
        self.user = user
        self.traceparent = traceparent
    }

    /// The peer's entity id; `nil` for a local client.
    package var entity: EntityID? {
        if case .peer(let presenter) = party { return presenter.entity }
        return nil
    }

    /// SHA-256 of the peer's certificate, base64url (RFC 8705); `nil` for a local client.
    var certificate: String? {
        if case .peer(let presenter) = party { return presenter.certificate }
        return nil
    }

    /// Whether the caller activated `uri`.
    package func activated(_ uri: ExtensionURI) -> Bool { extensions.contains(uri.rawValue) }

    /// Who called, whichever user it speaks for.
    var partyName: String { owner(user: nil).party }

    /// The owner of what this caller starts and may see.
    ///
    /// - Parameter user: The pairwise user reference for whom a peer calls (`sub` of the root), so
    ///   that two users behind one phone maker never see each other's tasks. A local caller is its
    ///   own user.
    package func owner(user: String?) -> Owner {
        switch party {
        case .peer(let presenter): Owner(party: presenter.entity.text, user: user ?? "")
        case .local(let listener, let principal):
            Owner(party: "edge:\(listener)/\(principal)", user: "")
        }
    }
}

/// Whose a task is (Spec §1, ownership). Compared byte for byte, never changed.
package struct Owner: Hashable, Sendable {
    /// An entity id, or `edge:<listener>/<principal>`.
    package let party: String
    /// The user behind the party; empty where the party is the user.
    package let user: String

    package init(party: String, user: String) {
        self.party = party
        self.user = user
    }
}
