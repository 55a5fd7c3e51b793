// SPDX-License-Identifier: Apache-2.0
import Accounting
import Bytes
import Glibc
import Store
import TestSupport
import Testing

/// A process that books is killed at random moments, from its very start on. `DRAGOMAN_KILLS=500`
/// kills more often than the fifty times of every day.
@Suite struct KillTests {
    private static let kills =
        Files.environment("DRAGOMAN_KILLS").flatMap { Int($0) }.map { max(1, $0) } ?? 50

    @Test func whatWasAcknowledgedIsStored() async throws {
        let folder = try TemporaryFolder()
        let now = Instant(seconds: 1_795_219_200)
        let keeper = try Bookkeeper(now: now)
        let seed = Files.environment("DRAGOMAN_SEED").flatMap { UInt64($0) } ?? 1
        var random = SeededRandom(seed: seed)
        var path = ""
        var acknowledged: [Substring] = []
        var total = 0
        for round in 0..<Self.kills {
            // A fresh file now and then: its making is interrupted too, and checks stay quick.
            if round % 10 == 0 {
                path = "\(folder.path)/\(round).db"
                acknowledged = []
            }
            let child = try WriterProcess(
                "books-writer", [path, "\(seed &* 7919 &+ UInt64(round))"])
            try await Task.sleep(for: .milliseconds(Int.random(in: 1...90, using: &random)))
            let said = child.end()
            total += said.count
            acknowledged += said
            // Every other time the next process finds what the kill left.
            if round % 2 == 1 { continue }
            let problems = try await problems(acknowledged, path, keeper)
            #expect(problems.isEmpty, "SEED=\(seed) round \(round)")
        }
        #expect(total > Self.kills, "hardly anything was booked: \(total) lines")
    }

    private func problems(
        _ acknowledged: [Substring], _ path: String, _ keeper: Bookkeeper
    ) async throws -> [String] {
        let journal = try SQLiteJournal(path: path)
        defer { journal.close() }
        return try await journal.read { tx in
            var problems = try keeper.ledger(tx).audit().map(\.description)
            for line in acknowledged {
                let words = line.split(separator: " ")
                guard words.count > 1 else { continue }
                guard let op = OperationID(words[1]), let hold = try tx.hold(keeper.peer, op) else {
                    problems.append("not stored: \(line)")
                    continue
                }
                if words[0] == "ended", hold.resolution?.op != OperationID(words[2]) {
                    problems.append("not ended: \(line)")
                }
            }
            return problems
        }
    }
}
