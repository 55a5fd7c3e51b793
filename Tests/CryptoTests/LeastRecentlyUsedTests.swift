// SPDX-License-Identifier: Apache-2.0
import Crypto
import TestSupport
import Testing

@Suite struct LeastRecentlyUsedTests {
    @Test func theOldestUseIsForgotten() {
        var cache = LeastRecentlyUsed<String, Int>(capacity: 2)
        cache.insert(1, for: "a")
        cache.insert(2, for: "b")
        #expect(cache.value(for: "a") == 1)
        cache.insert(3, for: "c")
        #expect(cache.value(for: "b") == nil)
        #expect(cache.value(for: "a") == 1)
        #expect(cache.value(for: "c") == 3)
        cache.insert(4, for: "a")
        cache.insert(5, for: "d")
        #expect(cache.value(for: "c") == nil)
        #expect(cache.value(for: "a") == 4)
        #expect(cache.count == 2)
    }

    @Test(arguments: 1...8) func itDoesWhatAListWouldDo(capacity: Int) {
        var random = SeededRandom(seed: UInt64(capacity))
        var cache = LeastRecentlyUsed<Int, Int>(capacity: capacity)
        var list: [(key: Int, value: Int)] = []
        for step in 0..<2000 {
            let key = Int.random(in: 0..<12, using: &random)
            let place = list.firstIndex { $0.key == key }
            if Bool.random(using: &random) {
                #expect(cache.value(for: key) == place.map { list[$0].value })
                if let place { list.append(list.remove(at: place)) }
            } else {
                cache.insert(step, for: key)
                if let place { list.remove(at: place) }
                if list.count == capacity { list.removeFirst() }
                list.append((key, step))
            }
            #expect(cache.count == list.count)
        }
    }
}
