// SPDX-License-Identifier: Apache-2.0
import Bytes
import Glibc
import IO
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(1))) struct BlockingTests {
    /// An actor that lives on a thread of its own, as the writer of a database does.
    private actor Writer {
        private nonisolated let thread: BlockingThread
        private var handle: pthread_t?
        private(set) var moved = 0

        nonisolated var unownedExecutor: UnownedSerialExecutor {
            unsafe thread.asUnownedSerialExecutor()
        }

        init(_ thread: BlockingThread) { self.thread = thread }

        func write() {
            if let handle, pthread_equal(handle, pthread_self()) == 0 { moved += 1 }
            handle = pthread_self()
            assertIsolated()
        }
    }

    @Test func anActorStaysOnItsThreadAndItsCallersOnTheirLoop() async throws {
        let thread = try BlockingThread(name: "writer")
        try await onLoop { lane in
            let writer = Writer(thread)
            let home = pthread_self()
            for _ in 0..<50 {
                await writer.write()
                #expect(pthread_equal(home, pthread_self()) != 0)
            }
            #expect(await writer.moved == 0)
            #expect(await thread.run { thread.isOnThread })
            #expect(lane.loop.isInLoop)
        }
        thread.stop()
    }

    @Test func errorsKeepTheirType() async throws {
        let thread = try BlockingThread(name: "files")
        let files = FileIO(on: thread)
        await #expect(throws: FileError.failed(SystemError("open", ENOENT))) {
            try await files.read("/nowhere/at/all", limit: 10)
        }
        thread.stop()
    }

    @Test func stopRunsWhatWasAskedForBefore() async throws {
        let thread = try BlockingThread(name: "last")
        let count = Mutex(0)
        for _ in 0..<100 { thread.execute { count.withLock { $0 += 1 } } }
        thread.stop()
        #expect(count.withLock { $0 } == 100)
        #expect(thread.pendingCount == 0)
    }
}

@Suite(.timeLimit(.minutes(1))) struct FileTests {
    @Test func replacingIsWholeAndExact() async throws {
        let thread = try BlockingThread(name: "files")
        let files = FileIO(on: thread)
        try await withTemporaryDirectory { directory in
            let path = directory + "/state"
            try await files.replace(path, with: [1, 2, 3], mode: 0o640)
            try await files.replace(path, with: [4], mode: 0o600)
            #expect(try await files.read(path, limit: 1) == [4])
            var facts = stat()
            #expect(unsafe stat(path, &facts) == 0)
            #expect(facts.st_mode & 0o777 == 0o600)
            #expect(names(in: directory) == ["state"])
        }
        thread.stop()
    }

    @Test func aFileBeyondTheLimitIsRefused() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/large"
            let bytes = [UInt8](repeating: 1, count: 200_000)
            try FileSystem.replace(path, with: bytes)
            #expect(try FileSystem.read(path, limit: 200_000) == bytes)
            #expect(throws: FileError.tooLarge) { try FileSystem.read(path, limit: 199_999) }
        }
    }

    /// A failed replacement leaves the old contents and no litter.
    @Test func aFailedReplacementChangesNothing() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/taken"
            try FileSystem.createDirectory(path + "/inside")
            #expect(throws: FileError.failed(SystemError("rename", EISDIR))) {
                try FileSystem.replace(path, with: [1])
            }
            #expect(names(in: directory) == ["taken"])
            #expect(FileSystem.exists(path + "/inside"))
        }
    }

    @Test func directoriesAreMadeAllTheWay() async throws {
        try await withTemporaryDirectory { directory in
            try FileSystem.createDirectory(directory + "/a/b/c")
            try FileSystem.createDirectory(directory + "/a/b/c")
            #expect(FileSystem.exists(directory + "/a/b/c"))
            try FileSystem.replace(directory + "/a/file", with: [])
            #expect(throws: FileError.self) {
                try FileSystem.createDirectory(directory + "/a/file")
            }
            #expect(throws: FileError.self) {
                try FileSystem.createDirectory(directory + "/a/file/x")
            }
        }
    }

    /// Two files replaced in quick succession are told once; a later change is told again.
    @Test func aWatcherTellsChangesThatHoldStill() async throws {
        let thread = try BlockingThread(name: "files")
        try await withTemporaryDirectory { directory in
            let (key, certificate) = (directory + "/key", directory + "/certificate")
            try FileSystem.replace(key, with: [1])
            let changes = Mutex(0)
            try await onLoop { lane in
                let watcher = FileWatcher(
                    [key, certificate], in: lane, thread: thread, interval: .milliseconds(40)
                ) { lane in
                    lane.assertIsolated()
                    changes.withLock { $0 += 1 }
                    return true
                }
                try await lane.loop.sleep(for: .milliseconds(100))
                #expect(changes.withLock { $0 } == 0)
                try FileSystem.replace(key, with: [2])
                try FileSystem.replace(certificate, with: [3])
                while changes.withLock({ $0 }) < 1 {
                    try await lane.loop.sleep(for: .milliseconds(10))
                }
                try await lane.loop.sleep(for: .milliseconds(120))
                #expect(changes.withLock { $0 } == 1)
                try FileSystem.remove(key)
                while changes.withLock({ $0 }) < 2 {
                    try await lane.loop.sleep(for: .milliseconds(10))
                }
                watcher.close()
                try FileSystem.replace(key, with: [2])
                try await lane.loop.sleep(for: .milliseconds(120))
                #expect(changes.withLock { $0 } == 2)
            }
        }
        thread.stop()
    }

    /// What could not be used is told again though nothing changes, until it is used.
    @Test func aWatcherTellsAgainWhatWasNotUsed() async throws {
        let thread = try BlockingThread(name: "files")
        try await withTemporaryDirectory { directory in
            let key = directory + "/key"
            let calls = Mutex(0)
            try await onLoop { lane in
                let watcher = FileWatcher(
                    [key], in: lane, thread: thread, interval: .milliseconds(5)
                ) { _ in
                    calls.withLock { calls in
                        calls += 1
                        return calls == 3
                    }
                }
                try FileSystem.replace(key, with: [2])
                while calls.withLock({ $0 }) < 3 {
                    try await lane.loop.sleep(for: .milliseconds(5))
                }
                try await lane.loop.sleep(for: .milliseconds(200))
                #expect(calls.withLock { $0 } == 3, "and no more once it was used")
                await watcher.end()
            }
        }
        thread.stop()
    }

    private func names(in directory: String) -> [String] {
        guard let open = unsafe opendir(directory) else { return [] }
        defer { unsafe closedir(open) }
        var names: [String] = []
        while let entry = unsafe readdir(open) {
            names.append(
                unsafe withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                    unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
                })
        }
        return names.filter { $0 != "." && $0 != ".." }.sorted()
    }
}
