// SPDX-License-Identifier: Apache-2.0
import Bytes
import Consent
import Crypto

extension GatewayState {
    /// Verifies chains against the anchors in force.
    var chains: ChainVerifier {
        ChainVerifier(anchors: settings.anchors, signatures: SignatureCheck(cache: signatures))
    }

    /// The point at which acts take effect here.
    var enforcement: EnforcementPoint {
        EnforcementPoint(
            entity: entity, keys: [settings.signingKey.verifying], chains: chains)
    }

    /// The path below an entity at which its budget keeper is reached.
    package static let keeperPath = "/consent/ledger"

    /// The consent service of this entrance.
    var issuer: GrantIssuer {
        let settings = settings
        return GrantIssuer(
            entity: settings.entity, key: settings.signingKey,
            ledger: LedgerReference(
                uri: settings.entity.text + Self.keeperPath,
                key: settings.signingKey.verifying.jwk))
    }

    /// Issues a root for one task of `owner`, as far as the templates allow: every act will be
    /// confirmed by itself, so no gesture of the user is needed now.
    func issueRoot(
        for owner: Owner, _ templates: [GrantTemplate], executor: EntityID, next: EntityID?,
        now: Instant
    ) throws(Refusal) -> HeldGrant {
        let settings = settings
        let isDirect = next == nil || next == executor
        var delegates: [EntityID] = []
        if let next, next != executor { delegates.append(next) }
        let request = GrantIssuer.Request(
            subject: pairwise(owner, with: executor), holder: settings.entity,
            holderKey: settings.signingKey.verifying.jwk,
            entries: templates.map { $0.entry(at: executor) },
            delegates: .named(delegates), maximumDepth: isDirect ? 0 : 1,
            life: templates.map(\.life).min() ?? GrantTemplate.lifeMax,
            confirmers: settings.confirmationKey.map { [$0.verifying.jwk] })
        return try issuer.root(request, now: now, random: random)
    }

    /// The user's pseudonym towards one executor: always the same there, so that a conversation
    /// can go on, and another elsewhere, so that two executors cannot compare.
    func pairwise(_ owner: Owner, with executor: EntityID) -> String {
        contexts.pseudonym(owner, towards: executor.text)
    }
}

extension GrantTemplate {
    /// The entry that the template grants at `executor`.
    func entry(at executor: EntityID) -> Entry {
        Entry(
            id: id, actions: actions, locations: .named([executor]), confirm: .each,
            limits: Limits(
                currency: currency, perAct: perAct, total: total, count: count),
            data: data)
    }
}

extension Delegates {
    /// Who is left when `entity` holds a link itself.
    func without(_ entity: EntityID) -> Delegates {
        switch self {
        case .anyone: .anyone
        case .named(let entities): .named(entities.filter { $0 != entity })
        }
    }
}
