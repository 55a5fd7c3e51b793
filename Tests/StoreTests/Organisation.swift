// SPDX-License-Identifier: Apache-2.0
import A2A
import Accounting
import Bytes
import Consent
import Crypto
import Discovery
import Gateway
import JSON
import Store
import TestSupport
import Testing

/// One company of the story with its real gateway code over a real database; only the wire between
/// the companies is a function call.
final class Organisation {
    let entity: EntityID
    let key: SigningKey
    let journal: SQLiteJournal
    let folder: TemporaryFolder
    var gateway: GatewayState
    let name: String

    init(
        _ name: String, folder: TemporaryFolder, settings: GatewaySettings, time: VirtualTime,
        jitter: SeededRandom? = nil
    ) throws {
        self.name = name
        self.folder = folder
        entity = settings.entity
        key = settings.signingKey
        let journal = try SQLiteJournal(path: "\(folder.path)/\(name).db")
        self.journal = journal
        gateway = GatewayState(
            settings: settings,
            journal: jitter.map { JitteredJournal(journal: journal, random: $0) } ?? journal,
            time: time,
            random: SeededRandom(seed: UInt64(name.utf8.reduce(7) { $0 &* 31 &+ Int($1) })),
            contextKey: Array(repeating: UInt8(name.utf8.first ?? 1), count: 32))
    }

    /// The process ends and begins again over the same journal.
    ///
    /// - Parameter isOrderly: Whether it had time to write down what was only in memory.
    func restart(isOrderly: Bool, at time: VirtualTime) async throws {
        if isOrderly { await gateway.closeBooks() }
        gateway = GatewayState(
            settings: gateway.settings, journal: journal, time: time,
            random: SeededRandom(seed: UInt64(time.now().milliseconds)),
            contextKey: Array(repeating: UInt8(name.utf8.first ?? 1), count: 32))
        try await gateway.openBooks()
    }

    var presenter: Presenter {
        Presenter(
            entity: entity, certificate: "certificate-of-\(name)", key: key.verifying.thumbprint)
    }

    /// The balances that are owed between this company and `peer`, in text: what the peer owes.
    func balance(with peer: Organisation) async throws -> String {
        let other = peer.entity
        let micros = try await journal.read { tx in
            try tx.statementBalance(
                other, .cny, before: Instant(seconds: 4_000_000_000))
        }
        return Money(micros: abs(micros), .cny).text
    }

    func findings() async throws -> [AuditFinding] {
        let entity = entity
        return try await journal.read { try Ledger($0, of: entity).audit() }
    }

    func pendingHolds() async throws -> Int {
        try await journal.read { tx in
            try tx.overdueHolds(before: Instant(seconds: 4_000_000_000), limit: 100).count
        }
    }
}

/// A folder that goes with its owner.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        path = try Files.temporaryFolder()
    }

    deinit { Files.remove(path) }
}

/// The wire: calls go straight to the exchange of the next gateway.
final class Wire: Upstreams {
    let from: Organisation
    let network: Network

    init(from: Organisation, network: Network) {
        self.from = from
        self.network = network
    }

    func call(_ call: UpstreamCall) async throws(UpstreamFailure) -> JSONValue {
        network.trace.append("\(from.name) \(call.method)")
        let call = from === network.app ? try network.tamper?(call) ?? call : call
        switch call.destination {
        case .local:
            return try network.restaurant.answer(call)
        case .peer(let entity, let agent):
            guard let peer = network[entity] else { throw .unreachable(entity.text) }
            let answer = try await network.serve(call, from: from, at: peer, agent: agent)
            if from === network.app, let failure = network.swallowed.take() { throw failure }
            return answer
        }
    }

    func stream(_ call: UpstreamCall) async throws(UpstreamFailure) -> any UpstreamEvents {
        if network.isStreaming { return try await network.stream(call, from: from) }
        var unary = call
        if call.method == "SendStreamingMessage" {
            unary = UpstreamCall(
                destination: call.destination, method: "SendMessage", params: call.params,
                extensions: call.extensions, traceparent: nil, onBehalfOf: nil, user: call.user,
                timeout: call.timeout)
        }
        return OneEvent(try await self.call(unary))
    }

    func facts(of peer: EntityID) async throws(UpstreamFailure) -> PeerFacts {
        guard let other = network[peer] else { throw .unreachable(peer.text) }
        return PeerFacts(
            entity: peer, key: other.key.verifying,
            thumbprint: "certificate-of-\(other.name)")
    }

    func card(of destination: Destination) async throws(UpstreamFailure) -> AgentCard {
        do {
            let offered = OfferedSkills(
                executor: network.executor.entity, skills: network.skills)
            var node: JSONNode = [
                "name": "Table for two",
                "supportedInterfaces": [
                    ["url": "https://v.example/agents/dining", "protocolBinding": "JSONRPC"]
                ],
                "capabilities": [
                    "extensions": [
                        [
                            "uri": .string(ExtensionURI.consent.rawValue),
                            "params": offered.node,
                        ]
                    ]
                ],
            ]
            if !network.isBinding { node["capabilities"] = [:] }
            return try AgentCard(JSONDocument(parsing: node.bytes).root)
        } catch {
            throw .malformed("card")
        }
    }

    func pause(_ duration: Duration) async {}

    func post(
        _ body: [UInt8], to path: String, at peer: EntityID
    ) async throws(UpstreamFailure) -> PeerAnswer {
        network.trace.append("\(from.name) POST \(path.split(separator: "/").last ?? "")")
        guard let other = network[peer], let resource = PeerDesk.Resource(path: path) else {
            throw .unreachable(peer.text)
        }
        let desk = PeerDesk(gateway: other.gateway, peer: from.presenter)
        do {
            let answer = try await desk.respond(to: resource, body: body)
            return PeerAnswer(status: 200, body: try? JSONDocument(parsing: answer))
        } catch {
            return PeerAnswer(status: error.code.httpStatus, body: nil)
        }
    }
}

final class OneEvent: UpstreamEvents {
    private var value: JSONValue?
    init(_ value: JSONValue) { self.value = value }
    func next() async throws(UpstreamFailure) -> StreamEvent? {
        guard let taken = value.take() else { return nil }
        do { return try StreamEvent(wrapped: taken) } catch { throw .agent(error) }
    }
    func cancel() {}
}

/// A journal whose callers lose their turn a random number of times around every transaction, so
/// that two exchanges meet in many ways.
struct JitteredJournal: Journal {
    let journal: SQLiteJournal
    let random: SeededRandom

    func write<Value: Sendable>(
        _ body: @escaping @Sendable (any JournalTransaction) throws -> Value
    ) async throws -> Value {
        await pause()
        let value = try await journal.write(body)
        await pause()
        return value
    }

    func read<Value: Sendable>(
        _ body: @escaping @Sendable (any JournalTransaction) throws -> Value
    ) async throws -> Value {
        await pause()
        let value = try await journal.read(body)
        await pause()
        return value
    }

    private func pause() async {
        for _ in 0..<(random.next() % 24) { await Task.yield() }
    }
}
