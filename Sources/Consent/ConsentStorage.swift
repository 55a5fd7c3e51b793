// SPDX-License-Identifier: Apache-2.0
package import Bytes

/// What consent must remember across a restart, as one transaction sees it.
///
/// All calls of one decision run inside one transaction: what was read does not change before
/// what is written is committed, and a thrown error undoes everything. A `put` replaces the
/// record with the same key. Times are seconds since the epoch; a record may be removed once its
/// `retained` time has passed, never earlier.
package protocol ConsentStorage: AnyObject {
    // MARK: The executor

    /// The act with this name hash that `holder` presented.
    func act(holder: EntityID, hash: String) throws(StorageFault) -> ActRecord?
    /// The act with this `jti` that `holder` presented; at most one per holder and `jti`.
    func act(holder: EntityID, id: String) throws(StorageFault) -> ActRecord?
    /// Keyed by holder and `jti`.
    func put(_ act: ActRecord) throws(StorageFault)

    /// The open or answered question with this nonce.
    func ask(nonce: String) throws(StorageFault) -> AskRecord?
    /// Keyed by nonce.
    func put(_ ask: AskRecord) throws(StorageFault)

    /// Whether a confirmation of this issuer and `jti` has carried an act.
    func isUsed(_ confirmation: UsedConfirmation.Key) throws(StorageFault) -> Bool
    /// Keyed by ``UsedConfirmation/key``.
    func put(_ confirmation: UsedConfirmation) throws(StorageFault)

    /// The parts of this entry's budget that were spent without a reservation.
    func slices(root: String, entry: String) throws(StorageFault) -> [SliceUse]
    /// Keyed by root, entry and `lower`.
    func put(_ slice: SliceUse) throws(StorageFault)

    // MARK: The executor and the budget keeper

    /// What was charged so far; zeroes where nothing was.
    func counter(_ key: CounterKey) throws(StorageFault) -> Counter
    /// Keyed by `key`.
    func put(_ counter: Counter, for key: CounterKey) throws(StorageFault)

    // MARK: The budget keeper

    /// The reservation made for exactly this request.
    func reservation(_ request: ReservationKey) throws(StorageFault) -> ReservationRecord?
    /// Every reservation for an act at an executor: more than one when it was priced anew.
    func reservations(
        act: String, audience: EntityID
    ) throws(StorageFault) -> [ReservationRecord]
    /// Keyed by ``ReservationRecord/key``.
    func put(_ reservation: ReservationRecord) throws(StorageFault)
    /// The next number of ``Reservation/sequence``: 1, 2, 3 …
    func nextReservationSequence() throws(StorageFault) -> Int64

    /// Removes what no decision can need any more: records whose `retained` is before `time`.
    func removeConsentRecords(retainedBefore time: Int64) throws(StorageFault)
}

/// One act that passed every check, and its answer once there is one.
package struct ActRecord: Hashable, Sendable {
    /// The leaf's holder, who is also the presenter.
    package let holder: EntityID
    /// The act's `jti`.
    package let id: String
    /// The act's name hash.
    package let hash: String
    /// The root's `jti`.
    package let root: String
    /// When step 23 committed.
    package let committed: Int64
    /// At least 24 hours after that, and after the act's own end.
    package let retained: Int64
    /// What a retry is answered with; nil while the effect is under way.
    package var result: [UInt8]?

    /// A record as stored.
    package init(
        holder: EntityID, id: String, hash: String, root: String, committed: Int64,
        retained: Int64, result: [UInt8]?
    ) {
        self.holder = holder
        self.id = id
        self.hash = hash
        self.root = root
        self.committed = committed
        self.retained = retained
        self.result = result
    }
}

/// One question that the executor put to the user.
package struct AskRecord: Hashable, Sendable {
    /// 128 random bits.
    package let nonce: String
    /// The root's `jti`.
    package let root: String
    /// The leaf's entry.
    package let entry: String
    /// The hash of the terms asked about.
    package let terms: String
    /// Until when the user may answer.
    package let expires: Int64
    /// Until when an answer may arrive.
    package let retained: Int64
    /// Whether an answer has carried an act, or the question was withdrawn.
    package var isClosed: Bool

    /// A record as stored.
    package init(
        nonce: String, root: String, entry: String, terms: String, expires: Int64,
        retained: Int64, isClosed: Bool = false
    ) {
        self.nonce = nonce
        self.root = root
        self.entry = entry
        self.terms = terms
        self.expires = expires
        self.retained = retained
        self.isClosed = isClosed
    }
}

