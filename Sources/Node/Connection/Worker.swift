// SPDX-License-Identifier: Apache-2.0
package import Bytes
package import Gateway
package import IO
import TLS

/// What all workers share.
package struct WorkerParts: Sendable {
    package var limits: ConnectionLimits
    package var upstream: UpstreamLimits
    package let time: any TimeSource
    package let random: any RandomBytes
    package let trust: LiveValue<TrustMaterial>
    package let routes: LiveValue<UpstreamRoutes>
    package let lookup: AddressLookup
    /// Whether the operator has suspended a peer.
    package let isSuspended: @Sendable (EntityID) -> Bool
    /// Where refusals are written that no service sees.
    package let refusals: RefusalLog?
    package let counters: ConnectionCounters
    package let meters: PeerMeters
    /// Memory of answers that are being read or written.
    package let answers: AnswerBudget

    /// - Parameters:
    ///   - lookup: Asked for names that are no addresses.
    ///   - isSuspended: Asked before anything is sent to a peer for the sake of a request.
    package init(
        limits: ConnectionLimits = ConnectionLimits(), upstream: UpstreamLimits = UpstreamLimits(),
        time: any TimeSource, random: any RandomBytes, trust: TrustMaterial,
        routes: UpstreamRoutes, lookup: @escaping AddressLookup,
        isSuspended: @escaping @Sendable (EntityID) -> Bool = { _ in false },
        refusals: RefusalLog? = nil
    ) {
        self.limits = limits
        self.upstream = upstream
        self.time = time
        self.random = random
        self.trust = LiveValue(trust)
        self.routes = LiveValue(routes)
        self.lookup = lookup
        self.isSuspended = isSuspended
        self.refusals = refusals
        answers = AnswerBudget(
            limit: limits.answerBytes, limitOfOne: limits.identityAnswerBytes)
        counters = ConnectionCounters()
        meters = PeerMeters(limits)
    }
}

