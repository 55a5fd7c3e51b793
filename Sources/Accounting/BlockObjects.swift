// SPDX-License-Identifier: Apache-2.0

package import Bytes
package import JSON

/// The payload of an `a2a-block+jwt`: the caller's signed word that a block is set aside, so that
/// the callee need not take unsigned draws on trust.
/// - SeeAlso: Spec §5.6.1.
package struct BlockOpening: Hashable, Sendable {
    /// The caller, who signs.
    package var issuer: EntityID
    /// The callee.
    package var audience: EntityID
    /// The hold: its charge is the block, its quote the tariff.
    package var request: HoldRequest

    /// One of these members.
    package init(issuer: EntityID, audience: EntityID, request: HoldRequest) {
        self.issuer = issuer
        self.audience = audience
        self.request = request
    }

    /// Reads it strictly.
    package init(_ value: JSONValue) throws(FormatFault) {
        var reader = try ObjectReader(value)
        try reader.version("block/1")
        issuer = try reader.entity("iss")
        audience = try reader.entity("aud")
        request = try HoldRequest(try reader.required("hold"), at: reader.place("hold"))
        try reader.finish()
        if issuer == audience { throw reader.fault(.conflict, "aud") }
        for (name, amount) in [("commission", request.commission), ("tx", request.sale)] {
            guard amount.micros == 0, amount.currency == request.charge.currency else {
                throw reader.fault(.conflict, "hold." + name)
            }
        }
    }

    /// The payload to sign.
    package var node: JSONNode {
        [
            "v": "block/1", "iss": .string(issuer.text), "aud": .string(audience.text),
            "hold": request.node,
        ]
    }
}

/// One task's fee, drawn on a block: sent with the message that begins the task.
/// - SeeAlso: Spec §5.6.2.
package struct Draw: Hashable, Sendable {
    /// The hold of the block.
    package var block: OperationID
    /// From 1; the caller gives each out once.
    package var number: Int64
    /// The sum of so many fees: a number and a price that do not belong together are refused.
    package var amount: Money

    /// One of these members.
    package init(block: OperationID, number: Int64, amount: Money) {
        self.block = block
        self.number = number
        self.amount = amount
    }

    /// Reads it strictly.
    package init(_ value: JSONValue, at path: String = "draw") throws(FormatFault) {
        var reader = try ObjectReader(value, at: path)
        block = try reader.operation("block")
        number = try reader.decimal("seq", 1...Int64(1) << 53 - 1)
        amount = try reader.money("cum_amt")
        try reader.finish()
    }

    /// Its JSON.
    package var node: JSONNode {
        [
            "block": .string(block.text), "seq": .string(String(number)),
            "cum_amt": amount.node,
        ]
    }
}

/// A draw as the books keep it: which task a fee on a block belongs to.
package struct DrawRecord: Hashable, Sendable {
    /// Where the task stands, as far as its fee is concerned.
    package enum State: String, CaseIterable, Sendable {
        /// The task has not ended.
        case open
        /// It ended with a fee.
        case billed
        /// It ended without one.
        case free
    }

    /// The other company of the link.
    package let peer: EntityID
    /// The hold of the block.
    package let block: OperationID
    /// The number.
    package let number: Int64
    /// The user's request.
    package let exchange: OperationID
    /// The task, by its id here; nil for an answer without a task.
    package var task: String?
    /// What became of it.
    package var state: State
    /// When it last changed, by our clock.
    package var at: Instant

    /// One of these members.
    package init(
        peer: EntityID, block: OperationID, number: Int64, exchange: OperationID, task: String?,
        state: State, at: Instant
    ) {
        self.peer = peer
        self.block = block
        self.number = number
        self.exchange = exchange
        self.task = task
        self.state = state
        self.at = at
    }
}
