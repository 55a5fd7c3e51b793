// SPDX-License-Identifier: Apache-2.0
import Bytes
import Glibc
import IO
import JSON
import TestSupport
import Testing

@testable import Node

@Suite final class FileLogTests {
    private let folder: String
    private var path: String { folder + "/access.log" }

    init() throws { folder = try Files.temporaryFolder() }

    deinit { Files.remove(folder) }

    private func line(_ text: String) -> [UInt8] { Array((text + "\n").utf8) }

    @Test func linesAreAddedInOrderAndAllAreThereAtTheEnd() throws {
        for run in 0..<2 {
            let log = try FileLog(path, time: VirtualTime())
            for number in 0..<1000 { log.write(line("\(run).\(number)")) }
            log.close()
            #expect(log.droppedLines == 0)
        }
        let lines = try Files.text(path).split(separator: "\n")
        #expect(lines.count == 2000)
        #expect(lines.first == "0.0")
        #expect(lines.last == "1.999")
    }

    @Test func aMovedFileIsLeftForAFreshOne() throws {
        let log = try FileLog(path, time: VirtualTime())
        log.write(line("before"))
        wait { (try? Files.text(self.path)) == "before\n" }
        #expect(unsafe rename(path, path + ".1") == 0)
        log.reopen()
        wait { Files.exists(self.path) }
        log.write(line("after"))
        log.close()
        #expect(try Files.text(path + ".1") == "before\n")
        #expect(try Files.text(path) == "after\n")
    }

    /// Waits for the log's thread, at most five seconds.
    private func wait(_ isDone: () -> Bool) {
        for _ in 0..<5000 where !isDone() { usleep(1000) }
        #expect(isDone())
    }

    @Test func aBusyLogTakesItsNewName() throws {
        let log = try FileLog(path, time: VirtualTime())
        log.write(line("first"))
        wait { (try? Files.text(path)) == "first\n" }
        #expect(unsafe rename(path, path + ".1") == 0)
        log.reopen()
        // A line each millisecond: there is never a moment without one.
        for _ in 0..<2000 where unsafe access(path, F_OK) != 0 {
            log.write(line("more"))
            usleep(1000)
        }
        log.write(line("last"))
        log.close()
        #expect(try Files.text(path).hasSuffix("last\n"))
    }

    @Test func aFileThatCannotBeReopenedStaysInUse() throws {
        let log = try FileLog(path, time: VirtualTime())
        log.write(line("one"))
        wait { (try? Files.text(self.path)) == "one\n" }
        let kept = folder + "/kept"
        #expect(unsafe rename(path, kept) == 0)
        #expect(unsafe mkdir(path, 0o700) == 0)
        log.reopen()
        wait { (try? Files.text(kept))?.contains("reopen_failed") ?? false }
        log.write(line("two"))
        log.close()
        #expect(try Files.text(kept).hasSuffix("two\n"))
        #expect(throws: SystemError.self) { try FileLog(self.path, time: VirtualTime()) }
    }

    @Test func whatDoesNotFitIsCountedAndSaid() throws {
        // A pipe without a reader that reads takes 64 KiB and no more.
        let fifo = folder + "/fifo"
        #expect(unsafe mkfifo(fifo, 0o600) == 0)
        let reader = unsafe open(fifo, O_RDWR | O_NONBLOCK)
        let log = try FileLog(fifo, time: VirtualTime())
        let line = Array(repeating: UInt8(ascii: "x"), count: 64 << 10) + [0x0A]
        let count = FileLog.bufferMax / line.count + 40
        for _ in 0..<count { log.write(line) }
        #expect(log.droppedLines > 0)
        let dropped = log.droppedLines
        var heard: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        let expected = (Int64(count) - dropped) * Int64(line.count)
        while Int64(heard.count) < expected {
            let got = unsafe read(reader, &buffer, buffer.count)
            if got > 0 { heard += buffer[..<got] } else { usleep(1000) }
        }
        log.close()
        while case let got = unsafe read(reader, &buffer, buffer.count), got > 0 {
            heard += buffer[..<got]
        }
        close(reader)
        let notes = String(decoding: heard, as: UTF8.self).split(separator: "\n")
            .filter { $0.hasPrefix("{") }
        let told = try notes.map { note in
            let value = try JSONDocument(parsing: String(note)).root
            #expect(value["log"]?.string == "lines_dropped")
            return Int64(value["value"]?.string ?? "") ?? 0
        }
        #expect(told.reduce(0, +) == log.droppedLines)
    }

    @Test func aReaderThatNeverReadsDoesNotKeepTheProcess() throws {
        let fifo = folder + "/fifo"
        #expect(unsafe mkfifo(fifo, 0o600) == 0)
        let reader = unsafe open(fifo, O_RDWR | O_NONBLOCK)
        defer { close(reader) }
        let log = try FileLog(fifo, time: VirtualTime())
        for _ in 0..<40 { log.write(Array(repeating: 0x78, count: 8191) + [0x0A]) }
        let began = ContinuousClock.now
        log.close()
        #expect(ContinuousClock.now - began < .seconds(10))
        #expect(log.droppedLines > 0, "what was lost is counted")
    }
}
