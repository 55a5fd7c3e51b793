// SPDX-License-Identifier: Apache-2.0
import A2A
import Accounting
import Bytes
import Consent
import Crypto
import Gateway
import IO
import JSON
import Node
import TLS

/// A company that calls another's gateway with its own certificate, past its own gateway: over real
/// mutual TLS, with whatever it puts into the message.
final class DemoThief {
    private let own: DemoCompany
    private let target: DemoCompany
    private let workers: Workers
    private let shell: any Shell
    private var messages = 0

    init(
        _ own: DemoCompany, towards target: DemoCompany, _ shell: any Shell
    ) throws(Failure) {
        self.own = own
        self.target = target
        self.shell = shell
        do {
            let identity = try TLSIdentity(
                certificates: own.papers.certificate.pem, key: own.papers.key.pem)
            let trust = try TrustMaterial(
                identity: identity, peers: PeerTrust(entities: [target.entity: target.anchors]),
                time: SystemTime())
            workers = try Workers(
                1,
                WorkerParts(
                    time: SystemTime(), random: shell.random, trust: trust,
                    routes: UpstreamRoutes(peers: [target.entity: target.link]),
                    lookup: { _, _ in [] }))
        } catch {
            throw .no("\(own.entity) cannot call: \(error)")
        }
    }

    func stop() { workers.stop() }

    /// What the target offered: its task and its question.
    struct Offer {
        let task: String
        let context: String
        let ask: Ask
        /// Whose grant it was wished under.
        let user: String?
    }

    /// A wish under `chain`, with the fee held as the tariff wants it, if there is one.
    func wishParameters(_ chain: [String]) -> JSONNode {
        var consent = ConsentMetadata()
        consent.chain = chain
        var node = parameters(text: "A table, please", task: nil, consent)
        if let books = hold() {
            node["metadata"] = .object([.init(AccountingExtension.uri, books.node)])
        }
        return node
    }

    /// A hold at list price: without one nobody would listen to the rest.
    private func hold() -> AccountingMetadata? {
        let parties = own.server?.gateway.settings.parties
        let now = SystemTime().now()
        guard let pinned = parties?[target.entity]?.tariffs?.inForce(at: now),
            let fee = pinned.tariff.charge?.fixed
        else { return nil }
        let zero = Money.zero(pinned.tariff.currency)
        var books = AccountingMetadata()
        books.exchange = OperationID(at: now, random: shell.random)
        books.hold = HoldRequest(
            op: OperationID(at: now, random: shell.random), charge: fee, commission: zero,
            sale: zero, quote: pinned.name, lifeMilliseconds: 60_000,
            postBy: now.adding(seconds: 60))
        return books
    }

    /// Wishes under `chain`, and reads the offer.
    func wish(_ chain: [String]) async throws(Failure) -> Offer {
        let document: JSONDocument
        switch try await call("SendMessage", wishParameters(chain)) {
        case .success(let answer): document = answer
        case .failure(let error):
            throw .no("the demo is wrong: a wish is refused with \(error.reason)")
        }
        let task = document.root["task"]
        let metadata = task?["status"]?["message"]?["metadata"]?[ConsentMetadata.uri]
        guard let id = task?["id"]?.string, let context = task?["contextId"]?.string,
            let value = metadata?["ask"], let ask = try? Ask(value)
        else { throw .no("the demo is wrong: \(target.entity) offered nothing") }
        let root = chain.first.flatMap { try? UnverifiedToken(compact: $0).peekClaims().root }
        return Offer(task: id, context: context, ask: ask, user: root?["sub"]?.string)
    }

    /// An act on `offer`, signed as its holder signs, for the terms and the confirmation given.
    func act(
        _ undertaking: Undertaking, _ offer: Offer, terms: String, _ confirmation: String,
        from grantor: DemoCompany
    ) throws(Failure) -> JSONNode {
        let now = SystemTime().now()
        guard let anchors = own.server?.gateway.settings.anchors else {
            throw .no("\(own.entity) does not run")
        }
        do {
            let held = try ChainVerifier(anchors: anchors).receive(
                undertaking.chain, for: own.entity, key: own.papers.key.verifying,
                certificate: own.papers.certificate.thumbprint, from: grantor.presenter,
                status: StatusKnowledge(), now: now)
            let signed = try SignedTerms(
                verifying: terms, by: target.papers.key.verifying, issuer: target.entity,
                now: now, signatures: SignatureCheck())
            var consent = ConsentMetadata()
            let bare = parameters(text: "Go ahead", task: offer, consent)
            guard let message = try JSONDocument(parsing: bare.bytes).root["message"] else {
                throw Failure.no("no message")
            }
            consent.chain = held.tokens
            consent.act = try held.act(
                HeldGrant.ActRequest(
                    entry: offer.ask.entry, action: signed.terms.action,
                    executor: target.entity, id: UUIDv7(at: now, random: shell.random).text,
                    body: RequestBody.bytes(of: message), terms: signed,
                    confirmation: confirmation),
                key: own.papers.key, now: now)
            consent.terms = terms
            consent.confirm = confirmation
            return parameters(text: "Go ahead", task: offer, consent)
        } catch {
            throw .no("the demo is wrong: the act cannot be signed: \(error)")
        }
    }

    /// Sends a message; the error with which it is refused, or nil when it is taken.
    func send(_ parameters: JSONNode) async throws(Failure) -> A2AError? {
        switch try await call("SendMessage", parameters) {
        case .success: nil
        case .failure(let error): error
        }
    }

    /// Gives an offer up, so that what was held for it is let go.
    func cancel(_ offer: Offer) async throws(Failure) {
        let id: JSONNode = ["id": .string(offer.task)]
        if case .failure(let error) = try await call("CancelTask", id, for: offer.user) {
            throw .no("the demo is wrong: a task is not canceled: \(error.reason)")
        }
    }

    private func parameters(
        text: String, task: Offer?, _ consent: ConsentMetadata
    ) -> JSONNode {
        messages += 1
        var message: JSONNode = [
            "messageId": .string("x\(messages)"), "role": "ROLE_USER",
            "parts": [["text": .string(text)]],
        ]
        if let task {
            message["taskId"] = .string(task.task)
            message["contextId"] = .string(task.context)
        }
        message["metadata"] = .object([.init(ConsentMetadata.uri, consent.node)])
        return ["message": message]
    }

    private func call(
        _ method: String, _ parameters: JSONNode, for user: String? = nil
    ) async throws(Failure) -> Result<JSONDocument, A2AError> {
        let call = UpstreamCall(
            destination: .peer(target.entity, agent: "dining"), method: method,
            params: parameters.bytes,
            extensions: ConsentMetadata.uri + ", " + AccountingExtension.uri, traceparent: nil,
            onBehalfOf: nil, user: user, timeout: .seconds(10))
        let answer = await workers.withUpstreams { upstreams -> Result<[UInt8], UpstreamFailure> in
            do throws(UpstreamFailure) {
                return .success(Array(try await upstreams.call(call).raw))
            } catch {
                return .failure(error)
            }
        }
        switch answer {
        case .success(let bytes):
            guard let document = try? JSONDocument(parsing: bytes) else {
                throw .no("\(target.entity) does not answer with JSON")
            }
            return .success(document)
        case .failure(.agent(let error)): return .failure(error)
        case .failure(let failure): throw .no("\(target.entity): \(failure.description)")
        }
    }
}
