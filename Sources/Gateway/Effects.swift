// SPDX-License-Identifier: Apache-2.0
package import A2A
package import Bytes
package import Crypto
package import JSON

/// Why a call to the next hop gave no answer of the agent's own.
package enum UpstreamFailure: Error, Equatable, Sendable {
    /// The operator has suspended the peer: nothing was sent.
    case suspended
    /// No connection could be had: nothing was sent.
    case unreachable(String)
    /// It went away, or its time was up, after the request may have arrived.
    case lost(String)
    /// It answered with something that is not its protocol.
    case malformed(String)
    /// It answered with this HTTP status instead of an A2A answer.
    case status(Int, retryAfter: Int?)
    /// The agent's own error.
    case agent(A2AError)
}

extension UpstreamFailure: CustomStringConvertible {
    /// For the log: names, rules and numbers, nothing that an agent said.
    package var description: String {
        switch self {
        case .suspended: "the operator has suspended this peer"
        case .unreachable(let why): "unreachable: \(why)"
        case .lost(let why): "lost: \(why)"
        case .malformed(let rule): "malformed: \(rule)"
        case .status(let status, _): "HTTP status \(status)"
        case .agent(let error): "the agent's error \(error.code.jsonRPC) \(error.reason)"
        }
    }
}

/// The next hop of a call.
package enum Destination: Sendable, Hashable {
    /// An agent of this organisation, by its name.
    case local(agent: String)
    /// An agent behind a peer, by the name it has there.
    case peer(EntityID, agent: String)
}

/// One call to the next hop.
package struct UpstreamCall: Sendable {
    package let destination: Destination
    /// The A2A method.
    package let method: String
    /// Its parameters, one JSON object.
    package let params: [UInt8]
    /// The extensions to activate, in the form of the header.
    package let extensions: String?
    package let traceparent: String?
    /// Whom a local agent is told it acts for; peers prove it by certificate instead.
    package let onBehalfOf: String?
    /// The user for whom a peer is called (Spec §1.6).
    package let user: String?
    /// How long the answer may take.
    package let timeout: Duration

    package init(
        destination: Destination, method: String, params: [UInt8], extensions: String?,
        traceparent: String?, onBehalfOf: String?, user: String? = nil, timeout: Duration
    ) {
        self.destination = destination
        self.method = method
        self.params = params
        self.extensions = extensions
        self.traceparent = traceparent
        self.onBehalfOf = onBehalfOf
        self.user = user
        self.timeout = timeout
    }
}

/// The events of an agent's stream, in order. Used on one loop only.
package protocol UpstreamEvents: AnyObject {
    /// The next event; `nil` when the agent ended the stream.
    func next() async throws(UpstreamFailure) -> StreamEvent?
    /// Tells the agent that nobody listens any more.
    func cancel()
}

/// What a peer proved when its connection was made.
package struct PeerFacts: Sendable {
    package let entity: EntityID
    /// Its signing key; the key of its certificate unless the configuration pins another.
    package let key: VerifyingKey
    /// SHA-256 of its certificate, base64url (RFC 8705).
    package let thumbprint: String

    package init(entity: EntityID, key: VerifyingKey, thumbprint: String) {
        self.entity = entity
        self.key = key
        self.thumbprint = thumbprint
    }
}

/// The answer to a call outside A2A between two gateways.
package struct PeerAnswer: Sendable {
    package let status: Int
    package let body: JSONDocument?

    package init(status: Int, body: JSONDocument?) {
        self.status = status
        self.body = body
    }
}

/// The ways out of this gateway. Used on one loop only; the simulator has its own.
package protocol Upstreams: AnyObject {
    /// Calls a method whose answer is one value; returns the value of `result`.
    func call(_ call: UpstreamCall) async throws(UpstreamFailure) -> JSONValue
    /// Calls a method whose answer is a stream. An agent that answers with one value instead
    /// gives a stream of one event.
    func stream(_ call: UpstreamCall) async throws(UpstreamFailure) -> any UpstreamEvents
    /// What `peer` proved; connects if there is no connection.
    func facts(of peer: EntityID) async throws(UpstreamFailure) -> PeerFacts
    /// The agent card of `destination`, checked; cached as its headers allow.
    func card(of destination: Destination) async throws(UpstreamFailure) -> AgentCard
    /// Waits; the simulator's time passes too.
    func pause(_ duration: Duration) async
    /// Posts a JSON body to `path` at `peer`.
    func post(
        _ body: [UInt8], to path: String, at peer: EntityID
    ) async throws(UpstreamFailure) -> PeerAnswer
}
