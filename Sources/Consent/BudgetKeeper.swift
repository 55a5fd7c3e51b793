// SPDX-License-Identifier: Apache-2.0
package import Bytes
package import Crypto
import JSON

/// The one counter of a root: sets amounts and uses aside before an act and settles them after.
///
/// A limit is only as real as the counter that enforces it, and a chain shows no siblings; so
/// every link's own counter is charged, together or not at all.
package struct BudgetKeeper: Sendable {
    /// The URI that roots name.
    package var uri: String
    /// Signs reservations.
    package var key: SigningKey
    /// Verifies chains.
    package var chains: ChainVerifier

    /// How long after a reservation's end a receipt may still lower it, in seconds: 30 days, the
    /// longest life of a root by default.
    package static let receiptTime: Int64 = 30 * 86_400

    /// A keeper under its URI.
    package init(uri: String, key: SigningKey, chains: ChainVerifier) {
        self.uri = uri
        self.key = key
        self.chains = chains
    }

    /// `POST {uri}/reservations`, by the leaf's holder.
    package struct Request: Sendable {
        /// The chain, root first.
        package var chain: [String]
        /// The leaf's entry.
        package var entry: String
        /// The act's `jti`.
        package var act: String
        /// The executor.
        package var audience: EntityID
        /// What the act costs; nil where it costs nothing but counts.
        package var amount: Amount?
        /// Disclosures of hidden limits.
        package var disclosures: [String]

        /// A request as received.
        package init(
            chain: [String], entry: String, act: String, audience: EntityID, amount: Amount?,
            disclosures: [String] = []
        ) {
            self.chain = chain
            self.entry = entry
            self.act = act
            self.audience = audience
            self.amount = amount
            self.disclosures = disclosures
        }
    }

    /// A request whose chain was verified and whose amount is inside every link's limits, as far
    /// as that needs no counter.
    package struct AssessedRequest: Sendable {
        let request: Request
        let chain: VerifiedChain
        /// The limits of each link, root first, hidden ones disclosed; nil: none.
        let limits: [Limits?]
    }

    /// Verifies a request; pure.
    ///
    /// - Throws: As steps 1 to 10; `disclosure` when hidden limits are not disclosed; `malformed`
    ///   for a bad disclosure; `action`, `currency`, `limit`, `widened`.
    package func assess(
        _ request: Request, presenter: Presenter?, status: StatusKnowledge, now: Instant
    ) throws(Refusal) -> AssessedRequest {
        var disclosures: [String: Limits] = [:]
        for text in request.disclosures {
            let disclosure = try LimitsDisclosure(text)
            disclosures[disclosure.digest] = disclosure.limits
        }
        let chain = try chains.verify(
            request.chain, presenter: presenter, status: status, now: now)
        let keeper = chain.root.ledger?.uri ?? chain.root.issuer.text
        try require(keeper == uri, .budget, "resv.keeper")
        try require(ClaimText.isUUID(request.act), .malformed, "resv.act")
        guard chain.leaf.entry(request.entry) != nil else {
            throw Refusal(.action, "resv.ad")
        }
        var limits: [Limits?] = []
        for (index, grant) in chain.grants.enumerated() {
            do {
                let own = try openLimits(of: grant.entry(request.entry), disclosures)
                if let own, let amount = request.amount { try own.admit(amount, "resv") }
                if let above = limits.last(where: { $0 != nil }), let above, let own {
                    try Attenuation.check(own, under: above)
                }
                limits.append(own)
            } catch { throw error.at(link: index) }
        }
        if let amount = request.amount {
            try chain.anchor.checkCeiling(amount, "resv.ceiling")
        }
        return AssessedRequest(request: request, chain: chain, limits: limits)
    }

    private func openLimits(
        of entry: Entry?, _ disclosures: [String: Limits]
    ) throws(Refusal) -> Limits? {
        guard let entry, let digest = entry.hidden.first else { return entry?.limits }
        guard let limits = disclosures[digest] else {
            throw Refusal(.disclosure, "resv.hidden")
        }
        if entry.actions.contains(where: { chains.registry[$0] == .payment }) {
            try require(
                limits.perAct != nil && limits.total != nil && limits.count != nil, .malformed,
                "resv.payment.limits")
        }
        return limits
    }

    /// Charges every link and records the reservation, inside one transaction; the same request
    /// again gets the same reservation.
    ///
    /// - Throws: `budget` when a total or a count would be passed; `revoked` and `expired` when
    ///   a link has ended since the assessment. Nothing is charged then.
    package func reserve(
        _ assessed: AssessedRequest, status: StatusKnowledge, now: Instant,
        random: some RandomBytes, in storage: any ConsentStorage
    ) throws(ConsentFault) -> ReservationRecord {
        let request = assessed.request
        let chain = assessed.chain
        let reservationKey = ReservationKey(
            chain: chain.leafName, entry: request.entry, act: request.act,
            audience: request.audience, value: request.amount?.value,
            currency: request.amount?.currency.code)
        let earlier = try stored { () throws(StorageFault) in
            try storage.reservation(reservationKey)
        }
        if let earlier, earlier.state == .reserved, earlier.expires > now.seconds {
            return earlier
        }
        try refusing { () throws(Refusal) in
            // Priced anew is another key; the same key a second time after its end is the same
            // act once more, whose first reservation may have been used.
            try require(earlier == nil, .budget, "resv.again")
            try chain.recheck(status, now: now)
        }
        let charges = try charge(assessed, storage)
        let expires = now.seconds + Reservation.maximumLife
        let record = ReservationRecord(
            key: reservationKey, id: UUIDv7(at: now, random: random).text,
            sequence: try stored { () throws(StorageFault) in
                try storage.nextReservationSequence()
            },
            root: chain.root.id, holder: chain.leaf.holder, charges: charges,
            issued: now.seconds, expires: expires, retained: expires + Self.receiptTime,
            state: .reserved, charged: request.amount?.value ?? 0)
        try stored { () throws(StorageFault) in try storage.put(record) }
        return record
    }

    private func charge(
        _ assessed: AssessedRequest, _ storage: any ConsentStorage
    ) throws(ConsentFault) -> [CounterKey] {
        let chain = assessed.chain
        let value = assessed.request.amount?.value ?? 0
        var keys: [CounterKey] = []
        for (grant, limits) in zip(chain.grants, assessed.limits) {
            let key = CounterKey(
                book: .reservations, root: chain.root.id, link: grant.id,
                entry: assessed.request.entry)
            var counter = try stored { () throws(StorageFault) in try storage.counter(key) }
            try refusing { () throws(Refusal) in
                if let total = limits?.total {
                    try require(value <= total - counter.spent, .budget, "resv.total")
                }
                if let count = limits?.count {
                    try require(counter.uses < count, .budget, "resv.count")
                }
            }
            counter.spent += value
            counter.uses += 1
            counter.retained = chain.root.expires + Self.receiptTime
            try stored { () throws(StorageFault) in try storage.put(counter, for: key) }
            keys.append(key)
        }
        return keys
    }

    /// The token of a recorded reservation.
    package func sign(_ record: ReservationRecord) throws(Refusal) -> String {
        let currency = record.key.currency.flatMap { Currency($0) }
        let reservation = Reservation(
            issuer: uri, audience: record.key.audience, id: record.id,
            issuedAt: record.issued, expires: record.expires, root: record.root,
            entry: record.key.entry, act: record.key.act,
            amount: currency.map { Amount(value: record.key.value ?? 0, currency: $0) },
            sequence: record.sequence)
        _ = try Reservation(try ClaimsWriting.document(reservation.node, "resv.claims"))
        return try ClaimsWriting.sign(
            reservation.node, type: Reservation.type, key: key, "resv.token"
        ).compact
    }
}

