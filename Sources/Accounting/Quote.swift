// SPDX-License-Identifier: Apache-2.0

package import Bytes
package import JSON

/// The payload of an `a2a-quote+jwt`: what the callee will ask for a task whose price the user is
/// about to be shown. Each hop quotes its own link anew; only the terms' hash is passed on.
/// - SeeAlso: Spec §5.4.3.
package struct Quote: Hashable, Sendable {
    /// Who signs.
    package var issuer: EntityID
    /// For whom.
    package var audience: EntityID
    /// The user's request to which it belongs.
    package var exchange: OperationID
    /// The tariff by which the two amounts were rated.
    package var tariff: HashName
    /// The seller's terms that the price stands in.
    package var terms: HashName
    /// The price of the sale to the user.
    package var sale: Money
    /// What the tariff makes of the sale.
    package var price: Price
    /// Until then it may be accepted.
    package var validUntil: Instant

    /// One of these members.
    package init(
        issuer: EntityID, audience: EntityID, exchange: OperationID, tariff: HashName,
        terms: HashName, sale: Money, price: Price, validUntil: Instant
    ) {
        self.issuer = issuer
        self.audience = audience
        self.exchange = exchange
        self.tariff = tariff
        self.terms = terms
        self.sale = sale
        self.price = price
        self.validUntil = validUntil
    }

    /// Reads it strictly.
    package init(_ value: JSONValue) throws(FormatFault) {
        var reader = try ObjectReader(value)
        try reader.version("quote/1")
        issuer = try reader.entity("iss")
        audience = try reader.entity("aud")
        exchange = try reader.operation("exchange")
        tariff = try reader.hash("tariff")
        terms = try reader.hash("terms")
        sale = try reader.money("tx")
        price = Price(
            charge: try reader.money("charge"), commission: try reader.money("commission"))
        validUntil = try reader.instant("valid_until")
        try reader.finish()
        if issuer == audience { throw reader.fault(.conflict, "aud") }
    }

    /// The payload to sign.
    package var node: JSONNode {
        [
            "v": "quote/1", "iss": .string(issuer.text), "aud": .string(audience.text),
            "exchange": .string(exchange.text), "tariff": .string(tariff.text),
            "terms": .string(terms.text), "tx": sale.node, "charge": price.charge.node,
            "commission": price.commission.node, "valid_until": .string(validUntil.rfc3339),
        ]
    }

    /// Checks a quote that the caller is about to accept, by the tariff in force on the link and
    /// by what the user confirmed, once there is a confirmation.
    ///
    /// - Throws: the first of ``LedgerRefusal/tariffUnknown``, ``LedgerRefusal/quoteExpired``,
    ///   ``LedgerRefusal/consentExceeded`` when the price is not the confirmed one, and
    ///   ``LedgerRefusal/price`` when the tariff makes other amounts of it.
    package func check(
        by pinned: PinnedTariff, confirmed: Money?, now: Instant
    ) throws(LedgerRefusal) {
        guard tariff == pinned.name, issuer == pinned.tariff.callee,
            audience == pinned.tariff.caller
        else { throw .tariffUnknown }
        if now > validUntil { throw .quoteExpired }
        if let confirmed, confirmed != sale { throw .consentExceeded }
        let rated: Price
        do throws(MoneyFault) { rated = try pinned.tariff.price(sale: sale) } catch {
            throw LedgerRefusal(error)
        }
        if rated != price { throw .price }
    }
}

/// The payload of an `a2a-ack+jwt`: the caller's word that it booked a post. With it the callee's
/// claim is countersigned.
/// - SeeAlso: Spec §5.4.9.
package struct Acknowledgement: Hashable, Sendable {
    /// Who signs.
    package var issuer: EntityID
    /// For whom.
    package var audience: EntityID
    /// The post, as it was booked.
    package var post: Post
    /// The callee's hop record, which is hereby accepted.
    package var record: HashName

    /// One of these members.
    package init(issuer: EntityID, audience: EntityID, post: Post, record: HashName) {
        self.issuer = issuer
        self.audience = audience
        self.post = post
        self.record = record
    }

    /// Reads it strictly.
    package init(_ value: JSONValue) throws(FormatFault) {
        var reader = try ObjectReader(value)
        try reader.version("ack/1")
        issuer = try reader.entity("iss")
        audience = try reader.entity("aud")
        post = try Post(try reader.required("post"))
        record = try reader.hash("record")
        try reader.finish()
        if issuer == audience { throw reader.fault(.conflict, "aud") }
    }

    /// The payload to sign.
    package var node: JSONNode {
        [
            "v": "ack/1", "iss": .string(issuer.text), "aud": .string(audience.text),
            "post": post.node, "record": .string(record.text),
        ]
    }
}
