// SPDX-License-Identifier: Apache-2.0
import Accounting
import Bytes
import JSON

extension SQLiteTransaction {
    // MARK: Accounts

    func accountBalance(_ key: AccountKey) throws(StorageFault) -> AccountBalance? {
        try database.run(
            """
            SELECT dr_pend, dr_post, cr_pend, cr_post, lim FROM account
            WHERE peer=? AND code=? AND ccy=?
            """, Self.key(key), row: { Self.balance($0, from: 0) }
        ).first
    }

    func openAccount(_ key: AccountKey, limit: Int64?) throws(StorageFault) {
        try database.run(
            "INSERT INTO account(peer, code, ccy, lim, debit_normal) VALUES(?,?,?,?,?)",
            Self.key(key) + [.optional(limit), .integer(key.code.isDebitNormal ? 1 : 0)])
    }

    func setAccountLimit(_ key: AccountKey, _ limit: Int64?) throws(StorageFault) {
        try database.run(
            "UPDATE account SET lim=?4 WHERE peer=?1 AND code=?2 AND ccy=?3",
            Self.key(key) + [.optional(limit)])
    }

    func changeAccount(_ key: AccountKey, by change: BalanceChange) throws(StorageFault) -> Bool {
        let raised = change.exposure(key.code)
        let isChanged =
            try database.run(
                """
                UPDATE account SET dr_pend=dr_pend+?4, dr_post=dr_post+?5, cr_pend=cr_pend+?6,
                cr_post=cr_post+?7 WHERE peer=?1 AND code=?2 AND ccy=?3
                AND (?8<=0 OR lim IS NULL OR
                CASE debit_normal WHEN 1 THEN dr_post+dr_pend-cr_post
                ELSE cr_post+cr_pend-dr_post END + ?8 <= lim)
                """,
                Self.key(key) + [
                    .integer(change.debitsPending), .integer(change.debitsPosted),
                    .integer(change.creditsPending), .integer(change.creditsPosted),
                    .integer(raised),
                ]) == 1
        if !isChanged, try accountBalance(key) == nil { throw .constraint("no such account") }
        return isChanged
    }

    func accountBalances() throws(StorageFault) -> [(key: AccountKey, balance: AccountBalance)] {
        try database.run(
            "SELECT peer, code, ccy, dr_pend, dr_post, cr_pend, cr_post, lim FROM account"
        ) { row throws(StorageFault) in
            (try Self.accountKey(row, from: 0), Self.balance(row, from: 3))
        }
    }

    private static func key(_ key: AccountKey) -> [SQLValue] {
        [
            .text(key.peer?.text ?? ""), .text(key.code.rawValue), .text(key.currency.code),
        ]
    }

    static func accountKey(
        _ row: borrowing PreparedStatement, from column: Int32
    ) throws(StorageFault) -> AccountKey {
        guard let code = AccountCode(rawValue: row.text(column + 1)) else {
            throw .corrupt("account.code")
        }
        let peer = row.text(column)
        return AccountKey(
            peer: peer.isEmpty ? nil : try entity(peer), code: code,
            currency: try currency(row.text(column + 2)))
    }

    private static func balance(
        _ row: borrowing PreparedStatement, from column: Int32
    ) -> AccountBalance {
        var balance = AccountBalance(limit: row.optionalInteger(column + 4))
        balance.debitsPending = row.integer(column)
        balance.debitsPosted = row.integer(column + 1)
        balance.creditsPending = row.integer(column + 2)
        balance.creditsPosted = row.integer(column + 3)
        return balance
    }

    static func currency(_ code: String) throws(StorageFault) -> Currency {
        guard let currency = Currency(code) else { throw .corrupt("a currency") }
        return currency
    }

    static func operation(_ text: String) throws(StorageFault) -> OperationID {
        guard let op = OperationID(text) else { throw .corrupt("an operation id") }
        return op
    }

