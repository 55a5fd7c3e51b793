// SPDX-License-Identifier: Apache-2.0
import A2A
import Accounting
import Bytes
import Consent
import Crypto
import Discovery
import Gateway
import JSON
import TestSupport
import Testing

/// Phone maker H, super-app S and restaurant gateway V with its aware agent, as in the story.
final class Network {
    let time = VirtualTime()
    let folder: TemporaryFolder
    let phone: Organisation
    let app: Organisation
    let executor: Organisation
    let restaurant = Restaurant()
    let skills = [
        SkillConsent(
            skill: "book", draft: "price.quote", commit: "order.create",
            dataTypes: ["phone.number"], purpose: "fulfil-order", retention: 604_800)
    ]
    let isBinding: Bool
    let maker: TariffMaker
    var trace: [String] = []
    /// What the super-app hears once instead of the next gateway's answer, which did its work.
    var swallowed: UpstreamFailure?
    /// What a super-app that has turned sends instead of what its gateway would.
    var tamper: ((UpstreamCall) throws(UpstreamFailure) -> UpstreamCall)?
    /// The nonce under which the executor puts its next questions, where it does not make one.
    var askTamper: String?
    /// Whether the executor's answers arrive as something that is none.
    var isGarbling = false
    /// Whether streams go through all gateways as such; else each is a stream of one event.
    var isStreaming = false
    /// The terms that the executor last asked about.
    var lastTerms: String?

