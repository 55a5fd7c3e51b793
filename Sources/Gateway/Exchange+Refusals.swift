// SPDX-License-Identifier: Apache-2.0
import A2A
import Bytes
import Synchronization

extension Exchange {
    /// Writes a refusal down for whoever will ask why, without changing it.
    ///
    /// Only what one of the extensions or the agent's contract refused is kept: errors of form are
    /// in the access log and explain themselves. A full disk loses the note, not the answer.
    func remember(_ error: A2AError) async {
        let isRefusal =
            error.domain != A2AError.protocolDomain || account.refusal != nil
            || error.code == .invalidAgentResponse
        guard isRefusal, !account.isRemembered, account.task != nil || account.exchange != nil,
            gateway.refusalBudget.take(at: gateway.time.now())
        else { return }
        account.isRemembered = true
        let record = RefusalRecord(
            at: gateway.time.now(), task: account.task, exchange: account.exchange,
            party: caller.partyName, method: account.method, reason: error.reason,
            rule: account.refusal, by: account.refusedBy)
        _ = try? await gateway.journal.write { try $0.insert(record) }
    }
}

extension GatewayState {
    /// Refusals that came faster than they are written down.
    package var unrecordedRefusals: Int64 { refusalBudget.skipped }
}

/// Bounds the writes that refusals cause: whoever is refused a thousand times a second must not
/// keep the disk from those who are not.
final class RefusalBudget: Sendable {
    /// Refusals written down in one second.
    static let perSecond = 50

    private struct State {
        var second: Int64 = 0
        var taken = 0
        var skipped: Int64 = 0
    }
    private let state = Mutex(State())

    /// Whether one more may be written.
    func take(at now: Instant) -> Bool {
        state.withLock { state in
            if state.second != now.seconds {
                state.second = now.seconds
                state.taken = 0
            }
            guard state.taken < Self.perSecond else {
                state.skipped += 1
                return false
            }
            state.taken += 1
            return true
        }
    }

    /// Refusals that were not written down.
    var skipped: Int64 { state.withLock { $0.skipped } }
}
