// SPDX-License-Identifier: Apache-2.0
package import Bytes
import Glibc
package import IO
import JSON
import Synchronization

/// Log lines on their way to a file or to standard output, written by a thread of their own.
///
/// Whoever writes a line never waits for a disk or for the reader of a pipe: lines wait in a
/// bounded buffer, and what does not fit is counted, and the count written in its place.
package final class FileLog: LogSink {
    /// Bytes that may wait: some ten thousand lines, a few seconds of a slow disk.
    package static let bufferMax = 4 << 20
    /// Milliseconds for which the end of the process waits for a reader that does not read.
    static let closeMilliseconds = 2000

    private struct State {
        var pending: [UInt8] = []
        /// Bytes that the thread has taken and not written yet.
        var underWay = 0
        var isScheduled = false
        /// Lines given up since the last that was written.
        var dropped: Int64 = 0
        var droppedInAll: Int64 = 0
    }

    private let state = Mutex(State())
    private let file: LogFile
    private let thread: BlockingThread
    private let time: any TimeSource

    /// - Parameter path: `-` for standard output; a file is made, or added to.
    /// - Throws: ``SystemError`` when it cannot be opened, or no thread can be had.
    package init(_ path: String, time: any TimeSource) throws(SystemError) {
        file = try LogFile(path)
        thread = try BlockingThread(name: "log")
        self.time = time
    }

    /// Takes one line; never blocks.
    package func write(_ line: [UInt8]) {
        let isFirst = state.withLock { state in
            guard state.underWay + state.pending.count + line.count <= Self.bufferMax else {
                state.dropped += 1
                state.droppedInAll += 1
                return false
            }
            state.pending += line
            defer { state.isScheduled = true }
            return !state.isScheduled
        }
        if isFirst { thread.execute { self.drain() } }
    }

    /// Lines that were given up.
    package var droppedLines: Int64 { state.withLock { $0.droppedInAll } }

    /// Opens the file by its name again, after it was moved away; the old one stays in use when
    /// that fails, and the log says so.
    package func reopen() {
        thread.execute { [self] in
            do throws(SystemError) {
                try file.reopen()
            } catch {
                note("reopen_failed", error.description)
            }
        }
    }

    /// Writes what waits and ends the thread. Lines that come later are lost.
    package func close() {
        file.hurry()
        thread.stop()
    }

    // MARK: On the thread

    /// Writes what waits. Then it lets a moment pass, in which a busy gateway gathers some hundred
    /// lines: to wake this thread for each would cost as much as a request.
    private func drain() {
        let (bytes, dropped) = state.withLock { state -> ([UInt8], Int64) in
            let taken = (state.pending, state.dropped)
            state.pending = []
            state.underWay = taken.0.count
            state.dropped = 0
            return taken
        }
        let lost = file.write(bytes)
        state.withLock { state in
            state.underWay = 0
            state.droppedInAll += lost
        }
        if dropped + lost > 0 { note("lines_dropped", String(dropped + lost)) }
        file.rest()
        let goesOn = state.withLock { state in
            state.isScheduled = !state.pending.isEmpty || state.dropped > 0
            return state.isScheduled
        }
        // As work of its own, so that a new name of the file need not wait for an idle moment.
        if goesOn { thread.execute { self.drain() } }
    }

    /// A line of the log about itself.
    private func note(_ what: String, _ value: String) {
        let node: JSONNode = [
            "time": .string(time.now().rfc3339), "log": .string(what), "value": .string(value),
        ]
        _ = file.write(node.bytes + [0x0A])
    }
}

extension FileLog: MetricSource {
    /// The one figure of the log.
    package var exposition: String {
        """
        # HELP dragoman_log_lines_dropped_total Lines that the log could not take.
        # TYPE dragoman_log_lines_dropped_total counter
        dragoman_log_lines_dropped_total \(droppedLines)

        """
    }
}

/// The file beneath a log. Written on the log's thread.
private final class LogFile: Sendable {
    private let path: String
    private let descriptor: Mutex<Int32>
    private let isHurried = Atomic<Bool>(false)
    /// The last line was not written to its end; the next begins on a line of its own.
    private let isTorn = Atomic<Bool>(false)

    /// What a pipe takes at once without blocking, once it says that it takes anything (POSIX).
    private static let pieceMax = 4096
    /// Milliseconds between two looks at whether the end is near.
    private static let patience: Int32 = 100
    /// Milliseconds for which lines are gathered.
    private static let gathering: Int32 = 20

    init(_ path: String) throws(SystemError) {
        self.path = path
        descriptor = Mutex(path == "-" ? STDOUT_FILENO : try Self.open(path))
    }

    deinit {
        descriptor.withLock { if $0 > STDERR_FILENO { close($0) } }
    }

    private static func open(_ path: String) throws(SystemError) -> Int32 {
        let file = unsafe Glibc.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o640)
        if file < 0 { throw SystemError("open", errno) }
        return file
    }

    func reopen() throws(SystemError) {
        if path == "-" { return }
        let fresh = try Self.open(path)
        descriptor.withLock { file in
            close(file)
            file = fresh
        }
    }

    /// From now on a reader that does not read is waited for only so long.
    func hurry() { isHurried.store(true, ordering: .relaxed) }

    /// Waits while lines are gathered, unless the end is near.
    func rest() {
        if !isHurried.load(ordering: .relaxed) { _ = poll(nil, 0, Self.gathering) }
    }

    /// Writes whole lines.
    ///
    /// - Returns: How many were not written to their end.
    func write(_ bytes: [UInt8]) -> Int64 {
        let file = descriptor.withLock { $0 }
        let bytes = isTorn.load(ordering: .relaxed) ? [0x0A] + bytes : bytes
        var written = 0
        var waited: Int32 = 0
        while written < bytes.count {
            let ready = wait(file)
            if ready == 0 {
                waited += Self.patience
                guard isHurried.load(ordering: .relaxed), waited >= FileLog.closeMilliseconds else {
                    continue
                }
                break
            }
            let count = unsafe bytes.withUnsafeBytes { space in
                unsafe Glibc.write(
                    file, space.baseAddress?.advanced(by: written),
                    min(space.count - written, Self.pieceMax))
            }
            if count < 0, errno == EINTR || errno == EAGAIN { continue }
            if count < 0 { break }
            written += count
        }
        if written > 0 { isTorn.store(bytes[written - 1] != 0x0A, ordering: .relaxed) }
        return bytes[written...].reduce(0) { $0 + ($1 == 0x0A ? 1 : 0) }
    }

    /// Above zero when the file takes bytes, or an error that `write` will name.
    private func wait(_ file: Int32) -> Int32 {
        var request = pollfd(fd: file, events: Int16(POLLOUT), revents: 0)
        let ready = unsafe poll(&request, 1, Self.patience)
        return ready < 0 ? (errno == EINTR ? 0 : 1) : ready
    }
}
