// SPDX-License-Identifier: Apache-2.0
package import Bytes

extension EnforcementPoint {
    /// Steps 13 to 16 on terms before there is an act: what the first message of a task, which
    /// carries a chain only, is held to.
    ///
    /// - Parameter entry: The leaf's entry meant; nil tries each in order.
    /// - Returns: The entry that covers an act under these terms, and its level; a level below
    ///   `each` needs no question.
    /// - Throws: The refusal of the entry meant, else of the first that has the action, else
    ///   `action`.
    package func examine(
        _ signed: SignedTerms, under chain: VerifiedChain, entry id: String? = nil
    ) throws(Refusal) -> Coverage {
        let candidates = chain.leaf.entries.filter { entry in
            id.map { $0 == entry.id } ?? entry.actions.contains(signed.terms.action)
        }
        var first: Refusal?
        for entry in candidates {
            do throws(Refusal) {
                let wish = Wish(signed, entry: entry)
                let coverage = try cover(wish, under: chain)
                try check(wish, against: signed, coverage, chain)
                return coverage
            } catch {
                first = first ?? error
            }
        }
        throw first ?? Refusal(.action, "13.ad")
    }

    /// A read of class 0 or 1 that is asked for without a signed act: mutual TLS proves the
    /// holder, there is nothing to replay and no receipt.
    ///
    /// - Throws: `malformed` for an action that needs a signed act, else as steps 13 to 16.
    package func authorizeRead(
        _ action: String, entry: String, under chain: VerifiedChain
    ) throws(Refusal) -> Authority {
        let wish = Wish(entry: entry, action: action)
        let coverage = try cover(wish, under: chain)
        try require(!coverage.actionClass.needsAct, .malformed, "11.act.missing")
        try check(wish, against: nil, coverage, chain)
        return Authority(
            chain: chain, coverage: coverage, action: action, act: nil, actHash: nil,
            terms: nil, confirmationHash: nil, reservation: nil)
    }

    /// Stores a question about these terms under a fresh nonce and returns it.
    package func open(
        _ signed: SignedTerms, level: ConfirmLevel, entry: String, under chain: VerifiedChain,
        certificates: [String] = [], now: Instant, random: some RandomBytes,
        in storage: any ConsentStorage
    ) throws(StorageFault) -> Ask {
        let nonce = Base64URL.encode(random.bytes(16))
        let expires = min(now.seconds + Ask.life, signed.terms.expires)
        try storage.put(
            AskRecord(
                nonce: nonce, root: chain.root.id, entry: entry, terms: signed.hash,
                expires: expires,
                retained: expires + Confirmation.maximumLife + 3 * ChainVerifier.skew))
        return Ask(
            level: level, root: chain.root.id, entry: entry, nonce: nonce, expires: expires,
            terms: signed.token, certificates: certificates)
    }

    /// Closes a question that is no longer asked: its terms changed, or its task ended.
    package func withdraw(
        nonce: String, in storage: any ConsentStorage
    ) throws(StorageFault) {
        guard var ask = try storage.ask(nonce: nonce) else { return }
        ask.isClosed = true
        try storage.put(ask)
    }

    /// Verifies an answer that comes without an act, as a denial does.
    ///
    /// - Returns: The confirmation. A denial closes the question; an approval leaves it open for
    ///   the act that will carry it.
    /// - Throws: As steps 17 to 19 and 21, except that a denial is an answer here, no refusal.
    package func answer(
        _ text: String, to signed: SignedTerms, level: ConfirmLevel, entry: String,
        under chain: VerifiedChain, now: Instant, in storage: any ConsentStorage
    ) throws(ConsentFault) -> Confirmation {
        let confirmation = try refusing { () throws(Refusal) in
            try verifyQuestion(text, signed, chain).confirmation
        }
        let isUsed = try stored { () throws(StorageFault) in
            try storage.isUsed(confirmation.key)
        }
        let ask = try stored { () throws(StorageFault) in
            try storage.ask(nonce: confirmation.nonce)
        }
        try refusing { () throws(Refusal) in
            try require(!isUsed, .replay, "21.jti")
            try checkNonce(confirmation, ask, entry: entry)
            let needed = confirmation.decision == .approve ? level : .each
            try checkAnswer(confirmation, signed, needed, now.seconds)
        }
        if confirmation.decision == .deny {
            try stored { () throws(StorageFault) in
                try withdraw(nonce: confirmation.nonce, in: storage)
            }
        }
        return confirmation
    }
}
