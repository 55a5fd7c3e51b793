// SPDX-License-Identifier: Apache-2.0
import A2A
import Gateway
import JSON
import Store
import TestSupport
import Testing

/// An end that comes too late, for the task went on meanwhile.
@Suite @MainActor struct EndRaceTests {
    /// A journal that lets something else happen before one write.
    private final class Meeting: Journal {
        let journal: SQLiteJournal
        @MainActor var beforeWrite: (@MainActor () async -> Void)?

        init(_ journal: SQLiteJournal) { self.journal = journal }

        func write<Value: Sendable>(
            _ body: @escaping @Sendable (any JournalTransaction) throws -> Value
        ) async throws -> Value {
            await meet()
            return try await journal.write(body)
        }

        func read<Value: Sendable>(
            _ body: @escaping @Sendable (any JournalTransaction) throws -> Value
        ) async throws -> Value {
            try await journal.read(body)
        }

        @MainActor private func meet() async { await beforeWrite.take()?() }
    }

    /// The executor is about to end a task on which nobody answered, when the user speaks again.
    /// The task ends later, as canceled, for which this tariff has a fee; the end that came to
    /// nothing has none, and counts for nothing.
    @Test func onlyTheEndThatIsWrittenHasAFee() async throws {
        let network = try Network { node in
            node["block"] = ["amt": "10.00", "max_s": 3600, "renew_ppm": 500_000]
            node["bill_on"] = [
                "completed": ["*"], "failed": [], "canceled": ["call"], "rejected": [],
            ]
        }
        network.phone.gateway.reload(network.phone.gateway.settings.withoutTemplates)
        let executor = network.executor
        let meeting = Meeting(executor.journal)
        executor.gateway = GatewayState(
            settings: executor.gateway.settings, journal: meeting, time: network.time,
            random: SeededRandom(seed: 5), contextKey: Array(repeating: 5, count: 32))
        try await network.open()
        let answer = try await network.say("A table")
        let id = try #require(answer["task"]?["id"]?.string)
        #expect(answer["task"]?["status"]?["state"]?.string == "TASK_STATE_AUTH_REQUIRED")
        await network.housekeeping()

        network.time.advance(seconds: 181)
        meeting.beforeWrite = { _ = try? await network.say("Still there?", task: id) }
        await Housekeeping(
            gateway: executor.gateway, upstreams: Wire(from: executor, network: network)
        ).round(forgetting: false)
        #expect(network.restaurant.heard.count == 2, "they did not meet")

        let params: JSONNode = ["id": .string(id)]
        let canceled = try await network.run(
            try Operation(
                method: "CancelTask", params: JSONDocument(parsing: params.bytes).root),
            as: Network.user, at: network.phone, agent: "dining")
        #expect(canceled["status"]?["state"]?.string == "TASK_STATE_CANCELED")
        network.time.advance(seconds: 3394)
        for _ in 0..<3 { await network.housekeeping() }
        #expect(try await network.app.balance(with: executor) == "0.20")
        #expect(try await executor.balance(with: network.app) == "0.20")
        #expect(try await network.phone.balance(with: network.app) == "0.10")
    }
}

extension GatewaySettings {
    /// The same, but nothing is granted.
    fileprivate var withoutTemplates: GatewaySettings {
        GatewaySettings(
            entity: entity, signingKey: signingKey, certificates: certificates, agents: agents,
            parties: parties, anchors: anchors, templates: [], limits: limits,
            confirmationKey: confirmationKey)
    }
}
