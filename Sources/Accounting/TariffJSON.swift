// SPDX-License-Identifier: Apache-2.0

import Bytes
package import JSON

extension Tariff {
    /// Reads the payload of an `a2a-tariff+jwt`; unknown members are refused, as is every tariff
    /// that contradicts itself.
    /// - SeeAlso: Spec §5.3.1 and Spec §5.3.2.
    package init(_ value: JSONValue) throws(FormatFault) {
        var reader = try ObjectReader(value)
        try reader.version("tariff/1")
        let currency = try reader.currency("ccy")
        self.currency = currency
        agreement = try reader.operation("agr")
        version = try reader.integer("ver", 1...Tariff.mostVersions)
        previous = try reader.optionalHash("prev")
        var edge = try reader.object("edge")
        caller = try edge.entity(LinkSide.caller.rawValue)
        callee = try edge.entity(LinkSide.callee.rawValue)
        try edge.finish()
        from = try reader.instant("from")
        to = try reader.optionalInstant("to")
        charge = try Charge(readingOnlyOf: &reader, currency)
        commission = try Commission(readingOnlyOf: &reader, currency)
        (billsFailed, billsCanceled) = try Tariff.billOn(&reader, charge?.id)
        hold = try HoldLimits(&reader)
        block = try BlockTerms(&reader, currency)
        credit = try Credit(&reader, currency)
        settlement = try Settlement(&reader, currency)
        disputeDays = try reader.integer("dispute_d", 0...366)
        try reader.finish()
        try validate()
    }

    /// The payload to sign, members in the order of the specification.
    package var node: JSONNode {
        var node: JSONNode = [
            "v": "tariff/1", "agr": .string(agreement.text), "ver": .int(version),
        ]
        if let previous { node["prev"] = .string(previous.text) }
        node["ccy"] = .string(currency.code)
        node["edge"] = [
            LinkSide.caller.rawValue: .string(caller.text),
            LinkSide.callee.rawValue: .string(callee.text),
        ]
        node["from"] = .string(from.rfc3339)
        if let to { node["to"] = .string(to.rfc3339) }
        node["charges"] = .array(charge.map { [$0.node] } ?? [])
        node["commissions"] = .array(commission.map { [$0.node] } ?? [])
        let fee: [JSONNode] = charge.map { [.string($0.id)] } ?? []
        node["bill_on"] = [
            "completed": ["*"], "failed": .array(billsFailed ? fee : []),
            "canceled": .array(billsCanceled ? fee : []), "rejected": [],
        ]
        node["hold"] = [
            "max_s": .int(hold.longest), "delta_s": .int(hold.delta), "skew_s": .int(hold.skew),
        ]
        if let block {
            node["block"] = [
                "amt": .string(block.amount.text), "max_s": .int(block.longest),
                "renew_ppm": .int(block.renewAt.value),
            ]
        }
        node["credit"] = [
            "up_owes": .string(credit.callerOwes.text),
            "down_owes": .string(credit.calleeOwes.text), "warn_ppm": .int(credit.warnAt.value),
        ]
        node["settle"] = [
            "period": "P1M", "tz": .string(settlement.offset),
            "min": .string(settlement.least.text), "due_d": .int(settlement.dueDays),
        ]
        node["dispute_d"] = .int(disputeDays)
        return node
    }

    /// The rules that join members; the reader checks each member alone.
    /// - Throws: ``FormatFault`` with rule `conflict`, naming the member to change.
    private func validate() throws(FormatFault) {
        func require(_ condition: Bool, _ path: String) throws(FormatFault) {
            if !condition { throw FormatFault(.conflict, at: path) }
        }
        try require(caller != callee, "edge")
        try require((previous == nil) == (version == 1), "prev")
        try require(to.map { $0 > from } ?? true, "to")
        try require(charge == nil || charge?.id != commission?.id, "commissions.0.id")
        if let rule = commission?.rule {
            try require(rule.cap.map { rule.floor.isAtMost($0) } ?? true, "commissions.0.floor")
            if rule.quantum == .minor {
                for (amount, name) in [
                    (rule.fixed, "fixed"), (rule.floor, "floor"), (rule.cap ?? rule.floor, "cap"),
                ] {
                    try require(amount.swept.residue.micros == 0, "commissions.0." + name)
                }
            }
        }
        // Less could not survive one message lost between clocks that differ by the skew.
        try require(hold.delta > 2 * hold.skew, "hold.delta_s")
        try require(hold.longest > hold.delta, "hold.max_s")
        if let block {
            try require(charge != nil, "block")
            try require((charge?.fixed).map { $0.isAtMost(block.amount) } ?? true, "block.amt")
            try require(block.amount.isAtMost(credit.callerOwes), "block.amt")
        }
    }

