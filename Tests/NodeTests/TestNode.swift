// SPDX-License-Identifier: Apache-2.0
import Bytes
import Crypto
import Gateway
import IO
import TestSupport

@testable import Node

/// The workers of a gateway, listening on loopback with a service of the test's.
struct TestNode {
    let workers: Workers
    let link: SocketAddress
    let local: SocketAddress

    /// Starts as alpha unless other material is given.
    static func start(
        _ service: any Service, _ organisations: Organisations, material: TrustMaterial? = nil,
        routes: UpstreamRoutes = UpstreamRoutes(), workers count: Int = 1,
        time: any TimeSource = SystemTime(), port: UInt16 = 0,
        _ change: LimitsChange = { _, _ in }
    ) async throws -> TestNode {
        var limits = ConnectionLimits()
        var upstream = UpstreamLimits()
        limits.drain = .seconds(2)
        change(&limits, &upstream)
        let parts = WorkerParts(
            limits: limits, upstream: upstream, time: time, random: SeededRandom(seed: 7),
            trust: try material ?? organisations.material(organisations.alpha), routes: routes,
            lookup: { name, port in name == "localhost" ? [.ip(.loopback, port: port)] : [] })
        let workers = try Workers(count, parts)
        let link = try await workers.listen(
            .test("link", .link, "127.0.0.1:\(port)"), service)
        let local = try await workers.listen(.test("local", .local, "127.0.0.1:0"), service)
        return TestNode(workers: workers, link: link, local: local)
    }

    /// Drains and ends.
    func stop() async {
        await workers.drain()
        workers.stop()
    }

    /// Runs `body` with a node and ends it afterwards.
    static func with<Result>(
        _ service: any Service, workers: Int = 1, time: any TimeSource = SystemTime(),
        _ change: LimitsChange = { _, _ in },
        body: (TestNode, Organisations) async throws -> Result
    ) async throws -> Result {
        let organisations = try Organisations()
        let node = try await start(
            service, organisations, workers: workers, time: time, change)
        do {
            let result = try await body(node, organisations)
            await node.stop()
            return result
        } catch {
            await node.stop()
            throw error
        }
    }

    var counters: ConnectionCounters { workers.parts.counters }

    /// Open connections of all workers.
    var openConnections: Int {
        get async {
            var count = 0
            for worker in workers.all { count += await worker.load.connections }
            return count
        }
    }

    /// Waits until no connection is open; false after so many seconds.
    func isEmpty(within seconds: Int = 3) async -> Bool {
        await eventually(within: seconds) { await openConnections == 0 }
    }
}

/// What a test wants otherwise than by default.
typealias LimitsChange = @Sendable (inout ConnectionLimits, inout UpstreamLimits) -> Void

extension ListenerSettings {
    static func test(_ name: String, _ kind: Kind, _ address: String) -> ListenerSettings {
        ListenerSettings(
            name: name, kind: kind, address: address, principals: [], anonymous: "test",
            servesConsent: false)
    }
}

/// Whether `condition` becomes true before so many seconds have passed.
func eventually(
    within seconds: Int = 3, _ condition: () async throws -> Bool
) async rethrows -> Bool {
    let deadline = SystemTime().monotonic().adding(.seconds(seconds))
    while SystemTime().monotonic() < deadline {
        if try await condition() { return true }
        try? await Task.sleep(for: .milliseconds(5))
    }
    return false
}

/// What `figure` has come to when it stands still.
func steady(_ figure: () -> Int) async -> Int {
    var last = figure()
    var unchanged = 0
    while unchanged < 4 {
        try? await Task.sleep(for: .milliseconds(100))
        let now = figure()
        unchanged = now == last ? unchanged + 1 : 0
        last = now
    }
    return last
}

/// Runs `body` in the lane of a fresh loop on its own thread, as a task with the loop's preference.
func onLoop<Result: Sendable>(
    _ body: @escaping @Sendable (isolated Lane) async throws -> Result
) async throws -> Result {
    let loop = try EventLoop(name: "client")
    try loop.start()
    defer {
        loop.stop()
        loop.join()
    }
    let lane = Lane(loop)
    return try await Task(executorPreference: loop) { try await lane.run(body) }.value
}
