// SPDX-License-Identifier: Apache-2.0

import Accounting
import Bytes
import Testing

/// Three companies with a tariff on each of their two links, each with its own books: the phone
/// maker H, the super-app S, the restaurant's gateway V.
struct Booking {
    let phoneMaker: Company
    let superApp: Company
    let restaurant: Company
    let maker: Maker
    let outer: PinnedTariff
    let inner: PinnedTariff

    init() throws {
        maker = Maker(seed: 328)
        phoneMaker = try Company("phone")
        superApp = try Company("super")
        restaurant = try Company("restaurant")
        outer = try tariff(
            maker,
            tariffNode(
                maker, caller: phoneMaker, callee: superApp, fee: "0.10", ppm: 5488, cap: "1.80"))
        inner = try tariff(
            maker,
            tariffNode(
                maker, caller: superApp, callee: restaurant, fee: "0.20", ppm: 50_000,
                cap: "15.00"))
        let now = maker.now
        try phoneMaker.ledger { try $0.adopt([outer], with: superApp.entity, now: now) }
        try superApp.ledger { try $0.adopt([outer], with: phoneMaker.entity, now: now) }
        try superApp.ledger { try $0.adopt([inner], with: restaurant.entity, now: now) }
        try restaurant.ledger { try $0.adopt([inner], with: superApp.entity, now: now) }
    }

    func request(
        _ pinned: PinnedTariff, sale: Money, quote: HashName, postBy: Instant
    ) throws -> HoldRequest {
        let price = try pinned.tariff.price(sale: sale)
        return HoldRequest(
            op: maker.op(), charge: price.charge, commission: price.commission, sale: sale,
            quote: quote, lifeMilliseconds: postBy - maker.now, postBy: postBy)
    }

    /// The caller commits, then the callee mirrors.
    func place(
        _ caller: Company, _ callee: Company, _ request: HoldRequest, _ context: HoldContext
    ) throws {
        let hash = try maker.hash()
        _ = try caller.ledger {
            try $0.place(request, context, try maker.call(callee, .us, hash))
        }.get()
        var mirrored = context
        mirrored.latest = nil
        _ = try callee.ledger {
            try $0.place(request, mirrored, try maker.call(caller, .peer, hash))
        }.get()
    }

    func extend(
        _ caller: Company, _ callee: Company, _ request: HoldExtension, _ context: HoldContext
    ) throws {
        let hash = try maker.hash()
        _ = try caller.ledger {
            try $0.extend(request, context, try maker.call(callee, .us, hash))
        }.get()
        var mirrored = context
        mirrored.latest = nil
        _ = try callee.ledger {
            try $0.extend(request, mirrored, try maker.call(caller, .peer, hash))
        }.get()
    }

    /// The callee books and answers, then the caller books.
    func post(_ caller: Company, _ callee: Company, _ hold: HoldRequest) throws -> Post {
        let post = Post(
            op: maker.op(), hold: hold.op, charge: hold.charge, commission: hold.commission,
            sale: hold.sale, booked: maker.now)
        let hash = try maker.hash()
        _ = try callee.ledger { try $0.post(post, try maker.call(caller, .us, hash)) }.get()
        _ = try caller.ledger { try $0.post(post, try maker.call(callee, .peer, hash)) }.get()
        return post
    }
}
