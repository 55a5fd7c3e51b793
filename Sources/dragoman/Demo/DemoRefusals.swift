// SPDX-License-Identifier: Apache-2.0
import A2A
import Accounting
import Bytes
import Consent
import Crypto
import Gateway
import JSON
import Node
import TLS

/// Four frauds, tried for real, each against the inn's gateway or the user's own: what must not
/// happen, and the code with which it does not.
final class DemoRefusals {
    private let network: DemoNetwork
    private let shell: any Shell
    private let story: DemoStory

    init(_ network: DemoNetwork, _ shell: any Shell, _ story: DemoStory) {
        self.network = network
        self.shell = shell
        self.story = story
    }

    func run() async throws(Failure) {
        shell.say("6  What is refused (the super-app S turns against its user, and so does X):")
        let exchange = story.exchange
        let records = try await network.app.read { try $0.tasks(exchange: exchange) }
        guard let undertaking = records.first?.undertaking, let ask = undertaking.ask,
            let confirmation = undertaking.confirmationToken
        else { throw .no("S has no record of the booking") }
        let orders = network.agent.orderCount
        let before = try await owed()

        let turned = try DemoThief(network.app, towards: network.inn, shell)
        let stranger = try DemoThief(network.rival, towards: network.inn, shell)
        do {
            try await changedPrice(turned, undertaking, confirmation)
            try await usedTwice(turned, undertaking, ask, confirmation)
            try await anothersGrant(stranger, undertaking)
        } catch {
            turned.stop()
            stranger.stop()
            throw error
        }
        turned.stop()
        stranger.stop()
        try await publishing()
        try await story.settle()

        let agent = network.agent
        try story.claim(agent.orderCount == orders, "no refusal booked anything")
        try story.claim(agent.publishedCount == 0, "nothing was published")
        let after = try await owed()
        try story.claim(before == after, "no refusal moved money")
        shell.say("   One table is booked, nothing is listed, nobody owes more than before.")
        shell.say("")
    }

    private func owed() async throws(Failure) -> [Money] {
        [
            try await network.phone.owed(by: network.app),
            try await network.app.owed(by: network.inn),
        ]
    }

    /// The inn asks more than the user confirmed, and S presents the old confirmation for it.
    private func changedPrice(
        _ thief: DemoThief, _ undertaking: Undertaking, _ confirmation: String
    ) async throws(Failure) {
        network.agent.setPrice("338.00")
        let offer = try await thief.wish(undertaking.chain)
        network.agent.setPrice("328.00")
        let act = try thief.act(
            undertaking, offer, terms: offer.ask.terms, confirmation, from: network.phone)
        try expect(
            await thief.send(act), .confirmInvalid,
            "the price rose to CNY 338.00 after the user confirmed 328.00")
        try await thief.cancel(offer)
    }

    /// S orders once more with the confirmation that was used already.
    private func usedTwice(
        _ thief: DemoThief, _ undertaking: Undertaking, _ ask: Ask, _ confirmation: String
    ) async throws(Failure) {
        let offer = try await thief.wish(undertaking.chain)
        let act = try thief.act(
            undertaking, offer, terms: ask.terms, confirmation, from: network.phone)
        try expect(
            await thief.send(act), .replay, "the same confirmation is used for a second table")
        try await thief.cancel(offer)
    }

    /// A company that has nothing to do with the user presents the grant of S.
    private func anothersGrant(
        _ thief: DemoThief, _ undertaking: Undertaking
    ) async throws(Failure) {
        try expect(
            await thief.send(thief.wishParameters(undertaking.chain)), .holder,
            "X presents a grant that S holds")
    }

    /// The user asks what a vase is worth; the agent would put it up for sale.
    private func publishing() async throws(Failure) {
        let answer = try network.say("What is this vase worth?", to: "antiques")
        var error: A2AError?
        if case .failure(let refused) = answer { error = refused }
        try expect(error, .action, "a question about a vase becomes a listing for sale")
    }

    private func expect(
        _ error: A2AError?, _ expected: ConsentError, _ words: String
    ) throws(Failure) {
        try story.claim(
            error?.reason == expected.rawValue,
            "\(words): \(error?.reason ?? "it was done"), not \(expected.rawValue)")
        let code = expected.rawValue
        shell.say("   \(code + String(repeating: " ", count: max(1, 26 - code.count)))\(words)")
    }
}