    /// - Parameters:
    ///   - isAppPaying: Whether the super-app knows of the tariff with the executor.
    ///   - isBinding: Whether the agent has a skill that binds the user.
    ///   - jitter: Has exchanges that run beside each other meet in random ways.
    ///   - terms: What the tariffs say otherwise.
    init(
        isAppPaying: Bool = true, isBinding: Bool = true, jitter: SeededRandom? = nil,
        terms: @escaping (inout JSONNode) -> Void = { _ in }
    ) throws {
        self.isBinding = isBinding
        folder = try TemporaryFolder()
        let h = try #require(EntityID("https://h.example"))
        let s = try #require(EntityID("https://s.example"))
        let v = try #require(EntityID("https://v.example"))
        let keys = [h: SigningKey.generate(.p256), s: .generate(.p256), v: .generate(.ed25519)]
        let maker = TariffMaker(time, terms: terms)
        self.maker = maker
        let hs = try maker.tariff(caller: h, callee: s, fee: "0.10", ppm: 5488, cap: "1.80")
        let sv = try maker.tariff(caller: s, callee: v, fee: "0.20", ppm: 50_000, cap: "15.00")
        let confirming = SigningKey.generate(.p256)
        let anchor = TrustAnchor(
            issuer: h, mode: .provider, keys: [try #require(keys[h]).verifying],
            maximumClass: .payment, maximumPerAct: ["CNY": 100_000], maximumLife: 600)
        func settings(
            _ me: EntityID, agent: AgentSettings, tariffs: [EntityID: TariffVersions]
        ) throws -> GatewaySettings {
            var parties: [EntityID: Party] = [:]
            for (entity, key) in keys where entity != me {
                parties[entity] = Party(
                    entity: entity, name: "company \(entity.host)",
                    trust: TrustAnchors(certificates: []),
                    key: key.verifying, tariffs: tariffs[entity], isPeer: true)
            }
            return GatewaySettings(
                entity: me, signingKey: try #require(keys[me]), certificates: [],
                agents: [agent.name: agent], parties: parties, anchors: AnchorSet([anchor]),
                templates: me == h ? [try Self.template()] : [], limits: ExchangeLimits(),
                confirmationKey: me == h ? confirming : nil)
        }
        let skills = skills
        func agent(_ destination: Destination) -> AgentSettings {
            AgentSettings(
                name: "dining", destination: destination, tier: .aware,
                skills: isBinding && destination == .local(agent: "dining") ? skills : [],
                callers: nil,
                listeners: ["phone"])
        }
        phone = try Organisation(
            "H", folder: folder,
            settings: settings(h, agent: agent(.peer(s, agent: "dining")), tariffs: [s: hs]),
            time: time, jitter: jitter)
        app = try Organisation(
            "S", folder: folder,
            settings: settings(
                s, agent: agent(.peer(v, agent: "dining")),
                tariffs: isAppPaying ? [h: hs, v: sv] : [h: hs]),
            time: time, jitter: jitter)
        executor = try Organisation(
            "V", folder: folder,
            settings: settings(v, agent: agent(.local(agent: "dining")), tariffs: [s: sv]),
            time: time, jitter: jitter)
    }

    static func template() throws -> GrantTemplate {
        GrantTemplate(
            id: "order", actions: ["order.create"], currency: try #require(Currency("CNY")),
            perAct: 50_000, total: 50_000, count: 1, life: 600,
            data: Entry.DataScope(
                types: ["phone.number"], purpose: "fulfil-order", retention: 604_800))
    }

    var companies: [Organisation] { [phone, app, executor] }

    func open() async throws {
        for company in companies { try await company.gateway.openBooks() }
    }

    subscript(entity: EntityID) -> Organisation? {
        [phone, app, executor].first { $0.entity == entity }
    }

    /// What a gateway's listener does: reads the operation and runs the exchange.
    func serve(
        _ call: UpstreamCall, from: Organisation, at peer: Organisation, agent: String
    ) async throws(UpstreamFailure) -> JSONValue {
        do {
            let operation = try Operation(
                method: call.method, params: JSONDocument(parsing: call.params).root)
            let caller = Caller(
                party: .peer(from.presenter),
                extensions: Set(ExtensionURI.list([call.extensions ?? ""])), user: call.user)
            let answer = try await run(operation, as: caller, at: peer, agent: agent)
            if isGarbling, peer === executor { return try JSONDocument(parsing: [123, 125]).root }
            return peer === executor ? try tampered(answer) : answer
        } catch let error as A2AError {
            throw .agent(error)
        } catch {
            throw .malformed("\(error)")
        }
    }

    private func tampered(_ answer: JSONValue) throws -> JSONValue {
        let metadata = answer["task"]?["status"]?["message"]?["metadata"]
        lastTerms = metadata?[ConsentMetadata.uri]?["ask"]?["terms"]?.string ?? lastTerms
        guard let askTamper,
            let metadata = answer["task"]?["status"]?["message"]?["metadata"],
            let nonce = metadata[ConsentMetadata.uri]?["ask"]?["nonce"]?.string
        else { return answer }
        let text = String(decoding: Array(answer.raw), as: UTF8.self)
        let changed = text.split(separator: nonce, omittingEmptySubsequences: false)
        return try JSONDocument(parsing: Array(changed.joined(separator: askTamper).utf8)).root
    }

    func run(
        _ operation: Operation, as caller: Caller, at peer: Organisation, agent: String
    ) async throws -> JSONValue {
        switch try await exchange(as: caller, at: peer, agent: agent).run(operation) {
        case .value(let bytes): return try JSONDocument(parsing: bytes).root
        case .events(let events):
            var last: RenderedEvent?
            while let event = try await events.next() { last = event }
            return try JSONDocument(parsing: #require(last).wrapped).root
        }
    }

    func exchange(
        as caller: Caller, at peer: Organisation, agent: String
    ) throws -> Exchange {
        Exchange(
            gateway: peer.gateway, upstreams: Wire(from: peer, network: self), caller: caller,
            agent: try #require(peer.gateway.agent(agent, for: caller.party)))
    }

    // MARK: The user

    static let user = Caller(party: .local(listener: "phone", principal: "li"))

    /// The user's client speaks to the phone maker's gateway.
    func say(
        _ text: String, task: String? = nil, context: String? = nil, as caller: Caller = user
    ) async throws -> JSONValue {
        var message: JSONNode = [
            "messageId": "m1", "role": "ROLE_USER", "parts": [["text": .string(text)]],
        ]
        if let task { message["taskId"] = .string(task) }
        if let context { message["contextId"] = .string(context) }
        let params: JSONNode = ["message": message]
        let operation = try Operation(
            method: "SendMessage", params: JSONDocument(parsing: params.bytes).root)
        return try await run(operation, as: caller, at: phone, agent: "dining")
    }

    func getTask(
        _ id: String, at company: Organisation, as caller: Caller
    ) async throws -> JSONValue {
        let params: JSONNode = ["id": .string(id)]
        return try await run(
            try Operation(method: "GetTask", params: JSONDocument(parsing: params.bytes).root),
            as: caller, at: company, agent: "dining")
    }

    /// What the restaurant wants to know of its guest.
    static let telephone = ["phone.number": "+86 138 0013 8000"]

    /// The questions that the user's phone shows.
    func asks() async throws -> [JSONNode] {
        let desk = ConsentDesk(gateway: phone.gateway, principal: "li")
        return try await desk.asks(language: "zh")["asks"]?.array ?? []
    }

    /// The user's word on a question.
    ///
    /// - Parameter released: What is sent as sealed in place of what was.
    func decide(
        _ nonce: String, approves: Bool, data: [String: String] = telephone,
        released: String? = nil
    ) async throws -> JSONNode {
        let desk = ConsentDesk(gateway: phone.gateway, principal: "li")
        let (task, answer) = try await desk.decide(
            nonce: nonce, approves ? .yes(data: data) : .no, methods: ["hwk"],
            language: "zh-CN")
        let settings = try #require(phone.gateway.agent("dining", for: Self.user.party))
        let exchange = Exchange(
            gateway: phone.gateway, upstreams: Wire(from: phone, network: self),
            caller: Self.user, agent: settings)
        return try await exchange.resume(
            task,
            released.map { SignedWord(confirmation: answer.confirmation, disclosed: $0) } ?? answer)
    }

    func housekeeping() async {
        for company in companies {
            await Housekeeping(
                gateway: company.gateway, upstreams: Wire(from: company, network: self)
            ).round()
        }
    }
}

/// Tariffs of the narrow form.
struct TariffMaker {
    private let time: VirtualTime
    private let terms: (inout JSONNode) -> Void
    private let random = SeededRandom(seed: 42)

    init(_ time: VirtualTime, terms: @escaping (inout JSONNode) -> Void) {
        self.time = time
        self.terms = terms
    }

    func tariff(
        caller: EntityID, callee: EntityID, fee: String, ppm: Int64, cap: String
    ) throws -> TariffVersions {
        var node: JSONNode = [
            "v": "tariff/1", "agr": .string(OperationID(at: time.now(), random: random).text),
            "ver": 1, "ccy": "CNY",
            "edge": ["up": .string(caller.text), "down": .string(callee.text)],
            "from": .string(time.now().adding(seconds: -86_400).rfc3339),
            "charges": [["id": "call", "basis": "call", "fixed": .string(fee)]],
            "commissions": [
                [
                    "id": "take", "basis": "tx.net", "ppm": .int(ppm), "cap": .string(cap),
                    "floor": "0.00", "scope": "tx", "quantum": "minor", "round": "half-up",
                ]
            ],
            "bill_on": ["completed": ["*"], "failed": [], "canceled": [], "rejected": []],
            "hold": ["max_s": 1800, "delta_s": 30, "skew_s": 5],
            "credit": ["up_owes": "50000.00", "down_owes": "50000.00", "warn_ppm": 800_000],
            "settle": ["period": "P1M", "tz": "+08:00", "min": "1.00", "due_d": 15],
            "dispute_d": 30,
        ]
        terms(&node)
        return try TariffVersions([try pinned(node)])
    }

    /// The version that follows on `versions` at `from`, with another fee.
    func next(
        _ versions: TariffVersions, from: Instant, fee: String
    ) throws -> TariffVersions {
        let last = try #require(versions.versions.last)
        var node = last.tariff.node
        node["ver"] = .int(last.tariff.version + 1)
        node["prev"] = .string(last.name.text)
        node["from"] = .string(from.rfc3339)
        node["charges"] = [["id": "call", "basis": "call", "fixed": .string(fee)]]
        return try TariffVersions(versions.versions + [try pinned(node)])
    }

    private func pinned(_ node: JSONNode) throws -> PinnedTariff {
        let name = try #require(HashName(Base64URL.encode(Digest.sha256(node.bytes))))
        return PinnedTariff(name: name, tariff: try Tariff(JSONDocument(parsing: node.bytes).root))
    }
}
