// SPDX-License-Identifier: Apache-2.0
import A2A
import Bytes
import Gateway
import JSON
import Store
import TestSupport
import Testing

/// A cancel and a yes for one booking, under way at the same time: one comes first, and everybody
/// says the same of it (Spec §2.3). `DRAGOMAN_RACES=500` has them meet more often; the seed of a
/// race that fails is named.
@Suite @MainActor struct CancelRaceTests {
    private static let races =
        Files.environment("DRAGOMAN_RACES").flatMap { Int($0) }.map { max(1, $0) } ?? 40

    /// Who cancels: the user, or the super-app in the user's name.
    enum Canceler: CaseIterable { case user, app }

    private struct Race {
        let network: Network
        let random: SeededRandom
        /// The task's id at the phone, at the super-app and at the executor.
        var ids: [String] = []
        var user: String?

        init(seed: UInt64) async throws {
            random = SeededRandom(seed: seed)
            network = try Network(jitter: random)
            try await network.open()
            let asked = try await network.say("A table")
            var id = try #require(asked["task"]?["id"]?.string)
            for company in [network.phone, network.app, network.executor] {
                ids.append(id)
                let task = try await company.journal.read { [id] in try $0.task(id: id) }
                user = task?.owner.user
                id = try #require(task?.upstreamTaskID)
            }
        }

        /// Waits for `milliseconds`, and for a moment more that is another one in each race.
        func pause(_ milliseconds: Int) async {
            if milliseconds > 0 { try? await Task.sleep(for: .milliseconds(milliseconds)) }
            for _ in 0..<(random.next() % 300) { await Task.yield() }
        }

        func cancel(_ canceler: Canceler, after milliseconds: Int) async -> A2AError? {
            await pause(milliseconds)
            let (caller, place, index): (Caller, Organisation, Int) =
                switch canceler {
                case .user: (Network.user, network.phone, 0)
                case .app:
                    (
                        Caller(
                            party: .peer(network.app.presenter),
                            extensions: Set(ExtensionURI.allCases.map(\.rawValue)), user: user),
                        network.executor, 2
                    )
                }
            return await refusal {
                let params: JSONNode = ["id": .string(ids[index])]
                let operation = try Operation(
                    method: "CancelTask", params: JSONDocument(parsing: params.bytes).root)
                let task = try await network.run(
                    operation, as: caller, at: place, agent: "dining")
                #expect(task["status"]?["state"]?.string == "TASK_STATE_CANCELED")
            }
        }

        func approve(_ nonce: String, after milliseconds: Int) async -> A2AError? {
            await pause(milliseconds)
            return await refusal { _ = try await network.decide(nonce, approves: true) }
        }

        private func refusal(_ body: () async throws -> Void) async -> A2AError? {
            do {
                try await body()
                return nil
            } catch let error as A2AError {
                return error
            } catch {
                Issue.record("\(error)")
                return nil
            }
        }

        func states() async throws -> [TaskState?] {
            var states: [TaskState?] = []
            for (id, company) in zip(ids, [network.phone, network.app, network.executor]) {
                states.append(try await company.journal.read { try $0.task(id: id)?.state })
            }
            return states
        }
    }

    @Test(arguments: Canceler.allCases)
    func oneComesFirst(_ canceler: Canceler) async throws {
        var wins = (cancel: 0, act: 0)
        // By how many milliseconds the yes is ahead. Whoever loses a race is let go earlier in the
        // next, so that the two meet on any machine, however busy. The yes has two gateways to go
        // through before it comes to the executor.
        var headStart = canceler == .app ? 60 : 0
        let step = 8
        let first = Files.environment("DRAGOMAN_SEED").flatMap { UInt64($0) } ?? 1
        for seed in first..<first + UInt64(Self.races) {
            let race = try await Race(seed: seed)
            let ask = try #require(try await race.network.asks().first)
            let nonce = try #require(ask["nonce"]?.string)
            let ahead = headStart
            let yes = Task { await race.approve(nonce, after: -ahead) }
            let no = Task { await race.cancel(canceler, after: ahead) }
            let (refusedYes, refusedNo) = (await yes.value, await no.value)
            for _ in 0..<8 {
                race.network.time.advance(seconds: 9)
                await race.network.housekeeping()
            }
            let states = try await race.states()
            let network = race.network
            let hasActed = network.restaurant.commits > 0
            let place = Comment(
                rawValue:
                    "SEED=\(seed) \(canceler): \(states) \(String(describing: refusedYes)) "
                    + "\(String(describing: refusedNo))")
            if hasActed {
                wins.act += 1
                headStart -= step
                #expect(states == [.completed, .completed, .completed], place)
                #expect(refusedYes == nil, place)
                #expect(refusedNo?.code == .taskNotCancelable, place)
                #expect(network.restaurant.canceled.isEmpty, place)
                #expect(try await network.app.balance(with: network.executor) == "14.80", place)
            } else {
                wins.cancel += 1
                headStart += step
                #expect(refusedNo == nil, place)
                #expect(refusedYes != nil, place)
                #expect(states.last == .canceled, place)
                #expect(states.allSatisfy { $0?.isTerminal ?? false && $0 != .completed }, place)
                #expect(network.restaurant.canceled.count == 1, place)
                #expect(try await network.app.balance(with: network.executor) == "0.00", place)
            }
            for company in [network.phone, network.app, network.executor] {
                #expect(try await company.pendingHolds() == 0, place)
                #expect(try await company.findings().isEmpty, place)
            }
        }
        #expect(wins.cancel > 0 && wins.act > 0, "they never met: \(wins)")
    }
}
