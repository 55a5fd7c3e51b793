// SPDX-License-Identifier: Apache-2.0

package import Bytes
package import JSON

/// The payload of an `a2a-hop+jwt`: one link's part in an exchange, as the callee signs it on the
/// way back.
///
/// A record tells the link of its two parties and nothing else. It names the records beneath that
/// its maker relied on by their hashes, so that a hop can neither deny what it was told nor learn
/// what others earn.
/// - SeeAlso: Spec §5.8.
package struct HopRecord: Hashable, Sendable {
    /// What the record states.
    package enum Kind: Hashable, Sendable {
        /// What became due on a link: made by the callee, for the caller.
        case post(HopPost)
        /// What became due on a link for the tasks that drew on a block: made by the callee, for
        /// the caller. It belongs to no single exchange.
        case block(HopPost)
        /// What the user pays, and the most that he agreed to: made by the entrance for its own
        /// file.
        case total(paid: Money, consented: Money)
    }

    /// What the record states.
    package var kind: Kind
    /// The user's request; nil exactly for a block.
    package var exchange: OperationID?
    /// The record's own id.
    package var id: OperationID
    /// The task, by the id under which the caller knows it; nil exactly for a block.
    package var task: String?
    /// Who signs.
    package var issuer: EntityID
    /// When it was booked.
    package var booked: Instant
    /// The hash of the user's confirmation, else of the root of the grant; nil where none was
    /// needed.
    package var consent: HashName?
    /// The hashes of the records one hop further that the maker relied on.
    package var links: [HashName]

    /// One of these members.
    package init(
        kind: Kind, exchange: OperationID?, id: OperationID, task: String?, issuer: EntityID,
        booked: Instant, consent: HashName?, links: [HashName]
    ) {
        self.kind = kind
        self.exchange = exchange
        self.id = id
        self.task = task
        self.issuer = issuer
        self.booked = booked
        self.consent = consent
        self.links = links
    }
}

/// What became due on one link.
package struct HopPost: Hashable, Sendable {
    /// For whom: the caller of the link. The issuer is its callee.
    package var caller: EntityID
    /// The tariff by which it was rated.
    package var tariff: HashName
    /// The hold that was posted on.
    package var hold: OperationID
    /// The post.
    package var post: OperationID
    /// What the caller owes the callee.
    package var charge: Money
    /// What the callee owes the caller.
    package var commission: Money
    /// The price of the sale; zero for none.
    package var sale: Money
    /// How many tasks it bills; nil unless it is for a block.
    package var calls: Int64?

    /// What `post` says, on a link with `caller` under the tariff named `tariff`.
    package init(_ post: Post, caller: EntityID, tariff: HashName) {
        self.caller = caller
        self.tariff = tariff
        hold = post.hold
        self.post = post.op
        charge = post.charge
        commission = post.commission
        sale = post.sale
        calls = post.calls
    }
}

// MARK: - JSON

extension HopRecord {
    /// Reads the payload strictly.
    package init(_ value: JSONValue) throws(FormatFault) {
        var reader = try ObjectReader(value)
        try reader.version("hop/1")
        let kind = try reader.word("kind", KindName.self)
        if kind != .block {
            exchange = try reader.operation("exchange")
            task = try reader.string("task")
        }
        id = try reader.operation("rid")
        issuer = try reader.entity("iss")
        booked = try reader.instant("booked")
        links = []
        if kind != .block {
            consent = try reader.optionalHash("consent")
            links = try HopRecord.links(&reader)
        }
        switch kind {
        case .post: self.kind = .post(try HopPost(&reader, issuer))
        case .block:
            var post = try HopPost(&reader, issuer)
            post.calls = try reader.integer("calls", 1...Int64(1) << 53 - 1)
            self.kind = .block(post)
        case .total:
            let paid = try reader.money("user_total")
            let consented = try reader.money("consent_max")
            guard paid.isAtMost(consented) else { throw reader.fault(.conflict, "user_total") }
            self.kind = .total(paid: paid, consented: consented)
        }
        try reader.finish()
    }

    private static func links(
        _ reader: inout ObjectReader
    ) throws(FormatFault) -> [HashName] {
        var links: [HashName] = []
        for (value, path) in try reader.array("links", atMost: mostLinks) {
            guard let hash = value.string.flatMap({ HashName($0) }) else {
                throw FormatFault(.text, at: path)
            }
            guard !links.contains(hash) else { throw FormatFault(.conflict, at: path) }
            links.append(hash)
        }
        return links
    }

    /// The payload to sign.
    package var node: JSONNode {
        let kindName: KindName =
            switch kind {
            case .post: .post
            case .block: .block
            case .total: .total
            }
        var node: JSONNode = ["v": "hop/1", "kind": .string(kindName.rawValue)]
        if let exchange { node["exchange"] = .string(exchange.text) }
        node["rid"] = .string(id.text)
        if let task { node["task"] = .string(task) }
        node["iss"] = .string(issuer.text)
        node["booked"] = .string(booked.rfc3339)
        if let consent { node["consent"] = .string(consent.text) }
        if kindName != .block { node["links"] = .array(links.map { .string($0.text) }) }
        switch kind {
        case .post(let post), .block(let post): post.write(to: &node, issuer)
        case .total(let paid, let consented):
            node["user_total"] = paid.node
            node["consent_max"] = consented.node
        }
        return node
    }

    /// Checks the callee's record against the post that it came with, before the caller accepts
    /// both.
    ///
    /// - Throws: ``LedgerRefusal/signature`` when it is not the callee's record for us of this
    ///   exchange, and ``LedgerRefusal/price`` when it states something else than the post.
    package func check(
        _ post: Post, of hold: HoldRecord, by callee: EntityID, for caller: EntityID
    ) throws(LedgerRefusal) {
        let stated: HopPost
        switch (kind, hold.kind) {
        case (.post(let post), .task), (.block(let post), .block): stated = post
        default: throw .signature
        }
        guard issuer == callee, stated.caller == caller, exchange == hold.exchange
        else { throw .signature }
        guard stated == HopPost(post, caller: caller, tariff: hold.tariff), booked == post.booked
        else { throw .price }
    }

    private enum KindName: String {
        case post
        case block
        case total
    }

    /// A hop may fan out, but hardly to more than this.
    private static let mostLinks = 16
}

extension HopPost {
    fileprivate init(_ reader: inout ObjectReader, _ issuer: EntityID) throws(FormatFault) {
        var edge = try reader.object("edge")
        caller = try edge.entity(LinkSide.caller.rawValue)
        let callee = try edge.entity(LinkSide.callee.rawValue)
        guard callee == issuer, callee != caller else {
            throw edge.fault(.conflict, LinkSide.callee.rawValue)
        }
        try edge.finish()
        tariff = try reader.hash("tariff")
        hold = try reader.operation("hold")
        post = try reader.operation("post")
        charge = try reader.money("charge")
        commission = try reader.money("commission")
        sale = try reader.money("tx")
    }

    fileprivate func write(to node: inout JSONNode, _ issuer: EntityID) {
        node["edge"] = [
            LinkSide.caller.rawValue: .string(caller.text),
            LinkSide.callee.rawValue: .string(issuer.text),
        ]
        node["tariff"] = .string(tariff.text)
        node["hold"] = .string(hold.text)
        node["post"] = .string(post.text)
        node["charge"] = charge.node
        node["commission"] = commission.node
        node["tx"] = sale.node
        if let calls { node["calls"] = .int(calls) }
    }
}
