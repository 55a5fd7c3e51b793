// SPDX-License-Identifier: Apache-2.0
import Bytes
import IO
import Testing

@Suite(.timeLimit(.minutes(1))) struct FineTimerTests {
    /// Two hundred times at a distance that no timer of a millisecond's precision could keep.
    @Test func itFiresAgainAndAgainNeverEarly() async throws {
        try await onLoop { lane in
            let timer = try FineTimer(on: lane.loop)
            defer { timer.close() }
            let time = SystemTime()
            let done = Settlement<Void, Never>()
            let start = time.monotonic()
            var fired = 0
            var next = start.adding(.microseconds(100))
            timer.onFire = {
                if time.monotonic() < next { Issue.record("it fired early") }
                fired += 1
                if fired == 200 {
                    done.settle(.success(()))
                } else {
                    next = next.adding(.microseconds(100))
                    timer.set(next)
                }
            }
            timer.set(next)
            await done.value()
            #expect(time.monotonic() >= start.adding(.milliseconds(20)))
        }
    }

    @Test func aPassedTimeFiresAndALaterSettingReplaces() async throws {
        try await onLoop { lane in
            let timer = try FineTimer(on: lane.loop)
            var fired = 0
            timer.onFire = { fired += 1 }
            timer.set(lane.loop.now.adding(.seconds(-1)))
            try await lane.loop.sleep(for: .milliseconds(5))
            #expect(fired == 1)
            timer.set(lane.loop.now.adding(.milliseconds(1)))
            timer.set(lane.loop.now.adding(.seconds(60)))
            try await lane.loop.sleep(for: .milliseconds(10))
            #expect(fired == 1)
            timer.set(lane.loop.now)
            timer.close()
            try await lane.loop.sleep(for: .milliseconds(5))
            #expect(fired == 1, "a closed timer is silent")
        }
    }
}
