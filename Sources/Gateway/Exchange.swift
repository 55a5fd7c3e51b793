// SPDX-License-Identifier: Apache-2.0
package import A2A
import Bytes
import Consent
import Discovery

/// One call while it is at this hop, from the parsed operation to the answer.
///
/// The steps stand in their order, one file each: `admit` (who may call), `consent` (what the user
/// granted), `hold` (money set aside before anything is forwarded), `forward`, `relay` (events up,
/// ids aliased), `conclude` (post or void, records signed). The first refusal is the answer, so two
/// implementations give the same one (Spec §2).
///
/// An exchange lives on one loop. Time, randomness, the journal and the ways out are given to it,
/// so the same code runs on sockets and in a simulator.
package final class Exchange {
    let gateway: GatewayState
    let upstreams: any Upstreams
    let caller: Caller
    let agent: AgentSettings
    /// What the agent's card says of skills that bind the user; known after the consent step.
    var offered: OfferedSkills?
    /// How far the message that this exchange passes on has come.
    var reach = Reach.unsent
    /// What the access log will say of this exchange.
    package let account = ExchangeAccount()

    package init(
        gateway: GatewayState, upstreams: any Upstreams, caller: Caller, agent: AgentSettings
    ) {
        self.gateway = gateway
        self.upstreams = upstreams
        self.caller = caller
        self.agent = agent
    }

    /// The answer to an operation: the value of `result`, or a stream of events.
    package enum Reply {
        case value([UInt8])
        case events(any ExchangeEvents)
    }

    /// Carries `operation` out.
    ///
    /// - Throws: The one refusal or error that applies first.
    package func run(_ operation: Operation) async throws(A2AError) -> Reply {
        account.method = operation.method
        do {
            return try await carryOut(operation)
        } catch {
            await remember(error)
            throw error
        }
    }

    private func carryOut(_ operation: Operation) async throws(A2AError) -> Reply {
        switch operation {
        case .sendMessage(let request):
            return try await send(request, streaming: false)
        case .sendStreamingMessage(let request):
            return try await send(request, streaming: true)
        case .getTask(let request):
            return .value(try await getTask(request))
        case .listTasks(let request):
            return .value(try await listTasks(request))
        case .cancelTask(let request):
            return .value(try await cancelTask(request))
        case .subscribeToTask(let request):
            return .events(try await subscribe(request))
        case .getExtendedAgentCard:
            throw A2AError(.unsupportedOperation, "This agent has no extended card")
        case .pushNotificationConfig:
            throw A2AError(.pushNotificationNotSupported)
        }
    }

    /// A message on its way through this hop.
    private func send(
        _ request: SendMessageRequest, streaming: Bool
    ) async throws(A2AError) -> Reply {
        let passage = try await admit(request, streaming: streaming)
        try await consent(passage)
        do throws(A2AError) {
            try await hold(passage)
        } catch {
            giveBack(passage)
            throw error
        }
        switch passage.duty {
        case .relay:
            return try await passOn(passage)
        case .conveyConfirmation(let confirmation):
            return try await convey(confirmation, passage)
        case .perform(let act):
            return try await perform(act, passage)
        }
    }

    /// Passes a message on; once more where the next hop takes no draw on the block that was drawn
    /// on, for then it did nothing.
    private func passOn(_ passage: Passage) async throws(A2AError) -> Reply {
        var attempts = 0
        while true {
            attempts += 1
            do {
                return try await relay(passage, try await forward(passage))
            } catch {
                var failure = error
                let mayDrawAgain = await retire(passage)
                if mayDrawAgain, attempts == 1 {
                    do throws(A2AError) {
                        if try await redraw(passage) { continue }
                    } catch {
                        failure = error.ofLinkBeyond
                    }
                }
                giveBack(passage)
                await release(passage)
                throw failure
            }
        }
    }
}

/// How far a message has come, for whoever has to know whether it may have had an effect.
enum Reach {
    /// The next hop has heard nothing.
    case unsent
    /// It answered.
    case answered
    /// It gave no answer of its own, or refused.
    case failed(UpstreamFailure)
}

/// The events of a streaming answer, in order. Used on one loop only.
package protocol ExchangeEvents: AnyObject {
    /// The next event; `nil` at the end.
    func next() async throws(A2AError) -> RenderedEvent?
    /// The caller does not listen any more.
    func cancel()
}

/// What is noted of an exchange for the access log: names, ids, amounts and durations, never text.
package final class ExchangeAccount {
    package var method = ""
    package var task: String?
    package var exchange: String?
    package var grant: String?
    package var refusal: String?
    /// The next hop, where the refusal is its own.
    package var refusedBy: String?
    /// Whether the refusal was written down already.
    var isRemembered = false
    package var held: String?
    package var posted: String?
    package var upstreamMilliseconds: Int64?

    package init() {}
}
