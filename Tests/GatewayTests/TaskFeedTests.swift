// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Gateway

/// Who listens to a task is woken by its changes, and let go when it leaves.
@Suite struct TaskFeedTests {
    let feed = TaskFeed()

    @Test func aChangeWakesWhoWaitsAndWhoComesLater() async throws {
        let (early, late) = (try #require(feed.subscribe("t")), try #require(feed.subscribe("t")))
        let waiting = Task { await early.next() }
        feed.changed("other")
        feed.changed("t")
        #expect(await waiting.value)
        #expect(await late.next(), "it changed before anybody waited")
        let again = Task { await late.next() }
        feed.changed("t")
        #expect(await again.value)
    }

    @Test func manyChangesAreOneWakeUp() async throws {
        let listener = try #require(feed.subscribe("t"))
        for _ in 0..<3 { feed.changed("t") }
        #expect(await listener.next())
        let second = Task { await listener.next() }
        second.cancel()
        #expect(await second.value == false)
    }

    @Test(.timeLimit(.minutes(1))) func aCancelledWaiterReturnsAtOnce() async throws {
        let listener = try #require(feed.subscribe("t"))
        let waiting = Task { await listener.next() }
        await Task.yield()
        waiting.cancel()
        #expect(await waiting.value == false)
        #expect(feed.listenerCount == 0)
        let cancelledBefore = Task {
            unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
            return await listener.next()
        }
        #expect(await cancelledBefore.value == false)
    }

    @Test(.timeLimit(.minutes(1))) func whoEndsIsWokenAlone() async throws {
        let (one, other) = (try #require(feed.subscribe("t")), try #require(feed.subscribe("t")))
        let waiting = Task { await one.next() }
        let staying = Task { await other.next() }
        await Task.yield()
        one.end()
        #expect(await waiting.value == false)
        #expect(feed.listenerCount == 1)
        feed.changed("t")
        #expect(await staying.value)
    }

    @Test func nothingIsKeptOfWhoLeft() throws {
        for index in 0..<1000 { _ = feed.subscribe("task-\(index)") }
        #expect(feed.listenerCount == 0)
    }

    @Test func oneTaskHasABoundedNumberOfListeners() throws {
        var listeners: [TaskSubscription] = []
        for _ in 0..<TaskFeed.listenersMax { listeners.append(try #require(feed.subscribe("t"))) }
        #expect(feed.subscribe("t") == nil)
        #expect(feed.subscribe("other") != nil)
        listeners.removeLast()
        #expect(feed.subscribe("t") != nil)
        withExtendedLifetime(listeners) {}
    }

    @Test(.timeLimit(.minutes(1))) func theEndOfTheProgramEndsAll() async throws {
        let listener = try #require(feed.subscribe("t"))
        let waiting = Task { await listener.next() }
        feed.close()
        #expect(await waiting.value == false)
        #expect(feed.subscribe("t") == nil)
    }
}