    /// An agreement with more versions is a mistake of a program, not of people.
    private static let mostVersions: Int64 = 1_000_000

    /// `completed` bills every line and `rejected` none: no tariff may say otherwise. The other two
    /// name the charge or nothing.
    private static func billOn(
        _ reader: inout ObjectReader, _ charge: String?
    ) throws(FormatFault) -> (failed: Bool, canceled: Bool) {
        var bill = try reader.object("bill_on")
        func ids(_ name: String) throws(FormatFault) -> [String] {
            var ids: [String] = []
            for (value, path) in try bill.array(name, atMost: 1) {
                guard let id = value.string else { throw FormatFault(.kind, at: path) }
                ids.append(id)
            }
            return ids
        }
        guard try ids("completed") == ["*"] else { throw bill.fault(.text, "completed") }
        guard try ids("rejected").isEmpty else { throw bill.fault(.text, "rejected") }
        let failed = try ids("failed")
        let canceled = try ids("canceled")
        for (list, name) in [(failed, "failed"), (canceled, "canceled")] {
            guard list.isEmpty || list == [charge] else { throw bill.fault(.text, name) }
        }
        try bill.finish()
        return (!failed.isEmpty, !canceled.isEmpty)
    }
}

// MARK: - Members

extension Tariff.Charge {
    /// The one element of `charges`, nil when there is none.
    fileprivate init?(
        readingOnlyOf reader: inout ObjectReader, _ currency: Currency
    ) throws(FormatFault) {
        guard let element = try reader.array("charges", atMost: 1).first else { return nil }
        var charge = try ObjectReader(element.value, at: element.path)
        id = try charge.lineName("id")
        guard try charge.string("basis") == "call" else { throw charge.fault(.text, "basis") }
        fixed = try charge.amount("fixed", currency)
        try charge.finish()
    }

    fileprivate var node: JSONNode {
        ["id": .string(id), "basis": "call", "fixed": .string(fixed.text)]
    }
}

extension Tariff.Commission {
    /// The one element of `commissions`, nil when there is none.
    fileprivate init?(
        readingOnlyOf reader: inout ObjectReader, _ currency: Currency
    ) throws(FormatFault) {
        guard let element = try reader.array("commissions", atMost: 1).first else { return nil }
        var commission = try ObjectReader(element.value, at: element.path)
        id = try commission.lineName("id")
        guard try commission.string("basis") == "tx.net" else {
            throw commission.fault(.text, "basis")
        }
        guard try commission.string("scope") == "tx" else { throw commission.fault(.text, "scope") }
        let zero = Money.zero(currency)
        let rate = try commission.ppm("ppm")
        let fixed = try commission.optionalAmount("fixed", currency) ?? zero
        let cap = try commission.optionalAmount("cap", currency)
        let quantum = try commission.word("quantum", Quantum.self)
        // With a quantum of a minor unit, sales cut small enough round to no commission at all, so
        // such a tariff must say what its floor is, be it zero.
        let floor =
            quantum == .minor
            ? try commission.amount("floor", currency)
            : try commission.optionalAmount("floor", currency) ?? zero
        rule = FeeRule(
            rate: rate, fixed: fixed, floor: floor, cap: cap, quantum: quantum,
            mode: try commission.word("round", RoundingMode.self))
        try commission.finish()
    }

