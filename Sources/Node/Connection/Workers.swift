// SPDX-License-Identifier: Apache-2.0
import Bytes
package import Gateway
package import IO

/// All workers of the process, one per core, and the listeners that feed them.
package final class Workers: Sendable {
    /// Why a listener could not begin.
    package enum ListenFault: Error, Equatable, Sendable, CustomStringConvertible {
        /// Not `host:port` of an address of this machine, nor `unix:path`.
        case address(listener: String, address: String)
        case system(listener: String, SystemError)

        package var description: String {
            switch self {
            case .address(let listener, let address):
                "listener \"\(listener)\": \"\(address)\" is not an address to listen on"
            case .system(let listener, let error): "listener \"\(listener)\": \(error)"
            }
        }
    }

    package let parts: WorkerParts
    package let all: [Worker]
    private let reception: Reception

    /// Starts `count` workers.
    ///
    /// - Throws: ``SystemError`` when the kernel grants no more descriptors or threads.
    package init(_ count: Int, _ parts: WorkerParts) throws(SystemError) {
        self.parts = parts
        var workers: [Worker] = []
        for index in 0..<max(1, count) {
            let loop = try EventLoop(name: "worker \(index)")
            workers.append(Worker(loop, parts))
        }
        for worker in workers { try worker.loop.start() }
        all = workers
        for worker in workers {
            parts.meters.whenRefused { [weak worker] in worker?.refuse($0) }
        }
        reception = Reception(workers, parts)
    }

    /// Listens, and serves what comes.
    ///
    /// - Returns: Where; with port 0 in the settings, the port that the kernel chose.
    package func listen(
        _ settings: ListenerSettings, _ service: any Service
    ) async throws(ListenFault) -> SocketAddress {
        guard let address = Self.address(settings.address) else {
            throw .address(listener: settings.name, address: settings.address)
        }
        let gauge = ListenerGauge(limit: parts.limits.connections)
        for worker in all { await worker.serve(settings, service, gauge) }
        return try await reception.open(settings, at: address, gauge)
    }

    /// Calls next hops from elsewhere than a request, on the first worker.
    package func withUpstreams<Result: Sendable>(
        _ body: @Sendable @escaping (any Upstreams) async -> Result
    ) async -> Result {
        let worker = all[0]
        return await Task(executorPreference: worker.loop) {
            await worker.withUpstreams(body)
        }.value
    }

    /// Does `body` again and again on the first worker, until it drains.
    package func keep(
        every pause: Duration,
        _ body: @escaping @Sendable (_ round: Int, any Upstreams) async -> Void
    ) async {
        await all[0].keep(every: pause, body)
    }

    /// Takes new trust and routes for everything that begins from now on. Connections go on, but
    /// those of entities that are not known any more.
    ///
    /// With another certificate of our own, connections that showed the one before take no new
    /// requests, and end when their last stream does: what is signed and bound from now on names
    /// the new one.
    package func adopt(_ trust: TrustMaterial, _ routes: UpstreamRoutes) async {
        let isRenewed = parts.trust.current.leaf != trust.leaf
        parts.trust.replace(with: trust)
        parts.routes.replace(with: routes)
        for worker in all {
            await worker.leave(unlessKnownTo: trust)
            if isRenewed { await worker.renewLinks() }
        }
    }

    /// Accepts no more, and ends all connections within ``ConnectionLimits/drain``: requests that
    /// have begun to arrive are answered, if they end in that time.
    ///
    /// The observed port and the control socket come last, so that until then they say that the
    /// process drains rather than nothing.
    package func drain() async {
        let all = parts.limits.drain
        let last = min(all / 10, .milliseconds(500))
        await reception.close { !$0.kind.isForOperators }
        await onEach { worker in await worker.drain(within: all - last) }
        await reception.close { _ in true }
        await onEach { worker in await worker.close(within: last) }
    }

    private func onEach(_ body: @escaping @Sendable (Worker) async -> Void) async {
        await withDiscardingTaskGroup { group in
            for worker in all {
                group.addTask(executorPreference: worker.loop) { await body(worker) }
            }
        }
    }

    /// Ends the loops, after ``drain()``. Blocks; not from one of the loops.
    package func stop() {
        for worker in all { worker.loop.stop() }
        for worker in all { worker.loop.join() }
    }

    /// `localhost` stands for the loopback; other names are not looked up, because what is
    /// listened on must not depend on an answer from elsewhere.
    static func address(_ text: String) -> SocketAddress? {
        SocketAddress(text) ?? (text.hasPrefix("localhost:") ? LocalURL.loopback(text) : nil)
    }
}

/// The listeners of the process, on the first worker's loop.
private actor Reception {
    private nonisolated let loop: EventLoop
    private let workers: [Worker]
    private let parts: WorkerParts
    private var listeners: [InboundListener] = []

    nonisolated var unownedExecutor: UnownedSerialExecutor {
        unsafe loop.asUnownedSerialExecutor()
    }

    init(_ workers: [Worker], _ parts: WorkerParts) {
        loop = workers[0].loop
        self.workers = workers
        self.parts = parts
    }

    func open(
        _ settings: ListenerSettings, at address: SocketAddress, _ gauge: ListenerGauge
    ) throws(Workers.ListenFault) -> SocketAddress {
        do {
            let listener = try InboundListener(
                settings, at: address, on: loop, workers, gauge, parts)
            listeners.append(listener)
            return listener.address
        } catch {
            throw .system(listener: settings.name, error)
        }
    }

    func close(_ isMeant: @Sendable (ListenerSettings) -> Bool) {
        for listener in listeners where isMeant(listener.settings) { listener.close() }
        listeners.removeAll { isMeant($0.settings) }
    }
}
