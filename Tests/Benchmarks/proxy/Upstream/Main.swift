// SPDX-License-Identifier: Apache-2.0
import Bytes
import Consent
import Gateway
import Glibc
import HTTP
import IO
import Node
import Synchronization
import TLS

/// The agent's side of the proxy benchmark: a peer over mutual TLS whose answers cost it little.
///
/// Argument: a gateway's configuration; its identity, entities and listeners are used, and its
/// agents' names are those below.
@main enum Upstream {
    private struct Fault: Error {
        let reason: String
    }

    static func main() async throws {
        guard CommandLine.arguments.count == 2 else { throw Fault(reason: "which configuration?") }
        let path = CommandLine.arguments[1]
        let time = SystemTime()
        let text = try LocalFile.read(path)
        let assembly = try Assembly(parsing: text, from: path, now: time.now())
        let identity = try TLSIdentity(
            certificates: assembly.identity.certificates, key: assembly.identity.key)
        let trust = try TrustMaterial(
            identity: identity, peers: PeerTrust(entities: assembly.links), time: time)
        let parts = WorkerParts(
            time: time, random: NoRandom(), trust: trust, routes: UpstreamRoutes(),
            lookup: { _, _ in [] })
        let workers = try Workers(1, parts)
        let service = Agents(entity: assembly.configuration.entity)
        for listener in assembly.configuration.listeners {
            _ = try await workers.listen(listener, service)
        }
        print("listening")
        fflush(nil)
        while true { _ = pause() }
    }
}

/// Nothing here needs chance.
private struct NoRandom: RandomBytes {
    func bytes(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count) }
}

/// `/agents/message` answers with a message, `/agents/task` with a task that is new and ended.
private final class Agents: Service {
    private let entity: EntityID
    private let tasks = Atomic<UInt64>(0)

    init(entity: EntityID) { self.entity = entity }

    func refusal(
        of head: HTTPRequestHead, at listener: ListenerSettings, from peer: Presenter?
    ) -> ServiceResponse? {
        peer == nil ? ServiceResponse(status: 401) : nil
    }

    func respond(
        to request: ServiceRequest, through upstreams: any Upstreams
    ) async -> ServiceResponse {
        switch request.head.path {
        case "/agents/message": json(Self.message)
        case "/agents/task": json(task())
        case let path where path.hasSuffix("/.well-known/agent-card.json"):
            json(card(path.dropLast("/.well-known/agent-card.json".count)))
        default: ServiceResponse(status: 404)
        }
    }

    private func json(_ text: String) -> ServiceResponse {
        ServiceResponse(
            status: 200, fields: [.contentType: "application/json"], body: .bytes(Array(text.utf8)))
    }

    private func card(_ path: Substring) -> String {
        """
        {"name":"Agent","description":"Answers.","version":"1","supportedInterfaces":[{"url":\
        "\(entity.text)\(path)","protocolBinding":"JSONRPC","protocolVersion":"1.0"}],\
        "capabilities":{},"defaultInputModes":["text/plain"],"defaultOutputModes":["text/plain"],\
        "skills":[]}
        """
    }

    private static let text = "A table for two is free at half past seven, by the window."

    private static let message = """
        {"jsonrpc":"2.0","id":1,"result":{"message":{"messageId":"0192f2c4-7a10-7c3e-9d55-\
        3f2b8c1e4a77","role":"ROLE_AGENT","parts":[{"text":"\(text)"}]}}}
        """

    private func task() -> String {
        let number = tasks.add(1, ordering: .relaxed).newValue
        return """
            {"jsonrpc":"2.0","id":1,"result":{"task":{"id":"task-\(number)","contextId":\
            "context-\(number)","status":{"state":"TASK_STATE_COMPLETED","timestamp":\
            "2026-11-21T10:00:00Z"},"artifacts":[{"artifactId":"a1","parts":[{"text":\
            "\(Self.text)"}]}]}}}
            """
    }
}
