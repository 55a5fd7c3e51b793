// SPDX-License-Identifier: Apache-2.0
import A2A
import Accounting
import Bytes
import Consent
import Crypto
import JSON

/// What a gateway does without being asked: it delivers what it owes, ends what has waited too
/// long, and forgets what nobody can need any more.
package struct Housekeeping {
    let gateway: GatewayState
    let upstreams: any Upstreams

    package init(gateway: GatewayState, upstreams: any Upstreams) {
        self.gateway = gateway
        self.upstreams = upstreams
    }

    /// Items taken up in one round; the rest waits for the next.
    static let batch = 64
    /// Milliseconds before the first repetition; it doubles up to ``backoffMax``.
    static let backoffFirst: Int64 = 1000
    /// An hour: who is away longer is asked hourly.
    static let backoffMax: Int64 = 3_600_000
    /// Seconds by which a hop above the executor waits longer, so that the executor's own end
    /// arrives first.
    static let grace: Int64 = 30

    /// One round. Every item stands alone: what fails is tried again later.
    ///
    /// - Parameter forgetting: Also ends overdue holds and removes what nobody can need any more,
    ///   which writes; once a minute is enough.
    package func round(forgetting: Bool = true) async {
        await BlockKeeper(gateway: gateway).round()
        await deliver()
        await endUnanswered()
        if forgetting { await forget() }
    }

    // MARK: The outbox

    private func deliver() async {
        let now = gateway.time.now()
        guard let rows = try? await gateway.read({ try $0.outboxDue(at: now, limit: Self.batch) })
        else { return }
        for row in rows {
            let isDone = await deliver(row.item)
            let again = gateway.time.now().adding(milliseconds: Self.backoff(row.tries))
            _ = try? await gateway.write { tx in
                if isDone {
                    try tx.remove(outbox: row.item)
                } else {
                    try tx.postpone(row, until: again)
                }
            }
        }
    }

    static func backoff(_ tries: Int) -> Int64 {
        min(backoffFirst << Int64(min(tries, 20)), backoffMax)
    }

    /// Whether the duty is done, or can never be.
    private func deliver(_ item: OutboxItem) async -> Bool {
        switch item {
        case .post(let peer, let hold, let body):
            return await deliverPost(body, hold, peer)
        case .void(let peer, let hold, let body):
            let path = "\(PeerDesk.Resource.holds)\(hold):void"
            guard let answer = try? await upstreams.post(body, to: path, at: peer) else {
                return false
            }
            return answer.status < 500
        case .receipt(let keeper, let path, let body):
            return await deliverReceipt(body, path, keeper)
        case .commit(let id):
            return await resumeCommit(id)
        case .follow(let id):
            return await follow(id)
        case .cancel(let id):
            return await cancel(id)
        }
    }

    private func deliverPost(_ body: [UInt8], _ hold: String, _ peer: EntityID) async -> Bool {
        let path = "\(PeerDesk.Resource.holds)\(hold):post"
        guard let answer = try? await upstreams.post(body, to: path, at: peer) else {
            return false
        }
        guard answer.status == 200, let token = answer.body?.root["ack"]?.string else {
            // A final refusal stands; it shows on the statement as a line without a second
            // signature, and people settle it.
            return answer.status >= 400 && answer.status < 500
        }
        let now = gateway.time.now()
        let certificates = answer.body?.root["cert"]?.elements.compactMap(\.string) ?? []
        guard
            let (claims, _) = try? gateway.verified(
                token, type: AccountingType.acknowledgement, by: peer,
                certificates: certificates, now: now),
            let acknowledgement = try? Acknowledgement(claims),
            acknowledgement.issuer == peer, acknowledgement.audience == gateway.entity
        else { return false }
        let entity = gateway.entity
        let refusal = try? await gateway.write { tx in
            try Ledger(tx, of: entity).file(acknowledgement, token: token, from: peer)
        }
        return refusal != nil
    }

    private func deliverReceipt(
        _ body: [UInt8], _ path: String, _ keeper: EntityID
    ) async -> Bool {
        if keeper == gateway.entity {
            guard let value = try? JSONDocument(parsing: body).root else { return true }
            do {
                try await BudgetDesk(gateway: gateway).settle(value)
                return true
            } catch {
                return error.code != .retryLater
            }
        }
        guard let answer = try? await upstreams.post(body, to: path, at: keeper) else {
            return false
        }
        return answer.status < 500
    }

    // MARK: Unfinished tasks

    /// An exchange in the name of a task's owner, who is not on the line.
    private func exchange(for task: TaskRecord) -> Exchange? {
        guard let agent = gateway.settings.agents[task.agent] else { return nil }
        let party: Caller.Party
        if let entity = EntityID(task.owner.party) {
            party = .peer(Presenter(entity: entity, certificate: "", key: nil))
        } else {
            party = .local(listener: "", principal: "")
        }
        let extensions = Set(ExtensionURI.allCases.map(\.rawValue))
        return Exchange(
            gateway: gateway, upstreams: upstreams,
            caller: Caller(party: party, extensions: extensions, user: task.owner.user),
            agent: agent)
    }

    private func task(_ id: String) async throws(A2AError) -> TaskRecord? {
        try await gateway.read { try $0.task(id: id) }
    }

    /// An act was recorded and its effect did not follow: the agent is told again.
    private func resumeCommit(_ id: String) async -> Bool {
        guard let task = try? await task(id) else { return true }
        guard task.undertaking?.stage == .committing, !task.state.isTerminal else { return true }
        guard let exchange = exchange(for: task), let stored = task.undertaking?.presented,
            let presented = PresentedAct(stored: stored)
        else { return true }
        let gateway = gateway
        let signer = ReceiptSigner(entity: gateway.entity, key: gateway.settings.signingKey)
        do throws(A2AError) {
            _ = try await exchange.commit(task) { captured, order, now throws(Refusal) in
                try signer.done(
                    resuming: presented, captured: captured, reference: order, now: now,
                    random: gateway.random)
            }
            return true
        } catch {
            return error.code == .invalidAgentResponse
        }
    }

    /// Asks the next hop how a task stands, until it has ended or waits for somebody.
    private func follow(_ id: String) async -> Bool {
        guard let task = try? await task(id), !task.state.isTerminal else { return true }
        guard let exchange = exchange(for: task) else { return true }
        do {
            let value = try await upstreams.call(exchange.upstreamCall("GetTask", about: task))
            let event = try StreamEvent(kind: .task, value: value)
            guard let state = event.state else { return false }
            if state.isTerminal {
                _ = try await exchange.conclude(task, event, outcome: nil)
                return true
            }
            // What waits for the user beneath an act on its way is only behind the act.
            guard state.isPaused, !task.isCommitting else { return false }
            if task.undertaking == nil {
                try await exchange.note(state, of: task)
            } else {
                _ = try await exchange.undertake(event, task)
            }
            return true
        } catch UpstreamFailure.agent(let error) where error.code == .taskNotFound {
            let ended = try? await exchange.end(
                task, state: .failed, text: "The agent does not know the task any more.",
                while: { $0.revision == task.revision })
            return ended != nil
        } catch {
            return false
        }
    }

    /// Tells the next hop that nothing will come of a task.
    private func cancel(_ id: String) async -> Bool {
        guard let task = try? await task(id), let exchange = exchange(for: task) else {
            return true
        }
        do throws(UpstreamFailure) {
            _ = try await upstreams.call(exchange.upstreamCall("CancelTask", about: task))
            return true
        } catch {
            // Who does not know it or has ended it needs no more telling.
            if case .agent(let error) = error { return error.code != .retryLater }
            return gateway.time.now() > task.updated.adding(seconds: Self.cancelSeconds)
        }
    }

    /// How long the next hop is told of a task that ended: by then it has ended it as well.
    static let cancelSeconds: Int64 = 86_400
    /// Seconds after which a task that could not be ended is taken up again.
    static let endRetrySeconds: Int64 = 60

    /// Ends the tasks on whose question or consent nobody answered in time, however many: each is
    /// ended or put off, so that none stands in another's way.
    private func endUnanswered() async {
        while true {
            let now = gateway.time.now()
            guard
                let tasks = try? await gateway.read({ try $0.tasksDue(at: now, limit: Self.batch) })
            else { return }
            for task in tasks where await !endUnanswered(task, now: now) {
                let again = now.adding(seconds: Self.endRetrySeconds)
                let change = try? await gateway.change(task.id) { _, task in
                    guard let due = task.due, due <= now else { return false }
                    task.due = again
                    return true
                }
                // The disk is full; the next round sees to it.
                if change == nil { return }
            }
            if tasks.count < Self.batch { return }
        }
    }

    private func endUnanswered(_ task: TaskRecord, now: Instant) async -> Bool {
        guard let exchange = exchange(for: task) else { return false }
        let ended = try? await exchange.end(
            task, state: .failed, text: "Nobody answered in time, which means no.",
            tellingAgent: task.route == TaskRecord.localRoute,
            while: { $0.due.map { $0 <= now } ?? false })
        return ended != nil
    }

    private func forget() async {
        let now = gateway.time.now()
        let entity = gateway.entity
        _ = try? await gateway.write { tx in
            _ = try Ledger(tx, of: entity).expire(now: now, limit: Self.batch)
            try tx.removeConsentRecords(retainedBefore: now.seconds)
            try tx.forgetOperationOutcomes(before: now)
        }
    }
}
