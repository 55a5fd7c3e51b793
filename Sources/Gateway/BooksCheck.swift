// SPDX-License-Identifier: Apache-2.0
package import A2A
package import Accounting
import Bytes
import Crypto
import JSON

/// Checks the whole books: that they are what their postings make (``Ledger/audit()``), and that
/// the signed objects which stand behind money are what their makers signed.
/// - SeeAlso: Spec/accounting.md §5.7.4.
package struct BooksCheck {
    private let gateway: GatewayState

    package init(gateway: GatewayState) { self.gateway = gateway }

    /// What does not hold, sorted; nothing is good. It reads everything.
    package func findings() async throws(A2AError) -> [AuditFinding] {
        await BlockKeeper(gateway: gateway).save()
        let entity = gateway.entity
        var findings = try await gateway.read { try Ledger($0, of: entity).audit() }
        var last: HashName?
        while true {
            let after = last
            let page = try await gateway.read { tx in
                try tx.userTotals(after: after, limit: Self.page)
            }
            for total in page where !isSigned(total) {
                findings.append(AuditFinding(rule: .signature, place: total.exchange.text))
            }
            last = page.last?.name
            if page.count < Self.page { break }
        }
        let blocks = try await gateway.read { tx in
            try tx.blockCheckpoints().map { ($0, try tx.hold($0.peer, $0.hold)) }
        }
        for (block, hold) in blocks where !isSigned(block, hold) {
            findings.append(AuditFinding(rule: .signature, place: block.hold.text))
        }
        return findings.sorted { $0.description < $1.description }
    }

    /// Totals read at a time.
    private static let page = 500

    /// Whether the record is ours and says what stands beside it. The key that signed it is kept
    /// with it, for the key in use changes.
    func isSigned(_ total: UserTotal) -> Bool {
        guard let value = try? JSONDocument(parsing: total.key).root, let jwk = try? JWK(value),
            let key = try? VerifyingKey(jwk: jwk),
            let (claims, name) = verified(total.record, AccountingType.hop, by: key),
            let record = try? HopRecord(claims),
            case .total(let paid, let consented) = record.kind
        else { return false }
        return name == total.name && record.issuer == gateway.entity
            && record.exchange == total.exchange && paid == total.paid
            && consented == total.consented
    }

    /// Whether the opening of a block says what the hold beneath it does. A key that is not at
    /// hand any more cannot be asked: the signature was checked when the block was booked.
    private func isSigned(_ block: BlockCheckpoint, _ hold: HoldRecord?) -> Bool {
        guard let hold, let token = try? UnverifiedToken(compact: block.opening),
            let claims = try? token.peekClaims().root, let stated = try? BlockOpening(claims)
        else { return false }
        let issuer = hold.side == .caller ? gateway.entity : hold.peer
        guard stated.issuer == issuer, stated.request.op == hold.op,
            stated.request.charge == hold.charge, stated.request.quote == hold.tariff
        else { return false }
        guard
            let key = try? gateway.signingKey(
                of: issuer, certificates: [], now: gateway.time.now()),
            key.thumbprint == token.keyID
        else { return true }
        return verified(block.opening, AccountingType.block, by: key) != nil
    }

    private func verified(
        _ text: String, _ type: String, by key: VerifyingKey
    ) -> (JSONValue, HashName)? {
        guard let token = try? UnverifiedToken(compact: text), token.keyID == key.thumbprint,
            let document = try? gateway.signatures.verified(token, by: key, type: type),
            let name = HashName(token.nameHash)
        else { return nil }
        return (document.claims.root, name)
    }
}
