// SPDX-License-Identifier: Apache-2.0

package import Bytes

/// A hold as the books keep it, on either side of the link.
package struct HoldRecord: Hashable, Sendable {
    /// What it is.
    package enum Kind: String, CaseIterable, Sendable {
        /// For one task.
        case task
        /// For many small fees (``Block``).
        case block
    }

    /// A hold leaves `pending` once and never returns.
    package enum State: String, CaseIterable, Sendable {
        case pending
        case posted
        case voided
        case expired
        /// A newer hold took its place.
        case extended
    }

    /// The other company of the link.
    package let peer: EntityID
    /// The id of the operation.
    package let op: OperationID
    /// On which side of the link we are.
    package let side: LinkSide
    /// What it is.
    package let kind: Kind
    /// nil for a block, which serves many.
    package let exchange: OperationID?
    /// The tariff by which it was rated.
    package let tariff: HashName
    /// The quote, or the tariff, that was accepted.
    package let quote: HashName
    /// What the caller owes the callee.
    package let charge: Money
    /// What the callee owes the caller.
    package let commission: Money
    /// The price of the sale to the user.
    package let sale: Money
    /// When it was placed, by our clock.
    package let placed: Instant
    /// After this nothing can be posted on it.
    package let postBy: Instant
    /// Where it stands.
    package var state: State = .pending
    /// How it ended; nil while it is pending.
    package var resolution: HoldResolution?

    /// One of these members.
    package init(
        peer: EntityID, side: LinkSide, kind: Kind, exchange: OperationID?, tariff: HashName,
        request: HoldRequest, placed: Instant
    ) {
        self.peer = peer
        self.op = request.op
        self.side = side
        self.kind = kind
        self.exchange = exchange
        self.tariff = tariff
        self.quote = request.quote
        self.charge = request.charge
        self.commission = request.commission
        self.sale = request.sale
        self.placed = placed
        self.postBy = request.postBy
    }
}

/// How a hold ended.
package struct HoldResolution: Hashable, Sendable {
    /// The operation that ended it; the hold's own when it expired.
    package let op: OperationID
    /// When, by our clock.
    package let at: Instant
    /// What was posted; zero unless the state is `posted`.
    package let charge: Money
    /// What the callee owes the caller.
    package let commission: Money
    /// The price of the sale to the user.
    package let sale: Money

    /// One of these members.
    package init(op: OperationID, at: Instant, charge: Money, commission: Money, sale: Money) {
        self.op = op
        self.at = at
        self.charge = charge
        self.commission = commission
        self.sale = sale
    }
}

/// What became of an operation, for the next time its id arrives.
package struct OperationOutcome: Hashable, Sendable {
    /// The other company of the link.
    package let peer: EntityID
    /// The id of the operation.
    package let op: OperationID
    /// The hash of the request; another one under the same id is a conflict.
    package let request: HashName
    /// The hold that it placed or resolved; nil for payments.
    package let hold: OperationID?
    /// nil: done.
    package let refusal: LedgerRefusal?
    /// From then on the row may go: the id is refused for its age.
    package let forgetAfter: Instant

    /// One of these members.
    package init(
        peer: EntityID, op: OperationID, request: HashName, hold: OperationID?,
        refusal: LedgerRefusal?, forgetAfter: Instant
    ) {
        self.peer = peer
        self.op = op
        self.request = request
        self.hold = hold
        self.refusal = refusal
        self.forgetAfter = forgetAfter
    }
}

/// A tariff as the books keep it, so that every posting can be rated again from the books alone.
package struct TariffRecord: Hashable, Sendable {
    /// Its name.
    package let name: HashName
    /// The other company of the link.
    package let peer: EntityID
    /// The agreement of which it is a version.
    package let agreement: OperationID
    /// The number of the version.
    package let version: Int64
    /// The tariff's JSON text.
    package let body: [UInt8]
    /// The signed objects.
    package let tokens: [String]

    /// One of these members.
    package init(
        name: HashName, peer: EntityID, agreement: OperationID, version: Int64, body: [UInt8],
        tokens: [String]
    ) {
        self.name = name
        self.peer = peer
        self.agreement = agreement
        self.version = version
        self.body = body
        self.tokens = tokens
    }
}

