// SPDX-License-Identifier: Apache-2.0

/// What an act does to people, from harmless to not delegable (`Spec` §4.3).
package enum ActionClass: Int, CaseIterable, Comparable, Hashable, Sendable {
    case publicRead = 0
    case personalRead
    case reversibleWrite
    case effectOnOthers
    case contractual
    case payment
    case disclosure
    case authority
    case humanOnly

    package static func < (left: ActionClass, right: ActionClass) -> Bool {
        left.rawValue < right.rawValue
    }

    /// The level below which no grant and no executor can go; a standing entry lowers it to
    /// `once` for classes 4 and 5.
    package var floor: ConfirmLevel {
        switch self {
        case .publicRead: .none
        case .personalRead, .reversibleWrite: .once
        case .effectOnOthers, .contractual, .disclosure: .each
        case .payment, .authority, .humanOnly: .eachVerified
        }
    }

    /// Whether an act of this class names signed terms whatever its level.
    package var needsTerms: Bool { self >= .contractual }

    /// Whether a signed act is required; a reader is proven by mutual TLS alone.
    package var needsAct: Bool { self >= .reversibleWrite }

    /// Whether an entry may leave the executor open (`"*"`).
    package var mayLeaveLocationOpen: Bool { self <= .personalRead }

    /// How old, in seconds, knowledge of revocation may be; nil where age never refuses: reads,
    /// which fail open, and payments, whose reservation is itself the fresh check.
    package var statusAge: Int64? {
        switch self {
        case .publicRead, .personalRead, .payment: nil
        case .reversibleWrite, .effectOnOthers, .contractual: 60
        case .disclosure, .authority, .humanOnly: 10
        }
    }
}

/// The acts that grants can name, each with its class. An action that is not here is refused.
///
/// A configuration extends it upward only: it adds actions and raises classes, it never lowers
/// one. `Spec/actions.json` is the same table for other languages; a test holds them equal.
package struct ActionRegistry: Hashable, Sendable {
    private let classes: [String: ActionClass]

    /// The table of `Spec/actions.json`.
    package static let standard = ActionRegistry(classes: [
        "catalog.search": .publicRead, "price.quote": .publicRead,

        "order.read": .personalRead, "message.read": .personalRead,
        "calendar.read": .personalRead,

        "cart.update": .reversibleWrite, "draft.save": .reversibleWrite,
        "device.set": .reversibleWrite,

        "message.mark_read": .effectOnOthers, "message.send": .effectOnOthers,
        "invite.send": .effectOnOthers, "typing.show": .effectOnOthers,
        "presence.set": .effectOnOthers,

        "order.create": .contractual, "order.cancel": .contractual,
        "listing.publish": .contractual, "terms.accept": .contractual,
        "subscription.start": .contractual, "review.publish": .contractual,

        "payment.pay": .payment, "payment.preauth": .payment, "transfer": .payment,

        "data.disclose": .disclosure,

        "autopay.enable": .authority, "account.rebind": .authority, "payee.add": .authority,
        "delegation.create": .authority,

        "identity.verify": .humanOnly, "medical.consent": .humanOnly,
        "credit.contract": .humanOnly, "will.make": .humanOnly,
        "biometric.enroll": .humanOnly,
    ])

    /// Contractual acts that a standing grant never covers: each binds the user anew.
    private static let neverStanding: Set<String> = [
        "listing.publish", "terms.accept", "subscription.start", "review.publish",
    ]

    /// The class of an action; nil for one that nobody registered.
    package subscript(action: String) -> ActionClass? { classes[action] }

    /// All names, sorted.
    package var names: [String] { classes.keys.sorted() }

    /// Whether an entry with `standing` may name this action.
    package func allowsStanding(_ action: String) -> Bool {
        guard let kind = classes[action] else { return false }
        return kind < .disclosure && !Self.neverStanding.contains(action)
    }

    /// Why a configuration's actions are not taken over.
    package enum ExtensionError: Error, Hashable, Sendable {
        case name(String)
        case lowered(String, from: ActionClass, to: ActionClass)
    }

    /// The registry with a configuration's actions added or raised.
    package func extended(
        with additions: [String: ActionClass]
    ) throws(ExtensionError) -> ActionRegistry {
        var classes = classes
        for (name, kind) in additions.sorted(by: { $0.key < $1.key }) {
            guard ClaimText.isToken(name) else { throw .name(name) }
            if let present = classes[name], kind < present {
                throw .lowered(name, from: present, to: kind)
            }
            classes[name] = kind
        }
        return ActionRegistry(classes: classes)
    }

    private init(classes: [String: ActionClass]) {
        self.classes = classes
    }
}
