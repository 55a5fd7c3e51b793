// SPDX-License-Identifier: Apache-2.0
package import Bytes
import Crypto
import Gateway
import IO
import Synchronization

/// What became of the files of keys and certificates, for those who watch the process.
package final class KeyFiles: Sendable {
    /// A file whose last contents are not used.
    package struct Refused: Sendable, Equatable {
        package let file: Assembly.RefusedFile
        package let since: Instant
    }

    private struct State {
        var watched = 0
        var refused: [Refused] = []
        var swaps: Int64 = 0
        var swapped: Instant?
    }
    private let state = Mutex(State())

    package init() {}

    /// Files that are watched.
    package var watched: Int { state.withLock { $0.watched } }
    /// Files whose last contents are not used; the last good ones stay in force.
    package var refused: [Refused] { state.withLock { $0.refused } }
    /// How often new contents were put in force without a reload.
    package var swaps: Int64 { state.withLock { $0.swaps } }
    /// When that was last.
    package var swapped: Instant? { state.withLock { $0.swapped } }

    func watch(_ count: Int) { state.withLock { $0.watched = count } }

    /// Notes what is refused now.
    ///
    /// - Returns: What was not refused before, or for another reason.
    func note(refused files: [Assembly.RefusedFile], at now: Instant) -> [Assembly.RefusedFile] {
        state.withLock { state in
            let before = state.refused
            state.refused = files.map { file in
                before.first { $0.file == file } ?? Refused(file: file, since: now)
            }
            return files.filter { file in !before.contains { $0.file == file } }
        }
    }

    func note(swapAt now: Instant) {
        state.withLock { state in
            state.swaps += 1
            state.swapped = now
        }
    }
}

extension GatewaySettings {
    /// When the first certificate of our chain ends.
    var certificateEnd: Instant? { certificates.map(\.notAfter).min() }
}

/// Watches the files of keys and certificates of one server, on a thread that may wait for disks.
final class KeyFileWatch: Sendable {
    private let thread: BlockingThread
    private let lane: Lane
    private let watcher = Mutex<FileWatcher?>(nil)

    init(on loop: EventLoop) throws(SystemError) {
        thread = try BlockingThread(name: "files")
        lane = Lane(loop)
    }

    /// Watches these files instead of those before. `onChange` is called soon after each change,
    /// and again where it returns `false`.
    func watch(_ paths: [String], _ onChange: @escaping @Sendable () async -> Bool) {
        let next = FileWatcher(paths, in: lane, thread: thread) { _ in await onChange() }
        let last = watcher.withLock { watcher in
            defer { watcher = next }
            return watcher
        }
        last?.close()
    }

    /// Runs what may block.
    func run<Result: Sendable>(_ body: @escaping @Sendable () -> Result) async -> Result {
        await thread.run(body)
    }

    /// Looks no more.
    func close() { watcher.withLock { $0 }?.close() }

    /// Ends, before the loop does; waits for a call under way.
    func end() async {
        let last = watcher.withLock { $0.take() }
        await last?.end()
        thread.stop()
    }
}

/// Lets in one caller after the other: none begins before the one before has ended.
final class Turns: Sendable {
    private let last = Mutex<Task<Void, Never>?>(nil)

    func take<Result: Sendable>(
        _ body: @escaping @Sendable () async -> Result
    ) async -> Result {
        let turn = last.withLock { last in
            let before = last
            let turn = Task {
                await before?.value
                return await body()
            }
            last = Task { _ = await turn.value }
            return turn
        }
        return await turn.value
    }
}
