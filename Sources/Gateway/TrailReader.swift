// SPDX-License-Identifier: Apache-2.0
import A2A
import Accounting
import Bytes
import Consent
import Crypto
import JSON

/// Reads the signed objects of a task back for an ``Explanation``.
struct TrailReader {
    let gateway: GatewayState

    /// The consent of one task.
    func read(
        _ undertaking: Undertaking, of task: TaskRecord, _ reserved: [ReservationRecord]
    ) -> Explanation.ConsentTrail {
        var trail = Explanation.ConsentTrail(check: .verified)
        var chain: VerifiedChain?
        do {
            let verified = try self.chain(undertaking.chain)
            chain = verified
            trail.links = verified.grants.enumerated().map { index, grant in
                Explanation.Link(
                    grant: grant,
                    lost: index == 0
                        ? [] : Narrowing.words(grant, under: verified.grants[index - 1]))
            }
        } catch {
            trail.check = .failed(error.description)
        }
        trail.offer = offer(undertaking)
        trail.answer = answer(undertaking, chain)
        trail.act = act(undertaking, chain)
        trail.reservations = reservations(undertaking, chain, reserved)
        trail.receipt = receipt(undertaking)
        return trail
    }

    // MARK: Grants

    /// The chain as it held when its last link was issued, for the holder that link names: the life
    /// of a chain is minutes, an explanation is asked for days later.
    private func chain(_ tokens: [String]) throws(Refusal) -> VerifiedChain {
        let leaf = tokens.last.flatMap { try? UnverifiedToken(compact: $0) }
        guard let claims = try? leaf?.peekClaims().root,
            let holder = claims["client_id"]?.string.flatMap({ EntityID($0) }),
            let issued = claims["iat"]?.int
        else { throw Refusal(.malformed, "1.leaf") }
        let presenter = Presenter(
            entity: holder, certificate: claims["cnf"]?["x5t#S256"]?.string ?? "", key: nil)
        return try gateway.chains.verify(
            tokens, presenter: presenter, status: .none, now: Instant(seconds: issued))
    }

    // MARK: Offer and answer

    private func offer(_ undertaking: Undertaking) -> Explanation.Offer? {
        guard let ask = undertaking.ask else { return nil }
        var offer = Explanation.Offer(
            check: .verified, executor: undertaking.executor, level: ask.level.rawValue,
            asked: undertaking.asked, expires: Instant(seconds: ask.expires))
        do {
            let issued = Self.issued(ask.terms) ?? offer.expires
            let key = try gateway.signingKey(
                of: undertaking.executor, certificates: ask.certificates, now: issued)
            let signed = try SignedTerms(
                verifying: ask.terms, by: key, issuer: undertaking.executor, now: issued,
                signatures: SignatureCheck(cache: gateway.signatures))
            offer.terms = signed.hash
            offer.rows = Rendering(signed.terms).rows.map {
                (Rendering.label($0.key, language: "en"), $0.text)
            }
        } catch {
            offer.check = .failed(Self.rule(error))
        }
        return offer
    }

    private func answer(
        _ undertaking: Undertaking, _ chain: VerifiedChain?
    ) -> Explanation.Answer? {
        guard let token = undertaking.confirmationToken else { return nil }
        var answer = Explanation.Answer(check: .verified, name: undertaking.confirmation ?? "")
        do {
            guard let chain else { throw Unreadable(rule: "the chain does not hold") }
            let claims = try claims(
                token, Confirmation.type, keys: confirmers(chain))
            answer.decision = claims["decision"]?.string
            answer.amount = Self.amount(claims["amount"])
            answer.at = claims["iat"]?.int.map { Instant(seconds: $0) }
            answer.methods = claims["amr"]?.elements.compactMap(\.string) ?? []
        } catch {
            answer.check = .failed(Self.rule(error))
        }
        return answer
    }

    /// The keys that may sign the user's word: those that the root names, else the issuer's.
    private func confirmers(_ chain: VerifiedChain) -> [VerifyingKey] {
        guard let named = chain.root.confirmers else { return chain.anchor.keys }
        return named.compactMap { try? VerifyingKey(jwk: $0) }
    }

    // MARK: Act, reservation, receipt

    private func act(
        _ undertaking: Undertaking, _ chain: VerifiedChain?
    ) -> Explanation.DoneAct? {
        guard let token = undertaking.act else { return nil }
        var act = Explanation.DoneAct(check: .verified)
        do {
            guard let chain else { throw Unreadable(rule: "the chain does not hold") }
            let key = try? VerifyingKey(jwk: chain.leaf.confirmation.key)
            let claims = try claims(token, Act.type, keys: key.map { [$0] } ?? [])
            act.id = claims["jti"]?.string
            act.holder = claims["iss"]?.string
            act.action = claims["action"]?.string
            act.amount = Self.amount(claims["amount"])
            act.at = claims["iat"]?.int.map { Instant(seconds: $0) }
        } catch {
            act.check = .failed(Self.rule(error))
        }
        return act
    }

    /// At the executor the reservation that came with the act, at the keeper its own rows.
    private func reservations(
        _ undertaking: Undertaking, _ chain: VerifiedChain?, _ records: [ReservationRecord]
    ) -> [Explanation.Reserved] {
        var reserved = records.map { record in
            var own = Explanation.Reserved(check: .verified, keeper: gateway.entity.text)
            if let value = record.key.value, let code = record.key.currency,
                let currency = Consent.Currency(code)
            {
                own.amount = Amount(value: value, currency: currency).description
            }
            own.state = record.state.rawValue
            own.expires = Instant(seconds: record.expires)
            return own
        }
        guard let token = undertaking.presented.flatMap({ PresentedAct(stored: $0) })?.reservation
        else { return reserved }
        var presented = Explanation.Reserved(check: .verified)
        do {
            guard let jwk = chain?.root.ledger?.key, let key = try? VerifyingKey(jwk: jwk) else {
                throw Unreadable(rule: "the root names no key of its budget keeper")
            }
            let claims = try claims(token, Reservation.type, keys: [key])
            presented.keeper = claims["iss"]?.string
            presented.amount = Self.amount(claims["amount"])
            presented.expires = claims["exp"]?.int.map { Instant(seconds: $0) }
        } catch {
            presented.check = .failed(Self.rule(error))
        }
        reserved.append(presented)
        return reserved
    }

