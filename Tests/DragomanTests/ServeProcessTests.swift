// SPDX-License-Identifier: Apache-2.0
import Bytes
import IO
import TestSupport
import Testing

@testable import dragoman

/// The program as the system runs it: its data folder, its signals, its end.
@Suite struct ServeProcessTests {
    private func withProcess(
        _ body: @escaping @Sendable (isolated Lane, ServedProcess) async throws -> Void
    ) async throws {
        let scratch = try Scratch()
        let loop = try EventLoop(name: "operator")
        try loop.start()
        defer {
            loop.stop()
            loop.join()
        }
        let lane = Lane(loop)
        try await Task(executorPreference: loop) {
            try await lane.run { lane in
                let process = try await ServedProcess(in: scratch.path, on: lane)
                do {
                    try await body(lane, process)
                } catch {
                    process.kill()
                    throw error
                }
                process.kill()
            }
        }.value
    }

    @Test("--data-dir moves the journal and the control socket, for all commands alike")
    func dataFolder() async throws {
        try await withProcess { lane, process in
            _ = try await process.addresses()
            #expect(Files.exists(process.data + "/journal.db"))
            #expect(Files.exists(process.data + "/control.sock"))
            #expect(!Files.exists(process.folder + "/data/journal.db"))
            #expect(!Files.exists(process.folder + "/control.sock"))
            #expect(await process.ask("ledger", "accounts").0 == .success)
            #expect(await process.ask("ledger", "verify").0 == .success)
            #expect(await process.ask("explain").0 == .success)
            let elsewhere = await RecordingShell.run("status", "--config", process.file)
            #expect(elsewhere.0 == .no, "without the option it is looked for in another place")
            #expect(await process.ask("drain").0 == .success)
            let end = await process.end(isolation: lane)
            #expect(end.status == .exited(0))
            #expect(!Files.exists(process.data + "/control.sock"))
        }
    }

    @Test("a half-sent request is answered after SIGTERM, and the process ends with 0 in time")
    func drain() async throws {
        try await withProcess { lane, process in
            let addresses = try await process.addresses()
            let apps = try #require(addresses["apps"])
            let watch = try #require(addresses["observe"])
            let client = try await TextClient(to: apps, on: lane)
            client.send("POST /agents/x HTTP/1.1\r\nhost: localhost\r\nconte")
            _ = try await ask("/live", at: watch, lane)
            process.send(.terminate)
            // The observed port says so for as long as something is under way.
            var ready = ""
            for _ in 0..<200 where !ready.hasPrefix("HTTP/1.1 503 ") {
                ready = try await ask("/ready", at: watch, lane)
            }
            #expect(ready.hasPrefix("HTTP/1.1 503 ") && ready.hasSuffix("draining\n"))
            #expect(try await ask("/live", at: watch, lane).hasPrefix("HTTP/1.1 200 "))
            await #expect(throws: (any Error).self) {
                _ = try await TextClient(to: apps, on: lane)
            }
            client.send("nt-length: 0\r\n\r\n")
            let answer = await client.whole()
            #expect(answer.hasPrefix("HTTP/1.1 401 "))
            #expect(answer.contains("connection: close\r\n"))
            let end = await process.end(isolation: lane)
            #expect(end.status == .exited(0))
            #expect(end.after < .seconds(5))
        }
    }

    @Test("SIGTERM while it starts ends it as orderly", arguments: [0, 30, 80, 150])
    func early(milliseconds: Int) async throws {
        try await withProcess { lane, process in
            // From its first sign of life on it owes an orderly end.
            while !Files.exists(process.data) {
                try await lane.loop.sleep(for: .milliseconds(1))
            }
            try await lane.loop.sleep(for: .milliseconds(milliseconds))
            process.send(.terminate)
            let end = await process.end(isolation: lane)
            #expect(end.status == .exited(0))
            #expect(end.after < .seconds(10))
        }
    }

    private func ask(
        _ path: String, at address: SocketAddress, _ lane: isolated Lane
    ) async throws -> String {
        let client = try await TextClient(to: address, on: lane)
        client.send("GET \(path) HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        return await client.whole()
    }
}

/// A connection that sends text and keeps what comes.
private final class TextClient {
    private let socket: StreamSocket
    private var received: [UInt8] = []
    private var isOver = false

    init(to address: SocketAddress, on lane: isolated Lane) async throws {
        socket = try await StreamSocket.connect(
            to: [address], on: lane.loop, deadline: lane.loop.now.adding(.seconds(5)))
        socket.onReadable = { [unowned self] in read() }
    }

    func send(_ text: String) { try? socket.send(Array(text.utf8)) }

    /// All that came until the server sent no more.
    func whole(isolation: isolated (any Actor)? = #isolation) async -> String {
        for _ in 0..<1000 where !isOver { try? await socket.loop.sleep(for: .milliseconds(5)) }
        return String(decoding: received, as: UTF8.self)
    }

    private func read() {
        while !isOver {
            let result = socket.read { bytes in
                for index in bytes.indices { received.append(bytes[index]) }
            }
            switch result {
            case .bytes: continue
            case .wouldBlock: return
            case .endOfStream, .failed:
                isOver = true
                socket.close()
            }
        }
    }
}