/// How well a line is proven.
package enum Evidence: String, CaseIterable, Sendable {
    /// Our own books only.
    case unilateral = "E0"
    /// The callee's signed hop record.
    case recorded = "E1"
    /// The hop record and the caller's signed acknowledgement.
    case countersigned = "E2"
}

/// A signed hop record, ours or a peer's, and the acknowledgement that belongs to it.
package struct HopEvidence: Hashable, Sendable {
    /// The other company of the link.
    package let peer: EntityID
    /// The hash of the record's signing input.
    package let name: HashName
    /// The post that it records.
    package let post: OperationID
    /// The user's request to which it belongs; nil for a block, which serves many.
    package let exchange: OperationID?
    /// The `a2a-hop+jwt`.
    package let record: String
    /// The `a2a-ack+jwt`, once there is one.
    package var acknowledgement: String?

    /// One of these members.
    package init(
        peer: EntityID, name: HashName, post: OperationID, exchange: OperationID?, record: String,
        acknowledgement: String? = nil
    ) {
        self.peer = peer
        self.name = name
        self.post = post
        self.exchange = exchange
        self.record = record
        self.acknowledgement = acknowledgement
    }
}

/// One line of what two companies owe each other.
package struct StatementLine: Hashable, Sendable {
    /// What it is.
    package enum Kind: String, CaseIterable, Sendable {
        /// A fee per task: owed to the callee.
        case charge
        /// A share of a sale: owed to the caller.
        case commission
        /// Money that moved outside.
        case payment
    }

    /// The other company of the link.
    package let peer: EntityID
    /// The id of the operation.
    package let op: OperationID
    /// What it is.
    package let kind: Kind
    /// The tariff's name of the line, as `take`; `payment` for payments.
    package let name: String
    /// The user's request to which it belongs.
    package let exchange: OperationID?
    /// The sale or, for a block, nil.
    package let basis: Money?
    /// Zero or above.
    package let amount: Money
    /// Whether the line raises what the peer owes us; otherwise what we owe the peer.
    package let isOwedToUs: Bool
    /// When it was booked.
    package let booked: Instant
    /// The tariff by which it was rated.
    package let tariff: HashName?
    /// How many tasks the line is for; nil unless it is the line of a block.
    package let calls: Int64?

    /// One of these members.
    package init(
        peer: EntityID, op: OperationID, kind: Kind, name: String, exchange: OperationID?,
        basis: Money?, amount: Money, isOwedToUs: Bool, booked: Instant, tariff: HashName?,
        calls: Int64? = nil
    ) {
        self.peer = peer
        self.op = op
        self.kind = kind
        self.name = name
        self.exchange = exchange
        self.basis = basis
        self.amount = amount
        self.isOwedToUs = isOwedToUs
        self.booked = booked
        self.tariff = tariff
        self.calls = calls
    }
}

/// The last durable state of a block's counter. The numbers of the tasks that were under way then
/// are its draws in the state ``DrawRecord/State/open``.
package struct BlockCheckpoint: Hashable, Sendable {
    /// The other company of the link.
    package let peer: EntityID
    /// The hold concerned.
    package let hold: OperationID
    /// The `a2a-block+jwt` with which it was opened.
    package let opening: String
    /// Tasks billed so far.
    package let calls: Int64
    /// What they cost.
    package let amount: Money
    /// The highest number given out or seen.
    package let highest: Int64
    /// Whether nothing was drawn after it was written.
    package let isWhole: Bool

    /// One of these members.
    package init(
        peer: EntityID, hold: OperationID, opening: String, calls: Int64, amount: Money,
        highest: Int64, isWhole: Bool
    ) {
        self.peer = peer
        self.hold = hold
        self.opening = opening
        self.calls = calls
        self.amount = amount
        self.highest = highest
        self.isWhole = isWhole
    }
}