/// A confirmation that has carried an act and carries no other.
package struct UsedConfirmation: Hashable, Sendable {
    /// Issuers choose their `jti`s, so one cannot use up another's.
    package struct Key: Hashable, Sendable {
        /// The root issuer.
        package let issuer: EntityID
        /// The confirmation's `jti`.
        package let id: String

        /// A key as stored.
        package init(issuer: EntityID, id: String) {
            self.issuer = issuer
            self.id = id
        }
    }

    /// Which confirmation.
    package let key: Key
    /// The confirmation's end and the skew.
    package let retained: Int64

    /// A record as stored.
    package init(key: Key, retained: Int64) {
        self.key = key
        self.retained = retained
    }
}

/// What one counter counts: one entry of one link. The root stands in the key so that nobody can
/// use up the budget of another root by choosing its links' ids.
package struct CounterKey: Hashable, Sendable {
    /// Reservations and slices are counted apart, also where one gateway does both.
    package enum Book: String, Sendable {
        case reservations, slices
    }

    /// Which of the two.
    package let book: Book
    /// The root's `jti`.
    package let root: String
    /// The link's `jti`.
    package let link: String
    /// The entry's id.
    package let entry: String

    /// A key as stored.
    package init(book: Book, root: String, link: String, entry: String) {
        self.book = book
        self.root = root
        self.link = link
        self.entry = entry
    }
}

/// What one entry of one link was charged.
package struct Counter: Hashable, Sendable {
    /// Minor units.
    package var spent: Int64
    /// Acts.
    package var uses: Int64
    /// Until the link's end and a day.
    package var retained: Int64

    /// Nothing was charged.
    package static let zero = Counter(spent: 0, uses: 0, retained: 0)

    /// A counter as stored.
    package init(spent: Int64, uses: Int64, retained: Int64) {
        self.spent = spent
        self.uses = uses
        self.retained = retained
    }
}

/// `[lower, upper)` of an entry's budget, spent by one act.
package struct SliceUse: Hashable, Sendable {
    /// The root's `jti`: sibling grants cut from one budget.
    package let root: String
    /// The entry's id.
    package let entry: String
    /// The first minor unit.
    package let lower: Int64
    /// The minor unit after the last.
    package let upper: Int64
    /// The act's `jti`.
    package let act: String
    /// Until the root's end and a day.
    package let retained: Int64

    /// A record as stored.
    package init(
        root: String, entry: String, lower: Int64, upper: Int64, act: String, retained: Int64
    ) {
        self.root = root
        self.entry = entry
        self.lower = lower
        self.upper = upper
        self.act = act
        self.retained = retained
    }
}

/// What makes two reservation requests the same request.
package struct ReservationKey: Hashable, Sendable {
    /// The leaf's name hash.
    package let chain: String
    /// The entry's id.
    package let entry: String
    /// The act's `jti`.
    package let act: String
    /// The executor.
    package let audience: EntityID
    /// Minor units; nil for an act without an amount.
    package let value: Int64?
    /// The currency of `value`.
    package let currency: String?

    /// A key as stored.
    package init(
        chain: String, entry: String, act: String, audience: EntityID, value: Int64?,
        currency: String?
    ) {
        self.chain = chain
        self.entry = entry
        self.act = act
        self.audience = audience
        self.value = value
        self.currency = currency
    }
}

/// One reservation and what became of it.
package struct ReservationRecord: Hashable, Sendable {
    /// Reserved, then one of the others.
    package enum State: String, Sendable {
        case reserved
        /// The executor said what it took.
        case captured
        /// The executor said that it did nothing.
        case released
        /// Its life ended without a word: it counts as spent in full, because the executor may
        /// have acted in time. A late receipt can only lower it.
        case expired
    }

    /// The request it answers.
    package let key: ReservationKey
    /// The reservation's `jti`.
    package let id: String
    /// The number in the keeper's sequence.
    package let sequence: Int64
    /// The root's `jti`.
    package let root: String
    /// Who asked for it.
    package let holder: EntityID
    /// The counters it was charged to, one per link, root first.
    package let charges: [CounterKey]
    /// `iat`.
    package let issued: Int64
    /// `exp`.
    package let expires: Int64
    /// Until when a receipt may still lower it.
    package let retained: Int64
    /// Where it stands.
    package var state: State
    /// What the counters hold for it now, in minor units.
    package var charged: Int64

    /// A record as stored.
    package init(
        key: ReservationKey, id: String, sequence: Int64, root: String, holder: EntityID,
        charges: [CounterKey], issued: Int64, expires: Int64, retained: Int64, state: State,
        charged: Int64
    ) {
        self.key = key
        self.id = id
        self.sequence = sequence
        self.root = root
        self.holder = holder
        self.charges = charges
        self.issued = issued
        self.expires = expires
        self.retained = retained
        self.state = state
        self.charged = charged
    }
}
