// SPDX-License-Identifier: Apache-2.0
package import A2A
package import Accounting
package import Bytes
package import Consent

/// Why one task or one user's request went as it did, as far as this gateway can know: who asked,
/// what was granted and narrowed, what was agreed, what was held and posted, which rule refused.
///
/// Everything is read from the journal when it is asked for; signed objects are verified again, as
/// of the time at which they were used.
package struct Explanation: Sendable {
    /// The gateway that explains.
    package var gateway: EntityID
    /// The user's request at the entrance that all hops' books refer to; `nil` when nothing but
    /// refusals is known.
    package var exchange: String?
    /// The tasks here that belong to it, oldest first.
    package var tasks: [TaskTrail] = []
    /// Holds on every link of this gateway, in the order of placing.
    package var holds: [HoldRecord] = []
    /// Fees that were drawn on blocks, on every link of this gateway.
    package var draws: [Drawn] = []
    /// What the user pays, where this gateway is the entrance.
    package var totals: [Total] = []
    /// Signed hop records, ours and our peers'.
    package var records: [Record] = []
    /// Oldest first.
    package var refusals: [RefusalRecord] = []
    /// The configured names of the companies that are mentioned.
    package var names: [EntityID: String] = [:]

    /// One task, as it was begun here and passed on.
    package struct TaskTrail: Sendable {
        package var record: TaskRecord
        /// `nil` for a client on this side.
        package var asker: EntityID?
        /// `nil` where the agent is this organisation's own.
        package var next: EntityID?
        /// `nil` where nothing binds the user.
        package var consent: ConsentTrail?
    }

    /// Whether a signed object holds when it is verified again.
    package enum Check: Sendable, Equatable {
        case verified
        /// The rule by which it does not hold.
        case failed(String)
    }

    /// What the user granted for a task, was asked, answered, and got.
    package struct ConsentTrail: Sendable {
        package var check: Check
        /// Root first. Empty when the chain does not hold: claims that nobody vouches for are not
        /// repeated here as facts.
        package var links: [Link] = []
        package var offer: Offer?
        package var answer: Answer?
        package var act: DoneAct?
        package var reservations: [Reserved] = []
        package var receipt: Received?
    }

    /// One grant of a chain.
    package struct Link: Sendable {
        package var grant: Grant
        /// What it allows less than the grant above it, in words; empty for the root.
        package var lost: [String]
    }

    /// The executor's signed terms as the user was asked about them.
    package struct Offer: Sendable {
        package var check: Check
        package var executor: EntityID
        package var level: String
        package var asked: Int
        package var expires: Instant
        /// The hash that everything else refers to.
        package var terms: String?
        /// What the user was shown.
        package var rows: [(label: String, text: String)] = []
    }

    /// The user's signed word.
    package struct Answer: Sendable {
        package var check: Check
        package var decision: String?
        package var amount: String?
        package var at: Instant?
        /// How the user was verified (RFC 8176).
        package var methods: [String] = []
        /// The name by which the books refer to it.
        package var name: String
    }

    /// The signed act.
    package struct DoneAct: Sendable {
        package var check: Check
        package var id: String?
        package var holder: String?
        package var action: String?
        package var amount: String?
        package var at: Instant?
    }

    /// An amount that a budget keeper set aside.
    package struct Reserved: Sendable {
        package var check: Check
        package var keeper: String?
        package var amount: String?
        /// Known at the keeper only.
        package var state: String?
        package var expires: Instant?
    }

    /// The executor's signed word on what became of the act.
    package struct Received: Sendable {
        package var check: Check
        package var result: String?
        package var captured: String?
        package var reference: String?
        package var error: String?
    }

    /// One fee that was drawn on a block.
    package struct Drawn: Sendable {
        package var record: DrawRecord
        /// Our side of the link.
        package var side: LinkSide
        package var fee: Money
    }

    /// What the user pays, as the entrance signed it.
    package struct Total: Sendable {
        package var check: Check
        package var total: UserTotal
        /// The names of the records that it relies on.
        package var links: [String]
        /// The name of the user's confirmation.
        package var consent: String?
    }

    /// One signed hop record.
    package struct Record: Sendable {
        package var check: Check
        package var name: String
        package var issuer: EntityID
        package var peer: EntityID
        package var level: Evidence
        /// The names of the records beneath that it relies on.
        package var links: [String]
        package var consent: String?
    }
}

