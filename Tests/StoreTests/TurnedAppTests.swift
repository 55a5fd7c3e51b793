// SPDX-License-Identifier: Apache-2.0
import A2A
import Accounting
import Bytes
import Consent
import Crypto
import Gateway
import JSON
import Store
import TestSupport
import Testing

/// A super-app that holds a true grant and a true confirmation, and sends something else than it
/// should: what the executor must find out by itself.
@Suite struct TurnedAppTests {
    /// Writes the parameters of `call` anew.
    private static func rewritten(
        _ call: UpstreamCall, _ change: (JSONValue) throws -> JSONNode
    ) throws(UpstreamFailure) -> UpstreamCall {
        do {
            let params = try change(JSONDocument(parsing: call.params).root)
            return UpstreamCall(
                destination: call.destination, method: call.method, params: params.bytes,
                extensions: call.extensions, traceparent: nil, onBehalfOf: nil, user: call.user,
                timeout: call.timeout)
        } catch {
            throw .malformed("\(error)")
        }
    }

    private static func plain(_ message: JSONValue, metadata: [JSONNode.Member]) -> JSONNode {
        var node: JSONNode = [
            "messageId": "m", "role": "ROLE_USER", "parts": message["parts"]?.detached() ?? [],
        ]
        node["taskId"] = message["taskId"]?.detached()
        node["contextId"] = message["contextId"]?.detached()
        node["metadata"] = .object(metadata)
        return node
    }

    private func isAct(_ call: UpstreamCall) -> Bool {
        consent(call)?.act != nil
    }

    private func consent(_ call: UpstreamCall) -> ConsentMetadata? {
        let root = try? JSONDocument(parsing: call.params).root
        let value = root?["message"]?["metadata"]?[ConsentMetadata.uri]
        return value.flatMap { try? ConsentMetadata($0) }
    }

    @Test func aSaleOnALinkWithATariffNeedsItsHold() async throws {
        let network = try Network(isAppPaying: false)
        try await network.open()
        let error = await #expect(throws: A2AError.self) { try await network.say("A table") }
        #expect(error?.reason == "ACCT_HOLD_REQUIRED")
        #expect(network.restaurant.heard.isEmpty)
    }

    @Test func anActWhoseHoldDidNotGrowIsNotDone() async throws {
        let network = try Network()
        try await network.open()
        var drops = 0
        network.tamper = { call throws(UpstreamFailure) in
            guard self.isAct(call), let consent = self.consent(call) else { return call }
            drops += 1
            return try Self.rewritten(call) { params in
                let message = try #require(params["message"])
                return [
                    "message": Self.plain(
                        message, metadata: [.init(ConsentMetadata.uri, consent.node)])
                ]
            }
        }
        _ = try await network.say("A table")
        let ask = try #require(try await network.asks().first)
        let error = await #expect(throws: A2AError.self) {
            try await network.decide(try #require(ask["nonce"]?.string), approves: true)
        }
        #expect(error?.reason == "ACCT_HOLD_UNKNOWN" || error?.code == .retryLater)
        #expect(drops > 0)
        #expect(network.restaurant.commits == 0)
    }

