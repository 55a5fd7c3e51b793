// SPDX-License-Identifier: Apache-2.0
import Bytes
import Glibc
import IO
import Testing

@Suite(.timeLimit(.minutes(1))) struct ProcessTests {
    @Test(arguments: [0, 1, 7, 255])
    func theExitCodeIsTold(code: Int32) async throws {
        try await onLoop { lane in
            let child = try ChildProcess(
                ChildProcess.Request("/bin/sh", ["-c", "exit \(code)"]), on: lane.loop)
            #expect(await child.wait() == .exited(code))
            #expect(await child.wait() == .exited(code))
        }
    }

    @Test func aSignalEndsTheChild() async throws {
        try await onLoop { lane in
            for (signal, number) in [(Signal.terminate, SIGTERM), (.kill, SIGKILL)] {
                let child = try ChildProcess(
                    ChildProcess.Request("/bin/sleep", ["60"]), on: lane.loop)
                #expect(child.status == nil)
                child.send(signal)
                #expect(await child.wait() == .killed(signal: number))
                child.send(signal)  // of no effect
            }
        }
    }

    @Test func outputErrorDirectoryAndEnvironmentArePassed() async throws {
        try await onLoop { lane in
            var request = ChildProcess.Request(
                "/bin/sh", ["-c", "pwd; echo $WORD; echo oops >&2; ls /proc/self/fd | wc -l"])
            request.environment = ["WORD=a word", "PATH=/usr/bin:/bin"]
            request.directory = "/usr"
            request.output = .pipe
            request.error = .pipe
            let child = try ChildProcess(request, on: lane.loop)
            guard let outputEnd = child.takeOutput(), let errorEnd = child.takeError() else {
                Issue.record("no pipes")
                return
            }
            let output = Inbox(try StreamSocket(outputEnd, on: lane.loop))
            let error = Inbox(try StreamSocket(errorEnd, on: lane.loop))
            let text = String(decoding: await output.waitForEnd(), as: UTF8.self)
            // ls sees 0, 1, 2 and the directory it reads.
            #expect(text == "/usr\na word\n4\n")
            #expect(await error.waitForEnd() == Array("oops\n".utf8))
            #expect(await child.wait() == .exited(0))
            if child.takeOutput() != nil { Issue.record("the pipe was given twice") }
        }
    }

    @Test func aMissingProgramIsAnError() async throws {
        try await onLoop { lane in
            #expect(throws: SystemError("posix_spawn", ENOENT)) {
                try ChildProcess(ChildProcess.Request("/no/such/program"), on: lane.loop)
            }
        }
    }

    /// In a process of its own, whose every thread must have the signals blocked.
    @Test func signalsBecomeEventsOfTheLoop() async {
        await #expect(processExitsWith: .success) {
            try Signals.block([.hangUp, .user1])
            let loop = try EventLoop()
            let lane = Lane(loop)
            // Run here: the threads of the pool were made before the signals were blocked.
            let task = Task(executorPreference: loop) { try await receiveSignals(in: lane) }
            loop.run()
            try await task.value
            exit(0)
        }
    }

    /// The child of a process that has blocked its signals is not deaf to them.
    @Test func aChildStartsWithoutBlockedSignals() async {
        await #expect(processExitsWith: .success) {
            try Signals.block([.terminate, .interrupt])
            try await onLoop { lane in
                let child = try ChildProcess(
                    ChildProcess.Request("/bin/sleep", ["60"]), on: lane.loop)
                child.send(.terminate)
                guard await child.wait() == .killed(signal: SIGTERM) else { fatalError("deaf") }
            }
            exit(0)
        }
    }
}

/// Sends signals to this very thread, which the loop owns and which has them blocked.
private func receiveSignals(in lane: Lane) async throws {
    try await lane.run { lane in
        var received: [Signal] = []
        let arrival = Waiter<Void, Never>()
        let signals = try Signals([.hangUp, .user1], on: lane.loop) { signal in
            received.append(signal)
            arrival.resume()
        }
        pthread_kill(pthread_self(), SIGHUP)
        while received.count < 1 { await arrival.wait() }
        pthread_kill(pthread_self(), SIGUSR1)
        while received.count < 2 { await arrival.wait() }
        guard received == [.hangUp, .user1] else { fatalError("\(received)") }
        signals.close()
        lane.loop.stop()
    }
}
