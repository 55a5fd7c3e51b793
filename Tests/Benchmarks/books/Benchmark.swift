// SPDX-License-Identifier: Apache-2.0
import Accounting
import Bytes
import CRecorder
import Crypto
import Gateway
import Glibc
import JSON
import Store
import TestSupport

/// Holds and posts with their signatures through the store, against the very same calls of SQLite
/// made by C, and as many signatures made and verified by C. CPU time of all threads; the least of
/// several rounds, which alternate.
@main struct Benchmark {
    private static let now = Instant(seconds: 1_795_219_200)
    private static let recordType = "a2a-hop+jwt"

    private struct Times {
        var cpu = Double.infinity
        var wall = Double.infinity

        mutating func keepLeast(_ other: Times) {
            cpu = min(cpu, other.cpu)
            wall = min(wall, other.wall)
        }
    }

    /// What one task costs us: a hold of ours, and the callee's claim with its signed record.
    private struct Pair: Sendable {
        let request: HoldRequest
        let post: Post
        let record: String
    }

    private let keeper: Bookkeeper
    private let ours = SigningKey.generate(.p256)
    private let theirs = SigningKey.generate(.p256)
    private let callers: Int
    private let pairs: [Pair]

    private init(pairs count: Int, callers: Int) throws {
        let now = Self.now
        let keeper = try Bookkeeper(now: now)
        let theirs = theirs
        let random = SeededRandom(seed: 1)
        self.keeper = keeper
        self.callers = callers
        pairs = try (0..<count).map { number in
            let request = try keeper.request(Int64(number % 40_000 + 1), now: now, random: random)
            let post = keeper.post(request, now: now, random: random)
            let stated = HopPost(post, caller: keeper.ourselves, tariff: keeper.tariff.name)
            let record = HopRecord(
                kind: .post(stated), exchange: request.op, id: post.op, task: "task",
                issuer: keeper.peer, booked: now, consent: keeper.tariff.name, links: [])
            return Pair(
                request: request, post: post,
                record: TokenSigner.sign(record.node, type: Self.recordType, key: theirs))
        }
    }

    static func main() async throws {
        let words = CommandLine.arguments.dropFirst().compactMap { Int($0) }
        let count = words.first ?? 6400
        let callers = words.dropFirst().first ?? 64
        let rounds = words.dropFirst(2).first ?? 5
        let benchmark = try Benchmark(pairs: count, callers: callers)
        let folder = try Files.temporaryFolder()
        defer { Files.remove(folder) }
        let base = "\(folder)/base.db"
        let opening = try SQLiteJournal(path: base)
        let (keeper, now) = (benchmark.keeper, now)
        try await opening.write { try keeper.open($0, now: now) }
        opening.close()
        let empty = try Files.bytes(base)

        recorder_start()
        try Files.write(empty, to: "\(folder)/recorded.db")
        _ = try await benchmark.run("\(folder)/recorded.db")
        recorder_stop()
        let recorded = Double(2 * count) / Double(recorder_commits())
        var mine = Times()
        var sql = Times()
        var signing = Times()
        var batch = 0.0
        for round in 0..<rounds {
            let path = "\(folder)/\(round).db"
            try Files.write(empty, to: path)
            mine.keepLeast(try await benchmark.run(path))
            batch = max(batch, Double(2 * count) / Double(recorder_commits()))
            let copy = "\(folder)/\(round)-c.db"
            try Files.write(empty, to: copy)
            var times = Times()
            unsafe recorder_replay(copy, &times.cpu, &times.wall)
            sql.keepLeast(times)
            unsafe recorder_sign(count, 700, &times.cpu, &times.wall)
            signing.keepLeast(times)
        }
        report(count, mine, sql, signing, recorded, batch)
    }

    private static func report(
        _ count: Int, _ mine: Times, _ sql: Times, _ signing: Times, _ recorded: Double,
        _ batch: Double
    ) {
        func micros(_ seconds: Double) -> String {
            let tenths = Int((seconds / Double(count) * 1e7).rounded())
            return "\(tenths / 10).\(tenths % 10) µs"
        }
        func hundredths(_ value: Double) -> String {
            let whole = Int((value * 100).rounded())
            return "\(whole / 100).\(whole % 100 < 10 ? "0" : "")\(whole % 100)"
        }
        print("a hold and its post, CPU of all threads (wall) per pair, \(count) pairs")
        print("  store, ledger, signatures   \(micros(mine.cpu)) (\(micros(mine.wall)))")
        print("  the same SQL in C           \(micros(sql.cpu)) (\(micros(sql.wall)))")
        print("  one sign, one verify in C   \(micros(signing.cpu)) (\(micros(signing.wall)))")
        print("  jobs per commit: \(hundredths(batch)), recorded \(hundredths(recorded))")
        print("ratio \(hundredths(mine.cpu / (sql.cpu + signing.cpu)))")
    }

    /// All pairs on a store at `path`, by as many callers at once.
    private func run(_ path: String) async throws -> Times {
        let journal = try SQLiteJournal(path: path)
        var start = Times()
        var end = Times()
        recorder_mark()
        unsafe recorder_clock(&start.cpu, &start.wall)
        try await withThrowingTaskGroup { group in
            for caller in 0..<callers {
                group.addTask {
                    for index in stride(from: caller, to: pairs.count, by: callers) {
                        try await one(pairs[index], journal)
                    }
                }
            }
            try await group.waitForAll()
        }
        unsafe recorder_clock(&end.cpu, &end.wall)
        recorder_mark()
        journal.close()
        return Times(cpu: end.cpu - start.cpu, wall: end.wall - start.wall)
    }

    private func one(_ pair: Pair, _ journal: SQLiteJournal) async throws {
        let (keeper, now) = (keeper, Self.now)
        try await journal.write { try keeper.place(pair.request, $0, now: now) }
        // The callee's answer: its record is verified, ours on it signed.
        let token = try UnverifiedToken(compact: pair.record)
        let verified = try token.verified(by: theirs.verifying, type: Self.recordType)
        let record = try HopRecord(verified.claims.root)
        guard let name = HashName(token.nameHash) else { throw TokenFault.signature }
        let acknowledgement = Acknowledgement(
            issuer: keeper.ourselves, audience: keeper.peer, post: pair.post, record: name)
        let answer = TokenSigner.sign(acknowledgement.node, type: "a2a-ack+jwt", key: ours)
        let evidence = HopEvidence(
            peer: keeper.peer, name: name, post: pair.post.op, exchange: record.exchange,
            record: pair.record, acknowledgement: answer)
        try await journal.write { tx in
            try keeper.receive(pair.post, tx, now: now, isFiled: false)
            if let refusal = try keeper.ledger(tx).file(evidence) { throw refusal }
        }
    }
}
