// SPDX-License-Identifier: Apache-2.0
import Bytes
import Glibc
import IO
import JSON
import TestSupport
import Testing

@testable import dragoman

/// `dragoman serve` as a process of its own, from a configuration of `init`.
final class ServedProcess {
    let folder: String
    let data: String
    private let lane: Lane
    private let process: ChildProcess
    private let began: MonotonicInstant

    var file: String { folder + "/dragoman.json" }

    /// Makes the configuration in `folder` and starts the program; the process keeps its data in
    /// a folder beside.
    init(in folder: String, on lane: isolated Lane) async throws {
        self.folder = folder + "/own"
        data = folder + "/kept"
        self.lane = lane
        let shell = RecordingShell(time: SystemTime())
        let made = await Program(groups: Commands.groups, shell: shell).run([
            "init", "entrance", "--dir", folder + "/own", "--listen", "127.0.0.1:0", "--local",
            "127.0.0.1:0", "--observe", "127.0.0.1:0",
        ])
        try #require(made == .success, "\(shell.complaints)")
        var request = ChildProcess.Request(
            try #require(Self.program),
            ["serve", "--config", folder + "/own/dragoman.json", "--data-dir", "kept"])
        request.directory = folder
        request.output = .discard
        request.error = .discard
        process = try ChildProcess(request, on: lane.loop)
        began = SystemTime().monotonic()
    }

    /// The program lies beside the tests.
    private static var program: String? {
        var path = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = unsafe readlink("/proc/self/exe", &path, path.count)
        guard count > 0 else { return nil }
        let text = String(decoding: path[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
        return text.lastIndex(of: "/").map { text[...$0] + "dragoman" }
    }

    /// Runs an operator's command about it.
    func ask(_ words: String...) async -> (ExitCode, RecordingShell) {
        let shell = RecordingShell()
        let all = words + ["--config", file, "--data-dir", data]
        return (await Program(groups: Commands.groups, shell: shell).run(all), shell)
    }

    /// Where it listens, once it is ready.
    func addresses() async throws -> [String: SocketAddress] {
        var found: [String: SocketAddress] = [:]
        let deadline = SystemTime().monotonic().adding(.seconds(20))
        while found.isEmpty, SystemTime().monotonic() < deadline {
            let (status, shell) = await ask("status", "--json")
            if status == .success {
                let root = try JSONDocument(parsing: shell.text).root
                for place in root["listeners"]?.elements.map({ $0 }) ?? [] {
                    found[place["name"]?.string ?? ""] = SocketAddress(
                        place["address"]?.string ?? "")
                }
            } else {
                try await lane.loop.sleep(for: .milliseconds(20))
            }
        }
        try #require(!found.isEmpty, "it does not become ready")
        return found
    }

    func send(_ signal: Signal) { process.send(signal) }

    /// How it ended and when, from now.
    func end(isolation: isolated Lane) async -> (status: ChildProcess.Status, after: Duration) {
        let start = SystemTime().monotonic()
        let status = await process.wait()
        return (status, SystemTime().monotonic().duration(since: start))
    }

    /// Ends it, whatever it does.
    func kill() { process.send(.kill) }
}
