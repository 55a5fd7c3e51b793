// SPDX-License-Identifier: Apache-2.0
package import A2A
import Accounting
import Bytes
import Consent
import Crypto
package import JSON

/// The phone maker's side of consent: which questions are open, what the user sees of them, and the
/// user's word on them (Spec/consent.md, the consent service).
package struct ConsentDesk {
    let gateway: GatewayState
    /// The authenticated user reference of this side.
    let principal: String

    package init(gateway: GatewayState, principal: String) {
        self.gateway = gateway
        self.principal = principal
    }

    /// Most open questions that are shown at once.
    static let asksMax = 100

    /// The principal's open questions, newest first: rows as they must be shown, nothing of what
    /// the seller wrote outside them.
    package func asks(language: String) async throws(A2AError) -> JSONNode {
        let now = gateway.time.now()
        var nodes: [JSONNode] = []
        for task in try await openTasks() {
            guard let question = try? question(of: task, now: now) else { continue }
            nodes.append(node(question, task, language: language))
        }
        return ["asks": .array(nodes)]
    }

    private func node(
        _ question: TrustedSurface.Question, _ task: TaskRecord, language: String
    ) -> JSONNode {
        let executor = question.signed.terms.issuer
        let rows = question.rendering.rows.map { row -> JSONNode in
            [
                "key": .string(row.key.rawValue),
                "label": .string(Rendering.label(row.key, language: language)),
                "text": .string(row.text),
            ]
        }
        return [
            "nonce": .string(question.ask.nonce), "level": .string(question.ask.level.rawValue),
            "expires": .string(Instant(seconds: question.ask.expires).rfc3339),
            "task": .string(task.id), "agent": .string(task.agent),
            "exchange": .string(task.exchange), "executor": .string(executor.text),
            "name": .string(gateway.settings.parties[executor]?.name ?? executor.text),
            "template": .string(question.rendering.template.rawValue), "rows": .array(rows),
            "terms": .string(question.signed.hash),
            "data": .array(
                question.signed.terms.seal == nil
                    ? [] : question.signed.terms.dataKinds.map { .string($0) }),
        ]
    }

    /// Tasks of the principal, begun at whichever listener, that wait for a decision; those with
    /// the youngest question first.
    private func openTasks() async throws(A2AError) -> [TaskRecord] {
        let parties = parties
        let tasks = try await gateway.read { tx in
            try parties.flatMap { try tx.tasksAsking(party: $0, limit: Self.asksMax) }
        }
        let sorted = tasks.sorted { ($1.due ?? $1.updated, $0.id) < ($0.due ?? $0.updated, $1.id) }
        return Array(sorted.prefix(Self.asksMax))
    }

    /// The principal as an owner, once for each listener at which agents are offered.
    private var parties: [String] {
        let listeners = gateway.settings.agents.values.reduce(into: Set<String>()) {
            $0.formUnion($1.listeners)
        }
        return listeners.sorted().map {
            Caller(party: .local(listener: $0, principal: principal)).partyName
        }
    }

    /// The task of the principal on which `nonce` is the open question.
    private func openTask(_ nonce: String) async throws(A2AError) -> TaskRecord {
        let found = try await gateway.read { try $0.task(question: nonce) }
        guard let task = found, parties.contains(task.owner.party) else {
            throw A2AError(.taskNotFound, "No such question is open")
        }
        return task
    }

    /// The question of a task, verified before it is shown.
    private func question(
        of task: TaskRecord, now: Instant
    ) throws(A2AError) -> TrustedSurface.Question {
        guard let undertaking = task.undertaking, let ask = undertaking.ask,
            let root = undertaking.chain.first
        else { throw A2AError(.taskNotFound) }
        let settings = gateway.settings
        do {
            let own = Presenter(
                entity: settings.entity,
                certificate: settings.certificates.first?.thumbprint ?? "",
                key: settings.signingKey.verifying.thumbprint)
            let held = try gateway.chains.receive(
                [root], for: settings.entity, key: settings.signingKey.verifying,
                certificate: settings.certificates.first?.thumbprint, from: own,
                status: gateway.status, now: now)
            let key = try gateway.signingKey(
                of: undertaking.executor, certificates: ask.certificates, now: now)
            return try surface.question(
                ask, about: held.root, termsKey: key, executor: undertaking.executor, now: now,
                signatures: SignatureCheck(cache: gateway.signatures))
        } catch let refusal as Refusal {
            throw A2AError(refusal)
        } catch let error as A2AError {
            throw error
        } catch {
            throw A2AError(.internalError)
        }
    }

    private var surface: TrustedSurface {
        let settings = gateway.settings
        return TrustedSurface(
            issuer: settings.entity, key: settings.confirmationKey ?? settings.signingKey)
    }

    /// The user's word on the question `nonce`.
    ///
    /// - Parameters:
    ///   - word: Yes or no, and what comes with it.
    ///   - methods: How the user was verified just now (RFC 8176).
    /// - Returns: The task and the signed answer, for ``Exchange/resume(_:_:)``.
    /// - Throws: `INVALID_PARAMS` for a yes without a value for everything that the act discloses.
    package func decide(
        nonce: String, _ word: UsersWord, methods: [String], language: String
    ) async throws(A2AError) -> (task: TaskRecord, answer: SignedWord) {
        let now = gateway.time.now()
        let task = try await openTask(nonce)
        if case .signed(let answer) = word { return (task, answer) }
        let question = try question(of: task, now: now)
        do {
            var sealed: String?
            if case .yes(let data) = word {
                sealed = try seal(data, for: question.signed)
            }
            let confirmation = try surface.answer(
                question, word == .no ? .deny : .approve, methods: methods,
                language: language, sealed: sealed, now: now, random: gateway.random)
            return (task, SignedWord(confirmation: confirmation, disclosed: sealed))
        } catch let error as A2AError {
            throw error
        } catch let refusal as Refusal {
            throw A2AError(refusal)
        } catch {
            throw A2AError(.internalError)
        }
    }

    /// Seals what the user releases; `nil` where nothing is asked for.
    private func seal(
        _ data: [String: String], for signed: SignedTerms
    ) throws(A2AError) -> String? {
        let kinds = signed.terms.seal == nil ? [] : signed.terms.dataKinds
        if let unasked = data.keys.sorted().first(where: { !kinds.contains($0) }) {
            let isName = unasked.utf8.count <= 64 && unasked.utf8.allSatisfy { $0 > 32 && $0 < 127 }
            throw .invalid(isName ? "data.\(unasked)" : "data", "is not asked for")
        }
        if let missing = kinds.first(where: { data[$0] == nil }) {
            throw .invalid("data.\(missing)", "is required: the act discloses it")
        }
        if kinds.isEmpty { return nil }
        do {
            return try ReleasedData(data, for: signed.terms).sealed(
                for: signed, random: gateway.random)
        } catch {
            throw .invalid("data", "must be plain texts of 1 to 512 bytes")
        }
    }

    /// Issues a root for one of this side's agents, as its templates allow.
    package func grant(
        agent: AgentSettings, listener: String, executor: String
    ) throws(A2AError) -> JSONNode {
        guard let executor = BudgetDesk.entity(of: executor) else {
            throw .invalid("executor", "is not an entity id")
        }
        let settings = gateway.settings
        if settings.templates.isEmpty {
            throw A2AError(Refusal(.policy, "issue.template"))
        }
        var next: EntityID?
        if case .peer(let entity, _) = agent.destination { next = entity }
        do {
            let held = try gateway.issueRoot(
                for: Owner(party: "edge:\(listener)/\(principal)", user: ""), settings.templates,
                executor: executor, next: next, now: gateway.time.now())
            return [
                "grant": .string(held.tokens.last ?? ""),
                "expires": .string(Instant(seconds: held.root.expires).rfc3339),
            ]
        } catch {
            throw A2AError(error)
        }
    }
}

