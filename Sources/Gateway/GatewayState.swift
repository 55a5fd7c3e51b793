// SPDX-License-Identifier: Apache-2.0
import A2A
import Accounting
package import Bytes
import Consent
import Crypto
import Synchronization

/// What all exchanges of a gateway share: settings that a reload swaps whole, the journal, and the
/// sources of time and randomness.
package final class GatewayState: Sendable {
    private let current: Mutex<GatewaySettings>
    package let journal: any Journal
    package let time: any TimeSource
    package let random: any RandomBytes
    package let feed = TaskFeed()
    /// Which peers are suspended.
    package let standing = PeerStanding()
    /// Blocks of small fees, towards us and ours.
    let blocks = BlockBook()
    let refusalBudget = RefusalBudget()
    let contexts: ContextAlias
    /// Signatures that were checked before; everything else is checked every time.
    let signatures = VerifiedTokenCache()

    /// - Parameter contextKey: 32 secret bytes, the same after a restart.
    package init(
        settings: GatewaySettings, journal: any Journal, time: any TimeSource,
        random: any RandomBytes, contextKey: [UInt8]
    ) {
        current = Mutex(settings)
        self.journal = journal
        self.time = time
        self.random = random
        contexts = ContextAlias(key: contextKey)
    }

    /// The settings in force. An exchange reads them once and keeps to them.
    package var settings: GatewaySettings { current.withLock { $0 } }

    /// This gateway.
    var entity: EntityID { settings.entity }

    /// What is known of revocation. Roots here live too short for lists, so it is what was pushed.
    var status: StatusKnowledge { .none }

    /// Puts other settings in force; exchanges under way end under the old ones.
    package func reload(_ settings: GatewaySettings) { current.withLock { $0 = settings } }

    /// The agent called `name`, if `party` may call it; who may not cannot tell it from none.
    package func agent(_ name: String, for party: Caller.Party) -> AgentSettings? {
        let settings = settings
        guard let agent = settings.agents[name] else { return nil }
        switch party {
        case .peer(let presenter):
            guard settings.parties[presenter.entity] != nil else { return nil }
            if let callers = agent.callers, !callers.contains(presenter.entity) { return nil }
            return agent
        case .local(let listener, _):
            return agent.listeners.contains(listener) ? agent : nil
        }
    }
}

extension GatewayState {
    /// Makes the tariffs of all links known to the books, and what each side may owe, and learns
    /// which peers are suspended. Done before the first exchange and after every reload.
    package func openBooks() async throws {
        let settings = settings
        let now = time.now()
        try await journal.write { tx in
            let ledger = Ledger(tx, of: settings.entity)
            for party in settings.parties.values.sorted(by: { $0.entity < $1.entity }) {
                guard let tariffs = party.tariffs else { continue }
                try ledger.adopt(tariffs.versions, with: party.entity, now: now)
            }
        }
        try await BlockKeeper(gateway: self).load()
        try await loadStanding()
    }

    /// Writes down what is only in memory. Done after the last exchange, before the journal is
    /// closed.
    package func closeBooks() async { await BlockKeeper(gateway: self).save(isLast: true) }

    /// Commits `body`; a policy's refusal is for the caller to map.
    ///
    /// - Throws: `RETRY_LATER` when the disk refuses: nothing was written.
    func write<Value: Sendable>(
        _ body: @escaping @Sendable (any JournalTransaction) throws -> Value
    ) async throws(A2AError) -> Value {
        do {
            return try await journal.write(body)
        } catch {
            throw A2AError(journal: error)
        }
    }

    /// Reads.
    func read<Value: Sendable>(
        _ body: @escaping @Sendable (any JournalTransaction) throws -> Value
    ) async throws(A2AError) -> Value {
        do {
            return try await journal.read(body)
        } catch {
            throw A2AError(journal: error)
        }
    }
}

extension A2AError {
    /// What a caller is told of a refusal that came out of a transaction.
    init(journal error: any Error) {
        switch error {
        case let error as A2AError: self = error
        case let refusal as Refusal: self.init(refusal)
        case ConsentFault.refused(let refusal): self.init(refusal)
        case let refusal as LedgerRefusal: self.init(refusal)
        case is StorageFault, is ConsentFault:
            self.init(
                .retryLater, "The gateway cannot write now", retryAfter: A2AError.diskSeconds)
        default: self.init(.internalError)
        }
    }

    /// Seconds between two attempts while the disk is full.
    static let diskSeconds = 10
}
