// SPDX-License-Identifier: Apache-2.0

import Accounting
import Bytes
import JSON
import TestSupport
import Testing

/// A company with its books, for tests.
final class Company {
    let entity: EntityID
    let books = MemoryLedger()

    init(_ name: String) throws {
        entity = try #require(EntityID("https://\(name).example"))
    }

    /// One transaction on the books.
    func ledger<Value>(_ body: (Ledger) throws -> Value) throws -> Value {
        try books.transaction { try body(Ledger(books, of: entity)) }
    }

    func balance(
        _ code: AccountCode, _ peer: Company? = nil, _ currency: Currency = .cny
    ) throws -> AccountBalance {
        let key = AccountKey(peer: peer?.entity, code: code, currency: currency)
        return try books.accountBalance(key) ?? AccountBalance()
    }

    /// What is booked on an account, as text.
    func posted(_ code: AccountCode, _ peer: Company? = nil) throws -> String {
        Money(micros: try balance(code, peer).posted(code), .cny).text
    }
}

/// Ids, hashes and amounts of a test, repeatable by its seed.
final class Maker {
    let random: SeededRandom
    var now: Instant

    init(seed: UInt64 = 1, now: Instant = Instant(seconds: 1_795_219_200)) {
        random = SeededRandom(seed: seed)
        self.now = now
    }

    func op() -> OperationID { OperationID(at: now, random: random) }

    func hash() throws -> HashName { try #require(HashName(Base64URL.encode(random.bytes(32)))) }

    func call(
        _ peer: Company, _ origin: LedgerCall.Origin, _ request: HashName? = nil
    ) throws -> LedgerCall {
        LedgerCall(
            peer: peer.entity, origin: origin, request: try request ?? hash(), now: now)
    }
}

func cny(_ text: String) throws -> Money { try Money(text: text, .cny) }

/// The JSON of a tariff of the narrow form between two companies.
func tariffNode(
    _ maker: Maker, caller: Company, callee: Company, fee: String = "0.10",
    ppm: Int64 = 5488, cap: String? = "1.80", credit: String = "50000.00", hasBlock: Bool = true
) -> JSONNode {
    var take: JSONNode = ["id": "take", "basis": "tx.net", "ppm": .int(ppm)]
    if let cap { take["cap"] = .string(cap) }
    for (name, value) in [
        ("floor", "0.00"), ("scope", "tx"), ("quantum", "minor"), ("round", "half-up"),
    ] {
        take[name] = .string(value)
    }
    var node: JSONNode = [
        "v": "tariff/1", "agr": .string(maker.op().text), "ver": 1, "ccy": "CNY",
        "edge": ["up": .string(caller.entity.text), "down": .string(callee.entity.text)],
        "from": .string(maker.now.adding(seconds: -86_400).rfc3339),
        "charges": [["id": "call", "basis": "call", "fixed": .string(fee)]],
        "commissions": [take],
        "bill_on": ["completed": ["*"], "failed": [], "canceled": [], "rejected": []],
        "hold": ["max_s": 1800, "delta_s": 30, "skew_s": 5],
        "credit": [
            "up_owes": .string(credit), "down_owes": .string(credit), "warn_ppm": 800_000,
        ],
        "settle": ["period": "P1M", "tz": "+08:00", "min": "1.00", "due_d": 15],
        "dispute_d": 30,
    ]
    if hasBlock { node["block"] = ["amt": "10.00", "max_s": 3600, "renew_ppm": 500_000] }
    return node
}

/// The tariff of such JSON, under a name made up.
func tariff(_ maker: Maker, _ node: JSONNode) throws -> PinnedTariff {
    let value = try JSONDocument(parsing: node.bytes).root
    return PinnedTariff(name: try maker.hash(), tariff: try Tariff(value))
}

extension Result where Success == LedgerReceipt, Failure == LedgerRefusal {
    /// The refusal, nil when done.
    var refusal: LedgerRefusal? {
        if case .failure(let refusal) = self { refusal } else { nil }
    }
}

// MARK: - Vectors

func elements(_ value: JSONValue, _ name: String) throws -> [JSONValue] {
    let elements = Array(try #require(value[name]).elements)
    #expect(!elements.isEmpty, "\(name) has no vectors")
    return elements
}

func string(_ value: JSONValue, _ name: String) throws -> String {
    try #require(value[name]?.string)
}
