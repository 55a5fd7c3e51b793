// SPDX-License-Identifier: Apache-2.0

/// How a store behaves; the defaults are for production.
package struct StoreOptions: Sendable {
    /// Most jobs that may wait for a thread; one more is refused with `StorageFault.busy`. A
    /// thread does some tens of thousands a second, so this is well under a second of waiting.
    package var waitingMax = 8192

    /// How often a store that ran out of room looks whether there is room again.
    package var probeInterval = Duration.seconds(10)

    /// How long the writer is idle before it copies the log into the database, so that the work
    /// does not fall on a caller.
    package var idleInterval = Duration.seconds(1)

    /// Pages of the log (8 KiB each) at which the writer copies it without waiting to be idle: the
    /// log stays near 32 MB, and a start after a crash is quick.
    package var logPagesMax = 4000

    /// The name of SQLite's layer to the system; nil for its own. Tests put a disk there that loses
    /// power.
    package var fileSystem: String?

    /// The folder of closed periods; nil for `books` beside the database.
    package var books: String?

    /// Called when the device failed so that nobody can say what is on it; nil ends the process
    /// with status 74 (`EX_IOERR`).
    package var onLostDisk: (@Sendable () -> Void)?

    /// The defaults.
    package init() {}
}