/// One loop on one core, with the connections that were handed to it and its own ways out: a
/// request never leaves the thread on which it came in.
package actor Worker {
    package nonisolated let loop: EventLoop
    private let parts: WorkerParts
    private let memory: WorkerMemory
    private var servings: [String: Serving] = [:]
    private lazy var upstreams = LoopUpstreams(
        worker: self, parts: parts, buffers: memory.buffers)
    private var isDraining = false
    private var isClosing = false
    private var keeping: Task<Void, Never>?

    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        unsafe loop.asUnownedSerialExecutor()
    }

    /// A worker over a loop that is not running yet.
    package init(_ loop: EventLoop, _ parts: WorkerParts) {
        self.loop = loop
        self.parts = parts
        memory = WorkerMemory(parts.limits, time: parts.time)
    }

    /// Runs `body` as a task of this worker; called on its loop. The value stays on the thread
    /// that it is on.
    nonisolated func spawn<Value>(
        _ value: Value, _ body: @escaping @Sendable (Value) async -> Void
    ) -> Task<Void, Never> {
        // The caller is on the loop, and so is the task.
        nonisolated(unsafe) let value = value
        return assumeIsolated { worker in
            // The preference keeps each continuation on the loop. That the closure names the worker
            // makes it the worker's own; a capture list would undo that.
            Task.immediate(executorPreference: worker.loop) {
                _ = worker.loop
                await body(unsafe value)
            }
        }
    }

    /// Calls next hops from elsewhere than a request, for housekeeping.
    package func withUpstreams<Result: Sendable>(
        _ body: @Sendable (any Upstreams) async -> Result
    ) async -> Result {
        await body(upstreams)
    }

    /// Does `body` again and again with a pause between, until the worker drains. It is given the
    /// number of the round, from 1.
    func keep(
        every pause: Duration,
        _ body: @escaping @Sendable (_ round: Int, any Upstreams) async -> Void
    ) {
        keeping = Task.immediate(executorPreference: loop) {
            var round = 0
            while !self.isDraining {
                round += 1
                await body(round, self.upstreams)
                await self.upstreams.pause(pause)
            }
        }
    }

    // MARK: Connections

    /// Gets ready for connections of a listener.
    func serve(_ settings: ListenerSettings, _ service: any Service, _ gauge: ListenerGauge) {
        servings[settings.name] = Serving(
            settings, service, gauge: gauge, worker: self, parts: parts, shared: memory,
            upstreams: upstreams)
    }

    /// Takes over an accepted connection of a listener, from the loop that accepted it.
    nonisolated func take(_ descriptor: consuming Descriptor, of listener: String) {
        let number = descriptor.release()
        loop.execute {
            self.assumeIsolated { $0.begin(Descriptor(owning: number), of: listener) }
        }
    }

    private func begin(_ descriptor: consuming Descriptor, of listener: String) {
        guard let serving = servings[listener] else { return }
        guard let channel = channel(over: descriptor, serving) else { return serving.gauge.leave() }
        let connection = InboundConnection(serving, channel)
        connection.start()
        if serving.settings.kind.isForOperators ? isClosing : isDraining { connection.drain() }
    }

    private func channel(
        over descriptor: consuming Descriptor, _ serving: Serving
    ) -> Channel? {
        guard let socket = try? StreamSocket(descriptor, on: loop) else { return nil }
        var session: TLSSession?
        if serving.settings.kind == .link {
            do {
                session = try TLSSession(accepting: parts.trust.current.server)
            } catch {
                socket.close()
                return nil
            }
        }
        return Channel(socket, session, buffers: memory.buffers, limits: parts.limits)
    }

    /// Begins nothing new with an identity that passed its limits; called from any thread.
    nonisolated func refuse(_ entity: EntityID) {
        loop.execute {
            self.assumeIsolated { worker in
                for serving in worker.servings.values {
                    for connection in serving.open { connection.refuse(entity) }
                }
                worker.upstreams.renewLinks(to: entity)
            }
        }
    }

    /// Ends connections of peers that are not believed any more.
    func leave(unlessKnownTo trust: TrustMaterial) {
        for serving in servings.values {
            for connection in serving.open { connection.leave(unlessKnownTo: trust) }
        }
        upstreams.leave(unlessKnownTo: trust)
    }

    /// Has peers connect anew, and connects anew to them; what is under way ends where it began.
    func renewLinks() {
        for serving in servings.values where serving.settings.kind == .link {
            for connection in serving.open { connection.drain() }
        }
        upstreams.renewLinks()
    }

    // MARK: Ending

    /// Ends the connections of callers: after their requests if these end within `duration`, else
    /// anyway. Those who watch and control the process still can.
    func drain(within duration: Duration) async {
        guard !isDraining else { return }
        isDraining = true
        keeping?.cancel()
        let callers = servings.values.filter { !$0.settings.kind.isForOperators }
        await end(callers, before: loop.now.adding(duration))
        upstreams.cut()
        await keeping?.value
    }

    /// Ends what is left, after ``drain(within:)``, within `duration`.
    func close(within duration: Duration) async {
        isClosing = true
        await end(Array(servings.values), before: loop.now.adding(duration))
    }

    private func end(_ servings: [Serving], before end: MonotonicInstant) async {
        for serving in servings {
            for connection in serving.open { connection.drain() }
        }
        // The last moment is for telling those whose requests are cut.
        let left = end.duration(since: loop.now)
        let cut = end.adding(.zero - min(left / 10, .seconds(1)))
        for serving in servings { await serving.quiet(before: cut) }
        for serving in servings {
            for connection in serving.open { connection.cut() }
        }
        upstreams.close()
        for serving in servings { await serving.quiet(before: end) }
        for serving in servings {
            for connection in serving.open { connection.abort() }
        }
    }

    /// Open connections and the requests that are being answered, of all listeners.
    package var load: (connections: Int, requests: Int) {
        servings.values.reduce((0, 0)) { ($0.0 + $1.open.count, $0.1 + $1.activeRequests) }
    }
}
