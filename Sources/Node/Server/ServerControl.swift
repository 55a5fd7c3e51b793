// SPDX-License-Identifier: Apache-2.0
package import IO
import Synchronization

/// How a running server is told to read its configuration again or to end, whether a signal or the
/// control socket says so.
package final class ServerControl: NodeControl {
    private let read: @Sendable () -> Result<Assembly, ConfigurationFaults>
    private let end: @Sendable () -> Void
    private let thread: BlockingThread
    private let state = Mutex(State())

    private struct State {
        weak var server: Server?
        var isReloading = false
    }

    /// - Parameters:
    ///   - read: Reads the configuration and its files. Runs on a thread that may wait for disks.
    ///   - end: Has the process end soon; must not wait for the end itself.
    /// - Throws: ``SystemError`` when no thread can be had.
    package init(
        read: @escaping @Sendable () -> Result<Assembly, ConfigurationFaults>,
        end: @escaping @Sendable () -> Void
    ) throws(SystemError) {
        self.read = read
        self.end = end
        thread = try BlockingThread(name: "control")
    }

    /// The server that is meant from now on.
    func serve(_ server: Server) { state.withLock { $0.server = server } }

    /// As ``NodeControl/reload()``. One at a time, so that an older reading cannot overtake a
    /// newer one.
    package func reload() async -> [String] {
        let server = state.withLock { state -> Server? in
            if state.isReloading { return nil }
            state.isReloading = state.server != nil
            return state.server
        }
        guard let server else { return ["it starts, or reads its configuration just now"] }
        defer { state.withLock { $0.isReloading = false } }
        let read = read
        switch await thread.run({ read() }) {
        case .failure(let faults): return faults.faults.map(\.description)
        case .success(let assembly):
            do {
                try await server.reload(assembly)
                return []
            } catch {
                return [error.description]
            }
        }
    }

    /// As ``NodeControl/drain()``.
    package func drain() async { end() }

    /// Ends the thread, after the server.
    package func close() { thread.stop() }
}

/// A server that nobody reloads and whose owner alone ends it, as in tests.
struct NoControl: NodeControl {
    func reload() async -> [String] { ["this process keeps the configuration that it began with"] }
    func drain() async {}
}
