// SPDX-License-Identifier: Apache-2.0
import Bytes
import Consent
import HTTP
import IO

/// What the connections of one listener on one worker share.
final class Serving {
    let settings: ListenerSettings
    let service: any Service
    let worker: Worker
    let parts: WorkerParts
    let upstreams: LoopUpstreams
    let buffers: ChannelBuffers
    let gauge: ListenerGauge
    let budget: BodyBudget
    let date: DateStamp
    private var connections: [ObjectIdentifier: InboundConnection] = [:]
    /// Requests whose tasks have not ended, though their clients may have left.
    private(set) var activeRequests = 0
    private let change = Arrival()

    init(
        _ settings: ListenerSettings, _ service: any Service, gauge: ListenerGauge,
        worker: Worker, parts: WorkerParts, shared: WorkerMemory, upstreams: LoopUpstreams
    ) {
        self.settings = settings
        self.service = service
        self.gauge = gauge
        self.worker = worker
        self.parts = parts
        self.upstreams = upstreams
        buffers = shared.buffers
        budget = shared.bodies
        date = shared.date
    }

    var loop: EventLoop { worker.loop }
    var limits: ConnectionLimits { parts.limits }
    var bodyLimit: Int { limits.bodyBytes(at: settings.kind) }

    /// Connections that are open on this worker.
    var open: [InboundConnection] { Array(connections.values) }

    /// Whether neither a connection nor a request's task is left.
    var isQuiet: Bool { connections.isEmpty && activeRequests == 0 }

    func opened(_ connection: InboundConnection) {
        connections[ObjectIdentifier(connection)] = connection
        parts.counters.accepted(at: settings.name)
    }

    func closed(_ connection: InboundConnection) {
        connections[ObjectIdentifier(connection)] = nil
        parts.counters.closed(at: settings.name)
        gauge.leave()
        change.resume()
    }

    func requestBegan() { activeRequests += 1 }

    func requestEnded() {
        activeRequests -= 1
        change.resume()
    }

    /// Waits until all is quiet, or `deadline`.
    func quiet(before deadline: MonotonicInstant) async {
        let timer = loop.schedule(at: deadline) { [change] in change.resume() }
        while !isQuiet, loop.now < deadline { await change.wait() }
        loop.cancel(timer)
    }

    /// Answers by the head alone: what the service refuses, or anything while answers that are
    /// under way fill their memory. Nothing is begun then, so the client may ask again.
    func refusal(of head: HTTPRequestHead, from peer: Presenter?) -> ServiceResponse? {
        if let refusal = service.refusal(of: head, at: settings, from: peer) { return refusal }
        if settings.kind.isForOperators || parts.answers.admits(answerHolder(peer)) { return nil }
        return .busy
    }

    /// Under whose name an answer is kept: the peer's, or the listener's for those of this side.
    func answerHolder(_ peer: Presenter?) -> String { peer?.entity.text ?? settings.name }

    /// Has the log say that a request was refused before the service saw it.
    func noteRefusal(
        _ response: ServiceResponse, of head: HTTPRequestHead?, from peer: Presenter?,
        over version: String
    ) {
        parts.refusals?.note(
            .init(
                listener: settings.name, version: version, peer: peer, head: head,
                status: response.status, reason: response.reason ?? ""))
    }

    /// The head of an answer with what every answer has.
    func head(of response: ServiceResponse) -> HTTPResponseHead {
        var fields = response.fields
        if !fields.contains(.date) { fields.append(.date, date.value) }
        return HTTPResponseHead(status: response.status, fields: fields)
    }
}

/// Memory and time that all connections of one worker share.
final class WorkerMemory {
    let buffers = ChannelBuffers()
    let bodies: BodyBudget
    let date: DateStamp

    init(_ limits: ConnectionLimits, time: any TimeSource) {
        bodies = BodyBudget(limit: limits.workerBodyBytes)
        date = DateStamp(time)
    }
}
