// SPDX-License-Identifier: Apache-2.0
import A2A
import Accounting
import Bytes
import Consent
import Crypto
import Gateway
import HTTP
import JSON
import Store
import Synchronization
import TestSupport
import Testing

@testable import Node

/// A gateway with one peer and a journal on disk, and the services by which people watch it.
final class Watched {
    let time = VirtualTime()
    let own: EntityID
    let peer: EntityID
    let gateway: GatewayState
    let node: NodeState
    let journal: WatchedJournal
    let disk: FragileJournal
    let control = RecordingControl()
    let lines = RecordingSink()
    private let store: SQLiteJournal
    private let folder: String

    init() throws {
        folder = try Files.temporaryFolder()
        own = try #require(EntityID("https://s.example"))
        peer = try #require(EntityID("https://h.example"))
        store = try SQLiteJournal(path: folder + "/journal.db")
        disk = FragileJournal(store)
        journal = WatchedJournal(disk, time: time)
        let party = Party(
            entity: peer, name: "Phones & Co", trust: TrustAnchors(certificates: []),
            key: SigningKey.generate(.p256).verifying,
            tariffs: try Self.tariff(caller: peer, callee: own, time), isPeer: true)
        let settings = GatewaySettings(
            entity: own, signingKey: .generate(.p256), certificates: [], agents: [:],
            parties: [peer: party], anchors: AnchorSet([]), templates: [],
            limits: ExchangeLimits(), confirmationKey: nil)
        gateway = GatewayState(
            settings: settings, journal: journal, time: time, random: SeededRandom(seed: 1),
            contextKey: Array(repeating: 7, count: 32))
        node = NodeState(name: "Super App", version: "1.2.3", started: time.now())
    }

    deinit {
        store.close()
        Files.remove(folder)
    }

    var log: AccessLog {
        AccessLog(sink: lines, time: time, entity: own, counters: RequestCounters())
    }

    var observe: ObserveService {
        ObserveService(gateway: gateway, node: node, journal: journal, sources: [OneSource()])
    }

    var service: ControlService {
        ControlService(
            gateway: gateway, node: node, observe: observe, control: control, log: log)
    }

    /// One request to a service, as a connection would make it.
    func ask(
        _ service: any Service, _ method: HTTPMethod, _ path: String,
        authority: String = "localhost", fields: HTTPFields = [:], from peer: Presenter? = nil
    ) async throws -> (status: Int, text: String, fields: HTTPFields) {
        let head = try HTTPRequestHead(
            method: method, scheme: .http, authority: authority, path: path, fields: fields)
        let listener = ListenerSettings.control(path: "/tmp/control.sock")
        let response: ServiceResponse
        if let refused = service.refusal(of: head, at: listener, from: peer) {
            response = refused
        } else {
            response = await service.respond(
                to: ServiceRequest(
                    head: head, body: [], listener: listener, peer: peer,
                    httpVersion: "http/1.1"), through: NoWayOut())
        }
        guard case .bytes(let body) = response.body else {
            Issue.record("an answer of the operator's services is whole")
            return (response.status, "", response.fields)
        }
        return (response.status, String(decoding: body, as: UTF8.self), response.fields)
    }

    /// The JSON of an answer with status 200.
    func json(_ path: String) async throws -> JSONValue {
        let answer = try await ask(service, .get, path)
        #expect(answer.status == 200, "\(answer.text)")
        return try JSONDocument(parsing: answer.text).root
    }

    private static func tariff(
        caller: EntityID, callee: EntityID, _ time: VirtualTime
    ) throws -> TariffVersions {
        let agreement = OperationID(at: time.now(), random: SeededRandom(seed: 42))
        let node: JSONNode = [
            "v": "tariff/1", "agr": .string(agreement.text), "ver": 1, "ccy": "CNY",
            "edge": ["up": .string(caller.text), "down": .string(callee.text)],
            "from": "2026-01-01T00:00:00Z",
            "charges": [["id": "call", "basis": "call", "fixed": "0.10"]],
            "commissions": [
                [
                    "id": "take", "basis": "tx.net", "ppm": 5488, "cap": "1.80",
                    "floor": "0.00", "scope": "tx", "quantum": "minor", "round": "half-up",
                ]
            ],
            "bill_on": ["completed": ["*"], "failed": [], "canceled": [], "rejected": []],
            "hold": ["max_s": 1800, "delta_s": 30, "skew_s": 5],
            "credit": ["up_owes": "50000.00", "down_owes": "50000.00", "warn_ppm": 800_000],
            "settle": ["period": "P1M", "tz": "+08:00", "min": "0.01", "due_d": 15],
            "dispute_d": 30,
        ]
        let name = try #require(HashName(Base64URL.encode(Digest.sha256(node.bytes))))
        return try TariffVersions([
            PinnedTariff(name: name, tariff: Tariff(JSONDocument(parsing: node.bytes).root))
        ])
    }
}

/// A journal whose disk can be broken and mended.
final class FragileJournal: Journal {
    private let inner: any Journal
    private let broken = Mutex<StorageFault?>(nil)

    init(_ inner: any Journal) { self.inner = inner }

    var fault: StorageFault? {
        get { broken.withLock { $0 } }
        set { broken.withLock { $0 = newValue } }
    }

    func write<Value: Sendable>(
        _ body: @escaping @Sendable (any JournalTransaction) throws -> Value
    ) async throws -> Value {
        if let fault { throw fault }
        return try await inner.write(body)
    }

    func read<Value: Sendable>(
        _ body: @escaping @Sendable (any JournalTransaction) throws -> Value
    ) async throws -> Value {
        try await inner.read(body)
    }
}

/// Notes what it was told, and answers a reload with the faults that a test gave it.
final class RecordingControl: NodeControl {
    private let state = Mutex<(faults: [String], reloads: Int, drains: Int)>(([], 0, 0))

    var faults: [String] {
        get { state.withLock { $0.faults } }
        set { state.withLock { $0.faults = newValue } }
    }
    var reloads: Int { state.withLock { $0.reloads } }
    var drains: Int { state.withLock { $0.drains } }

    func reload() async -> [String] {
        state.withLock { state in
            state.reloads += 1
            return state.faults
        }
    }

    func drain() async { state.withLock { $0.drains += 1 } }
}

final class RecordingSink: LogSink {
    private let lines = Mutex<[String]>([])
    var all: [String] { lines.withLock { $0 } }
    func write(_ line: [UInt8]) {
        lines.withLock { $0.append(String(decoding: line, as: UTF8.self)) }
    }
}

struct OneSource: MetricSource {
    var exposition: String { "# TYPE test_total counter\ntest_total 7\n" }
}

/// Ways out for services that have none.
final class NoWayOut: Upstreams {
    func call(_ call: UpstreamCall) async throws(UpstreamFailure) -> JSONValue {
        throw .unreachable("nowhere")
    }
    func stream(_ call: UpstreamCall) async throws(UpstreamFailure) -> any UpstreamEvents {
        throw .unreachable("nowhere")
    }
    func facts(of peer: EntityID) async throws(UpstreamFailure) -> PeerFacts {
        throw .unreachable("nowhere")
    }
    func card(of destination: Destination) async throws(UpstreamFailure) -> AgentCard {
        throw .unreachable("nowhere")
    }
    func pause(_ duration: Duration) async {}
    func post(
        _ body: [UInt8], to path: String, at peer: EntityID
    ) async throws(UpstreamFailure) -> PeerAnswer {
        throw .unreachable("nowhere")
    }
}
