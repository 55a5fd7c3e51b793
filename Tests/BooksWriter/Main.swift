// SPDX-License-Identifier: Apache-2.0
import Accounting
import Bytes
import Glibc
import Store
import TestSupport

/// Books on a journal until somebody ends it, and says each thing only after it is on disk:
/// `placed <hold>`, then `ended <hold> <operation>` or nothing more. For tests that kill it.
@main enum BooksWriter {
    /// Callers at once, so that several share a commit.
    private static let callers = 8

    static func main() async throws {
        guard CommandLine.arguments.count == 3, let seed = UInt64(CommandLine.arguments[2]) else {
            say("usage: books-writer JOURNAL SEED")
            exit(64)
        }
        let now = Instant(seconds: 1_795_219_200)
        let keeper = try Bookkeeper(now: now)
        var options = StoreOptions()
        // The log is copied often, so that a kill may meet that as well.
        options.logPagesMax = 60
        let journal = try SQLiteJournal(path: CommandLine.arguments[1], options)
        try await journal.write { try keeper.open($0, now: now) }
        say("open")
        try await withThrowingTaskGroup { group in
            for caller in 0..<callers {
                let random = SeededRandom(seed: seed &* 1009 &+ UInt64(caller))
                group.addTask {
                    while true { try await one(journal, keeper, now, random) }
                }
            }
            try await group.waitForAll()
        }
    }

    private static func one(
        _ journal: SQLiteJournal, _ keeper: Bookkeeper, _ now: Instant, _ random: SeededRandom
    ) async throws {
        var random = random
        let fen = Int64.random(in: 1...40_000, using: &random)
        let request = try keeper.request(fen, now: now, random: random)
        try await journal.write { try keeper.place(request, $0, now: now) }
        say("placed \(request.op)")
        switch Int.random(in: 0..<4, using: &random) {
        case 0, 1:
            let post = keeper.post(request, now: now, random: random)
            try await journal.write { try keeper.receive(post, $0, now: now) }
            say("ended \(request.op) \(post.op)")
        case 2:
            let op = OperationID(at: now, random: random)
            try await journal.write { try keeper.void(request, op: op, $0, now: now) }
            say("ended \(request.op) \(op)")
        default: break
        }
    }

    /// One short write is whole or not there, whoever else writes.
    private static func say(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        let written = unsafe bytes.withUnsafeBytes { unsafe write(1, $0.baseAddress, $0.count) }
        if written != bytes.count { exit(1) }
    }
}
