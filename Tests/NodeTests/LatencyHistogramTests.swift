// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

@testable import Node

@Suite struct LatencyHistogramTests {
    @Test("buckets follow each other without gap or overlap, none wider than 1/128 of its values")
    func buckets() {
        var next: UInt64 = 0
        var index = 0
        while next < LatencyHistogram.end {
            let upper = LatencyHistogram.upperEnd(of: index)
            #expect(LatencyHistogram.index(of: next) == index)
            #expect(LatencyHistogram.index(of: upper) == index)
            #expect(upper == next || (upper - next) * 128 < next)
            next = upper + 1
            index += 1
        }
        #expect(next == LatencyHistogram.end)
        #expect(index * MemoryLayout<UInt64>.size < 38 << 10)
    }

    @Test("quantiles are those of the sorted list, never less and at most 1/128 more")
    func quantiles() {
        var random = SeededRandom(seed: 11)
        for size in [1, 2, 3, 10, 100, 999, 20_000] {
            var histogram = LatencyHistogram()
            // From nanoseconds to minutes, each size as likely.
            let values = (0..<size).map { _ in
                UInt64.random(
                    in: 0..<(1 << UInt64.random(in: 1...37, using: &random)), using: &random)
            }
            for value in values { histogram.record(value) }
            let sorted = values.sorted()
            for part in [0, 0.001, 0.25, 0.5, 0.9, 0.99, 0.999, 1] {
                let rank = max(1, Int((part * Double(size)).rounded(.up)))
                let truth = sorted[rank - 1]
                let told = histogram.quantile(part)
                #expect(told >= truth && told - truth <= truth / 128, "\(part) of \(size)")
            }
            #expect(histogram.count == UInt64(size))
            #expect(histogram.least == sorted.first && histogram.greatest == sorted.last)
            let mean = values.map { Double($0) }.reduce(0, +) / Double(size)
            #expect(abs(histogram.mean - mean) <= mean * 1e-9)
        }
    }

    @Test("two that are merged tell what one of all would")
    func merged() {
        var random = SeededRandom(seed: 12)
        var (left, right, all) = (LatencyHistogram(), LatencyHistogram(), LatencyHistogram())
        for index in 0..<5_000 {
            let value = UInt64.random(in: 0..<5_000_000_000, using: &random)
            if index % 3 == 0 { left.record(value) } else { right.record(value) }
            all.record(value)
        }
        left.merge(right)
        left.merge(LatencyHistogram())
        var fromNothing = LatencyHistogram()
        fromNothing.merge(left)
        for histogram in [left, fromNothing] {
            #expect(histogram.count == all.count && histogram.least == all.least)
            #expect(histogram.greatest == all.greatest)
            for part in [0.1, 0.5, 0.9, 0.99] {
                #expect(histogram.quantile(part) == all.quantile(part))
            }
        }
    }

    @Test("of nothing all is 0; what is beyond the last bucket shows in the greatest")
    func ends() {
        var histogram = LatencyHistogram()
        #expect(histogram.quantile(0.99) == 0 && histogram.greatest == 0 && histogram.mean == 0)
        histogram.record(5)
        histogram.record(.max)
        #expect(histogram.quantile(0.5) == 5)
        #expect(histogram.quantile(0.99) == .max && histogram.greatest == .max)
        histogram.record(.max)
        #expect(histogram.quantile(0.5) == LatencyHistogram.end - 1)
    }
}
