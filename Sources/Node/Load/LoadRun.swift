// SPDX-License-Identifier: Apache-2.0
import IO

/// Sends requests to a server as a plan says and counts how they are answered: first all
/// connections are made, then the run is measured, at last the connections are ended.
///
/// ``close(after:)`` belongs to every run that was begun.
package struct LoadRun: Sendable {
    private let crews: [Crew]

    /// Makes all connections; no request is sent.
    ///
    /// - Throws: ``LoadFault`` when not all could be made; those that were are closed.
    package init(connecting plan: LoadPlan) async throws(LoadFault) {
        try Self.raiseOpenFiles(plan.connections)
        let count = max(1, min(plan.threads, plan.connections))
        do throws(SystemError) {
            var crews: [Crew] = []
            for index in 0..<count {
                crews.append(try Crew(plan, LoadShare(index: index, count: count)))
            }
            for crew in crews { try crew.loop.start() }
            self.crews = crews
        } catch {
            throw .system(error)
        }
        do throws(LoadFault) {
            try await together { crew throws(LoadFault) in try await crew.connect() }
        } catch {
            await close(after: .zero)
            throw error
        }
    }

    /// Sends the requests and waits for the end of the last. Once.
    package func report() async throws(LoadFault) -> LoadReport {
        try await together { crew throws(LoadFault) in try await crew.run() }
        var report = LoadReport()
        for crew in crews { report.merge(await crew.report) }
        return report
    }

    /// Keeps the connections for `duration` without a request, and ends them.
    package func close(after duration: Duration) async {
        try? await together { crew throws(LoadFault) in await crew.close(after: duration) }
        for crew in crews { crew.stop() }
    }

    /// Descriptors beside those of the connections: files, loops, the three standard ones.
    private static let otherFiles = 64

    private static func raiseOpenFiles(_ connections: Int) throws(LoadFault) {
        let needed = connections + otherFiles
        guard OpenFiles.limit < needed else { return }
        let limit: Int
        do { limit = try OpenFiles.setLimit(needed) } catch { throw .system(error) }
        guard limit >= needed else { throw .openFiles(limit) }
    }

    /// Does the same on all loops at the same time; a fault is thrown when all are done.
    private func together(
        _ work: @escaping @Sendable (Crew) async throws(LoadFault) -> Void
    ) async throws(LoadFault) {
        let faults = await withTaskGroup(of: LoadFault?.self) { group in
            for crew in crews {
                group.addTask(executorPreference: crew.loop) {
                    do throws(LoadFault) {
                        try await work(crew)
                        return nil
                    } catch {
                        return error
                    }
                }
            }
            return await group.reduce(into: [LoadFault]()) { faults, fault in
                if let fault { faults.append(fault) }
            }
        }
        if let first = faults.first { throw first }
    }
}

/// One loop and what it sends.
private actor Crew {
    nonisolated let loop: EventLoop
    private let lane: Lane
    private let plan: LoadPlan
    private let share: LoadShare
    private lazy var generator = LoadGenerator(plan, share: share, lane: lane)

    nonisolated var unownedExecutor: UnownedSerialExecutor {
        unsafe loop.asUnownedSerialExecutor()
    }

    init(_ plan: LoadPlan, _ share: LoadShare) throws(SystemError) {
        loop = try EventLoop(name: "load \(share.index)")
        lane = Lane(loop)
        self.plan = plan
        self.share = share
    }

    func connect() async throws(LoadFault) { try await generator.connect() }
    func run() async throws(LoadFault) { try await generator.run() }
    func close(after duration: Duration) async { await generator.close(after: duration) }
    var report: LoadReport { generator.report }

    nonisolated func stop() {
        loop.stop()
        loop.join()
    }
}
