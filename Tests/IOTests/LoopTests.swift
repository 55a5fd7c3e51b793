// SPDX-License-Identifier: Apache-2.0
import Bytes
import Glibc
import IO
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(1))) struct LoopTests {
    /// One service call with several suspensions, as a request has them.
    @Test func continuationsStayOnTheLoop() async throws {
        try await onLoop { lane in
            let thread = pthread_self()
            let before = lane.loop.counters
            let done = Settlement<[Bool], Never>()
            Task.immediate(executorPreference: lane.loop) {
                var same: [Bool] = []
                for _ in 0..<3 {
                    let waiter = Waiter<Int, Never>()
                    lane.loop.schedule(after: .milliseconds(1)) { waiter.resume(returning: 7) }
                    same.append(await waiter.wait() == 7 && pthread_self() == thread)
                    try? await lane.loop.sleep(for: .milliseconds(1))
                    same.append(pthread_self() == thread)
                    same.append(await nested(depth: 3, lane) && pthread_self() == thread)
                }
                done.settle(.success(same))
            }
            let same = await done.value()
            #expect(same == Array(repeating: true, count: 9))
            let after = lane.loop.counters
            let remote = (after.jobs - after.localJobs) - (before.jobs - before.localJobs)
            // The job that runs this test was itself counted when its batch ended, after `before`.
            #expect(remote <= 1, "jobs came from another thread: \(remote)")
            #expect(after.localJobs - before.localJobs >= 9)
        }
    }

    /// A wait costs one job of the loop: no hop between the waker, the task and its actor.
    @Test func aWaitIsOneJob() async throws {
        try await onLoop { lane in
            let waiter = Waiter<Void, Never>()
            let before = lane.loop.counters.localJobs
            for _ in 0..<100 {
                lane.loop.schedule(after: .zero) { waiter.resume() }
                await waiter.wait()
            }
            #expect(lane.loop.counters.localJobs - before <= 101)
        }
    }

    /// The same through an interface that knows nothing of lanes: isolation is inherited.
    @Test func aWaitBehindAnInterfaceIsOneJob() async throws {
        try await onLoop { lane in
            let source: any Source = LoopSource(lane.loop)
            let before = lane.loop.counters.localJobs
            var sum = 0
            for _ in 0..<100 { sum += await source.fetch() }
            #expect(sum == 100)
            #expect(lane.loop.counters.localJobs - before <= 101)
        }
    }

    /// Such a wait could lose its wake, and must not go unnoticed.
    @Test func aWaitWithoutIsolationTraps() async {
        await #expect(processExitsWith: .failure) {
            let loop = try EventLoop()
            try loop.start()
            await Task(executorPreference: loop) { await Waiter<Void, Never>().wait() }.value
        }
    }

    /// Without the preference the same path leaves the loop: the proof above can fail.
    @Test func withoutPreferenceAContinuationComesFromAnotherThread() async throws {
        try await onLoop { lane in
            let before = lane.loop.counters
            let done = Settlement<Void, Never>()
            Task.immediate {
                for _ in 0..<20 {
                    let waiter = Waiter<Void, Never>()
                    lane.loop.schedule(after: .milliseconds(1)) { waiter.resume() }
                    await waiter.wait()
                    lane.assertIsolated()
                }
                done.settle(.success(()))
            }
            await done.value()
            let after = lane.loop.counters
            let remote = (after.jobs - after.localJobs) - (before.jobs - before.localJobs)
            #expect(remote >= 15)
        }
    }

    /// A task begun by a callback is isolated to the lane and runs as its next job, in order.
    @Test func aTaskBegunInACallbackRunsInTheLane() async throws {
        try await onLoop { lane in
            final class Log { var entries: [Int] = [] }  // not Sendable
            let log = Log()
            let done = Settlement<Void, Never>()
            lane.loop.schedule(after: .zero) {
                for index in 0..<3 {
                    Task.immediate(executorPreference: lane.loop) {
                        lane.assertIsolated()
                        log.entries.append(index)
                        if index == 2 { done.settle(.success(())) }
                    }
                }
            }
            await done.value()
            #expect(log.entries == [0, 1, 2])
        }
    }

    @Test func laneIsEnteredFromACallbackOfC() async throws {
        let counted = try await onLoop { lane in
            final class Box { var count = 0 }  // not Sendable
            let box = Box()
            let outcome = Settlement<Int, Never>()
            lane.loop.execute { [lane] in
                let result = lane.enter(with: 5) { isolated, value in
                    isolated.assertIsolated()
                    return value + 1
                }
                #expect(result == 6)
            }
            lane.loop.schedule(after: .zero) {
                box.count += 1
                outcome.settle(.success(box.count))
            }
            return await outcome.value()
        }
        #expect(counted == 1)
    }

    @Test func executePreservesOrderFromAnotherThread() async throws {
        let loop = try EventLoop()
        try loop.start()
        let order = Mutex<[Int]>([])
        await withCheckedContinuation { continuation in
            for index in 0..<1000 {
                loop.execute {
                    order.withLock { $0.append(index) }
                    if index == 999 { continuation.resume() }
                }
            }
        }
        loop.stop()
        loop.join()
        #expect(order.withLock { $0 } == Array(0..<1000))
    }

    @Test func twoLoopsCallEachOther() async throws {
        let (a, b) = (try EventLoop(name: "a"), try EventLoop(name: "b"))
        try a.start()
        try b.start()
        let (left, right) = (Lane(a), Lane(b))
        let sums = await withTaskGroup(of: Int.self) { group in
            for index in 0..<50 {
                let (home, away) = index.isMultiple(of: 2) ? (left, right) : (right, left)
                group.addTask(executorPreference: home.loop) {
                    var sum = 0
                    for step in 0..<20 {
                        sum += await home.run { lane in
                            lane.assertIsolated()
                            return step
                        }
                        sum += await away.run { lane in
                            lane.assertIsolated()
                            return 1
                        }
                    }
                    return sum
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(sums == Array(repeating: 190 + 20, count: 50))
        for loop in [a, b] { loop.stop() }
        for loop in [a, b] { loop.join() }
    }

    @Test func dirtyThingsAreFlushedOncePerTick() async throws {
        final class Output: Flushable {
            var isDirty = false
            var flushes = 0
            let flushed = Waiter<Void, Never>()
            func flush() {
                flushes += 1
                flushed.resume()
            }
        }
        try await onLoop { lane in
            let output = Output()
            for _ in 0..<10 { lane.loop.markDirty(output) }
            Task.immediate(executorPreference: lane.loop) {
                await Task.yield()
                lane.loop.markDirty(output)
            }
            await output.flushed.wait()
            #expect(output.flushes == 1)
            #expect(!output.isDirty)
            lane.loop.markDirty(output)
            await output.flushed.wait()
            #expect(output.flushes == 2)
        }
    }

    /// Two tasks that wake each other for ever leave room for timers.
    @Test func busyTasksDoNotStarveTimers() async throws {
        try await onLoop { lane in
            var isDone = false
            lane.loop.schedule(after: .milliseconds(20)) { isDone = true }
            while !isDone { await Task.yield() }
            #expect(lane.loop.counters.ticks > 1)
        }
    }

    @Test func loopRunsOnTheCallingThread() async throws {
        let loop = try EventLoop()
        let fired = Mutex(false)
        loop.execute {
            loop.schedule(after: .milliseconds(1)) {
                fired.withLock { $0 = true }
                loop.stop()
            }
        }
        // A thread of the test's own, so that no pool thread is claimed by the loop.
        await withCheckedContinuation { continuation in
            Thread.run {
                loop.run()
                continuation.resume()
            }
        }
        #expect(fired.withLock { $0 })
    }

    @Test func useOffTheLoopTraps() async {
        await #expect(processExitsWith: .failure) {
            let loop = try EventLoop()
            loop.schedule(after: .zero) {}
        }
    }

    private func nested(depth: Int, _ lane: isolated Lane) async -> Bool {
        if depth == 0 {
            await Task.yield()
            return lane.loop.isInLoop
        }
        return await nested(depth: depth - 1, lane)
    }
}

/// What the code above the loop sees.
private protocol Source {
    func fetch() async -> Int
}

private final class LoopSource: Source {
    private let loop: EventLoop

    init(_ loop: EventLoop) { self.loop = loop }

    func fetch() async -> Int {
        let outcome = Settlement<Int, Never>()
        loop.schedule(after: .zero) { outcome.settle(.success(1)) }
        return await outcome.value()
    }
}

private enum Thread {
    static func run(_ body: @escaping @Sendable () -> Void) {
        final class Box: Sendable {
            let body: @Sendable () -> Void
            init(_ body: @escaping @Sendable () -> Void) { self.body = body }
        }
        var handle = pthread_t()
        let box = unsafe Unmanaged.passRetained(Box(body))
        unsafe pthread_create(
            &handle, nil,
            { argument in
                guard let argument = unsafe argument else { return nil }
                unsafe Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body()
                return nil
            }, box.toOpaque())
        pthread_detach(handle)
    }
}
