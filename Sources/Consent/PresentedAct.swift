// SPDX-License-Identifier: Apache-2.0
package import Crypto

/// What a message brings to have an act done: compact tokens as received, and the body.
package struct PresentedAct: Sendable {
    /// The chain, root first.
    package var chain: [String]
    /// The act.
    package var act: String
    /// The executor's own terms, sent back.
    package var terms: String?
    /// The user's confirmation.
    package var confirmation: String?
    /// The budget keeper's reservation.
    package var reservation: String?
    /// What the user released, sealed to ``opening``.
    package var disclosed: String?
    /// The executor's key for it, which it made with the terms.
    package var opening: OpeningKey?
    /// The bytes whose SHA-256 the act names; see ``RequestBody``.
    package var body: [UInt8]

    /// Tokens and body as received.
    package init(
        chain: [String], act: String, terms: String? = nil, confirmation: String? = nil,
        reservation: String? = nil, disclosed: String? = nil, opening: OpeningKey? = nil,
        body: [UInt8]
    ) {
        self.chain = chain
        self.act = act
        self.terms = terms
        self.confirmation = confirmation
        self.reservation = reservation
        self.disclosed = disclosed
        self.opening = opening
        self.body = body
    }
}

/// Terms whose signature was checked, with the text that travels and the hash that names them.
package struct SignedTerms: Sendable, Hashable {
    /// The claims.
    package let terms: Terms
    /// The compact JWS.
    package let token: String
    /// The base64url SHA-256 of the whole JWS.
    package let hash: String

    init(terms: Terms, token: String, hash: String) {
        self.terms = terms
        self.token = token
        self.hash = hash
    }
}

/// What an act wants, as far as a leaf's entry decides about it.
struct Wish {
    var entry: String
    var action: String
    var amount: Amount?
    var identifier: String?
    var datatypes: [String]?
    var terms: String?
}

extension Wish {
    init(_ act: Act) {
        self.init(
            entry: act.entry, action: act.action, amount: act.amount,
            identifier: act.identifier, datatypes: act.datatypes, terms: act.terms)
    }

    /// The act that would follow from these terms.
    init(_ signed: SignedTerms, entry: Entry) {
        self.init(
            entry: entry.id, action: signed.terms.action, amount: signed.terms.total?.amount,
            identifier: entry.identifier,
            datatypes: signed.terms.data.isEmpty ? nil : signed.terms.data.map(\.type),
            terms: signed.hash)
    }
}

/// A leaf's entry that covers a wish, and how the user must take part.
package struct Coverage: Sendable, Hashable {
    /// The entry.
    package let entry: Entry
    /// The action's class.
    package let actionClass: ActionClass
    /// The level after entry, class floor and the executor's own policy.
    package let level: ConfirmLevel
}

/// What the executor may now do, once. Every check has passed; what was used up is recorded.
package struct Authority: Sendable {
    /// The chain under which it is done: holder, user, links.
    package let chain: VerifiedChain
    /// The entry that covers it.
    package let coverage: Coverage
    /// The registry's name of what is done.
    package let action: String
    /// The act; nil for a read of class 0 or 1 that was not signed.
    package let act: Act?
    /// The act's name hash.
    package let actHash: String?
    /// The terms agreed to.
    package let terms: SignedTerms?
    /// The confirmation's name hash, which accounting records quote.
    package let confirmationHash: String?
    /// The reservation that pays for it.
    package let reservation: Reservation?
}