/// What the user says to a question.
package enum UsersWord: Sendable, Equatable {
    case no
    /// Yes, and the value of each kind of data that the act discloses. The service signs in the
    /// name of the user, whom it authenticated.
    case yes(data: [String: String])
    /// The answer as the user's own device signed it.
    case signed(SignedWord)
}

/// A confirmation, and what the user released with it.
package struct SignedWord: Sendable, Equatable {
    package let confirmation: String
    /// Sealed to the executor; the confirmation names it.
    package let disclosed: String?

    package init(confirmation: String, disclosed: String? = nil) {
        self.confirmation = confirmation
        self.disclosed = disclosed
    }
}

extension Exchange {
    /// Goes on with a task whose question the user has answered.
    package func resume(
        _ task: TaskRecord, _ word: SignedWord
    ) async throws(A2AError) -> JSONNode {
        account.method = "resume"
        let now = gateway.time.now()
        let params: JSONNode = [
            "message": [
                "messageId": .string(UUIDv7(at: now, random: gateway.random).text),
                "role": "ROLE_USER", "taskId": .string(task.id),
                "contextId": .string(task.contextID),
                "parts": [["text": "The user has decided."]],
            ]
        ]
        guard let value = try? JSONDocument(parsing: params.bytes).root else {
            throw A2AError(.internalError)
        }
        let request = try SendMessageRequest(value)
        let passage = try await admit(request, streaming: false)
        passage.adoptExchange(of: task)
        passage.consent = ConsentMetadata()
        passage.consent?.disclosed = word.disclosed
        do {
            try await learnOffer()
            _ = try await convey(word.confirmation, passage)
        } catch {
            await remember(error)
            throw error
        }
        let id = task.id
        let after = try await gateway.read { try $0.task(id: id) }
        return [
            "task": .string(task.id),
            "state": .string((after?.state ?? task.state).rawValue),
        ]
    }
}
