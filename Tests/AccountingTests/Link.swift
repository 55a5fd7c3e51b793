// SPDX-License-Identifier: Apache-2.0

import Accounting
import Bytes
import TestSupport
import Testing

/// The life of holds on one link: us, who call, and the restaurant.
struct Link {
    let us: Company
    let peer: Company
    let maker: Maker
    let tariff: PinnedTariff
    let exchange: OperationID

    init(credit: String = "50000.00", fee: String = "0.20", seed: UInt64 = 1) throws {
        us = try Company("super")
        peer = try Company("restaurant")
        maker = Maker(seed: seed)
        exchange = maker.op()
        tariff = try AccountingTests.tariff(
            maker,
            tariffNode(
                maker, caller: us, callee: peer, fee: fee, ppm: 50_000, cap: "15.00",
                credit: credit, hasBlock: fee == "0.20"))
        let (tariff, now) = (tariff, maker.now)
        try us.ledger { try $0.adopt([tariff], with: peer.entity, now: now) }
        try peer.ledger { try $0.adopt([tariff], with: us.entity, now: now) }
    }

    var context: HoldContext { HoldContext(exchange: exchange, tariff: tariff) }

    func request(_ sale: String = "328.00", life: Int64 = 1770) throws -> HoldRequest {
        let sale = try cny(sale)
        let price = try tariff.tariff.price(sale: sale)
        return HoldRequest(
            op: maker.op(), charge: price.charge, commission: price.commission, sale: sale,
            quote: tariff.name, lifeMilliseconds: life * 1000,
            postBy: maker.now.adding(seconds: life))
    }

    func post(
        _ hold: HoldRequest, charge: String? = nil, commission: String? = nil,
        sale: String? = nil
    ) throws -> Post {
        Post(
            op: maker.op(), hold: hold.op, charge: try charge.map { try cny($0) } ?? hold.charge,
            commission: try commission.map { try cny($0) } ?? hold.commission,
            sale: try sale.map { try cny($0) } ?? hold.sale, booked: maker.now)
    }

    @discardableResult
    func place(
        _ request: HoldRequest, as context: HoldContext? = nil, hash: HashName? = nil
    ) throws -> LedgerResult {
        try us.ledger {
            try $0.place(request, context ?? self.context, try maker.call(peer, .us, hash))
        }
    }

    /// The callee's post reaches us.
    @discardableResult
    func receive(
        _ post: Post, hash: HashName? = nil, ceiling: Money? = nil
    ) throws
        -> LedgerResult
    {
        try us.ledger {
            try $0.post(post, ceiling: ceiling, try maker.call(peer, .peer, hash))
        }
    }

    func expectNothingHeld() throws {
        for (key, balance) in try us.books.accountBalances() {
            #expect(balance.debitsPending == 0 && balance.creditsPending == 0, "\(key)")
        }
    }

    func expectSoundBooks() throws {
        for company in [us, peer] {
            let findings = try company.ledger { try $0.audit() }
            #expect(findings.isEmpty, "\(findings)")
        }
    }
}
