// SPDX-License-Identifier: Apache-2.0
package import Bytes
import Crypto
package import Gateway
import HTTP2
package import IO
import Store
import Synchronization
import TLS

/// A running gateway: the journal, a worker per core, and what a reload swaps.
package final class Server: Sendable {
    private let directory: HeldDirectory
    private let journal: SQLiteJournal
    private let workers: Workers
    private let resolver: NameResolver
    private let node: NodeState
    private let log: AccessLog
    private let files: KeyFileWatch
    private let turns = Turns()
    private let inForce: Mutex<Assembly>
    package let gateway: GatewayState
    /// Where each listener accepts, by its name.
    package let addresses: [String: SocketAddress]
    /// What happened to connections, for the metrics page.
    package var connections: ConnectionCounters { workers.parts.counters }
    package let requests: RequestCounters
    /// What became of the files of keys and certificates.
    package var keyFiles: KeyFiles { node.keyFiles }

    /// Why a gateway does not start: one sentence.
    package struct Fault: Error, Sendable, CustomStringConvertible {
        package let description: String

        package init(_ description: String) { self.description = description }
    }

    private init(
        directory: HeldDirectory, journal: SQLiteJournal, gateway: GatewayState, workers: Workers,
        resolver: NameResolver, node: NodeState, addresses: [String: SocketAddress],
        requests: RequestCounters, log: AccessLog, files: KeyFileWatch, assembly: Assembly
    ) {
        self.directory = directory
        self.journal = journal
        self.gateway = gateway
        self.workers = workers
        self.resolver = resolver
        self.node = node
        self.addresses = addresses
        self.requests = requests
        self.log = log
        self.files = files
        inForce = Mutex(assembly)
    }

    /// Most workers: more loops than this gain nothing while one thread writes the journal.
    package static let workersMax = 16

    /// Opens the journal, binds every listener, and serves.
    ///
    /// - Parameters:
    ///   - folder: What relative paths of the configuration are relative to.
    ///   - workers: How many loops; one per core by default.
    ///   - version: Of the program, for those who watch it.
    ///   - control: Reads the configuration again and ends the process; `nil` does neither.
    package static func start(
        _ assembly: Assembly, folder: String, workers count: Int, sink: any LogSink,
        time: any TimeSource, random: any RandomBytes, version: String = "unversioned",
        control: ServerControl? = nil
    ) async throws(Fault) -> Server {
        let configuration = assembly.configuration
        let path = LocalFile.resolve(configuration.data, besides: folder + "/x")
        let directory = try HeldDirectory(path)
        let (journal, watched, gateway) = try await open(path, assembly.settings, time, random)
        let requests = RequestCounters()
        let log = AccessLog(
            sink: sink, time: time, entity: assembly.settings.entity, counters: requests)
        let resolver: NameResolver
        let workers: Workers
        let files: KeyFileWatch
        let trust = try material(assembly, time)
        do {
            resolver = try NameResolver(time: time)
            let parts = WorkerParts(
                limits: ConnectionLimits(configuration.limits), time: time, random: random,
                trust: trust, routes: routes(configuration), lookup: resolver.lookup,
                isSuspended: { gateway.standing.suspended($0) != nil },
                refusals: RefusalLog(log))
            workers = try Workers(min(count, workersMax), parts)
            files = try KeyFileWatch(on: workers.all[0].loop)
        } catch {
            throw Fault("the workers cannot be started: \(error)")
        }
        let node = NodeState(name: configuration.name, version: version, started: time.now())
        let counting: [any MetricSource] = [
            requests, workers.parts.counters, workers.parts.meters, workers.parts.answers,
        ]
        let services = Services(
            gateway: gateway, log: log,
            observe: ObserveService(
                gateway: gateway, node: node, journal: watched,
                sources: counting + [sink as? any MetricSource].compactMap { $0 }),
            node: node, control: control ?? NoControl())
        let socket = ListenerSettings.control(
            path: LocalFile.resolve(configuration.control, besides: folder + "/x"))
        var addresses: [String: SocketAddress] = [:]
        for listener in configuration.listeners + [socket] {
            do {
                addresses[listener.name] = try await workers.listen(
                    listener, services.service(for: listener))
            } catch {
                workers.stop()
                throw Fault(error.description)
            }
        }
        await workers.keep(every: housekeepingPause) { round, upstreams in
            await Housekeeping(gateway: gateway, upstreams: upstreams)
                .round(forgetting: round % roundsToForget == 0)
        }
        let server = Server(
            directory: directory, journal: journal, gateway: gateway, workers: workers,
            resolver: resolver, node: node, addresses: addresses, requests: requests, log: log,
            files: files, assembly: assembly)
        control?.serve(server)
        await server.watchFiles()
        node.serve(at: places(configuration.listeners + [socket], addresses))
        return server
    }

    /// Opens the journal in the folder at `path`, and the books in it.
    private static func open(
        _ path: String, _ settings: GatewaySettings, _ time: any TimeSource,
        _ random: any RandomBytes
    ) async throws(Fault) -> (SQLiteJournal, WatchedJournal, GatewayState) {
        do {
            let journal = try SQLiteJournal(path: path + "/journal.db")
            let key = try await journal.secret("context", random: random)
            let watched = WatchedJournal(journal, time: time)
            let gateway = GatewayState(
                settings: settings, journal: watched, time: time, random: random, contextKey: key)
            try await gateway.openBooks()
            return (journal, watched, gateway)
        } catch {
            throw Fault("the journal in \(path) cannot be opened: \(error)")
        }
    }

    /// Between two rounds of housekeeping; a post leaves half a second after its task at the
    /// latest.
    private static let housekeepingPause = Duration.milliseconds(500)
    /// Rounds between two that also forget what is old: a minute.
    private static let roundsToForget = 120

    private static func material(
        _ assembly: Assembly, _ time: any TimeSource
    ) throws(Fault) -> TrustMaterial {
        do {
            let identity = try TLSIdentity(
                certificates: assembly.identity.certificates, key: assembly.identity.key)
            return try TrustMaterial(
                identity: identity, peers: PeerTrust(entities: assembly.links), time: time)
        } catch {
            throw Fault("the identity cannot be used: \(error)")
        }
    }

    private static func places(
        _ listeners: [ListenerSettings], _ addresses: [String: SocketAddress]
    ) -> [NodeState.Place] {
        listeners.map { listener in
            NodeState.Place(
                name: listener.name, kind: listener.kind.rawValue,
                address: addresses[listener.name]?.description ?? listener.address)
        }
    }

    private static func routes(_ configuration: Configuration) -> UpstreamRoutes {
        var routes = UpstreamRoutes()
        for peer in configuration.peers { routes.peers[peer.entity] = peer.connect }
        for agent in configuration.agents { routes.agents[agent.name] = LocalURL(agent.url) }
        return routes
    }

    /// Puts another configuration in force. Listeners and the journal stay as they are; what is
    /// under way ends as it began.
    package func reload(_ assembly: Assembly) async throws(Fault) {
        let fault = await turns.take { () async -> Fault? in
            do throws(Fault) {
                try await self.adopt(assembly)
                return nil
            } catch {
                return error
            }
        }
        if let fault { throw fault }
        await watchFiles()
    }

    private func adopt(_ assembly: Assembly) async throws(Fault) {
        await workers.adopt(
            try Self.material(assembly, gateway.time), Self.routes(assembly.configuration))
        gateway.reload(assembly.settings)
        inForce.withLock { $0 = assembly }
        do {
            try await gateway.openBooks()
        } catch {
            throw Fault("the tariffs cannot be booked: \(error)")
        }
    }

    // MARK: Files of keys and certificates

    /// Watches the files that the configuration in force names. They may have changed since they
    /// were read, so they are looked at once more.
    private func watchFiles() async {
        let watched = inForce.withLock { $0.keyFiles }
        node.keyFiles.watch(watched.count)
        files.watch(watched.map(\.path)) { [weak self] in await self?.refresh() ?? true }
        _ = await refresh()
    }

    /// Reads the files again, and puts in force what is good.
    ///
    /// - Returns: Whether all of them are used as they are.
    private func refresh() async -> Bool {
        await turns.take { [self] in
            let assembly = inForce.withLock { $0 }
            let now = gateway.time.now()
            let found = await files.run { assembly.refreshed(now: now) }
            var refused = found.refused
            if let fresh = found.assembly {
                do throws(Fault) {
                    try await adopt(fresh)
                    node.keyFiles.note(swapAt: now)
                    log.note(swapped: found.taken, ends: gateway.settings.certificateEnd)
                } catch {
                    refused += fresh.keyFiles.filter { found.taken.contains($0.member) }.map {
                        .init(member: $0.member, path: $0.path, reason: error.description)
                    }
                }
            }
            for file in node.keyFiles.note(refused: refused, at: now) { log.note(refused: file) }
            return refused.isEmpty
        }
    }

    /// Ends: accepts no more, lets requests end for as long as the configuration says, closes.
    package func stop() async {
        node.drain()
        gateway.feed.close()
        files.close()
        await workers.drain()
        await files.end()
        await gateway.closeBooks()
        workers.stop()
        resolver.stop()
        journal.close()
    }
}

/// The data directory while its gateway runs.
private final class HeldDirectory: Sendable {
    private let directory: DataDirectory

    init(_ path: String) throws(Server.Fault) {
        do throws(DataDirectory.Fault) {
            directory = try DataDirectory(path: path)
        } catch {
            switch error {
            case .inUse: throw Server.Fault("another process uses \(path)")
            case .unusable(let words): throw Server.Fault("\(path) cannot be used: \(words)")
            }
        }
    }
}

/// The services of a gateway's listeners.
struct Services: Sendable {
    let gateway: GatewayState
    let log: AccessLog
    let observe: ObserveService
    let node: NodeState
    let control: any NodeControl

    func service(for listener: ListenerSettings) -> any Service {
        let agents = AgentService(
            gateway: gateway, cards: CardDesk(gateway: gateway), log: log)
        switch listener.kind {
        case .link: return LinkService(gateway: gateway, agents: agents, log: log)
        case .local: return LocalService(gateway: gateway, agents: agents, log: log)
        case .observe: return observe
        case .control:
            return ControlService(
                gateway: gateway, node: node, observe: observe, control: control, log: log)
        }
    }
}
