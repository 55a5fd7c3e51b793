// SPDX-License-Identifier: Apache-2.0
import Bytes
import IO
import Testing

@Suite(.timeLimit(.minutes(1))) struct RendezvousTests {
    private struct Broken: Error, Equatable {}

    @Test func aWaiterForgetsAWakeThatNobodyAwaits() async throws {
        try await onLoop { lane in
            let waiter = Waiter<Int, Broken>()
            #expect(!waiter.resume(returning: 1))
            lane.loop.schedule(after: .milliseconds(1)) { waiter.resume(returning: 2) }
            let two = try await waiter.wait()
            #expect(two == 2)
            lane.loop.schedule(after: .milliseconds(1)) { waiter.resume(throwing: Broken()) }
            await #expect(throws: Broken()) { try await waiter.wait(isolation: lane) }
            #expect(!waiter.isWaiting)
        }
    }

    @Test func twoTasksInOneWaiterTrap() async {
        await #expect(processExitsWith: .failure) {
            try await onLoop { lane in
                let waiter = Waiter<Void, Never>()
                Task.immediate(executorPreference: lane.loop) {
                    await waiter.wait()
                    lane.assertIsolated()
                }
                await Task.yield()
                await waiter.wait()
            }
        }
    }

    @Test func theFirstSettlementWinsInEitherOrder() async throws {
        try await onLoop { lane in
            let early = Settlement<Int, Broken>()
            #expect(early.settle(.success(1)))
            #expect(!early.settle(.failure(Broken())))
            let one = try await early.value()
            #expect(one == 1)
            let late = Settlement<Int, Broken>()
            lane.loop.schedule(after: .milliseconds(1)) {
                late.settle(.failure(Broken()))
                late.settle(.success(1))
            }
            await #expect(throws: Broken()) { try await late.value(isolation: lane) }
        }
    }

    @Test func permitsGoRoundInOrderAndWaitersAreBounded() async throws {
        try await onLoop { lane in
            let permits = Permits(1, mostWaiting: 2, on: lane.loop)
            let deadline = lane.loop.now.adding(.seconds(20))
            var order: [Int] = []
            let done = Settlement<Void, Never>()
            try await permits.acquire(until: deadline)
            for index in 0..<2 {
                Task.immediate(executorPreference: lane.loop) {
                    try? await permits.acquire(until: deadline)
                    lane.assertIsolated()
                    order.append(index)
                    permits.release()
                    if index == 1 { done.settle(.success(())) }
                }
            }
            while permits.waitingCount < 2 { await Task.yield() }
            await #expect(throws: Permits.Refusal.tooManyWaiting) {
                try await permits.acquire(until: deadline, isolation: lane)
            }
            permits.release()
            #expect(!permits.tryAcquire())
            await done.value()
            #expect(order == [0, 1])
            #expect(permits.available == 1)
        }
    }

    @Test func permitsEndByDeadlineCancellationAndClosing() async throws {
        try await onLoop { lane in
            let permits = Permits(0, mostWaiting: 8, on: lane.loop)
            await #expect(throws: Permits.Refusal.timedOut) {
                try await permits.acquire(until: lane.loop.now.adding(.milliseconds(5)))
            }
            let far = lane.loop.now.adding(.seconds(50))
            var refusals: [Permits.Refusal] = []
            let arrival = Waiter<Void, Never>()
            func attempt(_ lane: isolated Lane) -> Task<Void, Never> {
                Task.immediate(executorPreference: lane.loop) {
                    do throws(Permits.Refusal) {
                        try await permits.acquire(until: far)
                    } catch {
                        lane.assertIsolated()
                        refusals.append(error)
                        arrival.resume()
                    }
                }
            }
            let task = attempt(lane)
            while permits.waitingCount < 1 { await Task.yield() }
            task.cancel()
            while refusals.isEmpty { await arrival.wait() }
            _ = attempt(lane)
            while permits.waitingCount < 1 { await Task.yield() }
            permits.close()
            while refusals.count < 2 { await arrival.wait() }
            #expect(refusals == [.cancelled, .closed])
            #expect(permits.waitingCount == 0)
        }
    }

    @Test func aFullQueueHoldsItsProducer() async throws {
        try await onLoop { lane in
            let queue = BoundedQueue<Int>(capacity: 3)
            var pushed = 0
            Task.immediate(executorPreference: lane.loop) {
                for index in 0..<100 where await queue.push(index) { pushed += 1 }
                lane.assertIsolated()
                queue.finish()
            }
            try await lane.loop.sleep(for: .milliseconds(5))
            #expect(pushed == 3)
            #expect(queue.count == 3)
            var taken: [Int] = []
            while let element = await queue.next() {
                taken.append(element)
                #expect(queue.count <= 3)
            }
            #expect(taken == Array(0..<100))
            #expect(!queue.tryPush(1))
        }
    }

    @Test func aProducerGoesOnWhenItsConsumerIsGone() async throws {
        try await onLoop { lane in
            let queue = BoundedQueue<Int>(capacity: 1)
            let outcome = Settlement<Bool, Never>()
            #expect(queue.tryPush(1))
            Task.immediate(executorPreference: lane.loop) {
                let isTaken = await queue.push(2)
                lane.assertIsolated()
                outcome.settle(.success(isTaken))
            }
            await Task.yield()
            queue.cancel()
            #expect(await outcome.value() == false)
            #expect(await queue.next() == nil)
        }
    }
}
