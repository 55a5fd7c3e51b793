// SPDX-License-Identifier: Apache-2.0
import Bytes
internal import COpenSSL

/// The process's cryptographic random source: OpenSSL's generator, seeded by the kernel.
///
/// Only the running node passes this in; tests and the simulator pass a seeded source.
package struct SystemRandom: RandomBytes {
    package init() {}

    /// `count` unpredictable bytes. A generator that cannot be seeded ends the process: to go on
    /// would mean guessable serials and nonces.
    package func bytes(_ count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let result = unsafe RAND_bytes(&bytes, Int32(count))
        invariant(result == 1, "RAND_bytes failed")
        return bytes
    }
}
