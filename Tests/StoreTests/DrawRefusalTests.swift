// SPDX-License-Identifier: Apache-2.0
import A2A
import Accounting
import Bytes
import Crypto
import Gateway
import JSON
import Store
import TestSupport
import Testing

/// What a callee refuses of a caller that wants its questions for less than they cost.
@Suite struct DrawRefusalTests {
    private func network(credit: String = "50000.00") async throws -> Network {
        let network = try Network(isBinding: false) { node in
            node["block"] = ["amt": "1.00", "max_s": 3600, "renew_ppm": 1_000_000]
            node["credit"] = [
                "up_owes": .string(credit), "down_owes": .string(credit), "warn_ppm": 800_000,
            ]
        }
        network.restaurant.plainAnswer = .message
        try await network.open()
        return network
    }

    /// Changes what the super-app's gateway says of accounting to the next hop.
    private func change(
        _ network: Network, _ edit: @escaping (inout AccountingMetadata) throws -> Void
    ) {
        network.tamper = { call throws(UpstreamFailure) in
            do {
                let params = try JSONDocument(parsing: call.params).root
                var books = try AccountingMetadata(
                    try #require(params["metadata"]?[ExtensionURI.accounting.rawValue]))
                try edit(&books)
                let node: JSONNode = [
                    "message": try #require(params["message"]).detached(),
                    "metadata": .object([
                        .init(ExtensionURI.accounting.rawValue, books.node)
                    ]),
                ]
                return UpstreamCall(
                    destination: call.destination, method: call.method, params: node.bytes,
                    extensions: call.extensions, traceparent: nil, onBehalfOf: nil,
                    timeout: call.timeout)
            } catch {
                throw .malformed("\(error)")
            }
        }
    }

    private func reason(_ network: Network) async throws -> String? {
        await #expect(throws: A2AError.self) { try await network.say("What is near?") }?.reason
    }

    @Test func aDrawWithoutABlockIsRefused() async throws {
        let network = try await network()
        change(network) { $0.block = nil }
        #expect(try await reason(network) == "ACCT_HOLD_UNKNOWN")
        #expect(network.restaurant.heard.isEmpty)
        // Neither side keeps anything set aside for it, but for the phone maker's own block.
        #expect(try await network.executor.pendingHolds() == 0)
        #expect(try await network.app.pendingHolds() == 1)
        #expect(try await network.app.findings().isEmpty)
    }

    @Test func aMessageThatSetsNothingAsideIsRefused() async throws {
        let network = try await network()
        change(network) { books in
            books.block = nil
            books.draw = nil
        }
        #expect(try await reason(network) == "ACCT_HOLD_REQUIRED")
        #expect(network.restaurant.heard.isEmpty)
    }

    @Test func aNumberIsDrawnOnce() async throws {
        let network = try await network()
        var first: Draw?
        change(network) { books in
            first = first ?? books.draw
            books.draw = first
        }
        _ = try await network.say("What is near?")
        #expect(try await reason(network) == "ACCT_IDEMPOTENCY_CONFLICT")
        #expect(network.restaurant.heard.count == 1)
    }

    /// The super-app's draw is refused and its next block has no credit: what the phone maker drew
    /// on its own block is given back, and that block stays in use, for nobody refused it.
    @Test func aRefusalOnTheNextLinkLeavesTheBlockInUse() async throws {
        let network = try await network(credit: "1.50")
        var first: Draw?
        change(network) { books in
            first = first ?? books.draw
            books.draw = first
        }
        _ = try await network.say("What is near?")
        for _ in 0..<2 {
            network.trace = []
            #expect(try await reason(network) == "ACCT_CREDIT_EXCEEDED")
            #expect(network.trace.first == "H SendMessage")
        }
        let phone = network.phone.entity
        await network.housekeeping()
        let (blocks, open) = try await network.app.journal.read { tx in
            let blocks = try tx.pendingBlocks().filter { $0.peer == phone }
            return (blocks, try blocks.flatMap { try tx.draws(phone, on: $0.op, .open) })
        }
        #expect(blocks.count == 1)
        #expect(open.isEmpty)
    }

    /// An answer that cannot be read may have cost the next hop its work.
    @Test func anAnswerThatCannotBeReadStaysCounted() async throws {
        let network = try await network()
        network.isGarbling = true
        let error = await #expect(throws: A2AError.self) { try await network.say("What is near?") }
        #expect(error?.code == .invalidAgentResponse)
        #expect(network.restaurant.heard.count == 1)
        network.time.advance(seconds: 3575)
        for _ in 0..<3 { await network.housekeeping() }
        #expect(try await network.executor.balance(with: network.app) == "0.20")
        #expect(try await network.app.balance(with: network.executor) == "0.20")
    }

    @Test func aReplayedMessageIsRefused() async throws {
        let network = try await network()
        var first: UpstreamCall?
        network.tamper = { call throws(UpstreamFailure) in
            first = first ?? call
            return first ?? call
        }
        _ = try await network.say("What is near?")
        #expect(try await reason(network) == "ACCT_IDEMPOTENCY_CONFLICT")
        #expect(network.restaurant.heard.count == 1)
    }

    @Test func aHoldIsForOneMessage() async throws {
        let network = try Network(isBinding: false)
        network.restaurant.plainAnswer = .message
        try await network.open()
        var first: AccountingMetadata?
        change(network) { books in
            first = first ?? books
            books = first ?? books
        }
        _ = try await network.say("What is near?")
        #expect(try await reason(network) == "ACCT_IDEMPOTENCY_CONFLICT")
        #expect(network.restaurant.heard.count == 1)
        for _ in 0..<2 { await network.housekeeping() }
        #expect(try await network.executor.pendingHolds() == 0)
        #expect(try await network.executor.balance(with: network.app) == "0.20")
    }

    @Test func aDrawBeyondTheBlockIsRefused() async throws {
        let network = try await network()
        change(network) { books in
            books.draw?.number = 6
            books.draw?.amount = try Money(text: "1.20", .cny)
        }
        #expect(try await reason(network) == "ACCT_BLOCK_EXHAUSTED")
        #expect(network.restaurant.heard.isEmpty)
    }

    @Test func aDrawOfAnotherSumIsRefused() async throws {
        let network = try await network()
        change(network) { $0.draw?.amount = try Money(text: "0.19", .cny) }
        #expect(try await reason(network) == "ACCT_PRICE")
        #expect(network.restaurant.heard.isEmpty)
    }

    @Test func aBlockThatSomebodyElseSignedIsRefused() async throws {
        let network = try await network()
        let (thief, honest) = (network.phone, network.app)
        change(network) { books in
            let token = try UnverifiedToken(compact: try #require(books.block))
            books.block = TokenSigner.sign(
                try token.peekClaims().root.detached(), type: "a2a-block+jwt", key: thief.key)
        }
        #expect(try await reason(network) == "ACCT_SIGNATURE")
        #expect(network.restaurant.heard.isEmpty)
        #expect(try await honest.pendingHolds() == 1)
    }

    /// A sale needs a hold of its own: on a draw nothing is quoted.
    @Test func nothingIsSoldOnADraw() async throws {
        let network = try Network { node in
            node["block"] = ["amt": "1.00", "max_s": 3600, "renew_ppm": 500_000]
        }
        try await network.open()
        let turned = network.app
        change(network) { books in
            guard let hold = books.hold else { return }
            var request = hold
            request.charge = try Money(text: "1.00", .cny)
            let opening = BlockOpening(
                issuer: turned.entity, audience: network.executor.entity, request: request)
            books.hold = nil
            books.block = TokenSigner.sign(opening.node, type: "a2a-block+jwt", key: turned.key)
            books.draw = Draw(block: request.op, number: 1, amount: hold.charge)
        }
        #expect(try await reason(network) == "ACCT_TARIFF_UNKNOWN")
        #expect(network.restaurant.heard.count == 1)
        #expect(
            try await network.executor.gateway.journal.read { try $0.pendingBlocks() }.count == 1)
        #expect(try await network.asks().isEmpty)
    }
}
