// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Synchronization

/// Randomness that repeats: SplitMix64 from a seed. Copies share one sequence, so that handing it
/// to the code under test and drawing from it in the test still gives one run per seed.
package struct SeededRandom: RandomBytes, RandomNumberGenerator {
    private final class State: Sendable {
        let value: Mutex<UInt64>
        init(_ seed: UInt64) { value = Mutex(seed) }
    }

    private let state: State

    /// The sequence of `seed`.
    package init(seed: UInt64) { state = State(seed) }

    package func next() -> UInt64 {
        state.value.withLock { value in
            value &+= 0x9E37_79B9_7F4A_7C15
            var mixed = value
            mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
            return mixed ^ mixed >> 31
        }
    }

    package func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8(truncatingIfNeeded: next() >> 32) }
    }
}
