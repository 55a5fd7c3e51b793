// SPDX-License-Identifier: Apache-2.0
import Glibc
import Testing

/// A program of this package, running beside the test with its output on a pipe.
final class WriterProcess {
    private let id: pid_t
    private let output: Int32
    private var isEnded = false

    /// Starts the program `name`, which lies beside the tests.
    init(_ name: String, _ arguments: [String]) throws {
        var ends: [Int32] = [0, 0]
        let piped = unsafe pipe(&ends)
        try #require(piped == 0)
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)
        let folder = try #require(Self.folder())
        let path = folder + name
        var words: [UnsafeMutablePointer<CChar>?] = unsafe ([path] + arguments).map {
            unsafe strdup($0)
        }
        unsafe words.append(nil)
        defer { for index in unsafe words.indices { unsafe free(words[index]) } }
        var id: pid_t = 0
        let code = unsafe posix_spawn(&id, path, &actions, nil, words, environ)
        close(ends[1])
        output = ends[0]
        self.id = id
        try #require(code == 0, "\(path) does not start")
    }

    deinit {
        if !isEnded { _ = end() }
        close(output)
    }

    /// Kills it where it stands, and returns all that it wrote: whole lines.
    func end() -> [Substring] {
        isEnded = true
        kill(id, SIGKILL)
        var status: Int32 = 0
        _ = unsafe waitpid(id, &status, 0)
        // Whatever it wrote is in the pipe; another child of this process may hold the other end.
        _ = fcntl(output, F_SETFL, O_NONBLOCK)
        var text: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = unsafe chunk.withUnsafeMutableBytes {
                unsafe read(output, $0.baseAddress, $0.count)
            }
            if count <= 0 { break }
            text += chunk[..<count]
        }
        let end = text.lastIndex(of: UInt8(ascii: "\n")) ?? text.startIndex
        return String(decoding: text[..<end], as: UTF8.self).split(separator: "\n")
    }

    private static func folder() -> String? {
        var path = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = unsafe readlink("/proc/self/exe", &path, path.count)
        guard count > 0 else { return nil }
        let text = String(decoding: path[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
        return text.lastIndex(of: "/").map { String(text[...$0]) }
    }
}