    private func receipt(_ undertaking: Undertaking) -> Explanation.Received? {
        guard let token = undertaking.receipt else { return nil }
        var receipt = Explanation.Received(check: .verified)
        do {
            let key = try gateway.signingKey(
                of: undertaking.executor, certificates: undertaking.receiptCertificates,
                now: Self.issued(token) ?? gateway.time.now())
            let claims = try claims(token, Receipt.type, keys: [key])
            receipt.result = claims["result"]?.string
            receipt.captured = Self.amount(claims["captured"])
            receipt.reference = claims["ref"]?.string
            receipt.error = claims["error"]?.string
        } catch {
            receipt.check = .failed(Self.rule(error))
        }
        return receipt
    }

    // MARK: Books

    /// What the user pays.
    func read(_ total: UserTotal) -> Explanation.Total {
        let isSigned = BooksCheck(gateway: gateway).isSigned(total)
        let peek = try? UnverifiedToken(compact: total.record).peekClaims().root
        return Explanation.Total(
            check: isSigned ? .verified : .failed("it is not what was signed"), total: total,
            links: peek?["links"]?.elements.compactMap(\.string) ?? [],
            consent: peek?["consent"]?.string)
    }

    /// One hop record.
    ///
    /// A record's certificates are not kept with it, but its signer's key stands elsewhere in the
    /// exchange: whoever passed the task on is a holder of its grants, and whoever took it on sent
    /// certificates with its offer.
    func read(_ evidence: HopEvidence, in tasks: [TaskRecord]) -> Explanation.Record {
        let level: Evidence = evidence.acknowledgement == nil ? .recorded : .countersigned
        var record = Explanation.Record(
            check: .verified, name: evidence.name.text, issuer: evidence.peer,
            peer: evidence.peer, level: level, links: [])
        do {
            let peek = try UnverifiedToken(compact: evidence.record).peekClaims().root
            guard let issuer = peek["iss"]?.string.flatMap({ EntityID($0) }) else {
                throw Unreadable(rule: "it names no issuer")
            }
            record.issuer = issuer
            record.links = peek["links"]?.elements.compactMap(\.string) ?? []
            record.consent = peek["consent"]?.string
            let booked = peek["booked"]?.string.flatMap { Instant(rfc3339: $0) }
            let known = keys(of: issuer, at: booked ?? gateway.time.now(), in: tasks)
            if known.isEmpty {
                throw Unreadable(rule: "no key is kept; it was verified when it was booked")
            }
            _ = try claims(evidence.record, AccountingType.hop, keys: known)
        } catch {
            record.check = .failed(Self.rule(error))
        }
        return record
    }

    /// The keys with which `entity` signed in an exchange, as the exchange itself proves them.
    private func keys(
        of entity: EntityID, at instant: Instant, in tasks: [TaskRecord]
    ) -> [VerifyingKey] {
        var keys: [VerifyingKey] = []
        if let key = try? gateway.signingKey(of: entity, certificates: [], now: instant) {
            keys.append(key)
        }
        for undertaking in tasks.compactMap(\.undertaking) {
            for grant in (try? chain(undertaking.chain))?.grants ?? []
            where grant.holder == entity {
                if let key = try? VerifyingKey(jwk: grant.confirmation.key) { keys.append(key) }
            }
            guard undertaking.executor == entity else { continue }
            for certificates in [undertaking.ask?.certificates, undertaking.receiptCertificates] {
                if let key = try? gateway.signingKey(
                    of: entity, certificates: certificates ?? [], now: instant)
                {
                    keys.append(key)
                }
            }
        }
        return keys
    }

    // MARK: Tokens

    private struct Unreadable: Error { let rule: String }

    /// The claims of `token` if one of `keys` signed it.
    private func claims(
        _ token: String, _ type: String, keys: [VerifyingKey]
    ) throws -> JSONValue {
        let unverified = try UnverifiedToken(compact: token)
        guard let key = keys.first(where: { $0.thumbprint == unverified.keyID }) else {
            throw Unreadable(rule: "it is signed by another key")
        }
        return try gateway.signatures.verified(unverified, by: key, type: type).claims.root
    }

    /// When a token says that it was issued: only to choose the time at which its signer's
    /// certificates are judged.
    private static func issued(_ token: String) -> Instant? {
        guard let unverified = try? UnverifiedToken(compact: token),
            let seconds = try? unverified.peekClaims().root["iat"]?.int
        else { return nil }
        return Instant(seconds: seconds)
    }

    private static func amount(_ value: JSONValue?) -> String? {
        guard let units = value?["value"]?.int,
            let currency = value?["currency"]?.string.flatMap({ Consent.Currency($0) })
        else { return nil }
        return Amount(value: units, currency: currency).description
    }

    private static func rule(_ error: any Error) -> String {
        switch error {
        case let refusal as Refusal: refusal.description
        case let error as A2AError: error.reason
        case let unreadable as Unreadable: unreadable.rule
        case let fault as TokenFault: "token: \(fault)"
        default: "unreadable"
        }
    }
}