    /// The act, its terms and its confirmation are true, but belong to the cheaper of two tasks.
    @Test func termsOfOneTaskAreNotAnActOnAnother() async throws {
        let network = try Network()
        try await network.open()
        // Without data, which would be sealed to another key for each offer.
        network.restaurant.needsTelephone = false
        network.restaurant.price = "1.00"
        let cheap = try await network.say("A coffee")
        network.restaurant.price = "328.00"
        let dear = try await network.say("A table")
        let cheapTask = try await task(cheap, at: network)
        let dearTask = try await task(dear, at: network)
        var refusals: [String] = []
        network.tamper = { call throws(UpstreamFailure) in
            guard self.isAct(call), let consent = self.consent(call) else { return call }
            refusals.append("sent")
            return try Self.rewritten(call) { params in
                try self.moved(params, consent, from: cheapTask, to: dearTask, network)
            }
        }
        let nonce = try #require(cheapTask.undertaking?.ask?.nonce)
        let error = await #expect(throws: A2AError.self) {
            try await network.decide(nonce, approves: true, data: [:])
        }
        #expect(error?.reason == "consent_terms")
        #expect(!refusals.isEmpty)
        #expect(network.restaurant.commits == 0)
    }

    /// The super-app's record of the task that the phone was told of.
    private func task(_ answer: JSONValue, at network: Network) async throws -> TaskRecord {
        let id = try #require(answer["task"]?["id"]?.string)
        let upstream = try #require(
            try await network.phone.journal.read { try $0.task(id: id) }?.upstreamTaskID)
        return try #require(try await network.app.journal.read { try $0.task(id: upstream) })
    }

    /// The act signed anew, under the same id, over a message on the other task.
    private func moved(
        _ params: JSONValue, _ consent: ConsentMetadata, from cheap: TaskRecord,
        to dear: TaskRecord, _ network: Network
    ) throws -> JSONNode {
        let app = network.app
        let now = network.time.now()
        let ask = try #require(cheap.undertaking?.ask)
        let held = try ChainVerifier(anchors: app.gateway.settings.anchors).receive(
            try #require(consent.chain), for: app.entity, key: app.key.verifying,
            certificate: nil, from: network.phone.presenter, status: StatusKnowledge(), now: now)
        let signed = try SignedTerms(
            verifying: ask.terms, by: network.executor.key.verifying,
            issuer: network.executor.entity, now: now, signatures: SignatureCheck())
        let claims = try UnverifiedToken(compact: try #require(consent.act)).peekClaims().root
        let bare: JSONNode = [
            "parts": try #require(params["message"]?["parts"]).detached(),
            "taskId": .string(dear.upstreamTaskID),
            "contextId": .string(try #require(dear.upstreamContextID)),
        ]
        let body = try RequestBody.bytes(of: JSONDocument(parsing: bare.bytes).root)
        var forged = consent
        forged.terms = ask.terms
        forged.act = try held.act(
            HeldGrant.ActRequest(
                entry: ask.entry, action: signed.terms.action, executor: network.executor.entity,
                id: try #require(claims["jti"]?.string), body: body, terms: signed,
                confirmation: consent.confirm),
            key: app.key, now: now)
        var node = bare
        node["messageId"] = "forged"
        node["role"] = "ROLE_USER"
        node["metadata"] = .object([.init(ConsentMetadata.uri, forged.node)])
        // Its hold grows as the dearer task wants it, so that the books have nothing to say.
        let books = try #require(params["metadata"]?[ExtensionURI.accounting.rawValue])
        return [
            "message": node,
            "metadata": .object([
                .init(ExtensionURI.accounting.rawValue, try grown(books, for: dear, network))
            ]),
        ]
    }

    private func grown(
        _ value: JSONValue, for task: TaskRecord, _ network: Network
    ) throws -> JSONNode {
        var books = try AccountingMetadata(value)
        let undertaking = try #require(task.undertaking)
        let outward = try #require(undertaking.outward)
        let sale = try #require(undertaking.sale)
        let executor = network.executor.entity
        let tariff = try #require(
            network.app.gateway.settings.parties[executor]?.tariffs?.inForce(
                at: network.time.now()))
        let price = try tariff.tariff.price(sale: sale)
        let old = try #require(books.extend?.request)
        books.exchange = OperationID(task.exchange)
        books.extend = HoldExtension(
            hold: outward.op,
            request: HoldRequest(
                op: old.op, charge: price.charge, commission: price.commission, sale: sale,
                quote: try #require(outward.quote), lifeMilliseconds: old.lifeMilliseconds,
                postBy: old.postBy))
        return books.node
    }
}
