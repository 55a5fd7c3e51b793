// SPDX-License-Identifier: Apache-2.0

package import Bytes
package import JSON

/// The callee's claim at the end of a task: what of the hold is due. The rest is released.
/// - SeeAlso: Spec §5.4.6.
package struct Post: Hashable, Sendable {
    /// The id of the operation.
    package var op: OperationID
    /// The hold concerned.
    package var hold: OperationID
    /// What the caller owes the callee.
    package var charge: Money
    /// What the callee owes the caller.
    package var commission: Money
    /// The price of the sale that came about; zero for none.
    package var sale: Money
    /// When the callee booked it: it decides the period on both sides.
    package var booked: Instant
    /// How many tasks it bills: for a block, and only for a block.
    package var calls: Int64?

    /// One of these members.
    package init(
        op: OperationID, hold: OperationID, charge: Money, commission: Money, sale: Money,
        booked: Instant, calls: Int64? = nil
    ) {
        self.op = op
        self.hold = hold
        self.charge = charge
        self.commission = commission
        self.sale = sale
        self.booked = booked
        self.calls = calls
    }

    /// Reads it strictly.
    package init(_ value: JSONValue, at path: String = "post") throws(FormatFault) {
        var reader = try ObjectReader(value, at: path)
        op = try reader.operation("op")
        hold = try reader.operation("hold")
        charge = try reader.money("charge")
        commission = try reader.money("commission")
        sale = try reader.money("tx")
        booked = try reader.instant("booked")
        if reader.optional("calls") != nil {
            calls = try reader.decimal("calls", 1...Int64(1) << 53 - 1)
        }
        try reader.finish()
        if hold == op { throw reader.fault(.conflict, "op") }
    }

    /// Its JSON.
    package var node: JSONNode {
        var node: JSONNode = [
            "op": .string(op.text), "hold": .string(hold.text), "charge": charge.node,
            "commission": commission.node, "tx": sale.node, "booked": .string(booked.rfc3339),
        ]
        if let calls { node["calls"] = .string(String(calls)) }
        return node
    }
}

/// The release of a whole hold.
/// - SeeAlso: Spec §5.4.7.
package struct HoldVoid: Hashable, Sendable {
    /// Why nothing is due.
    package enum Reason: String, CaseIterable, Sendable {
        case rejected
        case failed
        case canceled
        /// The message that carried the hold never reached the other side, or was refused there.
        case unsent
        /// Nothing was drawn on the block.
        case unused
    }

    /// The id of the operation.
    package var op: OperationID
    /// The hold concerned.
    package var hold: OperationID
    /// Why nothing is due.
    package var reason: Reason

    /// One of these members.
    package init(op: OperationID, hold: OperationID, reason: Reason) {
        self.op = op
        self.hold = hold
        self.reason = reason
    }

    /// Reads it strictly.
    package init(_ value: JSONValue, at path: String = "void") throws(FormatFault) {
        var reader = try ObjectReader(value, at: path)
        op = try reader.operation("op")
        hold = try reader.operation("hold")
        reason = try reader.word("reason")
        try reader.finish()
        if hold == op { throw reader.fault(.conflict, "op") }
    }

    /// Its JSON.
    package var node: JSONNode {
        [
            "op": .string(op.text), "hold": .string(hold.text), "reason": .string(reason.rawValue),
        ]
    }
}

/// The callee's cumulative counter on a hold: it only rises, so that loss, repetition and
/// reordering do no harm; the highest `sequence` is the truth.
/// - SeeAlso: Spec §5.4.8.
package struct UsageCounter: Hashable, Sendable {
    /// The hold concerned.
    package var hold: OperationID
    /// Rises with every counter sent.
    package var sequence: Int64
    /// Tasks billed so far.
    package var calls: Int64
    /// What they cost together.
    package var amount: Money

    /// One of these members.
    package init(hold: OperationID, sequence: Int64, calls: Int64, amount: Money) {
        self.hold = hold
        self.sequence = sequence
        self.calls = calls
        self.amount = amount
    }

    /// Reads it strictly.
    package init(_ value: JSONValue, at path: String = "usage") throws(FormatFault) {
        var reader = try ObjectReader(value, at: path)
        hold = try reader.operation("hold")
        sequence = try reader.decimal("seq", 0...Int64(1) << 53 - 1)
        var cumulative = try reader.object("cum")
        calls = try cumulative.decimal("call", 0...Int64(1) << 53 - 1)
        try cumulative.finish()
        amount = try reader.money("cum_amt")
        try reader.finish()
    }

    /// Its JSON.
    package var node: JSONNode {
        [
            "hold": .string(hold.text), "seq": .string(String(sequence)),
            "cum": ["call": .string(String(calls))],
            "cum_amt": amount.node,
        ]
    }
}
