// SPDX-License-Identifier: Apache-2.0
import HTTP
import IO
import TestSupport
import Testing

@testable import dragoman

/// The commands of a running gateway's operator, against a socket that answers what a test wrote.
@Suite final class ControlCommandTests {
    private let folder: String
    private var path: String { folder + "/control.sock" }

    init() throws { folder = try Files.temporaryFolder() }

    deinit { Files.remove(folder) }

    @Test func explainPrintsThePageAsItIs() async throws {
        let server = try OneAnswer(path, "text/plain", "exchange 01M7 …\n")
        let (status, shell) = await RecordingShell.run("explain", "a b", "--control", path)
        #expect(status == .success)
        #expect(shell.text == "exchange 01M7 …\n")
        let asked = server.heard()
        #expect(asked.hasPrefix("GET /v1/explain/a%20b?format=text HTTP/1.1\r\n"))
        #expect(asked.contains("host: localhost\r\n"))
        #expect(asked.contains("connection: close\r\n"))
    }

    @Test func whatTheGatewayRefusesIsSaidAndIsANo() async throws {
        let error = #"{"error":{"code":404,"message":"This gateway knows no task"}}"#
        let server = try OneAnswer(path, "application/json", error, status: 404)
        let (status, shell) = await RecordingShell.run("explain", "x", "--control", path)
        #expect(status == .no)
        #expect(shell.complaints.first == "dragoman explain: This gateway knows no task")
        _ = server.heard()
    }

    @Test func nobodyThereIsANo() async throws {
        let (status, shell) = await RecordingShell.run("status", "--control", path)
        #expect(status == .no)
        #expect(shell.complaints.first?.contains("no gateway answers at unix:\(path)") ?? false)
    }

    @Test func statusAsksForScriptsToo() async throws {
        let body = """
            {"entity":"https://s.example","name":"S","version":"1","ready":false,
            "obstacle":"draining","started":"2026-11-21T00:00:00Z","agents":["dining"],
            "listeners":[{"name":"links","kind":"link","address":"0.0.0.0:443"}],
            "peers":[{"entity":"https://h.example","name":"H\\u001b[2J","suspended":true,
            "suspended_since":"2026-11-20T00:00:00Z","owes_us":"CNY 1.70","tariff":"A version 1"}],
            "backlog":{"outbox":2,"pending_holds":3,"open_asks":1,"journal_waiting":0}}
            """
        let server = try OneAnswer(path, "application/json", body)
        let (status, shell) = await RecordingShell.run("status", "--control", path)
        #expect(status == .no, "a gateway that drains is not ready")
        #expect(shell.text.contains("not ready, draining"))
        #expect(shell.text.contains("3 hold(s), 2 message(s)"))
        #expect(shell.text.contains("SUSPENDED since 2026-11-20"))
        #expect(!shell.text.contains("\u{1B}"))
        _ = server.heard()
    }

    @Test func aReloadThatFailsNamesEachFault() async throws {
        let server = try OneAnswer(
            path, "application/json", #"{"reloaded":false,"faults":["3:5: wrong"]}"#, status: 422)
        let (status, shell) = await RecordingShell.run("reload", "--control", path)
        #expect(status == .no)
        #expect(shell.complaints.contains("3:5: wrong"))
        #expect(server.heard().hasPrefix("POST /v1/reload HTTP/1.1\r\n"))
    }

    @Test func aPeerIsNamedInOneSegment() async throws {
        let server = try OneAnswer(path, "application/json", "{}")
        let (status, _) = await RecordingShell.run(
            "peer", "suspend", "https://h.example", "--control", path)
        #expect(status == .success)
        #expect(server.heard().hasPrefix("POST /v1/peers/https%3A%2F%2Fh.example/suspend HTTP/1.1"))
    }

    @Test func theStatementsPageIsWrittenForItsOwnerAlone() async throws {
        let file = folder + "/statement.html"
        for page in ["<p>1</p>", "<p>2</p>"] {
            let server = try OneAnswer(path, "text/html", page)
            let (status, _) = await RecordingShell.run(
                "ledger", "statement", "--peer", "h.example", "--period", "2026-11", "--html",
                file, "--control", path)
            #expect(status == .success)
            #expect(
                server.heard().hasPrefix(
                    "GET /v1/statement?peer=h.example&period=2026-11&format=html HTTP/1.1"))
            #expect(try Files.text(file) == page)
        }
        #expect(Files.mode(file) == 0o600)
    }