extension BudgetKeeper {
    /// Settles what an executor says became of an act, inside one transaction.
    ///
    /// A receipt of what was done captures at most what was reserved and gives the rest back; a
    /// refused or reversed one gives everything back, the use too. After the reservation's end a
    /// receipt may only lower what was counted. The same receipt again changes nothing.
    ///
    /// - Returns: The reservations as they now stand, none for an act this keeper never saw.
    /// - Throws: `limit` when more is captured than reserved, `currency`.
    package func settle(
        _ signed: SignedReceipt, now: Instant, in storage: any ConsentStorage
    ) throws(ConsentFault) -> [ReservationRecord] {
        let receipt = signed.receipt
        var records = try stored { () throws(StorageFault) in
            try storage.reservations(act: receipt.act, audience: receipt.issuer)
        }
        let isUndone = receipt.result == .refused || receipt.reversed
        if !isUndone, !records.isEmpty {
            try refusing { () throws(Refusal) in try checkCapture(receipt, records) }
        }
        // An act priced anew has several; what was captured pays out of the newest that holds it.
        let paying = isUndone ? nil : records.indices.last { fits(receipt, records[$0]) }
        for index in records.indices {
            var record = records[index]
            if index == paying {
                let captured = receipt.captured?.value ?? record.charged
                record = try lower(record, to: captured, use: true, storage)
                record.state = .captured
            } else {
                record = try lower(record, to: 0, use: false, storage)
                record.state = .released
            }
            records[index] = record
            try stored { () throws(StorageFault) in try storage.put(record) }
        }
        return records
    }

    /// Marks a reservation whose life ended without a receipt. It stays charged.
    package func expire(
        _ record: ReservationRecord, now: Instant, in storage: any ConsentStorage
    ) throws(StorageFault) -> ReservationRecord {
        guard record.state == .reserved, record.expires <= now.seconds else { return record }
        var record = record
        record.state = .expired
        try storage.put(record)
        return record
    }

    private func checkCapture(
        _ receipt: Receipt, _ records: [ReservationRecord]
    ) throws(Refusal) {
        guard let captured = receipt.captured else { return }
        let sameCurrency = records.contains { $0.key.currency == captured.currency.code }
        try require(sameCurrency, .currency, "settle.currency")
        try require(
            records.contains { fits(receipt, $0) }, .limit, "settle.captured")
    }

    private func fits(_ receipt: Receipt, _ record: ReservationRecord) -> Bool {
        guard record.state != .released else { return false }
        guard let captured = receipt.captured else { return true }
        return record.key.currency == captured.currency.code && captured.value <= record.charged
    }

    private func lower(
        _ record: ReservationRecord, to value: Int64, use: Bool, _ storage: any ConsentStorage
    ) throws(ConsentFault) -> ReservationRecord {
        let givesUse = !use && record.state != .released
        let difference = record.charged - value
        if difference == 0, !givesUse { return record }
        for key in record.charges {
            try stored { () throws(StorageFault) in
                var counter = try storage.counter(key)
                counter.spent -= difference
                if givesUse { counter.uses -= 1 }
                try storage.put(counter, for: key)
            }
        }
        var record = record
        record.charged = value
        return record
    }
}
