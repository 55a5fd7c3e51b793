// SPDX-License-Identifier: Apache-2.0
import IO
import TestSupport
import Testing

@testable import dragoman

/// The demo over real sockets; it checks its own claims, so that its status says most.
@Suite struct DemoTests {
    private func run(_ words: [String]) async -> (ExitCode, RecordingShell) {
        let shell = RecordingShell(time: SystemTime())
        let program = Program(groups: Commands.groups, shell: shell)
        return (await program.run(["demo"] + words), shell)
    }

    @Test func aYesBooksAndEveryFraudIsRefused() async {
        let (status, shell) = await run(["--yes"])
        #expect(status == .success, "\(shell.complaints)")
        #expect(shell.text.contains("V  313.20   S  13.10   H  1.70"))
        #expect(shell.text.contains("H–S  fee 0.10, drawn as number 1 on a block of 10.00"))
        #expect(shell.text.contains("S–V  fee 0.20, drawn as number 1 on a block of 10.00"))
        for code in [
            "consent_confirm_invalid", "consent_replay", "consent_holder", "consent_action",
        ] {
            #expect(shell.text.contains(code))
        }
    }

    @Test func withoutATerminalAndWithoutAFlagTheAnswerIsNo() async {
        let (status, shell) = await run([])
        #expect(status == .success, "\(shell.complaints)")
        #expect(shell.text.contains("Nothing is booked"))
        #expect(!shell.text.contains("313.20"))
    }

    @Test func whatIsKeptIsGoodToGoOnFrom() async throws {
        let folder = try Files.temporaryFolder()
        defer { Files.remove(folder) }
        let (status, shell) = await run(["--yes", "--keep", "\(folder)/demo"])
        #expect(status == .success, "\(shell.complaints)")
        for company in ["phone", "app", "inn"] {
            let check = RecordingShell(time: SystemTime())
            let program = Program(groups: Commands.groups, shell: check)
            let file = "\(folder)/demo/\(company)/dragoman.json"
            #expect(await program.run(["check", file]) == .success, "\(check.complaints)")
        }
        let statement = try Files.text("\(folder)/demo/statement.html")
        #expect(statement.contains("15.00"))
    }
}
