// SPDX-License-Identifier: Apache-2.0

/// What each company has of a sale that crossed `links`, the entrance's link first.
///
/// In the agency model the user pays the executor, and the hops only exchange fees and
/// commissions: the executor keeps the sale, less the commission it owes and plus the fee it is
/// owed; every other company has what it gets on one side less what it gives on the other. The
/// shares always add up to the sale. A share may be below zero: a hop that pays more than it gets.
///
/// - Returns: one amount more than there are links, the entrance first, the executor last.
/// - Throws: ``MoneyFault/currency`` when the amounts are of several, ``MoneyFault/overflow``.
/// - SeeAlso: Spec §5.8.4.
package func shares(of sale: Money, over links: [Price]) throws(MoneyFault) -> [Money] {
    var shares: [Money] = []
    var held = Money.zero(sale.currency)
    for link in links {
        // What the company above the link has: its balance with those before, less the fee it
        // gives, plus the commission it gets. The company below starts with the opposite.
        let net = try link.commission.subtracting(link.charge)
        shares.append(try held.adding(net))
        held = try Money.zero(sale.currency).subtracting(net)
    }
    shares.append(try held.adding(sale))
    return shares
}
