// SPDX-License-Identifier: Apache-2.0
package import Bytes
package import Crypto

/// What one root issuer may cause here, whatever it signs: a stolen issuer key cannot exceed it.
package struct TrustAnchor: Sendable {
    /// Who signs roots for this issuer.
    package enum Mode: String, Sendable {
        /// The user's own handset key.
        case device
        /// The provider's key, after its trusted surface asked the user: give it lower ceilings.
        case provider
    }

    /// A root lives this long at most where a configuration says nothing: 30 days.
    package static let defaultLife: Int64 = 30 * 86_400

    /// The root issuer.
    package var issuer: EntityID
    /// Who signs roots.
    package var mode: Mode
    /// The keys that sign roots, or certify handset keys that do.
    package var keys: [VerifyingKey]
    /// No action above this class.
    package var maximumClass: ActionClass
    /// By currency code, the most that one act may cost, in minor units. A currency that is not
    /// listed has no ceiling.
    package var maximumPerAct: [String: Int64]
    /// By currency code, the most that one payment under a standing grant may cost. A currency
    /// that is not listed allows none.
    package var smallAmounts: [String: Int64]
    /// The longest life of a root, in seconds.
    package var maximumLife: Int64
    /// When the anchor ends; nil: never.
    package var notAfter: Instant?

    /// An anchor with these ceilings.
    package init(
        issuer: EntityID, mode: Mode, keys: [VerifyingKey], maximumClass: ActionClass,
        maximumPerAct: [String: Int64] = [:], smallAmounts: [String: Int64] = [:],
        maximumLife: Int64 = TrustAnchor.defaultLife, notAfter: Instant? = nil
    ) {
        self.issuer = issuer
        self.mode = mode
        self.keys = keys
        self.maximumClass = maximumClass
        self.maximumPerAct = maximumPerAct
        self.smallAmounts = smallAmounts
        self.maximumLife = maximumLife
        self.notAfter = notAfter
    }

    /// Step 6: the root stays under the ceilings.
    func check(_ root: Grant, _ registry: ActionRegistry) throws(Refusal) {
        try require(root.expires - root.issuedAt <= maximumLife, .policy, "6.life")
        for entry in root.entries {
            var pays = false
            for action in entry.actions {
                guard let kind = registry[action] else { throw Refusal(.unknown, "6.action") }
                try require(kind <= maximumClass, .policy, "6.class")
                pays = pays || kind == .payment
            }
            if let limits = entry.limits, let perAct = limits.perAct {
                try checkCeiling(Amount(value: perAct, currency: limits.currency), "6.per_act")
            }
            if entry.standing {
                try require(
                    root.expires - root.issuedAt <= Self.defaultLife, .policy,
                    "6.standing.life")
                if pays, let limits = entry.limits {
                    let small = smallAmounts[limits.currency.code] ?? -1
                    try require(
                        limits.perAct ?? .max <= small, .policy, "6.standing.small_amount")
                }
            }
        }
    }

    /// Holds the amount of one act to the ceiling too: an entry may leave `per_act` out or hide
    /// it, and the ceiling holds all the same.
    func checkCeiling(_ amount: Amount, _ rule: String) throws(Refusal) {
        guard let ceiling = maximumPerAct[amount.currency.code] else { return }
        try require(amount.value <= ceiling, .policy, rule)
    }
}

/// One immutable snapshot of all anchors. A verification runs against one; a reload swaps it.
package struct AnchorSet: Sendable {
    private let anchors: [EntityID: TrustAnchor]

    /// The anchors by issuer; a later one of the same issuer replaces an earlier one.
    package init(_ anchors: [TrustAnchor]) {
        self.anchors = Dictionary(anchors.map { ($0.issuer, $0) }) { _, later in later }
    }

    /// The anchor of an issuer, nil for a stranger.
    package subscript(issuer: EntityID) -> TrustAnchor? { anchors[issuer] }
}
