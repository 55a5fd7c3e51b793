// SPDX-License-Identifier: Apache-2.0

package import Bytes

/// The side of a link on which a company stands when a task crosses it.
///
/// On the wire the sides are `up`, nearer the user, and `down`, nearer the service. The code says
/// caller and callee, because inside the gateway "upstream" is whom we call.
package enum LinkSide: String, CaseIterable, Sendable {
    /// Sends the task; owes the charge; is owed the commission.
    case caller = "up"
    /// Does the task or passes it on; is owed the charge; owes the commission.
    case callee = "down"

    /// The opposite side.
    package var other: LinkSide { self == .caller ? .callee : .caller }
}

/// What two peers agreed that a task between them costs: one version, both signatures on its bytes.
///
/// The narrow form: one fixed fee per task, and one commission in parts per million of the price
/// with a cap. Its name is the hash of the signed bytes, which ``PinnedTariff`` carries.
/// - SeeAlso: Spec §5.3.
package struct Tariff: Hashable, Sendable {
    /// The agreement of which this is a version.
    package let agreement: OperationID
    /// 1, 2, 3 … within the agreement.
    package let version: Int64
    /// The name of the version before; absent in version 1 only.
    package let previous: HashName?
    /// Every amount is of it.
    package let currency: Currency
    /// Sends tasks over the link.
    package let caller: EntityID
    /// Takes tasks from the link.
    package let callee: EntityID
    /// In force from here, inclusive, until `to`, exclusive; without `to`, until a successor.
    package let from: Instant
    /// nil: until a successor.
    package let to: Instant?
    /// What the caller owes the callee per task; nil for nothing.
    package let charge: Charge?
    /// What the callee owes the caller per sale; nil for nothing.
    package let commission: Commission?
    /// Whether the charge is due for a task that failed, or that was cancelled. One that was
    /// rejected never costs anything.
    package let billsFailed: Bool
    /// Whether the charge is due for a task that was cancelled.
    package let billsCanceled: Bool
    /// Bounds of holds.
    package let hold: HoldLimits
    /// nil: small fees have a hold each.
    package let block: BlockTerms?
    /// The most that either may owe.
    package let credit: Credit
    /// How what is owed is paid.
    package let settlement: Settlement
    /// Days after a statement in which a line may be disputed.
    package let disputeDays: Int64

    /// A fixed fee, once per task.
    package struct Charge: Hashable, Sendable {
        /// The line's name on statements.
        package let id: String
        /// The fee.
        package let fixed: Money
    }

    /// A share of the net price of a sale.
    package struct Commission: Hashable, Sendable {
        /// The line's name on statements.
        package let id: String
        /// How it is computed.
        package let rule: FeeRule
    }

    /// Bounds of a hold's life, in seconds.
    package struct HoldLimits: Hashable, Sendable {
        /// A hold lives at most so long.
        package let longest: Int64
        /// Δ: by so much a hold towards us outlives the one we place further on.
        package let delta: Int64
        /// By so much the clocks of the two may differ.
        package let skew: Int64
    }

    /// A hold set aside for many small fees.
    package struct BlockTerms: Hashable, Sendable {
        /// What a block holds.
        package let amount: Money
        /// A block lives at most so many seconds.
        package let longest: Int64
        /// The part drawn at which a new block is opened.
        package let renewAt: PartsPerMillion
    }

    /// What either may owe the other at most, holds included.
    package struct Credit: Hashable, Sendable {
        /// The most that the caller may owe.
        package let callerOwes: Money
        /// The most that the callee may owe.
        package let calleeOwes: Money
        /// The part of a limit at which people are warned.
        package let warnAt: PartsPerMillion
    }

    /// How what is owed is paid: monthly, in the given offset from UTC.
    package struct Settlement: Hashable, Sendable {
        /// Minutes east of UTC that bound the months.
        package let offsetMinutes: Int64
        /// A net amount below this is carried into the next period.
        package let least: Money
        /// Days from the end of the period to payment.
        package let dueDays: Int64
    }
}

/// What one task costs on one link.
package struct Price: Hashable, Sendable {
    /// The caller owes the callee.
    package let charge: Money
    /// The callee owes the caller.
    package let commission: Money

    /// One of these members.
    package init(charge: Money, commission: Money) {
        self.charge = charge
        self.commission = commission
    }
}

extension Tariff {
    /// Rates a task whose sale to the user is `sale`, zero when nothing is sold.
    ///
    /// - Throws: ``MoneyFault/currency``, ``MoneyFault/negative``, ``MoneyFault/fraction`` when
    ///   `sale` is no whole number of minor units, ``MoneyFault/overflow``.
    /// - SeeAlso: Spec §5.3.3.
    package func price(sale: Money) throws(MoneyFault) -> Price {
        if sale.currency != currency { throw .currency }
        if sale.micros < 0 { throw .negative }
        _ = try sale.minorUnits()
        let zero = Money.zero(currency)
        return Price(
            charge: charge?.fixed ?? zero, commission: try commission?.rule.fee(sale) ?? zero)
    }

    /// The side on which `entity` stands, or nil when the tariff is not between it and another.
    package func side(of entity: EntityID) -> LinkSide? {
        entity == caller ? .caller : entity == callee ? .callee : nil
    }

    /// Whether `instant` lies in `[from, to)`.
    package func covers(_ instant: Instant) -> Bool {
        instant >= from && to.map { instant < $0 } ?? true
    }
}

// MARK: - Versions

/// A tariff under the name by which holds and hop records refer to it.
package struct PinnedTariff: Hashable, Sendable {
    /// The hash of the signed bytes.
    package let name: HashName
    /// What was agreed.
    package let tariff: Tariff
    /// The signed objects, one `a2a-tariff+jwt` per party over the same payload, kept as evidence.
    package let tokens: [String]

    /// One of these members.
    package init(name: HashName, tariff: Tariff, tokens: [String] = []) {
        self.name = name
        self.tariff = tariff
        self.tokens = tokens
    }
}

/// Why versions do not follow upon each other.
package enum TariffVersionFault: String, Error, CaseIterable, Sendable {
    /// No version at all.
    case empty
    /// Two versions of different agreements, links or currencies.
    case agreement
    /// A number is missing, or `prev` is not the name of the version before.
    case succession
    /// A version begins before its predecessor ends, or not after it began.
    case overlap
}

/// The versions of one agreement, in order; at any instant at most one is in force.
package struct TariffVersions: Sendable {
    /// Oldest first.
    package let versions: [PinnedTariff]

    /// Checks `versions`, oldest first. The oldest need not be number one: the ones before it may
    /// have been forgotten.
    package init(_ versions: [PinnedTariff]) throws(TariffVersionFault) {
        guard !versions.isEmpty else { throw .empty }
        for (older, newer) in zip(versions, versions.dropFirst()) {
            let (a, b) = (older.tariff, newer.tariff)
            guard a.agreement == b.agreement, a.currency == b.currency, a.caller == b.caller,
                a.callee == b.callee
            else { throw .agreement }
            guard b.version == a.version + 1, b.previous == older.name else { throw .succession }
            guard b.from > a.from, a.to.map({ $0 <= b.from }) ?? true else { throw .overlap }
        }
        self.versions = versions
    }

    /// The version in force at `instant`, nil before the first, after the last and in gaps. A
    /// version without an end ends where its successor begins.
    package func inForce(at instant: Instant) -> PinnedTariff? {
        guard let last = versions.last(where: { $0.tariff.from <= instant }),
            last.tariff.covers(instant)
        else { return nil }
        return last
    }
}