    @Test func booksThatDoNotBalanceAreANo() async throws {
        let server = try OneAnswer(
            path, "application/json",
            #"{"accounts":[{"code":"recv","ccy":"CNY","debits":"1.00"}],"#
                + #""trial":[{"ccy":"CNY","balanced":false}]}"#)
        let (status, shell) = await RecordingShell.run("ledger", "accounts", "--control", path)
        #expect(status == .no)
        #expect(shell.text.contains("DOES NOT BALANCE"))
        _ = server.heard()
    }

    @Test func findingsOfAnAuditAreANo() async throws {
        let server = try OneAnswer(
            path, "application/json",
            #"{"good":false,"findings":[{"rule":"columns","place":"recv/CNY"}]}"#)
        let (status, shell) = await RecordingShell.run("ledger", "verify", "--control", path)
        #expect(status == .no)
        #expect(shell.text == "columns: recv/CNY\n")
        _ = server.heard()
    }

    @Test func twoWaysToNameTheGatewayAreMisuse() async throws {
        let (status, _) = await RecordingShell.run(
            "drain", "--control", path, "--config", folder + "/x.json")
        #expect(status == .misuse)
    }

    @Test func theSocketIsFoundThroughTheConfiguration() async throws {
        let server = try OneAnswer(path, "application/json", #"{"draining":true}"#, status: 202)
        let made = await RecordingShell.run("init", "entrance", "--dir", folder + "/own")
        #expect(made.0 == .success, "\(made.1.complaints)")
        let file = folder + "/own/dragoman.json"
        let text = try Files.text(file)
        #expect(text.contains("\"control\""))
        let (status, shell) = await RecordingShell.run("drain", "--config", file)
        #expect(status == .no, "its own socket is not there yet")
        #expect(shell.complaints.first?.contains(folder + "/own/") ?? false)
        let named = try OneAnswer(folder + "/own/control.sock", "application/json", "{}")
        #expect(await RecordingShell.run("drain", "--config", file).0 == .success)
        #expect(named.heard().hasPrefix("POST /v1/drain"))
        _ = server
    }

    // MARK: The client

    @Test func itSpeaksToPortsAndHandsOnPieces() throws {
        let server = try OneAnswer(
            port: (), "text/event-stream", "data: 1\n\ndata: 2\n\n", status: 200)
        let address = try #require(SocketAddress("127.0.0.1:\(server.port)"))
        var pieces: [UInt8] = []
        let response = try ControlClient(address: address).send(
            .init(method: .post, path: "/agents/x", body: Array("{}".utf8))
        ) { (head, piece) throws(Failure) in
            #expect(head.status == 200)
            pieces += piece
            return .goOn
        }
        #expect(response.fields[.contentType] == "text/event-stream")
        #expect(String(decoding: pieces, as: UTF8.self) == "data: 1\n\ndata: 2\n\n")
        let asked = server.heard()
        #expect(asked.contains("host: 127.0.0.1:\(server.port)\r\n"))
        #expect(asked.hasSuffix("content-length: 2\r\nconnection: close\r\n\r\n{}"))
    }

    @Test func anAnswerCutInTwoIsSaidToBe() throws {
        let server = try OneAnswer(path, raw: "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf")
        let address = try #require(SocketAddress("unix:\(path)"))
        let failure = #expect(throws: Failure.self) {
            try ControlClient(address: address).send(.init(path: "/v1/status"))
        }
        #expect(failure?.message.contains("truncated") ?? false)
        _ = server.heard()
    }

    @Test func anAnswerThatIsTooLargeIsNotKept() throws {
        let server = try OneAnswer(path, "text/plain", String(repeating: "x", count: 100))
        let address = try #require(SocketAddress("unix:\(path)"))
        var client = ControlClient(address: address)
        client.bodyMax = 99
        #expect(throws: Failure.self) { try client.send(.init(path: "/v1/status")) }
        _ = server.heard()
    }
}
