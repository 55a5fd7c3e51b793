// SPDX-License-Identifier: Apache-2.0
package import Bytes
package import Discovery
package import Gateway
package import HTTP2
package import JSON

/// A gateway's configuration file, read and checked for form. Files that it names are read
/// afterwards, by ``Assembly``.
package struct Configuration: Sendable {
    package var entity: EntityID
    package var name: String
    /// Directory of the journal; relative paths are relative to the file.
    package var data: String
    package var identity: Identity
    package var entities: [KnownEntity]
    package var listeners: [ListenerSettings]
    package var peers: [Peer]
    package var agents: [LocalAgent]
    package var consent: ConsentService
    /// Path of the control socket.
    package var control: String
    /// Where it is when the file does not say, beside the file.
    package static let standardControl = "control.sock"
    /// `-` for standard output, or a path.
    package var accessLog: String
    package var limits: Limits

    /// Has the gateway keep its journal in `folder`, and its control socket too unless the file
    /// gives an absolute path for it: two gateways may run from one file.
    ///
    /// - Parameter folder: An absolute path.
    package mutating func keepData(in folder: String) {
        data = folder
        control = Self.control(control, in: folder)
    }

    /// Where the control socket is when the data is in `folder`.
    package static func control(_ path: String, in folder: String) -> String {
        path.hasPrefix("/") ? path : "\(folder)/\(path)"
    }

    /// Has Unix sockets that are named by relative paths lie where the file at `path` means them.
    mutating func resolveSockets(besides path: String) {
        func resolved(_ address: String) -> String {
            guard address.hasPrefix("unix:") else { return address }
            return "unix:" + LocalFile.resolve(String(address.dropFirst(5)), besides: path)
        }
        for index in listeners.indices {
            listeners[index].address = resolved(listeners[index].address)
        }
        for index in agents.indices { agents[index].url = resolved(agents[index].url) }
    }

    /// Certificate and keys of this gateway, as paths of PEM files.
    package struct Identity: Sendable {
        package var certificate: String
        package var key: String
        /// The key that signs tokens, where it is not the certificate's.
        package var signingKey: String?
    }

    /// A company that is known: what vouches for it, and what it may grant.
    package struct KnownEntity: Sendable {
        package var entity: EntityID
        package var name: String
        /// Path of a PEM file of its certificate authorities.
        package var trust: String
        /// The JWK that signs for it, where that is not its certificate's.
        package var key: JSONNode?
        /// Set where its users' grants are taken.
        package var grants: GrantCeiling?
    }

    /// The most that an issuer's grants may allow here (Spec/consent.md, trust anchors).
    package struct GrantCeiling: Sendable {
        package var maxClass: Int
        package var maxLife: Int64
        /// Minor units by ISO 4217 code.
        package var maxPerAct: [String: Int64]
        /// JWKs that may sign grants; empty means the entity's certificate key.
        package var keys: [JSONNode]
    }

    /// A company that this gateway calls or is called by directly.
    package struct Peer: Sendable {
        package var entity: EntityID
        /// `host:port` to dial; `nil` for one that only calls us.
        package var connect: String?
        /// Its agents, each under the name it has here.
        package var agents: [RemoteAgent]
        /// Path of the signed tariff.
        package var tariff: String?
    }

    /// A peer's agent as it is offered here.
    package struct RemoteAgent: Sendable {
        package var name: String
        package var alias: String
        package var listeners: [String]
        package var callers: [EntityID]?
    }

    /// An agent of this organisation.
    package struct LocalAgent: Sendable {
        package var name: String
        package var url: String
        package var tier: AgentTier
        package var skills: [SkillConsent]
        package var listeners: [String]
        package var callers: [EntityID]?
    }

    /// The phone maker's side (Spec/consent.md).
    package struct ConsentService: Sendable {
        package var templates: [Template]
        /// Path of the PEM key that signs for a user who says yes at the consent listener.
        package var confirmationKey: String?
    }

    /// A grant that may be issued without asking first, amounts as texts.
    package struct Template: Sendable {
        package var id: String
        package var actions: [String]
        package var currency: String
        package var perAct: String
        package var total: String
        package var count: Int64
        package var life: Int64
        /// Personal data that the executor may be given for the act.
        package var dataTypes: [String]
        package var purpose: String
        package var retention: Int64
    }

    /// The limits that the file may change.
    package struct Limits: Sendable {
        package var exchange = ExchangeLimits()
        package var http2 = HTTP2Limits()
        /// Largest request body from a peer, in bytes.
        package var peerBodyBytes: Int64 = 8 << 20
        /// Largest request body from a local client, in bytes.
        package var localBodyBytes: Int64 = 32 << 20
        /// Bytes of whole answers under way, in all.
        package var answerBytes: Int64 = 256 << 20
        /// Bytes of whole answers under way to one peer or one local listener.
        package var identityAnswerBytes: Int64 = 64 << 20
        /// Open connections of one listener.
        package var connections: Int64 = 10_000
        /// Seconds in which a draining gateway lets requests end.
        package var drainSeconds: Int64 = 10
    }
}

/// A named place where this gateway accepts connections.
package struct ListenerSettings: Sendable {
    /// What a listener is for, which decides what it may carry and who is on the other end.
    package enum Kind: String, CaseIterable, Sendable {
        /// Between gateways: TLS 1.3, both certificates, HTTP/2.
        case link
        /// This side of the gateway: clear text, loopback or a Unix socket only.
        case local
        /// Read-only: `/live`, `/ready`, `/metrics`.
        case observe
        /// The control socket. Every gateway has exactly one, so a configuration lists none.
        case control

        /// Whether those who watch and control the process come here, and no callers.
        package var isForOperators: Bool { self == .observe || self == .control }

        /// Those that a configuration may name.
        package static let allCases: [Kind] = [.link, .local, .observe]
    }

    package var name: String
    package var kind: Kind
    /// `host:port` or `unix:path`.
    package var address: String
    /// Who may call a local listener: the hash of each bearer token and whom it stands for.
    package var principals: [Principal]
    /// The principal of a caller without a token; `nil` refuses it.
    package var anonymous: String?
    /// Whether the consent service is reached here.
    package var servesConsent: Bool

    /// One of these members.
    package init(
        name: String, kind: Kind, address: String, principals: [Principal], anonymous: String?,
        servesConsent: Bool
    ) {
        self.name = name
        self.kind = kind
        self.address = address
        self.principals = principals
        self.anonymous = anonymous
        self.servesConsent = servesConsent
    }

    /// A local caller's credential.
    package struct Principal: Sendable {
        package var name: String
        /// SHA-256 of the token, lower-case hex; the token itself is nowhere.
        package var tokenHash: String
    }
}
