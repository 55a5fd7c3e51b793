// SPDX-License-Identifier: Apache-2.0
import Bytes
import Crypto
import Glibc

/// The shell that started this process.
final class ProcessShell: Shell {
    let time: any TimeSource = ProcessTime()
    let random: any RandomBytes = SystemRandom()

    func say(_ line: String) { put(Array((line + "\n").utf8), STDOUT_FILENO) }
    func write(_ bytes: [UInt8]) { put(bytes, STDOUT_FILENO) }
    func complain(_ line: String) { put(Array((line + "\n").utf8), STDERR_FILENO) }

    func progress(_ line: String) {
        if isatty(STDERR_FILENO) == 1 { complain(line) }
    }

    func answer(to question: String) -> String? {
        guard isatty(STDIN_FILENO) == 1 else { return nil }
        write(Array(question.utf8))
        return readLine()
    }

    /// Writes all; what cannot be written is lost, for there is nobody left to tell.
    private func put(_ bytes: [UInt8], _ file: Int32) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes {
                unsafe Glibc.write(file, $0.baseAddress, $0.count)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }
}

/// The clocks of the system.
private struct ProcessTime: TimeSource {
    func now() -> Instant {
        let time = Self.read(CLOCK_REALTIME)
        return Instant(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }

    func monotonic() -> MonotonicInstant {
        let time = Self.read(CLOCK_MONOTONIC)
        return MonotonicInstant(
            nanoseconds: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
    }

    private static func read(_ clock: clockid_t) -> timespec {
        var time = timespec()
        let result = unsafe clock_gettime(clock, &time)
        invariant(result == 0, "the system has no clock")
        return time
    }
}
