// SPDX-License-Identifier: Apache-2.0
import Accounting
import Bytes
import FaultDisk
import Glibc
import Synchronization
import TestSupport
import Testing

@testable import Store

/// A disk that is full for a while, and one that fails.
@Suite struct DiskFaultTests {
    let folder: TemporaryFolder
    let keeper: Bookkeeper
    let now = Instant(seconds: 1_795_219_200)
    var path: String { "\(folder.path)/journal.db" }

    init() throws {
        folder = try TemporaryFolder()
        keeper = try Bookkeeper(now: now)
    }

    private func open(_ options: StoreOptions) async throws -> SQLiteJournal {
        let journal = try SQLiteJournal(path: path, options)
        let (keeper, now) = (keeper, now)
        try await journal.write { try keeper.open($0, now: now) }
        return journal
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func aFullDiskRefusesAndComesBack(seed: UInt64) async throws {
        let disk = FaultDisk(folder: folder.path, seed: seed)
        var options = StoreOptions()
        options.fileSystem = FaultDisk.fileSystem
        options.probeInterval = .milliseconds(20)
        // Without room the log cannot be copied either; both ways are met by different seeds.
        options.logPagesMax = seed == 1 ? 4000 : 10
        let journal = try await open(options)
        let traffic = Traffic(keeper, now: now)
        // A busy machine may put all that follows into one commit, and that one may not fit.
        await traffic.run(on: journal, count: 5, seed: seed + 50)
        #expect(traffic.faults.isEmpty)
        disk.limit(disk.size + 400_000)
        await traffic.run(on: journal, count: 40, seed: seed)
        #expect(!traffic.faults.isEmpty && !traffic.entries.isEmpty)
        #expect(traffic.faults.allSatisfy { $0 == .full })
        #expect(!journal.isReady)
        #expect(try await traffic.problems(of: journal).isEmpty, "reads go on")
        try await Task.sleep(for: .milliseconds(60))
        #expect(!journal.isReady, "a probe that fails does not open it")

        disk.limit(nil)
        for _ in 0..<500 where !journal.isReady { try await Task.sleep(for: .milliseconds(5)) }
        #expect(journal.isReady)
        let after = traffic.faults.count
        await traffic.run(on: journal, count: 5, seed: seed + 100)
        #expect(traffic.faults.count == after)
        #expect(try await traffic.problems(of: journal).isEmpty)
        journal.close()
        let again = try SQLiteJournal(path: path)
        #expect(try await traffic.problems(of: again).isEmpty)
        again.close()
    }

    /// After a failed sync nothing is acknowledged, and nothing is tried again.
    @Test(arguments: [(1, 0), (2, 0), (7, 0), (0, 1), (0, 9)])
    func aFailedDiskEndsTheStore(_ sync: Int, _ write: Int) async throws {
        let disk = FaultDisk(folder: folder.path, seed: 1)
        let hasStopped = Flag()
        var options = StoreOptions()
        options.fileSystem = FaultDisk.fileSystem
        options.onLostDisk = { hasStopped.set() }
        let journal = try await open(options)
        disk.cutPower(times: 1, within: 1_000_000, into: "\(folder.path)/images")
        let traffic = Traffic(keeper, now: now)
        if sync > 0 { disk.failSync(sync) }
        if write > 0 { disk.failWrite(write) }
        await traffic.run(on: journal, count: 10, seed: 9)
        #expect(hasStopped.isSet)
        #expect(!journal.isReady)
        let syncs = disk.syncs
        #expect(!traffic.faults.isEmpty)
        for fault in traffic.faults {
            guard case .io = fault else {
                Issue.record("\(fault)")
                continue
            }
        }
        await #expect(throws: StorageFault.self) { try await journal.write { _ in } }
        journal.close()
        #expect(disk.syncs == syncs, "a sync is never tried again")
    }

    /// The default is the end of the process, with the status of an input or output error.
    @Test func theProcessEnds() async throws {
        await #expect(processExitsWith: .exitCode(74)) {
            let test = try DiskFaultTests()
            let disk = FaultDisk(folder: test.folder.path, seed: 1)
            var options = StoreOptions()
            options.fileSystem = FaultDisk.fileSystem
            let journal = try await test.open(options)
            disk.failSync(1)
            let (keeper, now) = (test.keeper, test.now)
            try await journal.write { tx in
                try keeper.place(
                    keeper.request(1, now: now, random: SeededRandom(seed: 1)), tx, now: now)
            }
        }
    }

    /// A second process finds the directory taken; when the first ends, however it does, it is
    /// free.
    @Test func aSecondProcessIsKeptOut() async throws {
        let path = "\(folder.path)/data"
        unsafe setenv("DRAGOMAN_TEST_DIRECTORY", path, 1)
        do {
            let directory = try DataDirectory(path: path)
            #expect(directory.path == path)
            #expect(throws: DataDirectory.Fault.inUse) { _ = try DataDirectory(path: path) }
            await #expect(processExitsWith: .exitCode(3)) { try Self.enter() }
        }
        await #expect(processExitsWith: .exitCode(4)) { try Self.enter() }
        await #expect(processExitsWith: .exitCode(4), "the lock died with the process") {
            try Self.enter()
        }
    }

    private static func enter() throws {
        let path = try #require(Files.environment("DRAGOMAN_TEST_DIRECTORY"))
        do {
            let directory = try DataDirectory(path: path)
            // Ends without giving the lock back.
            _exit(directory.path.isEmpty ? 5 : 4)
        } catch {
            _exit(error == .inUse ? 3 : 5)
        }
    }

    @Test func aDirectoryThatCannotBeMadeIsNamed() {
        #expect(throws: DataDirectory.Fault.unusable("No such file or directory")) {
            _ = try DataDirectory(path: "\(folder.path)/missing/data")
        }
    }
}

private final class Flag: Sendable {
    private let value = Atomic(false)
    var isSet: Bool { value.load(ordering: .acquiring) }
    func set() { value.store(true, ordering: .releasing) }
}
