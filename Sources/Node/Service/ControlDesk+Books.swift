// SPDX-License-Identifier: Apache-2.0
import A2A
import Accounting
import Bytes
import Gateway
import HTTP
import JSON

extension ControlDesk {
    /// Every account with its columns, and whether debits are credits.
    func accounts() async throws(A2AError) -> JSONNode {
        let accounts = try await read { try $0.accountBalances() }
            .sorted { $0.key.description < $1.key.description }
        var trial: [Accounting.Currency: [Int128]] = [:]
        for (key, balance) in accounts {
            let columns = [
                balance.debitsPending, balance.creditsPending, balance.debitsPosted,
                balance.creditsPosted,
            ]
            let before = trial[key.currency] ?? [0, 0, 0, 0]
            trial[key.currency] = zip(before, columns).map { $0 + Int128($1) }
        }
        return [
            "entity": .string(gateway.settings.entity.text),
            "accounts": .array(accounts.map(Self.node)),
            "trial": .array(
                trial.sorted { $0.key.code < $1.key.code }.map { currency, sums in
                    [
                        "ccy": .string(currency.code),
                        "balanced": .bool(sums[0] == sums[1] && sums[2] == sums[3]),
                    ]
                }),
        ]
    }

    private static func node(
        _ account: (key: AccountKey, balance: AccountBalance)
    ) -> JSONNode {
        let (key, balance) = account
        func text(_ micros: Int64) -> JSONNode {
            .string(Money(micros: micros, key.currency).text)
        }
        var node: JSONNode = ["code": .string(key.code.rawValue)]
        node["peer"] = key.peer.map { .string($0.text) }
        node["ccy"] = .string(key.currency.code)
        node["debits_pending"] = text(balance.debitsPending)
        node["debits"] = text(balance.debitsPosted)
        node["credits_pending"] = text(balance.creditsPending)
        node["credits"] = text(balance.creditsPosted)
        node["balance"] = text(balance.posted(key.code))
        node["limit"] = balance.limit.map(text)
        return node
    }

    /// Re-adds the whole books. It reads everything, so it is for a quiet hour.
    func audit() async throws(A2AError) -> JSONNode {
        let findings = try await BooksCheck(gateway: gateway).findings()
        return [
            "good": .bool(findings.isEmpty),
            "findings": .array(
                findings.map { finding in
                    [
                        "rule": .string(finding.rule.rawValue), "place": .string(finding.place),
                    ]
                }),
        ]
    }

    /// What we and a peer owe each other over one month, by the calendar of their tariff.
    func statement(
        _ query: ControlResource.StatementQuery
    ) async throws(A2AError) -> ServiceResponse {
        let settings = gateway.settings
        guard let party = settings.parties[query.peer], let versions = party.tariffs else {
            throw A2AError(
                .invalidParams, "There is no tariff with \(query.peer.text), and so no statement")
        }
        let named = query.month.flatMap { ControlResource.firstInstant(ofMonth: $0) }
        let instant = named ?? gateway.time.now()
        let tariff = (versions.inForce(at: instant) ?? versions.versions.last)?.tariff
        guard let tariff else { throw A2AError(.internalError) }
        let offset = tariff.settlement.offsetMinutes
        // The month is one of the companies' own calendar, whose first minute lies beside UTC's.
        let period = StatementPeriod(
            monthOf: named.map { $0.adding(seconds: -offset * 60) } ?? instant,
            offsetMinutes: offset)
        let entity = settings.entity
        let peer = query.peer
        let statement = try await read { tx in
            try Ledger(tx, of: entity).statement(
                with: peer, tariff.currency, over: period, settlement: tariff.settlement)
        }
        guard query.isHTML else { return .json(statement.node.bytes) }
        let page = statement.html(issuerName: node.name, peerName: party.name)
        return ServiceResponse(
            status: 200, fields: [.contentType: "text/html; charset=utf-8"],
            body: .bytes(Array(page.utf8)))
    }
}
