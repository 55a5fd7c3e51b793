// SPDX-License-Identifier: Apache-2.0

/// How often each duration was seen, in nanoseconds, with memory that does not grow.
///
/// Buckets are log-linear: below 256 ns each value has its own; above, each power of two is
/// divided into 128 buckets of equal width. A quantile is told as the upper end of its bucket, so
/// it is never too low and at most 1/128 (0.8 %) too high; count, least, greatest and mean are
/// exact. Values from 2⁴³ ns (2.4 hours) on are counted in the last bucket and only show in the
/// greatest. All buckets together are 37 KiB.
package struct LatencyHistogram: Sendable, Equatable {
    /// The buckets of one power of two.
    static let perOctave = 128
    /// Values below have buckets of their own.
    static let exactBelow: UInt64 = 256
    /// Values from here on are counted as the last one below.
    static let end: UInt64 = 1 << 43

    private var counts = [UInt64](
        repeating: 0, count: LatencyHistogram.index(of: LatencyHistogram.end - 1) + 1)
    package private(set) var count: UInt64 = 0
    /// The least and the greatest value; 0 while there is none.
    package private(set) var least: UInt64 = 0
    package private(set) var greatest: UInt64 = 0
    private var sum = 0.0

    package init() {}

    /// Counts a value.
    package mutating func record(_ nanoseconds: UInt64) {
        counts[Self.index(of: min(nanoseconds, Self.end - 1))] += 1
        least = count == 0 ? nanoseconds : min(least, nanoseconds)
        greatest = max(greatest, nanoseconds)
        count += 1
        sum += Double(nanoseconds)
    }

    /// Counts all values of `other` as well.
    package mutating func merge(_ other: LatencyHistogram) {
        guard other.count > 0 else { return }
        least = count == 0 ? other.least : min(least, other.least)
        greatest = max(greatest, other.greatest)
        count += other.count
        sum += other.sum
        for index in counts.indices { counts[index] += other.counts[index] }
    }

    /// The mean; 0 of nothing.
    package var mean: Double { count == 0 ? 0 : sum / Double(count) }

    /// The least value that is not exceeded by this part of all values (nearest rank), to the
    /// precision above; 0 of nothing. `quantile(0.99)` is what 99 of 100 do not exceed.
    ///
    /// - Parameter part: From 0 to 1.
    package func quantile(_ part: Double) -> UInt64 {
        guard count > 0 else { return 0 }
        let rank = max(1, UInt64((part * Double(count)).rounded(.up)))
        guard rank < count else { return greatest }
        var seen: UInt64 = 0
        for index in counts.indices {
            seen += counts[index]
            if seen >= rank {
                return min(greatest, max(least, Self.upperEnd(of: index)))
            }
        }
        return greatest
    }

    /// The bucket of a value below ``end``.
    static func index(of value: UInt64) -> Int {
        guard value >= exactBelow else { return Int(value) }
        // 8 for 256…511, whose 128 buckets are two wide.
        let octave = 63 - value.leadingZeroBitCount
        let position = Int(value >> UInt64(octave - 7)) - perOctave
        return Int(exactBelow) + (octave - 8) * perOctave + position
    }

    /// The greatest value of a bucket.
    static func upperEnd(of index: Int) -> UInt64 {
        guard index >= Int(exactBelow) else { return UInt64(index) }
        let (octave, position) = (index - Int(exactBelow)).quotientAndRemainder(
            dividingBy: perOctave)
        let width = UInt64(1) << UInt64(octave + 1)
        return UInt64(perOctave + position + 1) * width - 1
    }
}
