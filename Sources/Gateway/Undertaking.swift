// SPDX-License-Identifier: Apache-2.0
import A2A
package import Accounting
package import Bytes
package import Consent
import Crypto
package import JSON

/// Consent and books of a task that may bind the user: what this hop was given, what it asked, what
/// it holds. Kept with the task and so across a restart.
package struct Undertaking: Sendable, Equatable {
    /// How far the act has come at this hop.
    package enum Stage: String, Sendable {
        /// Nothing was offered yet.
        case open
        /// The user is asked.
        case asked
        /// The user said yes; the act may have begun.
        case committing
        /// It ended, whichever way.
        case ended
    }

    package var stage: Stage = .open
    /// The chain to present to the next hop, and at the executor the chain that was presented.
    package var chain: [String]
    /// The root's `jti`.
    package var root: String
    /// The user's pairwise pseudonym.
    package var subject: String
    /// The hop that takes effect.
    package var executor: EntityID
    /// When the root expires, in seconds since the epoch.
    package var expires: Int64 = 0
    /// The open question.
    package var ask: Ask?
    /// How often the user was asked within this task.
    package var asked = 0
    /// Name hash of the confirmation.
    package var confirmation: String?
    /// The act that was signed here, or received at the executor, and its confirmation.
    package var act: String?
    package var confirmationToken: String?
    /// The act as it was presented, at the executor, for a receipt after a restart.
    package var presented: [UInt8]?
    /// The secret key for what the user releases, at the executor, base64url; gone with the end.
    package var opening: String?
    /// `draft` as the local agent wrote it, at the executor.
    package var draft: [UInt8]?
    /// The executor's signed word on the act, and its certificates.
    package var receipt: String?
    package var receiptCertificates: [String] = []
    /// The sale to the user, once it is offered.
    package var sale: Money?
    /// The hold towards us, placed by our caller and mirrored here.
    package var inward: LinkHold?
    /// Our own hold on the link to the next hop.
    package var outward: LinkHold?

    /// One hold, with what is needed to extend it.
    package struct LinkHold: Sendable, Equatable {
        package var peer: EntityID
        package var op: OperationID
        package var postBy: Instant
        /// What was quoted for the offer: the quote's name and its end.
        package var quote: HashName?
        package var quoteUntil: Instant?

        package init(peer: EntityID, op: OperationID, postBy: Instant) {
            self.peer = peer
            self.op = op
            self.postBy = postBy
        }
    }

    package init(chain: [String], root: String, subject: String, executor: EntityID) {
        self.chain = chain
        self.root = root
        self.subject = subject
        self.executor = executor
    }

    /// A task that binds nobody, but has holds.
    init(holdsAt executor: EntityID) {
        self.init(chain: [], root: "", subject: "", executor: executor)
    }

    /// What opens what the user releases.
    var openingKey: OpeningKey? {
        opening.flatMap { Base64URL.decode($0) }.flatMap { OpeningKey(secret: $0) }
    }

    /// Whether there is a grant: without one there are only holds.
    package var isGranted: Bool { !chain.isEmpty }

    /// The same where there is a grant.
    var granted: Undertaking? { isGranted ? self : nil }

    /// The name hash of the root, by which records refer to the consent where no confirmation was
    /// needed.
    var rootName: String? {
        chain.first.flatMap { try? UnverifiedToken(compact: $0) }?.nameHash
    }

    /// Whether it is too late to cancel.
    package var isCommitting: Bool { stage == .committing }
}

// MARK: - At rest

extension Undertaking {
    /// The form in which it is stored.
    package var node: JSONNode {
        var node: JSONNode = [
            "stage": .string(stage.rawValue), "chain": .array(chain.map { .string($0) }),
            "root": .string(root), "sub": .string(subject), "executor": .string(executor.text),
            "exp": .int(expires), "asked": .int(asked),
        ]
        node["ask"] = ask?.node
        node["confirmation"] = confirmation.map { .string($0) }
        node["confirmation_token"] = confirmationToken.map { .string($0) }
        node["act"] = act.map { .string($0) }
        node["presented"] = presented.map { .raw($0) }
        node["opening"] = opening.map { .string($0) }
        node["draft"] = draft.map { .raw($0) }
        node["receipt"] = receipt.map { .string($0) }
        if !receiptCertificates.isEmpty {
            node["receipt_cert"] = .array(receiptCertificates.map { .string($0) })
        }
        node["sale"] = sale?.node
        node["inward"] = inward?.node
        node["outward"] = outward?.node
        return node
    }

