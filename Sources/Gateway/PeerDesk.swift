// SPDX-License-Identifier: Apache-2.0
package import A2A
import Accounting
import Bytes
package import Consent
import Crypto
import JSON

/// What gateways ask of each other outside A2A: reservations and receipts at the budget keeper,
/// posts and voids that must be acknowledged (Spec/consent.md, Spec/accounting.md).
package struct PeerDesk: Sendable {
    let gateway: GatewayState
    let peer: Presenter

    package init(gateway: GatewayState, peer: Presenter) {
        self.gateway = gateway
        self.peer = peer
    }

    /// What a path names.
    package enum Resource: Equatable, Sendable {
        case reservations
        case receipts
        case post(hold: String)
        case void(hold: String)

        /// Reads `/consent/ledger/…` and `/acct/v1/holds/{op}:post|:void`.
        package init?(path: some StringProtocol) {
            switch String(path) {
            case GatewayState.keeperPath + "/reservations": self = .reservations
            case GatewayState.keeperPath + "/receipts": self = .receipts
            default:
                guard path.hasPrefix(Self.holds) else { return nil }
                let parts = path.dropFirst(Self.holds.count).split(
                    separator: ":", omittingEmptySubsequences: false)
                guard parts.count == 2, OperationID(parts[0]) != nil else { return nil }
                switch parts[1] {
                case "post": self = .post(hold: String(parts[0]))
                case "void": self = .void(hold: String(parts[0]))
                default: return nil
                }
            }
        }

        static let holds = "/acct/v1/holds/"

        /// The name in the access log.
        package var name: String {
            switch self {
            case .reservations: "reserve"
            case .receipts: "receipt"
            case .post: "post"
            case .void: "void"
            }
        }
    }

    /// Answers one request.
    ///
    /// - Parameter body: A JSON object.
    /// - Returns: A JSON object.
    package func respond(to resource: Resource, body: [UInt8]) async throws(A2AError) -> [UInt8] {
        let value: JSONValue
        do {
            value = try JSONDocument(parsing: body).root
        } catch {
            throw A2AError(.parse, "Invalid JSON: \(error.description)")
        }
        switch resource {
        case .reservations:
            let token = try await BudgetDesk(gateway: gateway).reserve(
                try BudgetDesk.request(value), from: peer)
            let node: JSONNode = ["resv": .string(token)]
            return node.bytes
        case .receipts:
            try await BudgetDesk(gateway: gateway).settle(value)
            return Array("{}".utf8)
        case .post(let hold):
            return try await acknowledge(value, hold)
        case .void(let hold):
            try await void(value, hold)
            return Array("{}".utf8)
        }
    }

    /// Books a post that may have come before, and countersigns it.
    private func acknowledge(_ value: JSONValue, _ hold: String) async throws(A2AError) -> [UInt8] {
        let now = gateway.time.now()
        guard let books = try AccountingMetadata.read(value), let post = books.post,
            let token = books.hop, post.hold.text == hold
        else { throw A2AError(LedgerRefusal.malformed) }
        let (claims, name) = try gateway.verified(
            token, type: AccountingType.hop, by: peer.entity, certificates: books.certificates,
            now: now)
        let record: HopRecord
        do {
            record = try HopRecord(claims)
        } catch {
            throw A2AError(LedgerRefusal(error))
        }
        let evidence = HopEvidence(
            peer: peer.entity, name: name, post: post.op, exchange: record.exchange,
            record: token)
        let entity = gateway.entity
        let acknowledgement = gateway.sign(
            Acknowledgement(
                issuer: entity, audience: peer.entity, post: post, record: name
            ).node, type: AccountingType.acknowledgement
        ).token
        let other = peer.entity
        let block = BlockBook.Key(peer: other, op: post.hold)
        let ceiling = gateway.blocks.ceiling(block)
        try await gateway.book { tx in
            let books = LinkBooks(
                ledger: Ledger(tx, of: entity), ourselves: entity, peer: other, now: now)
            if let refusal = try books.take(post, record, evidence, ceiling: ceiling) {
                return refusal
            }
            // What was countersigned is kept as it was sent, so that both hold the same proof.
            _ = try tx.acknowledgeHop(name, acknowledgement)
            return nil
        }
        await BlockKeeper(gateway: gateway).end(block)
        let stored = try await gateway.read { try $0.hopEvidence(named: name)?.acknowledgement }
        let node: JSONNode = [
            "ack": .string(stored ?? acknowledgement),
            "cert": .array(gateway.certificateTexts.map { .string($0) }),
        ]
        return node.bytes
    }

    private func void(_ value: JSONValue, _ hold: String) async throws(A2AError) {
        let now = gateway.time.now()
        let void: HoldVoid
        do {
            void = try HoldVoid(value)
        } catch {
            throw A2AError(LedgerRefusal(error))
        }
        guard void.hold.text == hold else { throw A2AError(LedgerRefusal.malformed) }
        let entity = gateway.entity
        let other = peer.entity
        try await gateway.book { tx in
            let call = LedgerCall(
                peer: other, origin: .peer, request: Exchange.hash(void.node), now: now)
            if case .failure(let refusal) = try Ledger(tx, of: entity).void(void, call) {
                return refusal
            }
            return nil
        }
        await BlockKeeper(gateway: gateway).end(BlockBook.Key(peer: other, op: void.hold))
    }
}

