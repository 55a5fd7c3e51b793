// SPDX-License-Identifier: Apache-2.0
import Bytes
internal import COpenSSL
import Synchronization

/// The process's cryptographic random source: OpenSSL's generator, seeded by the kernel.
///
/// Only the running node passes this in; tests and the simulator pass a seeded source.
package struct SystemRandom: RandomBytes {
    package init() {}

    /// `count` unpredictable bytes. A generator that cannot be seeded ends the process: to go on
    /// would mean guessable serials and nonces.
    package func bytes(_ count: Int) -> [UInt8] {
        guard count <= Self.shareMax else { return Self.generate(count) }
        return Self.stock.withLock { $0.take(count) }
    }

    /// Ids are made for every request, and each call of the generator costs as much as a kilobyte
    /// of its output. So the small wishes share what one call gave.
    private static let shareMax = 32
    private static let stock = Mutex(Stock())

    /// Bytes that nobody has had yet. This process never goes on in a forked child, in which they
    /// would come a second time.
    private struct Stock {
        private var bytes: [UInt8] = []
        private var used = 0

        /// What is given out is kept nowhere.
        mutating func take(_ count: Int) -> [UInt8] {
            if bytes.count - used < count {
                bytes = SystemRandom.generate(Self.size)
                used = 0
            }
            let taken = Array(bytes[used..<used + count])
            for index in used..<used + count { bytes[index] = 0 }
            used += count
            return taken
        }

        private static let size = 1024
    }

    private static func generate(_ count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let result = unsafe RAND_bytes(&bytes, Int32(count))
        invariant(result == 1, "RAND_bytes failed")
        return bytes
    }
}
