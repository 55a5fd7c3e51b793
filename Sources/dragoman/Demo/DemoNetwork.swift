// SPDX-License-Identifier: Apache-2.0
import A2A
import Bindings
import Bytes
import Crypto
import Gateway
import HTTP
import IO
import JSON
import Node
import TLS

/// The three gateways of the demo and the agents behind the last, on loopback.
final class DemoNetwork {
    let phone: DemoCompany
    let app: DemoCompany
    let inn: DemoCompany
    let rival: DemoCompany
    let agent = DemoAgent()
    private let agents: Workers
    /// The user's program, a client like any other: HTTP/1.1 on the phone maker's local listener.
    private let client: ControlClient
    private var messages = 0

    var companies: [DemoCompany] { [phone, app, inn] }

    /// Writes the papers of all companies into `folder` and starts them.
    init(in folder: String, _ shell: any Shell) async throws(Failure) {
        func company(
            _ letter: String, _ name: String, _ host: String
        ) throws(Failure) -> DemoCompany {
            guard let entity = EntityID("https://\(host)") else {
                throw .no("\(host) is no entity")
            }
            return try DemoCompany(letter, name, entity, in: folder, shell)
        }
        phone = try company("H", "Phone", "phone.example")
        app = try company("S", "Super-app", "app.example")
        inn = try company("V", "The Inn", "inn.example")
        rival = try company("X", "Rival", "rival.example")
        let ports = try await Self.freePorts(5)
        (phone.link, app.link, inn.link) = (ports[0], ports[1], ports[2])
        agents = try await Self.serve(agent, at: ports[3], inn.papers, shell)
        guard let local = SocketAddress(ports[4]) else { throw .no("\(ports[4]) is no address") }
        client = ControlClient(address: local, patience: 15)
        try DemoConfigurations.sign(
            .init(fee: "0.10", commission: 5_488, cap: "1.80"), caller: phone, callee: app, shell)
        try DemoConfigurations.sign(
            .init(fee: "0.20", commission: 50_000, cap: "15.00"), caller: app, callee: inn, shell)
        let texts = DemoConfigurations(phone: phone, app: app, inn: inn, rival: rival)
        try await inn.start(texts.sidecar(agents: ports[3]), shell)
        try await app.start(texts.orchestrator(), shell)
        try await phone.start(texts.entrance(local: ports[4]), shell)
    }

    func stop() async {
        for company in companies { await company.stop() }
        await agents.drain()
        agents.stop()
    }

    /// Addresses on which nobody listens now. They lie below the ports that the kernel hands out
    /// by itself, so that nobody else is given one meanwhile.
    private static func freePorts(_ count: Int) async throws(Failure) -> [String] {
        do {
            let loop = try EventLoop(name: "ports")
            try loop.start()
            defer {
                loop.stop()
                loop.join()
            }
            return try await Lane(loop).run { lane in
                var listeners: [Listener] = []
                defer { for listener in listeners { listener.close() } }
                var failure = Failure.no("every port that was tried is in use")
                for _ in 0..<count * 20 where listeners.count < count {
                    let port = UInt16.random(in: 20_000..<32_000)
                    guard let address = SocketAddress("127.0.0.1:\(port)") else { continue }
                    do {
                        listeners.append(try Listener(on: lane.loop, at: address))
                    } catch {
                        failure = .no("\(address): \(error)")
                    }
                }
                guard listeners.count == count else { throw failure }
                return listeners.map(\.address.description)
            }
        } catch {
            throw .no("no free port on 127.0.0.1: \(error)")
        }
    }

    private static func serve(
        _ agent: DemoAgent, at address: String, _ papers: CertificateFiles, _ shell: any Shell
    ) async throws(Failure) -> Workers {
        do {
            // Agents are reached in clear text; workers want an identity all the same.
            let identity = try TLSIdentity(
                certificates: papers.certificate.pem, key: papers.key.pem)
            let parts = WorkerParts(
                time: SystemTime(), random: shell.random,
                trust: try TrustMaterial(
                    identity: identity, peers: PeerTrust(), time: SystemTime()),
                routes: UpstreamRoutes(), lookup: { _, _ in [] })
            let workers = try Workers(1, parts)
            let listener = ListenerSettings(
                name: "agents", kind: .local, address: address, principals: [],
                anonymous: "gateway", servesConsent: false)
            _ = try await workers.listen(listener, agent)
            return workers
        } catch {
            throw .no("the agents cannot be served: \(error)")
        }
    }

    // MARK: The user's program

    /// Says something to an agent of the phone.
    ///
    /// - Returns: The task, or the error that the phone's gateway gave.
    func say(_ text: String, to agent: String) throws(Failure) -> Result<JSONDocument, A2AError> {
        messages += 1
        let params: JSONNode = [
            "message": [
                "messageId": .string("m\(messages)"), "role": "ROLE_USER",
                "parts": [["text": .string(text)]],
            ]
        ]
        return try call("SendMessage", params, at: agent)
    }

    /// The task as the phone's gateway tells it now.
    func task(_ id: String, at agent: String) throws(Failure) -> Result<JSONDocument, A2AError> {
        try call("GetTask", ["id": .string(id)], at: agent)
    }

    private func call(
        _ method: String, _ params: JSONNode, at agent: String
    ) throws(Failure) -> Result<JSONDocument, A2AError> {
        let response = try client.send(
            .init(
                method: .post, path: "/agents/\(agent)",
                fields: [.contentType: "application/json", .a2aVersion: "1.0"],
                body: JSONRPC.request(id: 1, method: method, params: params.bytes)))
        do throws(A2AError) {
            let value = try JSONRPC.result(response.body)
            guard let document = try? JSONDocument(parsing: Array(value.raw)) else {
                throw A2AError(.invalidAgentResponse)
            }
            return .success(document)
        } catch {
            return .failure(error)
        }
    }

    /// The user's open questions, as the phone shows them.
    func questions() throws(Failure) -> JSONDocument {
        try document(
            client.send(.init(path: "/consent/v1/asks", fields: [.accept: "application/json"])))
    }

    /// The user's telephone number, as the phone knows it.
    static let telephone = "+86 138 0013 8000"

    /// The user's word on a question, with what it releases.
    func decide(_ nonce: String, approves: Bool) throws(Failure) -> JSONDocument {
        var body: JSONNode = [
            "decision": approves ? "approve" : "deny", "amr": ["hwk", "pin"],
        ]
        if approves { body["data"] = ["phone.number": .string(Self.telephone)] }
        return try document(
            client.send(
                .init(
                    method: .post, path: "/consent/v1/asks/\(nonce)",
                    fields: [.contentType: "application/json"], body: body.bytes)))
    }

    private func document(_ response: ControlClient.Response) throws(Failure) -> JSONDocument {
        guard response.status == 200, let document = try? JSONDocument(parsing: response.body)
        else { throw .no("the phone answers \(response.status): \(response.text)") }
        return document
    }
}
