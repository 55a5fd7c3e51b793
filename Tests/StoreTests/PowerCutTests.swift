// SPDX-License-Identifier: Apache-2.0
import Accounting
import Bytes
import FaultDisk
import TestSupport
import Testing

@testable import Store

/// Power cuts at random writes and syncs, on a disk that keeps of what was not synced any sectors
/// it likes. `DRAGOMAN_SEEDS=100..<200` runs other seeds than the few of every day.
@Suite struct PowerCutTests {
    static let seeds = Self.seeds(Files.environment("DRAGOMAN_SEEDS")) ?? 1..<7

    let folder: TemporaryFolder
    let now = Instant(seconds: 1_795_219_200)

    init() throws { folder = try TemporaryFolder() }

    private static func seeds(_ text: String?) -> Range<UInt64>? {
        let bounds = text?.split(separator: "..<").compactMap { UInt64($0) } ?? []
        guard bounds.count == 2, bounds[0] < bounds[1] else { return nil }
        return bounds[0]..<bounds[1]
    }

    /// A store whose log is copied often, so that cuts fall into that as well.
    private static var options: StoreOptions {
        var options = StoreOptions()
        options.fileSystem = FaultDisk.fileSystem
        options.logPagesMax = 40
        options.idleInterval = .milliseconds(1)
        return options
    }

    @Test(arguments: seeds) func nothingAcknowledgedIsLost(seed: UInt64) async throws {
        let keeper = try Bookkeeper(now: now)
        var random = SeededRandom(seed: seed)
        var start = "\(folder.path)/start"
        Files.makeFolder(start)
        let opening = try SQLiteJournal(path: "\(start)/journal.db")
        let now = now
        try await opening.write { try keeper.open($0, now: now) }
        opening.close()
        // Each round begins with what a cut of the one before left, and is cut itself.
        for round in 0..<3 {
            let disk = FaultDisk(folder: start, seed: seed &* 31 &+ UInt64(round))
            let images = "\(folder.path)/images\(round)"
            let span = UInt64.random(in: 5...120, using: &random)
            disk.cutPower(times: 12, within: span, into: images)
            let traffic = Traffic(keeper, now: now) { disk.cuts }
            let journal = try SQLiteJournal(path: "\(start)/journal.db", Self.options)
            await traffic.run(on: journal, count: 12, seed: random.next())
            journal.close()
            #expect(traffic.faults.isEmpty, "SEED=\(seed) round \(round): \(traffic.faults)")
            #expect(disk.cuts > 0, "SEED=\(seed) round \(round): the power was never cut")
            for cut in 0..<disk.cuts {
                let problems = try await problems(traffic, "\(images)/\(cut)", cut)
                #expect(problems.isEmpty, "SEED=\(seed) round \(round) cut \(cut)")
            }
            start = "\(images)/\(Int.random(in: 0..<disk.cuts, using: &random))"
        }
    }

    /// Whether this suite would see a loss: a disk that only says it has synced loses.
    @Test func aDiskThatLiesIsFoundOut() async throws {
        let keeper = try Bookkeeper(now: now)
        let now = now
        let path = "\(folder.path)/live"
        Files.makeFolder(path)
        let opening = try SQLiteJournal(path: "\(path)/journal.db")
        try await opening.write { try keeper.open($0, now: now) }
        opening.close()
        let disk = FaultDisk(folder: path, seed: 1)
        disk.lieAboutSyncs()
        disk.cutPower(times: 12, within: 40, into: "\(folder.path)/images")
        let traffic = Traffic(keeper, now: now) { disk.cuts }
        let journal = try SQLiteJournal(path: "\(path)/journal.db", Self.options)
        await traffic.run(on: journal, count: 12, seed: 1)
        journal.close()
        var found = 0
        for cut in 0..<disk.cuts {
            do {
                let problems = try await problems(traffic, "\(folder.path)/images/\(cut)", cut)
                if !problems.isEmpty { found += 1 }
            } catch is StorageFault {
                found += 1
            }
        }
        #expect(found > 0)
    }

    private func problems(
        _ traffic: Traffic, _ image: String, _ cut: Int
    ) async throws -> [String] {
        // Looked at in a copy, because the next round may begin with the image.
        let copy = "\(folder.path)/look"
        Files.remove(copy)
        Files.makeFolder(copy)
        for name in Files.names(in: image) where !name.hasSuffix("-shm") {
            try Files.write(Files.bytes("\(image)/\(name)"), to: "\(copy)/\(name)")
        }
        let journal = try SQLiteJournal(path: "\(copy)/journal.db")
        defer { journal.close() }
        return try await traffic.problems(of: journal, cut: cut)
    }

    /// The closing of a period is cut anywhere: the books read the same, and it can be done again.
    @Test(arguments: seeds) func aClosingIsCutAnywhere(seed: UInt64) async throws {
        let keeper = try Bookkeeper(now: now)
        let now = now
        let live = "\(folder.path)/live"
        Files.makeFolder(live)
        let opening = try SQLiteJournal(path: "\(live)/journal.db")
        try await opening.write { try keeper.open($0, now: now) }
        let traffic = Traffic(keeper, now: now)
        await traffic.run(on: opening, count: 8, seed: seed)
        let period = StatementPeriod(monthOf: now, offsetMinutes: 480)
        let before = try await statement(keeper, period, opening)
        opening.close()

        let disk = FaultDisk(folder: live, seed: seed)
        let journal = try SQLiteJournal(path: "\(live)/journal.db", Self.options)
        disk.cutPower(times: 10, within: 12, into: "\(folder.path)/images")
        let closingTime = period.to.adding(seconds: 90 * 86_400)
        _ = try await journal.closePeriod(period, now: closingTime)
        journal.close()
        #expect(disk.cuts > 3, "SEED=\(seed)")
        for cut in 0..<disk.cuts {
            let image = "\(folder.path)/images/\(cut)"
            let again = try SQLiteJournal(path: "\(image)/journal.db")
            #expect(try await statement(keeper, period, again) == before, "SEED=\(seed) \(cut)")
            _ = try await again.closePeriod(period, now: closingTime)
            #expect(try await statement(keeper, period, again) == before, "SEED=\(seed) \(cut)")
            let findings = try await again.read { try keeper.ledger($0).audit() }
            #expect(findings.isEmpty, "SEED=\(seed) \(cut)")
            again.close()
        }
    }

    private func statement(
        _ keeper: Bookkeeper, _ period: StatementPeriod, _ journal: SQLiteJournal
    ) async throws -> Statement {
        try await journal.read { tx in
            try keeper.ledger(tx).statement(
                with: keeper.peer, .cny, over: period,
                settlement: keeper.tariff.tariff.settlement)
        }
    }
}
