// SPDX-License-Identifier: Apache-2.0
import A2A
import Accounting
import Bytes
import Consent
import Crypto
import JSON

extension Exchange {
    /// Finds out what a message continues, and that its caller may continue it.
    ///
    /// - Throws: `TASK_NOT_FOUND` for another's task, byte for byte as for one that never was;
    ///   `UNSUPPORTED_OPERATION` for a task that has ended; `INVALID_PARAMS` for a context that is
    ///   not the task's.
    func admit(
        _ request: SendMessageRequest, streaming: Bool
    ) async throws(A2AError) -> Passage {
        let configuration = request.value.field(.configuration)
        if configuration?.field(.taskPushNotificationConfig) != nil {
            throw A2AError(.pushNotificationNotSupported)
        }
        // Between a gateway and its own agent these parts carry what only the gateway may say
        // (Spec §3.3); nobody else's word may look like it.
        if request.message.parts.contains(where: { Draft.partTypes.contains($0.type ?? "") }) {
            throw .invalid("message.parts", "must not hold a draft, commit or outcome part")
        }
        let now = gateway.time.now()
        let books = try AccountingMetadata.read(request, activated: caller)
        let consent = try readConsent(request)
        // A chain that comes with the message names the user too; the consent step verifies it.
        let owner = caller.owner(user: caller.user ?? consent?.claimedUser)
        let passage = Passage(
            request: request, streaming: streaming,
            exchange: books?.exchange ?? OperationID(at: now, random: gateway.random),
            owner: owner)
        passage.books = books
        passage.consent = consent
        account.exchange = passage.exchange.text
        let message = request.message
        if let id = message.taskID {
            let task = try await ownTask(id, of: owner)
            if task.state.isTerminal {
                throw A2AError(.unsupportedOperation, "The task has ended")
            }
            if let context = message.contextID, context != task.contextID {
                throw .invalid("message.contextId", "is not the context of the task")
            }
            passage.adoptExchange(of: task)
            passage.task = task
            passage.upstreamTaskID = task.upstreamTaskID
            passage.upstreamContextID = task.upstreamContextID
            passage.undertaking = task.undertaking
        } else if let context = message.contextID {
            passage.upstreamContextID = gateway.contexts.inward(
                context, owner: passage.owner, agent: agent.name)
        }
        for id in message.referenceTaskIDs {
            passage.referenceTaskIDs.append(try await ownTask(id, of: owner).upstreamTaskID)
        }
        return passage
    }

    /// The caller's task called `id` at this agent, for the user whom the caller names.
    ///
    /// - Throws: `TASK_NOT_FOUND` whether it is absent, another entity's or another user's.
    func ownTask(_ id: String) async throws(A2AError) -> TaskRecord {
        try await ownTask(id, of: caller.owner(user: caller.user))
    }

    private func ownTask(_ id: String, of owner: Owner) async throws(A2AError) -> TaskRecord {
        let found = try await gateway.read { try $0.task(id: id) }
        guard let task = found, task.agent == agent.name, task.owner == owner
        else { throw A2AError(.taskNotFound) }
        account.task = task.id
        account.exchange = task.exchange
        return task
    }

    /// The consent metadata of a peer that activated the extension.
    ///
    /// What a local client writes there is ignored: on this side of the gateway consent comes from
    /// the consent service alone, and nobody else may speak for it.
    private func readConsent(_ request: SendMessageRequest) throws(A2AError) -> ConsentMetadata? {
        guard case .peer = caller.party,
            let value = request.message.metadata(.consent)
        else { return nil }
        guard caller.activated(.consent) else {
            throw A2AError(
                .extensionSupportRequired, "The consent extension carries data but is not active")
        }
        if value.range.count > gateway.settings.limits.metadataBytes {
            throw refusal(Refusal(.tooLarge, "metadata.bytes"))
        }
        do {
            return try ConsentMetadata(value)
        } catch {
            throw refusal(error)
        }
    }
}

extension ConsentMetadata {
    /// The user whom the chain's root names, not verified yet.
    fileprivate var claimedUser: String? {
        // A key link may stand before the root.
        for text in chain?.prefix(2) ?? [] {
            guard let token = try? UnverifiedToken(compact: text),
                let claims = try? token.peekClaims().root
            else { return nil }
            if let user = claims["sub"]?.string { return user }
        }
        return nil
    }
}