    fileprivate var node: JSONNode {
        var node: JSONNode = [
            "id": .string(id), "basis": "tx.net", "ppm": .int(rule.rate.value),
        ]
        if rule.fixed.micros != 0 { node["fixed"] = .string(rule.fixed.text) }
        if let cap = rule.cap { node["cap"] = .string(cap.text) }
        node["floor"] = .string(rule.floor.text)
        node["scope"] = "tx"
        node["quantum"] = .string(rule.quantum.rawValue)
        node["round"] = .string(rule.mode.rawValue)
        return node
    }
}

extension Tariff.HoldLimits {
    fileprivate init(_ reader: inout ObjectReader) throws(FormatFault) {
        var hold = try reader.object("hold")
        longest = try hold.integer("max_s", 1...604_800)
        delta = try hold.integer("delta_s", 1...86_400)
        skew = try hold.integer("skew_s", 0...300)
        try hold.finish()
    }
}

extension Tariff.BlockTerms {
    fileprivate init?(_ reader: inout ObjectReader, _ currency: Currency) throws(FormatFault) {
        guard var block = try reader.optionalObject("block") else { return nil }
        amount = try block.amount("amt", currency)
        longest = try block.integer("max_s", 60...604_800)
        renewAt = try block.ppm("renew_ppm")
        try block.finish()
    }
}

extension Tariff.Credit {
    fileprivate init(_ reader: inout ObjectReader, _ currency: Currency) throws(FormatFault) {
        var credit = try reader.object("credit")
        callerOwes = try credit.amount("up_owes", currency)
        calleeOwes = try credit.amount("down_owes", currency)
        warnAt = try credit.ppm("warn_ppm")
        try credit.finish()
    }
}

extension Tariff.Settlement {
    fileprivate init(_ reader: inout ObjectReader, _ currency: Currency) throws(FormatFault) {
        var settle = try reader.object("settle")
        guard try settle.string("period") == "P1M" else { throw settle.fault(.text, "period") }
        guard let minutes = Tariff.Settlement.minutes(try settle.string("tz")) else {
            throw settle.fault(.text, "tz")
        }
        offsetMinutes = minutes
        least = try settle.amount("min", currency)
        dueDays = try settle.integer("due_d", 0...366)
        try settle.finish()
    }

    /// `+08:00`
    package var offset: String { Self.offset(minutes: offsetMinutes) }

    /// Minutes east of UTC as RFC 3339 writes them.
    static func offset(minutes: Int64) -> String {
        let size = minutes.magnitude
        func two(_ number: UInt64) -> String { (number < 10 ? "0" : "") + String(number) }
        return (minutes < 0 ? "-" : "+") + two(size / 60) + ":" + two(size % 60)
    }

    /// Reads what ``offset`` writes, -12:00 … +14:00; `-00:00` is refused for its second meaning.
    private static func minutes(_ text: String) -> Int64? {
        let bytes = Array(text.utf8)
        guard bytes.count == 6, bytes[0] == 0x2B || bytes[0] == 0x2D, bytes[3] == 0x3A
        else { return nil }
        let digits = [bytes[1], bytes[2], bytes[4], bytes[5]].map { Int64($0) - 0x30 }
        guard digits.allSatisfy({ (0...9).contains($0) }) else { return nil }
        let (hours, minutes) = (digits[0] * 10 + digits[1], digits[2] * 10 + digits[3])
        let offset = (hours * 60 + minutes) * (bytes[0] == 0x2D ? -1 : 1)
        guard minutes < 60, (-720...840).contains(offset), offset != 0 || bytes[0] == 0x2B
        else { return nil }
        return offset
    }
}

extension ObjectReader {
    fileprivate mutating func ppm(_ name: String) throws(FormatFault) -> PartsPerMillion {
        guard let rate = PartsPerMillion(try integer(name, 0...1_000_000)) else {
            throw fault(.range, name)
        }
        return rate
    }

    /// A line's name: 1 to 16 lower-case letters, digits and underscores. It is printed on
    /// statements, so nothing that needs escaping may be in it.
    fileprivate mutating func lineName(_ name: String) throws(FormatFault) -> String {
        let text = try string(name, atMost: 16)
        let isPlain = text.utf8.allSatisfy {
            (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F
        }
        guard isPlain else { throw fault(.text, name) }
        return text
    }
}