extension Explanation {
    /// Explains the task or the exchange called `id`.
    ///
    /// - Returns: `nil` when this gateway knows neither.
    package static func of(
        _ id: String, at gateway: GatewayState
    ) async throws(A2AError) -> Explanation? {
        // What was drawn a moment ago may still be in memory only.
        await BlockKeeper(gateway: gateway).save()
        let entity = gateway.entity
        let found = try await gateway.read { tx -> Findings? in
            try Findings(id, tx, of: entity)
        }
        guard let found else { return nil }
        let trail = TrailReader(gateway: gateway)
        var explanation = Explanation(gateway: gateway.entity, exchange: found.exchange)
        for task in found.tasks {
            explanation.tasks.append(
                TaskTrail(
                    record: task, asker: EntityID(task.owner.party),
                    next: EntityID(task.route),
                    consent: task.undertaking.flatMap {
                        guard $0.isGranted else { return nil }
                        return trail.read($0, of: task, found.reservations[$0.root] ?? [])
                    }))
        }
        explanation.holds = found.holds
        explanation.draws = found.draws
        explanation.totals = found.totals.map { trail.read($0) }
        explanation.records = found.records.map { trail.read($0, in: found.tasks) }
        explanation.refusals = found.refusals
        for (entity, party) in gateway.settings.parties { explanation.names[entity] = party.name }
        return explanation
    }

    /// Most refusals of one exchange that are told.
    static let refusalsMax = 20

    /// What the journal has on one id.
    private struct Findings: Sendable {
        var exchange: String?
        var tasks: [TaskRecord] = []
        var holds: [HoldRecord] = []
        var draws: [Drawn] = []
        var totals: [UserTotal] = []
        var records: [HopEvidence] = []
        var reservations: [String: [ReservationRecord]] = [:]
        var refusals: [RefusalRecord] = []

        init?(_ id: String, _ tx: any JournalTransaction, of entity: EntityID) throws {
            if OperationID(id) != nil {
                exchange = id
            } else {
                exchange = try tx.task(id: id)?.exchange
            }
            if let operation = exchange.flatMap({ OperationID($0) }) {
                tasks = try tx.tasks(exchange: operation.text)
                holds = try tx.holds(exchange: operation)
                records = try tx.hopEvidence(of: operation)
                totals = try tx.userTotals(of: operation)
                for draw in try tx.draws(exchange: operation) {
                    guard let hold = try tx.hold(draw.peer, draw.block),
                        let tariff = try Ledger(tx, of: entity).tariff(of: hold),
                        let fee = tariff.charge?.fixed
                    else { continue }
                    draws.append(Drawn(record: draw, side: hold.side, fee: fee))
                }
            }
            for root in Set(tasks.compactMap { $0.undertaking?.root }) {
                reservations[root] = try tx.reservations(root: root)
            }
            refusals = try tx.refusals(
                task: exchange == nil ? id : nil, exchange: exchange,
                limit: Explanation.refusalsMax)
            if tasks.isEmpty, holds.isEmpty, draws.isEmpty, refusals.isEmpty { return nil }
        }
    }
}

// MARK: - Sums

extension Explanation {
    /// What this company earned and paid by the holds that were posted and the fees that were
    /// drawn, without the sales themselves, which are others' money; `nil` when there were none or
    /// in several currencies.
    package var result: Money? {
        var sum: Money?
        for draw in draws where draw.record.state == .billed {
            let before = sum ?? .zero(draw.fee.currency)
            do {
                sum =
                    draw.side == .callee
                    ? try before.adding(draw.fee) : try before.subtracting(draw.fee)
            } catch {
                return nil
            }
        }
        for hold in holds {
            guard hold.state == .posted, let posted = hold.resolution else { continue }
            let (plus, minus) =
                hold.side == .callee
                ? (posted.charge, posted.commission) : (posted.commission, posted.charge)
            do {
                sum = try (sum ?? .zero(plus.currency)).adding(plus).subtracting(minus)
            } catch {
                return nil
            }
        }
        return sum
    }

    /// What is left of the sale for the company that made it: the sale and ``result``; `nil` on
    /// the hops above, which sell nothing.
    package var proceeds: Money? {
        guard let result, !tasks.isEmpty, tasks.allSatisfy({ $0.next == nil }) else { return nil }
        var sum = result
        for hold in holds {
            guard hold.state == .posted, let sale = hold.resolution?.sale, sale.micros > 0 else {
                continue
            }
            do { sum = try sum.adding(sale) } catch { return nil }
        }
        return sum == result ? nil : sum
    }
}
