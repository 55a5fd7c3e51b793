// SPDX-License-Identifier: Apache-2.0

import Bytes
package import JSON

extension Statement {
    /// The statement's head: everything but the lines, of which it has the number and, as
    /// `lines_hash`, the hash of their JSON text (``lines``). It is what is signed as
    /// `a2a-statement+jwt`, for a token is short and a month is long.
    package func head(linesHash: HashName) -> JSONNode {
        var node = summary
        node["lines_hash"] = .string(linesHash.text)
        return node
    }

    /// The whole statement.
    package var node: JSONNode {
        var node = summary
        node["lines"] = lines
        return node
    }

    /// The lines, in order.
    package var lines: JSONNode {
        .array(rows.enumerated().map { rowNode($0.element, number: $0.offset + 1) })
    }

    private var summary: JSONNode {
        var node: JSONNode = [
            "v": "statement/1", "iss": .string(issuer.text), "aud": .string(peer.text),
            "ccy": .string(currency.code), "from": .string(period.from.rfc3339),
            "to": .string(period.to.rfc3339), "opening": balanceNode(opening),
            "totals": .array(
                totals.map { total in
                    [
                        "kind": .string(total.kind.rawValue), "line": .string(total.name),
                        "count": .int(total.count), "amt": .string(total.amount.text),
                        "owed_by": debtor(isPeer: total.isOwedToUs),
                    ]
                }),
            "closing": balanceNode(closing), "payable": balanceNode(payable),
            "residue": balanceNode(residue),
        ]
        if let due { node["due"] = .string(due.rfc3339) }
        node["open_holds"] = .array(openHolds.map(holdNode))
        var evidence: JSONNode = [:]
        for level in Evidence.allCases {
            evidence[level.rawValue] = .int(rows.count { $0.evidence == level })
        }
        node["evidence"] = evidence
        node["count"] = .int(rows.count)
        return node
    }

    private func rowNode(_ row: Row, number: Int) -> JSONNode {
        let line = row.line
        var node: JSONNode = [
            "seq": .int(number), "op": .string(line.op.text), "kind": .string(line.kind.rawValue),
            "line": .string(line.name),
        ]
        if let exchange = line.exchange { node["exchange"] = .string(exchange.text) }
        if let calls = line.calls { node["calls"] = .int(calls) }
        if let basis = line.basis { node["tx"] = .string(basis.text) }
        if let rate = row.rate { node["rate_ppm"] = .int(rate.value) }
        if let tariff = line.tariff { node["tariff"] = .string(tariff.text) }
        if let version = row.version { node["ver"] = .int(version) }
        node["amt"] = .string(line.amount.text)
        node["owed_by"] = debtor(isPeer: line.isOwedToUs)
        node["balance"] = balanceNode(row.balance)
        node["booked"] = .string(line.booked.rfc3339)
        node["evidence"] = .string(row.evidence.rawValue)
        return node
    }

    private func holdNode(_ hold: HoldRecord) -> JSONNode {
        var node: JSONNode = [
            "op": .string(hold.op.text), "side": .string(hold.side.rawValue),
            "kind": .string(hold.kind.rawValue),
        ]
        if let exchange = hold.exchange { node["exchange"] = .string(exchange.text) }
        node["charge"] = .string(hold.charge.text)
        node["commission"] = .string(hold.commission.text)
        node["post_by"] = .string(hold.postBy.rfc3339)
        return node
    }

    /// A balance as an amount and who owes it; nobody owes nothing.
    private func balanceNode(_ balance: Money) -> JSONNode {
        let size = balance.micros < 0 ? Money(micros: -balance.micros, currency) : balance
        var node: JSONNode = ["amt": .string(size.text)]
        if balance.micros != 0 { node["owed_by"] = debtor(isPeer: balance.micros > 0) }
        return node
    }

    private func debtor(isPeer: Bool) -> JSONNode { .string((isPeer ? peer : issuer).text) }
}
