// SPDX-License-Identifier: Apache-2.0

package import Bytes
package import JSON

/// What the caller sets aside for a task, sent with the message that starts or continues it.
///
/// The caller has made it durable before the message leaves; the callee books the mirror image
/// before it accepts.
/// - SeeAlso: Spec §5.4.4.
package struct HoldRequest: Hashable, Sendable {
    /// The id of the operation.
    package var op: OperationID
    /// The caller will owe the callee at most this.
    package var charge: Money
    /// The callee will owe the caller at most this.
    package var commission: Money
    /// The price of the sale to the user, zero while nothing is sold yet.
    package var sale: Money
    /// The name of the accepted quote; of the tariff when its list price is accepted.
    package var quote: HashName
    /// Life from now, for clocks that differ.
    package var lifeMilliseconds: Int64
    /// The end by the caller's clock: a post that reaches the caller later is refused.
    package var postBy: Instant

    /// One of these members.
    package init(
        op: OperationID, charge: Money, commission: Money, sale: Money, quote: HashName,
        lifeMilliseconds: Int64, postBy: Instant
    ) {
        self.op = op
        self.charge = charge
        self.commission = commission
        self.sale = sale
        self.quote = quote
        self.lifeMilliseconds = lifeMilliseconds
        self.postBy = postBy
    }

    /// Reads it strictly.
    package init(_ value: JSONValue, at path: String = "hold") throws(FormatFault) {
        var reader = try ObjectReader(value, at: path)
        try self.init(&reader)
        try reader.finish()
    }

    fileprivate init(_ reader: inout ObjectReader) throws(FormatFault) {
        op = try reader.operation("op")
        charge = try reader.money("charge")
        commission = try reader.money("commission")
        sale = try reader.money("tx")
        quote = try reader.hash("quote")
        lifeMilliseconds = try reader.decimal("ttl_ms", 1...HoldRequest.longestLife)
        postBy = try reader.instant("post_by")
    }

    /// Its JSON.
    package var node: JSONNode {
        [
            "op": .string(op.text), "charge": charge.node, "commission": commission.node,
            "tx": sale.node, "quote": .string(quote.text),
            "ttl_ms": .string(String(lifeMilliseconds)),
            "post_by": .string(postBy.rfc3339),
        ]
    }

    /// A week, the longest that a tariff can allow.
    private static let longestLife: Int64 = 604_800_000
}

/// A new hold in place of an older one of the same exchange: both happen or neither.
/// - SeeAlso: Spec §5.4.5.
package struct HoldExtension: Hashable, Sendable {
    /// The hold that ends.
    package var hold: OperationID
    /// The hold that begins.
    package var request: HoldRequest

    /// One of these members.
    package init(hold: OperationID, request: HoldRequest) {
        self.hold = hold
        self.request = request
    }

    /// Reads it strictly.
    package init(_ value: JSONValue, at path: String = "hold_extend") throws(FormatFault) {
        var reader = try ObjectReader(value, at: path)
        hold = try reader.operation("hold")
        request = try HoldRequest(&reader)
        try reader.finish()
        if hold == request.op { throw reader.fault(.conflict, "op") }
    }

    /// Its JSON.
    package var node: JSONNode {
        var node = request.node
        node["hold"] = .string(hold.text)
        return node
    }
}
