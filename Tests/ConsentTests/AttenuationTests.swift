// SPDX-License-Identifier: Apache-2.0

import Bytes
import Consent
import Crypto
import JSON
import TestSupport
import Testing

/// Whatever a child that passes permits, its parent permits: sampled over random pairs of entries
/// and random acts, judged by an oracle that is written here from the table of `Spec/consent.md`.
@Suite struct AttenuationTests {
    private static let executors = ["https://a.example", "https://b.example", "https://c.example"]
        .map { entityID($0) }
    private static let actions = ["order.create", "order.cancel", "order.read"]
    private static let types = ["addr", "phone", "name"]

    @Test(arguments: 0..<8)
    func narrowedEntriesPermitNothingNew(_ seed: UInt64) throws {
        let booking = Booking(seed: seed)
        var random = SeededRandom(seed: seed)
        var accepted = 0
        var refused = 0
        for _ in 0..<500 {
            let parent = entry(&random)
            guard let root = try? root(booking, parent) else { continue }
            let child = Bool.random(using: &random) ? narrowed(parent, &random) : entry(&random)
            guard let grant = try? booking.link(root, entries: [child]) else {
                refused += 1
                continue
            }
            accepted += 1
            #expect(grant.leaf.entries == [child])
            for _ in 0..<60 {
                let act = act(&random)
                if permits(child, act) {
                    #expect(permits(parent, act), "\(parent) but \(child) permits \(act)")
                }
            }
        }
        #expect(accepted > 100 && refused > 100)
    }

    private func root(_ booking: Booking, _ entry: Entry) throws -> HeldGrant {
        try booking.issuer.root(
            GrantIssuer.Request(
                subject: "u", holder: booking.phone.entity,
                holderKey: booking.phone.key.verifying.jwk, entries: [entry],
                delegates: .named([booking.app.entity]), maximumDepth: 1, life: 600,
                methods: ["fpt"]), now: booking.now, random: booking.random)
    }

    // MARK: Acts, and what an entry says about them

    private struct Sample {
        let action: String
        let executor: EntityID
        let amount: Amount
        /// What was spent and done before under the same entry.
        let spent: Int64
        let uses: Int64
        let identifier: String?
        let type: String?
        let retention: Int64
        let level: ConfirmLevel
        let at: Int64
    }

    private func permits(_ entry: Entry, _ act: Sample) -> Bool {
        guard entry.actions.contains(act.action), entry.locations.contains(act.executor),
            act.level >= entry.confirm
        else { return false }
        if let identifier = entry.identifier, act.identifier != identifier { return false }
        if let type = act.type {
            guard let data = entry.data, data.types.contains(type),
                act.retention <= data.retention
            else { return false }
        }
        guard let limits = entry.limits else { return true }
        if act.amount.currency != limits.currency { return false }
        if let perAct = limits.perAct, act.amount.value > perAct { return false }
        if let total = limits.total, act.spent + act.amount.value > total { return false }
        if let count = limits.count, act.uses + 1 > count { return false }
        if let slice = limits.slice {
            return slice.lower <= act.at && act.at + act.amount.value <= slice.upper
        }
        return true
    }

    private func act(_ random: inout SeededRandom) -> Sample {
        Sample(
            action: any(Self.actions, &random),
            executor: any(Self.executors, &random),
            amount: Amount(
                value: .random(in: 0...12, using: &random),
                currency: currencyNamed(Bool.random(using: &random) ? "CNY" : "JPY")),
            spent: .random(in: 0...12, using: &random), uses: .random(in: 0...4, using: &random),
            identifier: any([nil, "x", "y"], &random),
            type: Bool.random(using: &random) ? Self.types.randomElement(using: &random) : nil,
            retention: .random(in: 0...4, using: &random),
            level: any(ConfirmLevel.allCases, &random),
            at: .random(in: 0...12, using: &random))
    }

    // MARK: Random entries

    private func entry(_ random: inout SeededRandom) -> Entry {
        Entry(
            id: "e", actions: subset(Self.actions, &random),
            locations: .named(subset(Self.executors, &random)),
            confirm: any(ConfirmLevel.allCases, &random),
            identifier: any([nil, nil, "x", "y"], &random),
            limits: Bool.random(using: &random) ? limits(&random) : nil,
            data: Bool.random(using: &random)
                ? Entry.DataScope(
                    types: subset(Self.types, &random), purpose: "fulfil-order",
                    retention: .random(in: 0...4, using: &random)) : nil)
    }

    private func limits(_ random: inout SeededRandom) -> Limits {
        var limits = Limits(currency: currencyNamed(Bool.random(using: &random) ? "CNY" : "JPY"))
        limits.count = Bool.random(using: &random) ? .random(in: 1...4, using: &random) : nil
        limits.perAct = Bool.random(using: &random) ? .random(in: 1...12, using: &random) : nil
        if Bool.random(using: &random) {
            let total = Int64.random(in: 1...12, using: &random)
            limits.total = total
            if Bool.random(using: &random) {
                let lower = Int64.random(in: 0...6, using: &random)
                limits.slice = Limits.Slice(lower: lower, upper: lower + total)
            }
        }
        if limits.count == nil && limits.perAct == nil && limits.total == nil {
            limits.perAct = 5
        }
        return limits
    }

    /// Mostly narrower, so that the accepted side is sampled too.
    private func narrowed(_ parent: Entry, _ random: inout SeededRandom) -> Entry {
        var child = parent
        child.actions = subset(parent.actions, &random)
        if case .named(let executors) = parent.locations {
            child.locations = .named(subset(executors, &random))
        }
        child.confirm = any(ConfirmLevel.allCases.filter { $0 >= parent.confirm }, &random)
        if Bool.random(using: &random) { child.data = nil }
        if let total = child.limits?.total, child.limits?.slice == nil {
            child.limits?.total = .random(in: 0...(total + 1), using: &random)
        }
        if let perAct = child.limits?.perAct {
            child.limits?.perAct = .random(in: 0...(perAct + 1), using: &random)
        }
        if let count = child.limits?.count {
            child.limits?.count = .random(in: 0...count, using: &random)
        }
        return child
    }

    private func subset<Element>(
        _ elements: [Element], _ random: inout SeededRandom
    ) -> [Element] {
        let subset = elements.filter { _ in Bool.random(using: &random) }
        return subset.isEmpty ? [any(elements, &random)] : subset
    }

    private func any<Element>(_ elements: [Element], _ random: inout SeededRandom) -> Element {
        elements[Int.random(in: 0..<elements.count, using: &random)]
    }
}