/// The budget keeper's side of this gateway.
struct BudgetDesk {
    let gateway: GatewayState

    private var keeper: BudgetKeeper {
        let settings = gateway.settings
        return BudgetKeeper(
            uri: settings.entity.text + GatewayState.keeperPath, key: settings.signingKey,
            chains: gateway.chains)
    }

    /// Sets an amount aside for one act.
    func reserve(
        _ request: BudgetKeeper.Request, from presenter: Presenter
    ) async throws(A2AError) -> String {
        let keeper = keeper
        let status = gateway.status
        let now = gateway.time.now()
        let random = gateway.random
        do {
            let assessed = try keeper.assess(
                request, presenter: presenter, status: status, now: now)
            let record = try await gateway.journal.write { tx in
                try keeper.reserve(assessed, status: status, now: now, random: random, in: tx)
            }
            return try keeper.sign(record)
        } catch let refusal as Refusal {
            throw A2AError(refusal)
        } catch let ConsentFault.refused(refusal) {
            throw A2AError(refusal)
        } catch {
            throw A2AError(journal: error)
        }
    }

    /// Takes an executor's word on what became of an act.
    func settle(_ value: JSONValue) async throws(A2AError) {
        let now = gateway.time.now()
        guard let text = value["receipt"]?.string, let issuer = SignedReceipt.peekIssuer(text)
        else { throw A2AError(Refusal(.malformed, "24.receipt")) }
        let key = try gateway.signingKey(
            of: issuer, certificates: value["cert"]?.elements.compactMap(\.string) ?? [],
            now: now)
        let keeper = keeper
        do {
            let signed = try SignedReceipt(
                verifying: text, by: key, issuer: issuer,
                signatures: SignatureCheck(cache: gateway.signatures))
            _ = try await gateway.journal.write { tx in
                try keeper.settle(signed, now: now, in: tx)
            }
        } catch let refusal as Refusal {
            throw A2AError(refusal)
        } catch let ConsentFault.refused(refusal) {
            throw A2AError(refusal)
        } catch {
            throw A2AError(journal: error)
        }
    }

    // MARK: On the wire

    /// The body of `POST {ledger.uri}/reservations`.
    static func node(_ request: BudgetKeeper.Request) -> JSONNode {
        var node: JSONNode = [
            "chain": .array(request.chain.map { .string($0) }), "ad": .string(request.entry),
            "act": .string(request.act), "aud": .string(request.audience.text),
        ]
        node["amount"] = request.amount?.node
        return node
    }

    static func request(_ value: JSONValue) throws(A2AError) -> BudgetKeeper.Request {
        guard let entry = value["ad"]?.string, let act = value["act"]?.string,
            let audience = value["aud"]?.string.flatMap({ EntityID($0) })
        else { throw A2AError(Refusal(.malformed, "resv.request")) }
        var amount: Amount?
        if let value = value["amount"] {
            guard let units = value["value"]?.int, units >= 0,
                let currency = value["currency"]?.string.flatMap({ Consent.Currency($0) })
            else { throw A2AError(Refusal(.malformed, "resv.amount")) }
            amount = Amount(value: units, currency: currency)
        }
        return BudgetKeeper.Request(
            chain: value["chain"]?.elements.compactMap(\.string) ?? [], entry: entry, act: act,
            audience: audience, amount: amount,
            disclosures: value["disc"]?.elements.compactMap(\.string) ?? [])
    }

    /// The entity before the path of a keeper's URI.
    static func entity(of uri: String) -> EntityID? {
        let scheme = "https://"
        guard uri.hasPrefix(scheme) else { return nil }
        let host = uri.dropFirst(scheme.count).prefix { $0 != "/" }
        return EntityID(scheme + host)
    }

    /// The refusal that a keeper answered with.
    static func error(_ answer: PeerAnswer) -> A2AError? {
        guard let error = answer.body?.root["error"], let details = error["details"] else {
            return nil
        }
        for detail in details.elements {
            guard let reason = detail["reason"]?.string,
                let known = ConsentError(rawValue: reason)
            else { continue }
            return A2AError(Refusal(known, "22.keeper"))
        }
        return nil
    }
}
