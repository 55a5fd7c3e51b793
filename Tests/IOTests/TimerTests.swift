// SPDX-License-Identifier: Apache-2.0
import Bytes
import IO
import Testing

@Suite(.timeLimit(.minutes(1))) struct TimerTests {
    @Test func timersFireInOrderOfDeadlineThenOfScheduling() async throws {
        try await onLoop { lane in
            var fired: [Int] = []
            let done = Settlement<Void, Never>()
            let base = lane.loop.now
            for (index, delay) in [30, 10, 20, 10, 30, 20, 10].enumerated() {
                lane.loop.schedule(at: base.adding(.milliseconds(delay))) { fired.append(index) }
            }
            lane.loop.schedule(at: base.adding(.milliseconds(40))) { done.settle(.success(())) }
            await done.value()
            #expect(fired == [1, 3, 6, 2, 5, 0, 4])
            #expect(lane.loop.now >= base.adding(.milliseconds(40)))
        }
    }

    /// Many timers with random cancellations and moves fire exactly as a sorted list says.
    @Test(arguments: [1, 2, 3]) func heapAgreesWithASortedList(seed: Int) async throws {
        try await onLoop { lane in
            var state = UInt64(seed)
            func random(_ bound: Int) -> Int {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return Int(state >> 33) % bound
            }
            let base = lane.loop.now
            var fired: [Int] = []
            var timers: [(id: TimerID, at: Int, order: Int)?] = []
            for index in 0..<500 {
                let delay = 5 + random(20)
                let id = lane.loop.schedule(at: base.adding(.milliseconds(delay))) {
                    fired.append(index)
                }
                timers.append((id, delay, index))
            }
            var order = 500
            for _ in 0..<400 {
                let index = random(500)
                guard let timer = timers[index] else { continue }
                if random(2) == 0 {
                    #expect(lane.loop.cancel(timer.id))
                    #expect(!lane.loop.cancel(timer.id))
                    timers[index] = nil
                } else {
                    let delay = 5 + random(20)
                    #expect(lane.loop.postpone(timer.id, to: base.adding(.milliseconds(delay))))
                    timers[index] = (timer.id, delay, order)
                    order += 1
                }
            }
            let expected = timers.indices.compactMap { index in
                timers[index].map { (index, $0.at, $0.order) }
            }.sorted { ($0.1, $0.2) < ($1.1, $1.2) }.map(\.0)
            try await lane.loop.sleep(until: base.adding(.milliseconds(30)))
            #expect(fired == expected)
            for case .some(let timer) in timers { #expect(!lane.loop.cancel(timer.id)) }
        }
    }

    @Test func aStaleIDDoesNotCancelItsSuccessor() async throws {
        try await onLoop { lane in
            let first = lane.loop.schedule(after: .seconds(9)) {}
            #expect(lane.loop.cancel(first))
            let fired = Settlement<Void, Never>()
            lane.loop.schedule(after: .milliseconds(1)) { fired.settle(.success(())) }
            #expect(!lane.loop.cancel(first))
            await fired.value()
        }
    }

    @Test func aTimerThatSchedulesItselfDoesNotHoldTheTick() async throws {
        try await onLoop { lane in
            final class Again {
                var count = 0
                func fire(_ loop: EventLoop) {
                    count += 1
                    loop.schedule(after: .zero) { [self] in fire(loop) }
                }
            }
            let again = Again()
            let ticks = lane.loop.counters.ticks
            again.fire(lane.loop)
            try await lane.loop.sleep(for: .milliseconds(5))
            #expect(again.count > 1)
            #expect(UInt64(again.count) <= lane.loop.counters.ticks - ticks + 2)
        }
    }

    @Test func sleepEndsEarlyWhenCancelled() async throws {
        try await onLoop { lane in
            let before = lane.loop.now
            let outcome = Settlement<Void, Cancelled>()
            let task = Task.immediate(executorPreference: lane.loop) {
                do throws(Cancelled) {
                    try await lane.loop.sleep(for: .seconds(60))
                    outcome.settle(.success(()))
                } catch {
                    outcome.settle(.failure(error))
                }
            }
            task.cancel()
            await #expect(throws: Cancelled()) { try await outcome.value(isolation: lane) }
            #expect(lane.loop.now < before.adding(.seconds(30)))
        }
    }

    @Test func cancellationFromAnotherThreadWakesTheSleeper() async throws {
        let loop = try EventLoop()
        try loop.start()
        let lane = Lane(loop)
        let task = Task(executorPreference: loop) {
            try await lane.run { lane in try await lane.loop.sleep(for: .seconds(60)) }
        }
        try await Task.sleep(for: .milliseconds(10))
        task.cancel()
        await #expect(throws: Cancelled()) { try await task.value }
        loop.stop()
        loop.join()
    }

    @Test func sleepOfACancelledTaskThrowsAtOnce() async throws {
        try await onLoop { lane in
            let task = Task.immediate(executorPreference: lane.loop) {
                while !Task.isCancelled { await Task.yield() }
                try await lane.loop.sleep(for: .seconds(60))
            }
            task.cancel()
            await #expect(throws: Cancelled()) { try await task.value }
        }
    }
}
