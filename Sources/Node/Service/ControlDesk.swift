// SPDX-License-Identifier: Apache-2.0
import A2A
import Accounting
import Bytes
import Consent
import Crypto
import Gateway
import HTTP
import JSON

/// Carries out what the control socket is asked for.
struct ControlDesk: Sendable {
    let gateway: GatewayState
    let node: NodeState
    let observe: ObserveService
    let control: any NodeControl

    func respond(to resource: ControlResource) async throws(A2AError) -> ServiceResponse {
        switch resource {
        case .status: return .json(try await status().bytes)
        case .explain(let id, let asText): return try await explain(id, asText: asText)
        case .accounts: return .json(try await accounts().bytes)
        case .statement(let query): return try await statement(query)
        case .audit: return .json(try await audit().bytes)
        case .tasks(let search): return .json(try await tasks(search).bytes)
        case .reload: return await reload()
        case .drain:
            await control.drain()
            return Self.done(status: 202, ["draining": true])
        case .suspend(let peer):
            try await stand(peer, suspended: true)
            return Self.done(status: 200, ["peer": .string(peer.text), "suspended": true])
        case .resume(let peer):
            try await stand(peer, suspended: false)
            return Self.done(status: 200, ["peer": .string(peer.text), "suspended": false])
        }
    }

    private static func done(status: Int, _ node: JSONNode) -> ServiceResponse {
        .json(node.bytes, status: status)
    }

    // MARK: Doing

    private func reload() async -> ServiceResponse {
        let faults = await control.reload()
        let node: JSONNode = [
            "reloaded": .bool(faults.isEmpty), "faults": .array(faults.map { .string($0) }),
        ]
        return .json(node.bytes, status: faults.isEmpty ? 200 : 422)
    }

    private func stand(_ peer: EntityID, suspended: Bool) async throws(A2AError) {
        guard gateway.settings.parties[peer]?.isPeer ?? false else {
            throw A2AError(.invalidParams, "\(peer.text) is not a peer of this gateway")
        }
        if suspended {
            try await gateway.suspend(peer)
        } else {
            try await gateway.resume(peer)
        }
    }

    // MARK: Status

    private func status() async throws(A2AError) -> JSONNode {
        let now = gateway.time.now()
        let settings = gateway.settings
        let obstacle = await observe.obstacle()
        let backlog = try await read { try $0.backlog() }
        var status: JSONNode = [
            "entity": .string(settings.entity.text), "name": .string(node.name),
            "version": .string(node.version), "phase": .string(node.phase.rawValue),
            "ready": .bool(obstacle == nil), "started": .string(node.started.rfc3339),
            "now": .string(now.rfc3339),
        ]
        status["obstacle"] = obstacle.map { .string($0) }
        status["listeners"] = .array(
            node.places.map { place in
                [
                    "name": .string(place.name), "kind": .string(place.kind),
                    "address": .string(place.address),
                ]
            })
        status["agents"] = .array(settings.agents.keys.sorted().map { .string($0) })
        status["peers"] = .array(try await peers(settings, now))
        status["backlog"] = [
            "outbox": .int(backlog.outbox), "pending_holds": .int(backlog.pendingHolds),
            "open_asks": .int(backlog.openAsks), "journal_waiting": .int(observe.journal.waiting),
        ]
        if let since = backlog.outboxSince {
            status["backlog"]?["outbox_since"] = .string(since.rfc3339)
        }
        if let end = settings.certificateEnd {
            status["certificate_ends"] = .string(end.rfc3339)
        }
        status["files"] = files()
        return status
    }

    /// The files of keys and certificates.
    private func files() -> JSONNode {
        var files: JSONNode = [
            "watched": .int(node.keyFiles.watched),
            "refused": .array(
                node.keyFiles.refused.map { refused in
                    [
                        "member": .string(refused.file.member),
                        "path": .string(refused.file.path),
                        "reason": .string(refused.file.reason),
                        "since": .string(refused.since.rfc3339),
                    ]
                }),
        ]
        files["taken"] = node.keyFiles.swapped.map { .string($0.rfc3339) }
        return files
    }

    private func peers(
        _ settings: GatewaySettings, _ now: Instant
    ) async throws(A2AError) -> [JSONNode] {
        let peers = settings.parties.values.filter(\.isPeer).sorted { $0.entity < $1.entity }
        let suspended = gateway.standing.all
        var nodes: [JSONNode] = []
        for peer in peers {
            var node: JSONNode = [
                "entity": .string(peer.entity.text), "name": .string(peer.name),
                "suspended": .bool(suspended[peer.entity] != nil),
            ]
            node["suspended_since"] = suspended[peer.entity].map { .string($0.rfc3339) }
            if let tariff = peer.tariffs?.inForce(at: now)?.tariff {
                let entity = peer.entity
                let micros = try await read {
                    try $0.statementBalance(
                        entity, tariff.currency, before: Instant(milliseconds: .max))
                }
                node["tariff"] = .string("\(tariff.agreement.text) version \(tariff.version)")
                node["owes_us"] = .string(Money(micros: micros, tariff.currency).description)
            }
            nodes.append(node)
        }
        return nodes
    }

    // MARK: Reading

    func read<Value: Sendable>(
        _ body: @escaping @Sendable (any JournalTransaction) throws -> Value
    ) async throws(A2AError) -> Value {
        do {
            return try await gateway.journal.read(body)
        } catch {
            throw A2AError(.retryLater, "The journal cannot be read now")
        }
    }

    private func explain(
        _ id: String, asText: Bool
    ) async throws(A2AError) -> ServiceResponse {
        guard let explanation = try await Explanation.of(id, at: gateway) else {
            throw A2AError(.taskNotFound, "This gateway knows no task and no exchange of this id")
        }
        if asText {
            return ServiceResponse(
                status: 200, fields: [.contentType: "text/plain; charset=utf-8"],
                body: .bytes(Array(explanation.text.utf8)))
        }
        return .json(explanation.node.bytes)
    }

    private func tasks(_ search: TaskSearch) async throws(A2AError) -> JSONNode {
        let page = try await read { try $0.tasks(search) }
        var node: JSONNode = [
            "tasks": .array(
                page.tasks.map { task in
                    [
                        "id": .string(task.id), "agent": .string(task.agent),
                        "state": .string(task.state.rawValue),
                        "party": .string(task.owner.party), "route": .string(task.route),
                        "exchange": .string(task.exchange),
                        "created": .string(task.created.rfc3339),
                        "updated": .string(task.updated.rfc3339),
                    ]
                })
        ]
        node["next"] = page.next.map { .string($0) }
        return node
    }
}