    static func name(_ text: String) throws(StorageFault) -> HashName {
        guard let name = HashName(text) else { throw .corrupt("a hash") }
        return name
    }

    // MARK: Postings

    func insertPosting(_ posting: Posting) throws(StorageFault) {
        try database.run(
            """
            INSERT INTO posting(peer, op, idx, kind, resolves_op, resolves_idx, dr, cr, amount,
            booked) VALUES(?1,?2,?3,?4,?5,?6,
            (SELECT id FROM account WHERE peer=?7 AND code=?8 AND ccy=?9),
            (SELECT id FROM account WHERE peer=?10 AND code=?11 AND ccy=?12),?13,?14)
            """,
            [
                .text(posting.peer.text), .text(posting.reference.op.text),
                .integer(Int64(posting.reference.index)), .text(posting.kind.rawValue),
                .optional(posting.resolves?.op.text),
                .optional(posting.resolves.map { Int64($0.index) }),
            ] + Self.key(posting.debit) + Self.key(posting.credit) + [
                .integer(posting.amount), .integer(posting.booked.milliseconds),
            ])
    }

    // MARK: Operations

    func operationOutcome(
        _ peer: EntityID, _ op: OperationID
    ) throws(StorageFault) -> OperationOutcome? {
        try database.run(
            """
            SELECT peer, op, request, hold, refusal, forget_after FROM outcome
            WHERE peer=? AND op=?
            """, [.text(peer.text), .text(op.text)]
        ) { row throws(StorageFault) in
            let refusal = row.optionalText(4)
            if let refusal, LedgerRefusal(rawValue: refusal) == nil {
                throw .corrupt("outcome.refusal")
            }
            return OperationOutcome(
                peer: try Self.entity(row.text(0)), op: try Self.operation(row.text(1)),
                request: try Self.name(row.text(2)),
                hold: try row.optionalText(3).map { text throws(StorageFault) in
                    try Self.operation(text)
                },
                refusal: refusal.flatMap { LedgerRefusal(rawValue: $0) },
                forgetAfter: Instant(milliseconds: row.integer(5)))
        }.first
    }

    func insertOperationOutcome(_ outcome: OperationOutcome) throws(StorageFault) {
        try database.run(
            "INSERT INTO outcome VALUES(?,?,?,?,?,?)",
            [
                .text(outcome.peer.text), .text(outcome.op.text), .text(outcome.request.text),
                .optional(outcome.hold?.text), .optional(outcome.refusal?.rawValue),
                .integer(outcome.forgetAfter.milliseconds),
            ])
    }

    func forgetOperationOutcomes(before instant: Instant) throws(StorageFault) {
        try database.run(
            "DELETE FROM outcome WHERE forget_after<?", [.integer(instant.milliseconds)])
    }

    // MARK: Tariffs

    func insertTariff(_ tariff: TariffRecord) throws(StorageFault) {
        let tokens = JSONNode.array(tariff.tokens.map { .string($0) })
        try database.run(
            "INSERT INTO tariff VALUES(?,?,?,?,?,?) ON CONFLICT(name) DO NOTHING",
            [
                .text(tariff.name.text), .text(tariff.peer.text),
                .text(tariff.agreement.text), .integer(tariff.version), .blob(tariff.body),
                .blob(tokens.bytes),
            ])
    }

    func tariff(named name: HashName) throws(StorageFault) -> TariffRecord? {
        try database.run(
            "SELECT name, peer, agreement, version, body, tokens FROM tariff WHERE name=?",
            [.text(name.text)]
        ) { row throws(StorageFault) in
            TariffRecord(
                name: try Self.name(row.text(0)), peer: try Self.entity(row.text(1)),
                agreement: try Self.operation(row.text(2)), version: row.integer(3),
                body: row.blob(4),
                tokens: try Self.parsed(row.blob(5), "tariff.tokens").elements
                    .compactMap(\.string))
        }.first
    }
}