    /// Reads the stored form.
    ///
    /// - Throws: `StorageFault.corrupt`: the row was not written by this program.
    package init(_ value: JSONValue) throws(StorageFault) {
        func corrupt(_ member: String) -> StorageFault { .corrupt("undertaking.\(member)") }
        guard let stage = value["stage"]?.string.flatMap(Stage.init(rawValue:)) else {
            throw corrupt("stage")
        }
        guard let executor = value["executor"]?.string.flatMap({ EntityID($0) }) else {
            throw corrupt("executor")
        }
        guard let root = value["root"]?.string, let subject = value["sub"]?.string else {
            throw corrupt("root")
        }
        self.init(
            chain: value["chain"]?.elements.compactMap(\.string) ?? [], root: root,
            subject: subject, executor: executor)
        self.stage = stage
        expires = value["exp"]?.int ?? 0
        asked = value["asked"]?.int.flatMap { Int(exactly: $0) } ?? 0
        if let stored = value["ask"] {
            do { ask = try Ask(stored) } catch { throw corrupt("ask") }
        }
        confirmation = value["confirmation"]?.string
        confirmationToken = value["confirmation_token"]?.string
        act = value["act"]?.string
        presented = value["presented"].map { Array($0.raw) }
        opening = value["opening"]?.string
        draft = value["draft"].map { Array($0.raw) }
        receipt = value["receipt"]?.string
        receiptCertificates = value["receipt_cert"]?.elements.compactMap(\.string) ?? []
        if let stored = value["sale"] {
            guard let currency = stored["ccy"]?.string.flatMap({ Accounting.Currency($0) }),
                let text = stored["amt"]?.string
            else { throw corrupt("sale") }
            do { sale = try Money(text: text, currency) } catch { throw corrupt("sale") }
        }
        inward = try value["inward"].map { value throws(StorageFault) in try LinkHold(value) }
        outward = try value["outward"].map { value throws(StorageFault) in try LinkHold(value) }
    }
}

extension Undertaking.LinkHold {
    var node: JSONNode {
        var node: JSONNode = [
            "peer": .string(peer.text), "op": .string(op.text),
            "post_by": .int(postBy.milliseconds),
        ]
        node["quote"] = quote.map { .string($0.text) }
        node["quote_until"] = quoteUntil.map { .int($0.milliseconds) }
        return node
    }

    init(_ value: JSONValue) throws(StorageFault) {
        guard let peer = value["peer"]?.string.flatMap({ EntityID($0) }),
            let op = value["op"]?.string.flatMap({ OperationID($0) }),
            let postBy = value["post_by"]?.int
        else { throw .corrupt("undertaking.hold") }
        self.init(peer: peer, op: op, postBy: Instant(milliseconds: postBy))
        quote = value["quote"]?.string.flatMap { HashName($0) }
        quoteUntil = value["quote_until"]?.int.map { Instant(milliseconds: $0) }
    }
}

extension PresentedAct {
    /// What must be kept to sign the receipt after a restart.
    var node: [UInt8] {
        var node: JSONNode = [
            "chain": .array(chain.map { .string($0) }), "act": .string(act),
            "body": .string(Base64URL.encode(body)),
        ]
        node["terms"] = terms.map { .string($0) }
        node["confirm"] = confirmation.map { .string($0) }
        node["resv"] = reservation.map { .string($0) }
        node["disclosed"] = disclosed.map { .string($0) }
        return node.bytes
    }

    /// Reads the kept form.
    init?(stored bytes: [UInt8]) {
        guard let value = try? JSONDocument(parsing: bytes).root,
            let act = value["act"]?.string,
            let body = value["body"]?.string.flatMap({ Base64URL.decode($0) })
        else { return nil }
        self.init(
            chain: value["chain"]?.elements.compactMap(\.string) ?? [], act: act,
            terms: value["terms"]?.string, confirmation: value["confirm"]?.string,
            reservation: value["resv"]?.string, disclosed: value["disclosed"]?.string, body: body)
    }
}
