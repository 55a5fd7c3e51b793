// SPDX-License-Identifier: Apache-2.0
import A2A
import Accounting
import Bytes
import Consent
package import JSON

extension Explanation {
    /// The explanation for programs.
    package var node: JSONNode {
        var node: JSONNode = ["v": "explanation/1", "gateway": .string(gateway.text)]
        node["exchange"] = exchange.map { .string($0) }
        node["tasks"] = .array(tasks.map(\.node))
        node["holds"] = .array(holds.map(Self.node))
        node["draws"] = .array(draws.map(\.node))
        node["totals"] = .array(totals.map(\.node))
        node["records"] = .array(records.map(\.node))
        node["refusals"] = .array(refusals.map(\.node))
        node["result"] = result.map(Self.money)
        node["proceeds"] = proceeds.map(Self.money)
        return node
    }

    static func node(_ hold: HoldRecord) -> JSONNode {
        var node: JSONNode = [
            "peer": .string(hold.peer.text), "op": .string(hold.op.text),
            "side": .string(hold.side.rawValue), "kind": .string(hold.kind.rawValue),
            "state": .string(hold.state.rawValue), "ccy": .string(hold.charge.currency.code),
            "charge": .string(hold.charge.text), "commission": .string(hold.commission.text),
            "tx": .string(hold.sale.text), "tariff": .string(hold.tariff.text),
            "placed": .string(hold.placed.rfc3339), "post_by": .string(hold.postBy.rfc3339),
        ]
        if let end = hold.resolution {
            var ended: JSONNode = ["op": .string(end.op.text), "at": .string(end.at.rfc3339)]
            if hold.state == .posted {
                ended["charge"] = .string(end.charge.text)
                ended["commission"] = .string(end.commission.text)
                ended["tx"] = .string(end.sale.text)
            }
            node["ended"] = ended
        }
        return node
    }

    private static func money(_ money: Money) -> JSONNode {
        ["amt": .string(money.text), "ccy": .string(money.currency.code)]
    }
}

extension Explanation.Check {
    fileprivate func write(to node: inout JSONNode) {
        switch self {
        case .verified: node["verified"] = true
        case .failed(let rule):
            node["verified"] = false
            node["rule"] = .string(rule)
        }
    }

    fileprivate var node: JSONNode {
        var node: JSONNode = [:]
        write(to: &node)
        return node
    }
}

extension JSONNode {
    fileprivate mutating func put(_ name: String, _ text: String?) {
        if let text { self[name] = .string(text) }
    }

    fileprivate mutating func put(_ name: String, _ instant: Instant?) {
        put(name, instant?.rfc3339)
    }
}

extension Explanation.TaskTrail {
    fileprivate var node: JSONNode {
        var node: JSONNode = [
            "id": .string(record.id), "context": .string(record.contextID),
            "agent": .string(record.agent), "state": .string(record.state.rawValue),
            "created": .string(record.created.rfc3339), "updated": .string(record.updated.rfc3339),
            "owner": ["party": .string(record.owner.party), "user": .string(record.owner.user)],
            "route": .string(record.route), "upstream": .string(record.upstreamTaskID),
        ]
        node.put("certificate", record.certificate)
        node["consent"] = consent?.node
        return node
    }
}

extension Explanation.ConsentTrail {
    fileprivate var node: JSONNode {
        var grant = check.node
        grant["links"] = .array(
            links.map { link in
                [
                    "claims": link.grant.node,
                    "lost": .array(link.lost.map { .string($0) }),
                ]
            })
        var node: JSONNode = ["grant": grant]
        node["offer"] = offer?.node
        node["answer"] = answer?.node
        node["act"] = act?.node
        node["reservations"] = .array(reservations.map(\.node))
        node["receipt"] = receipt?.node
        return node
    }
}

extension Explanation.Offer {
    fileprivate var node: JSONNode {
        var node = check.node
        node.put("executor", executor.text)
        node.put("level", level)
        node["asked"] = .int(asked)
        node.put("expires", expires)
        node.put("terms", terms)
        node["rows"] = .array(
            rows.map { ["label": .string($0.label), "text": .string($0.text)] })
        return node
    }
}

extension Explanation.Answer {
    fileprivate var node: JSONNode {
        var node = check.node
        node.put("name", name)
        node.put("decision", decision)
        node.put("amount", amount)
        node.put("at", at)
        node["amr"] = .array(methods.map { .string($0) })
        return node
    }
}

extension Explanation.DoneAct {
    fileprivate var node: JSONNode {
        var node = check.node
        node.put("id", id)
        node.put("holder", holder)
        node.put("action", action)
        node.put("amount", amount)
        node.put("at", at)
        return node
    }
}

extension Explanation.Reserved {
    fileprivate var node: JSONNode {
        var node = check.node
        node.put("keeper", keeper)
        node.put("amount", amount)
        node.put("state", state)
        node.put("expires", expires)
        return node
    }
}

extension Explanation.Received {
    fileprivate var node: JSONNode {
        var node = check.node
        node.put("result", result)
        node.put("captured", captured)
        node.put("ref", reference)
        node.put("error", error)
        return node
    }
}

extension Explanation.Drawn {
    fileprivate var node: JSONNode {
        var node: JSONNode = [
            "peer": .string(record.peer.text), "side": .string(side.rawValue),
            "block": .string(record.block.text), "seq": .int(record.number),
            "ccy": .string(fee.currency.code), "fee": .string(fee.text),
            "state": .string(record.state.rawValue), "at": .string(record.at.rfc3339),
        ]
        node.put("task", record.task)
        return node
    }
}

extension Explanation.Total {
    fileprivate var node: JSONNode {
        var node = check.node
        node["name"] = .string(total.name.text)
        node["ccy"] = .string(total.paid.currency.code)
        node["user_total"] = .string(total.paid.text)
        node["consent_max"] = .string(total.consented.text)
        node["booked"] = .string(total.booked.rfc3339)
        node["links"] = .array(links.map { .string($0) })
        node.put("consent", consent)
        return node
    }
}

extension Explanation.Record {
    fileprivate var node: JSONNode {
        var node = check.node
        node.put("name", name)
        node.put("issuer", issuer.text)
        node.put("peer", peer.text)
        node.put("evidence", level.rawValue)
        node["links"] = .array(links.map { .string($0) })
        node.put("consent", consent)
        return node
    }
}

extension RefusalRecord {
    fileprivate var node: JSONNode {
        var node: JSONNode = ["at": .string(at.rfc3339), "party": .string(party)]
        node.put("task", task)
        node.put("exchange", exchange)
        node.put("method", method)
        node.put("reason", reason)
        node.put("rule", rule)
        node.put("by", by)
        return node
    }
}
