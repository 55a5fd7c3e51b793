// SPDX-License-Identifier: Apache-2.0
package import Accounting
package import Bytes
package import Consent
package import Crypto
package import Discovery

/// What a local agent is, and so what may be asked of it (Spec §2, the local side).
package enum AgentTier: String, CaseIterable, Sendable {
    /// It acts on free text, so it cannot be braked, only refused: classes 0 and 1 alone.
    case unchanged
    /// It drafts first and commits only on a commit part (Spec/parts.md).
    case aware
}

/// One agent as it is offered at this gateway, under `/agents/{name}`.
package final class AgentSettings: Sendable {
    package let name: String
    package let destination: Destination
    package let tier: AgentTier
    /// Skills that bind the user; empty for an agent of another company, whose card says it.
    package let skills: [SkillConsent]
    /// Peers that may call it; `nil` admits every configured peer.
    package let callers: Set<EntityID>?
    /// Local listeners that offer it.
    package let listeners: Set<String>

    package init(
        name: String, destination: Destination, tier: AgentTier, skills: [SkillConsent],
        callers: Set<EntityID>?, listeners: Set<String>
    ) {
        self.name = name
        self.destination = destination
        self.tier = tier
        self.skills = skills
        self.callers = callers
        self.listeners = listeners
    }
}

/// A company that this gateway knows, near or two hops away.
package struct Party: Sendable {
    package let entity: EntityID
    /// The name shown to people; never one that the company sent itself.
    package let name: String
    /// What vouches for its certificates, and for nobody else's.
    package let trust: TrustAnchors
    /// The signing key, where it is not the certificate's.
    package let key: VerifyingKey?
    /// The signed tariff on the link to it, if it is a direct peer.
    package let tariffs: TariffVersions?
    /// Whether this gateway can call it.
    package let isPeer: Bool

    package init(
        entity: EntityID, name: String, trust: TrustAnchors, key: VerifyingKey?,
        tariffs: TariffVersions?, isPeer: Bool
    ) {
        self.entity = entity
        self.name = name
        self.trust = trust
        self.key = key
        self.tariffs = tariffs
        self.isPeer = isPeer
    }
}

/// What the consent service may grant in the user's name without being asked first: only what the
/// user will confirm act by act, or what discloses and changes nothing (Spec/consent.md).
package struct GrantTemplate: Sendable, Equatable {
    package let id: String
    package let actions: [String]
    package let currency: Consent.Currency
    /// Most that one act may cost, in minor units.
    package let perAct: Int64
    /// Most that all acts may cost, in minor units.
    package let total: Int64
    package let count: Int64
    /// Seconds; at most ``lifeMax``.
    package let life: Int64
    /// The personal data that the executor may be given for the act.
    package let data: Entry.DataScope?

    /// A root that outlives this needs a status list, which these do not have.
    package static let lifeMax: Int64 = 600

    package init(
        id: String, actions: [String], currency: Consent.Currency, perAct: Int64, total: Int64,
        count: Int64, life: Int64, data: Entry.DataScope?
    ) {
        self.id = id
        self.actions = actions
        self.currency = currency
        self.perAct = perAct
        self.total = total
        self.count = count
        self.life = life
        self.data = data
    }
}

/// Durations and sizes of the exchange. Every one is in the configuration under its name.
package struct ExchangeLimits: Sendable, Equatable {
    /// An unanswered call to the next hop is given up; an agent may think for minutes.
    package var callSeconds: Int64 = 300
    /// A question to the user is open so long; people answer within three minutes.
    package var askSeconds: Int64 = 180
    /// An act or a confirmation is good so long.
    package var actSeconds: Int64 = 300
    /// Money reserved for an act stays so long.
    package var reservationSeconds: Int64 = 600
    /// A hold lives so long; it must outlive an ask, an act and the retries of a post.
    package var holdSeconds: Int64 = 1200
    /// Consent metadata of one message, in bytes.
    package var metadataBytes = 64 << 10

    package init() {}
}

/// One immutable state of the configuration, as the exchange needs it. A reload makes another.
package final class GatewaySettings: Sendable {
    package let entity: EntityID
    package let signingKey: SigningKey
    /// The certificate chain of the signing key, leaf first; travels as `cert` with signed objects.
    package let certificates: [Certificate]
    package let agents: [String: AgentSettings]
    package let parties: [EntityID: Party]
    package let anchors: AnchorSet
    package let templates: [GrantTemplate]
    package let limits: ExchangeLimits
    /// Signs confirmations for a user who said yes at the consent listener.
    package let confirmationKey: SigningKey?

    package init(
        entity: EntityID, signingKey: SigningKey, certificates: [Certificate],
        agents: [String: AgentSettings], parties: [EntityID: Party], anchors: AnchorSet,
        templates: [GrantTemplate], limits: ExchangeLimits, confirmationKey: SigningKey?
    ) {
        self.entity = entity
        self.signingKey = signingKey
        self.certificates = certificates
        self.agents = agents
        self.parties = parties
        self.anchors = anchors
        self.templates = templates
        self.limits = limits
        self.confirmationKey = confirmationKey
    }
}
