// SPDX-License-Identifier: Apache-2.0
import Glibc
import Synchronization

/// Writes log lines to a file or to standard output, whole lines at a time.
package final class StreamLog: LogSink {
    private let file: Int32
    private let lost = Mutex<Int64>(0)

    /// - Parameter path: `-` for standard output; a file is made or added to.
    package init(_ path: String) {
        file =
            path == "-"
            ? STDOUT_FILENO
            : unsafe open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o640)
    }

    deinit { if file > STDERR_FILENO { close(file) } }

    /// Writes one line; one that the file does not take is counted and given up, because a gateway
    /// does not stand still for its log.
    package func write(_ line: [UInt8]) {
        let count = unsafe line.withUnsafeBytes {
            unsafe Glibc.write(file, $0.baseAddress, $0.count)
        }
        if count != line.count { lost.withLock { $0 += 1 } }
    }

    /// Lines that were given up.
    package var lostLines: Int64 { lost.withLock { $0 } }
}
