// SPDX-License-Identifier: Apache-2.0

/// Tells a lane when any of some files has changed: certificates, configuration, revocation lists.
///
/// It compares `stat` once per interval rather than listening to inotify, which misses files behind
/// replaced symbolic links (as orchestrators mount secrets) and network file systems. A change is
/// told once it has held still for one interval, so that a key and a certificate replaced one after
/// the other are told together.
package struct FileWatcher: Sendable {
    private let task: Task<Void, Never>

    /// Time between two looks: a few system calls each, and soon enough for a certificate that
    /// somebody has just put there and waits for.
    package static let standardInterval = Duration.seconds(1)
    /// Intervals after which a state that could not be used is told again.
    package static let patience = 10

    /// Begins to watch. The state at this call is the one that changes are told against, so create
    /// the watcher first and read the files then. They may come into being later, or vanish; both
    /// are changes.
    ///
    /// - Parameters:
    ///   - thread: Where `stat` runs: a network file system may block. Only the first look runs
    ///     here.
    ///   - interval: Time between looks; a change is told after one to two of them.
    ///   - onChange: Runs in the lane; the next look waits for it. `false` says that the files
    ///     could not be used as they are: then it is told again every ``patience`` intervals,
    ///     because what is wrong may mend without a change, as a certificate that begins later.
    package init(
        _ paths: [String], in lane: Lane, thread: BlockingThread,
        interval: Duration = standardInterval,
        _ onChange: @escaping @Sendable (isolated Lane) async -> Bool
    ) {
        let first = paths.map(FileSystem.fingerprint)
        task = Task(executorPreference: lane.loop) {
            await lane.run { lane in
                var (told, seen) = (first, first)
                var isUsed = true
                var looks = 0
                while (try? await lane.loop.sleep(for: interval)) != nil {
                    let now = await thread.run { paths.map(FileSystem.fingerprint) }
                    looks += 1
                    if now == seen, now != told || !isUsed && looks >= Self.patience {
                        told = now
                        isUsed = await onChange(lane)
                        looks = 0
                    }
                    seen = now
                }
            }
        }
    }

    /// Stops watching. A call of `onChange` under way is finished.
    package func close() { task.cancel() }

    /// Stops watching, and waits for a call of `onChange` under way.
    package func end() async {
        task.cancel()
        await task.value
    }
}
