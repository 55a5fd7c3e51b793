// SPDX-License-Identifier: Apache-2.0
import Bytes
import Crypto
import HTTP
import IO
import JSON
import Node
import Synchronization
import TestSupport
import Testing

@testable import dragoman

/// The operator's commands against a gateway that really runs, over its real control socket.
@Suite final class RunningGatewayTests {
    private let folder: String
    private var file: String { folder + "/dragoman.json" }

    init() throws { folder = try Files.temporaryFolder() }

    deinit { Files.remove(folder) }

    /// Keeps what a gateway logs, and how often it was told to end.
    private final class Witness: LogSink {
        private let state = Mutex<(lines: [String], ends: Int)>(([], 0))
        var lines: [String] { state.withLock { $0.lines } }
        var ends: Int { state.withLock { $0.ends } }
        func write(_ line: [UInt8]) {
            state.withLock { $0.lines.append(String(decoding: line, as: UTF8.self)) }
        }
        func end() { state.withLock { $0.ends += 1 } }
    }

    /// Makes a configuration, runs its gateway, and ends it after `body`.
    private func withGateway(
        _ body: (Server, Witness) async throws -> Void
    ) async throws {
        let made = await RecordingShell.run(
            "init", "entrance", "--dir", folder, "--listen", "127.0.0.1:0", "--local",
            "127.0.0.1:0", "--observe", "127.0.0.1:0")
        try #require(made.0 == .success, "\(made.1.complaints)")
        let path = file
        // The certificates of `init` begin on the day at which the tests' clock stands.
        let time = VirtualTime()
        let witness = Witness()
        let control = try ServerControl(
            read: {
                do throws(ConfigurationFaults) {
                    let text = (try? LocalFile.read(path)) ?? []
                    return .success(try Assembly(parsing: text, from: path, now: time.now()))
                } catch {
                    return .failure(error)
                }
            }, end: { witness.end() })
        let assembly = try Assembly(
            parsing: LocalFile.read(path), from: path, now: time.now())
        let server = try await Server.start(
            assembly, folder: folder, workers: 1, sink: witness, time: time,
            random: SystemRandom(), version: "9.9", control: control)
        do {
            try await body(server, witness)
        } catch {
            await server.stop()
            control.close()
            throw error
        }
        await server.stop()
        control.close()
    }

    @Test func itIsAskedHowItDoes() async throws {
        try await withGateway { server, witness in
            let (status, shell) = await RecordingShell.run("status", "--config", file)
            #expect(status == .success, "\(shell.complaints)")
            #expect(shell.text.contains("version 9.9: ready"))
            #expect(shell.text.contains("observe   observe"))
            let books = await RecordingShell.run("ledger", "verify", "--config", file)
            #expect(books.0 == .success)
            let none = await RecordingShell.run("explain", "no-such-task", "--config", file)
            #expect(none.0 == .no)
            #expect(witness.lines.contains { $0.contains(#""principal":"operator""#) })
            _ = server
        }
    }

    @Test func aFaultyFileIsNamedAndTheOldOneStays() async throws {
        try await withGateway { _, _ in
            #expect(await RecordingShell.run("reload", "--config", file).0 == .success)
            let good = try Files.text(file)
            let bad = good.split(separator: "\n", omittingEmptySubsequences: false)
                .map { $0.contains("\"kind\": \"observe\"") ? "{ \"kind\": \"control\" }" : $0 }
                .joined(separator: "\n")
            try LocalFile.replace(file, Array(bad.utf8))
            let (status, shell) = await RecordingShell.run("reload", "--config", file)
            #expect(status == .no)
            #expect(shell.complaints.contains { $0.contains("listeners[2]") })
            #expect(await RecordingShell.run("status", "--config", file).0 == .success)
        }
    }

    @Test func aCertificateThatCannotBeUsedIsNamed() async throws {
        try await withGateway { server, _ in
            let key = folder + "/keys/key.pem"
            let good = try Files.text(key)
            try LocalFile.replace(key, Array(SigningKey.generate(.p256).pem.utf8))
            var text = ""
            for _ in 0..<200 where !text.contains("NOT TAKEN") {
                try await Task.sleep(for: .milliseconds(50))
                text = await RecordingShell.run("status", "--config", file).1.text
            }
            #expect(text.contains("\(key) (identity.key) is not the key of the certificate"))
            #expect(text.contains("ready\n"), "it goes on with the last good one")
            try LocalFile.replace(key, Array(good.utf8))
            for _ in 0..<200 where text.contains("NOT TAKEN") {
                try await Task.sleep(for: .milliseconds(50))
                text = await RecordingShell.run("status", "--config", file).1.text
            }
            #expect(!text.contains("NOT TAKEN"))
            _ = server
        }
    }

    @Test func drainTellsTheProcessToEnd() async throws {
        try await withGateway { _, witness in
            #expect(await RecordingShell.run("drain", "--config", file).0 == .success)
            #expect(witness.ends == 1)
        }
    }

    @Test func theObservedPortServesNothingElse() async throws {
        try await withGateway { server, _ in
            let address = try #require(server.addresses["observe"])
            let client = ControlClient(address: address)
            #expect(try client.send(.init(path: "/ready")).status == 200)
            #expect(try client.send(.init(path: "/metrics")).text.contains("dragoman_build_info"))
            for path in ["/v1/status", "/agents/x", "/consent/v1/asks"] {
                #expect(try client.send(.init(path: path)).status == 404)
            }
            let drain = try client.send(.init(method: .post, path: "/v1/drain"))
            #expect(drain.status == 404)
        }
    }

    @Test func theControlSocketIsItsOwnersAlone() async throws {
        try await withGateway { _, _ in
            #expect(Files.mode(folder + "/control.sock") == 0o600)
        }
        #expect(!Files.exists(folder + "/control.sock"), "it goes with the gateway")
    }
}
