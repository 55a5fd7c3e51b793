// SPDX-License-Identifier: Apache-2.0
import A2A
import Accounting
import Bytes
import Consent
import JSON

extension Exchange {
    /// What the next hop said: one event, or a stream of them.
    enum Answer {
        case event(StreamEvent)
        case events(any UpstreamEvents)
    }

    /// Sends the message on, with the next hop's ids and what this hop has to say to it.
    func forward(_ passage: Passage) async throws(A2AError) -> Answer {
        var inMessage = MetadataEdit.strip
        var inRequest = MetadataEdit.strip
        if let consent = passage.consentOut {
            inMessage.put.append((.consent, consent.node.bytes))
        }
        var books = passage.booksOut
        if books == nil, nextPeer != nil {
            // Every hop logs and books under the name that the entrance gave the user's request.
            books = AccountingMetadata()
            books?.exchange = passage.exchange
        }
        if let books {
            inRequest.put.append((.accounting, books.node.bytes))
        }
        let params = passage.request.rewritten(
            taskID: passage.upstreamTaskID, contextID: passage.upstreamContextID,
            referenceTaskIDs: passage.referenceTaskIDs, messageMetadata: inMessage,
            requestMetadata: inRequest)
        // A decision or an act has one answer, and whether it came must be known.
        var streaming = passage.streaming
        if case .relay = passage.duty {} else { streaming = false }
        let call = upstreamCall(
            streaming ? "SendStreamingMessage" : "SendMessage", params, for: passage.user)
        return try await answer(to: call, streaming: streaming)
    }

    /// Makes the call and reads its first answer.
    func answer(to call: UpstreamCall, streaming: Bool) async throws(A2AError) -> Answer {
        let began = gateway.time.monotonic()
        defer { account.upstreamMilliseconds = gateway.time.monotonic().milliseconds(since: began) }
        do throws(UpstreamFailure) {
            if streaming {
                let events = try await upstreams.stream(call)
                reach = .answered
                return .events(events)
            }
            let result = try await upstreams.call(call)
            reach = .answered
            do throws(A2AError) {
                return .event(try StreamEvent(wrapped: result))
            } catch {
                // It answered, so it may have done what it was asked for.
                throw UpstreamFailure.malformed(error.message)
            }
        } catch {
            reach = .failed(error)
            guard case .agent(let refusal) = error else { throw A2AError(error) }
            account.refusedBy = route
            throw refusal.ofLinkBeyond
        }
    }

    /// A call about a task to the agent of this exchange; the parameters are the task's id there.
    func upstreamCall(_ method: String, about task: TaskRecord) -> UpstreamCall {
        let params: JSONNode = ["id": .string(task.upstreamTaskID)]
        return upstreamCall(method, params.bytes, for: task.user)
    }

    /// A call to the agent of this exchange.
    ///
    /// - Parameter user: Whom it speaks for; a peer is told.
    func upstreamCall(_ method: String, _ params: [UInt8], for user: String?) -> UpstreamCall {
        let isPeer: Bool
        if case .peer = agent.destination { isPeer = true } else { isPeer = false }
        return UpstreamCall(
            destination: agent.destination, method: method, params: params,
            extensions: isPeer ? ExtensionURI.betweenGateways : nil,
            traceparent: caller.traceparent, onBehalfOf: caller.entity?.text,
            user: isPeer ? user : nil,
            timeout: .seconds(gateway.settings.limits.callSeconds))
    }
}

extension A2AError {
    /// What a caller is told when the next hop gave no answer of its own.
    init(_ failure: UpstreamFailure) {
        switch failure {
        case .suspended:
            self.init(
                .notAuthorized, "The company behind this agent is suspended at this gateway")
        case .unreachable:
            self.init(
                .retryLater, "The agent cannot be reached", retryAfter: A2AError.retrySeconds)
        case .lost:
            self.init(
                .internalError, "The connection to the agent was lost before it answered")
        case .malformed(let rule):
            self.init(.invalidAgentResponse, "The agent's answer is not valid: \(rule)")
        case .status(let status, let retryAfter):
            switch status {
            case 429, 503:
                self.init(
                    .retryLater, "The agent is busy",
                    retryAfter: retryAfter ?? A2AError.retrySeconds)
            case 401, 403:
                self.init(.notAuthorized, "The agent refused this gateway")
            case 404:
                self.init(.invalidAgentResponse, "The agent is not where it should be")
            default:
                self.init(.invalidAgentResponse, "The agent answered with HTTP status \(status)")
            }
        case .agent(let error):
            self = error
        }
    }

    /// In the metadata of a refusal by the books of a link further on: it says nothing of the
    /// caller's own.
    static let beyond = "beyond"

    /// The same, said to a caller for whom the link that refused is a further one.
    var ofLinkBeyond: A2AError {
        guard domain == AccountingExtension.uri else { return self }
        var refusal = self
        refusal.metadata[Self.beyond] = "true"
        return refusal
    }

    /// Seconds to wait when the next hop does not say; long enough for a restart.
    static let retrySeconds = 2
}
