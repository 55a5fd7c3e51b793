// SPDX-License-Identifier: Apache-2.0

package import Accounting
package import Bytes
internal import JSON

/// One company that calls a peer for a fee and a commission, and what it books: for tests that need
/// books with something in them.
package struct Bookkeeper: Sendable {
    /// Whose books they are: the caller.
    package let ourselves: EntityID
    /// The callee.
    package let peer: EntityID
    /// The tariff between them: 0.20 a task, 5 % of a sale and at most 15.00.
    package let tariff: PinnedTariff

    /// Why a test has no books.
    package struct Failure: Error {
        let place: String
    }

    /// The tariff has been in force since a year before `now`.
    package init(now: Instant) throws {
        guard let ourselves = EntityID("https://s.example"),
            let peer = EntityID("https://v.example"),
            let name = HashName(Base64URL.encode([UInt8](repeating: 7, count: 32)))
        else { throw Failure(place: "names") }
        self.ourselves = ourselves
        self.peer = peer
        let since = now.adding(seconds: -365 * 86_400)
        let node: JSONNode = [
            "v": "tariff/1",
            "agr": .string(OperationID(at: since, random: SeededRandom(seed: 3)).text),
            "ver": 1, "ccy": "CNY",
            "edge": ["up": .string(ourselves.text), "down": .string(peer.text)],
            "from": .string(since.rfc3339),
            "charges": [["id": "call", "basis": "call", "fixed": "0.20"]],
            "commissions": [
                [
                    "id": "take", "basis": "tx.net", "ppm": 50_000, "cap": "15.00",
                    "floor": "0.00", "scope": "tx", "quantum": "minor", "round": "half-up",
                ]
            ],
            "bill_on": ["completed": ["*"], "failed": [], "canceled": [], "rejected": []],
            "hold": ["max_s": 1800, "delta_s": 30, "skew_s": 5],
            "credit": [
                "up_owes": "900000000.00", "down_owes": "900000000.00", "warn_ppm": 800_000,
            ],
            "settle": ["period": "P1M", "tz": "+08:00", "min": "1.00", "due_d": 15],
            "dispute_d": 30,
        ]
        tariff = PinnedTariff(
            name: name, tariff: try Tariff(JSONDocument(parsing: node.bytes).root))
    }

    /// The ledger in a transaction.
    package func ledger(_ storage: any LedgerStorage) -> Ledger {
        Ledger(storage, of: ourselves)
    }

    /// Opens the books.
    package func open(_ storage: any LedgerStorage, now: Instant) throws {
        try ledger(storage).adopt([tariff], with: peer, now: now)
    }

    /// A hold for a sale of `fen`.
    package func request(
        _ fen: Int64, now: Instant, life seconds: Int64 = 1770, random: some RandomBytes
    ) throws -> HoldRequest {
        let sale = Money(micros: fen * 10_000, .cny)
        let price = try tariff.tariff.price(sale: sale)
        return HoldRequest(
            op: OperationID(at: now, random: random), charge: price.charge,
            commission: price.commission, sale: sale, quote: tariff.name,
            lifeMilliseconds: seconds * 1000, postBy: now.adding(seconds: seconds))
    }

    /// Places our hold.
    package func place(
        _ request: HoldRequest, _ storage: any LedgerStorage, now: Instant
    ) throws {
        let context = HoldContext(exchange: request.op, tariff: tariff)
        let call = LedgerCall(peer: peer, origin: .us, request: tariff.name, now: now)
        _ = try ledger(storage).place(request, context, call).get()
    }

    /// The callee's claim on the whole of a hold.
    package func post(
        _ request: HoldRequest, now: Instant, random: some RandomBytes
    ) -> Post {
        Post(
            op: OperationID(at: now, random: random), hold: request.op, charge: request.charge,
            commission: request.commission, sale: request.sale, booked: now)
    }

    /// Books the callee's claim, and files its record.
    package func receive(
        _ post: Post, _ storage: any LedgerStorage, now: Instant, isFiled: Bool = true
    ) throws {
        let call = LedgerCall(peer: peer, origin: .peer, request: tariff.name, now: now)
        _ = try ledger(storage).post(post, call).get()
        guard isFiled, let name = Self.recordName(post.op) else { return }
        let evidence = HopEvidence(
            peer: peer, name: name, post: post.op, exchange: post.hold, record: "a.b.c")
        if let refusal = try ledger(storage).file(evidence) { throw refusal }
    }

    /// The name that ``receive(_:_:now:isFiled:)`` gives the record of a post.
    package static func recordName(_ post: OperationID) -> HashName? {
        HashName(Base64URL.encode(post.uuid.bytes + post.uuid.bytes))
    }

    /// Releases a hold, which failed.
    package func void(
        _ request: HoldRequest, op: OperationID, _ storage: any LedgerStorage, now: Instant
    ) throws {
        let call = LedgerCall(peer: peer, origin: .us, request: tariff.name, now: now)
        let void = HoldVoid(op: op, hold: request.op, reason: .failed)
        _ = try ledger(storage).void(void, call).get()
    }

    /// Pays what we owe each other, which gives credit back.
    package func settle(
        _ storage: any LedgerStorage, now: Instant, random: some RandomBytes
    )
        throws
    {
        let balance = try storage.statementBalance(peer, .cny, before: now.adding(seconds: 1))
        let owed = Money(micros: abs(balance), .cny).swept.payable
        if owed.micros == 0 { return }
        let payment = Payment(
            op: OperationID(at: now, random: random), amount: owed, isReceived: balance > 0)
        let call = LedgerCall(peer: peer, origin: .us, request: tariff.name, now: now)
        if let refusal = try ledger(storage).pay(payment, call) { throw refusal }
    }
}
