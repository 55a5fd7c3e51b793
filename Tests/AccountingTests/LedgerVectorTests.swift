// SPDX-License-Identifier: Apache-2.0

import Accounting
import Bytes
import JSON
import TestSupport
import Testing

/// The life of holds, step by step, against `Spec/vectors/accounting/ledger.json`.
@Suite struct LedgerVectorTests {
    @Test func everyScenarioEndsAsWritten() throws {
        let vectors = try SpecVectors.json("accounting", "ledger.json")
        var seen: Set<String> = []
        for vector in try elements(vectors, "scenarios") {
            let name = try string(vector, "name")
            var scenario = try Scenario(credit: vector["credit"]?.string ?? "50000.00")
            for (index, step) in try elements(vector, "steps").enumerated() {
                let expected = try #require(step["expect"])
                let outcome = try scenario.run(step)
                #expect(outcome == expected.rawText, "\(name), step \(index + 1)")
                if let text = expected.string { seen.insert(text) }
            }
            for (code, columns) in try #require(vector["accounts"]).members {
                let held = try scenario.held(code)
                #expect(held == columns.elements.compactMap(\.string), "\(name), \(code)")
            }
            try scenario.link.expectSoundBooks()
        }
        // What the books of one link can refuse apart from draws, is refused somewhere above.
        let others: Set<LedgerRefusal> = [
            .malformed, .signature, .overflow, .quoteExpired, .budget, .consentExceeded,
            .refundExceedsPost, .baseNotDisclosed, .unavailable, .holdRequired, .blockExhausted,
        ]
        for refusal in LedgerRefusal.allCases where !others.contains(refusal) {
            #expect(seen.contains(refusal.rawValue))
        }
    }
}

/// One scenario under way, on the books of the caller.
private struct Scenario {
    let link: Link
    private let origin: Instant
    private var ids: [String: OperationID] = [:]
    private var hashes: [String: HashName] = [:]

    init(credit: String) throws {
        link = try Link(credit: credit)
        origin = link.maker.now
    }

    mutating func run(_ step: JSONValue) throws -> String {
        link.maker.now = try instant(step, "at")
        let verb = try string(step, "do")
        if verb == "expire" {
            let expired = try link.us.ledger { try $0.expire(now: link.maker.now, limit: 10) }
            let letters = expired.compactMap { hold in
                ids.first { $0.value == hold.op }?.key
            }
            return JSONNode.array(letters.map { .string($0) }).text
        }
        let op = try id(step, "op")
        let isOurs = step["by"]?.string.map { $0 == "us" } ?? ["hold", "extend"].contains(verb)
        let hash = try hash(step)
        let call = try link.maker.call(link.peer, isOurs ? .us : .peer, hash)
        let result: LedgerResult
        switch verb {
        case "hold":
            let request = try request(step, op)
            result = try link.us.ledger { try $0.place(request, link.context, call) }
        case "extend":
            let growth = HoldExtension(hold: try id(step, "hold"), request: try request(step, op))
            result = try link.us.ledger { try $0.extend(growth, link.context, call) }
        case "post":
            let (charge, commission, sale) = try amounts(step)
            let post = Post(
                op: op, hold: try id(step, "hold"), charge: charge, commission: commission,
                sale: sale, booked: try instant(step, step["booked"] == nil ? "at" : "booked"))
            result = try link.us.ledger { try $0.post(post, call) }
        default:
            let void = HoldVoid(op: op, hold: try id(step, "hold"), reason: .failed)
            result = try link.us.ledger { try $0.void(void, call) }
        }
        switch result {
        case .success(let receipt): return receipt.isRepeated ? "\"repeated\"" : "\"done\""
        case .failure(let refusal): return "\"\(refusal.rawValue)\""
        }
    }

    /// What is held and what is posted on one of the peer's accounts.
    func held(_ name: String) throws -> [String] {
        let code = try #require(AccountCode(rawValue: name))
        let balance = try link.us.balance(code, link.peer)
        let pending = code.isDebitNormal ? balance.debitsPending : balance.creditsPending
        return [pending, balance.posted(code)].map { Money(micros: $0, .cny).text }
    }

    private func request(_ step: JSONValue, _ op: OperationID) throws -> HoldRequest {
        let (charge, commission, sale) = try amounts(step)
        let life = step["life_ms"]?.int ?? 1_770_000
        return HoldRequest(
            op: op, charge: charge, commission: commission, sale: sale, quote: link.tariff.name,
            lifeMilliseconds: life, postBy: link.maker.now.adding(milliseconds: life))
    }

    private func amounts(_ step: JSONValue) throws -> (Money, Money, Money) {
        let currency = try #require(Currency(step["ccy"]?.string ?? "CNY"))
        let amount = { try Money(text: try string(step, $0), currency) }
        return (try amount("charge"), try amount("commission"), try amount("tx"))
    }

    /// The id that a letter stands for, made when it is first met.
    private mutating func id(_ step: JSONValue, _ member: String) throws -> OperationID {
        let letter = try string(step, member)
        if let id = ids[letter] { return id }
        let made = try instant(step, step["id_at"] == nil ? "at" : "id_at")
        let id = OperationID(at: made, random: link.maker.random)
        ids[letter] = id
        return id
    }

    private mutating func hash(_ step: JSONValue) throws -> HashName {
        let label = try string(step, "op") + (step["request"]?.string ?? "")
        let hash = try hashes[label] ?? link.maker.hash()
        hashes[label] = hash
        return hash
    }

    private func instant(_ step: JSONValue, _ member: String) throws -> Instant {
        let seconds = try #require(step[member]?.double)
        return origin.adding(milliseconds: Int64((seconds * 1000).rounded()))
    }
}
