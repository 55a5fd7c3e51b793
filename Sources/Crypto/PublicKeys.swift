// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// The public keys that were made lately, by their coordinates. Every grant names its holder's
/// key again, and to check and build one costs 20 to 30 µs; to find it here less than one.
///
/// It is kept for the whole process, because it only saves work: the same coordinates always make
/// the same key. What is no key is not kept.
enum PublicKeys {
    /// Entities and users in running tasks; a key takes about a kilobyte.
    private static let capacity = 4096

    private static let known = Mutex(
        LeastRecentlyUsed<[UInt8], KeyHandle>(capacity: capacity))

    /// The P-256 key with these coordinates of 32 bytes, nil when they are no point of the curve.
    static func p256(x: [UInt8], y: [UInt8]) -> KeyHandle? {
        find([4] + x + y) { KeyHandle(p256Point: $0) }
    }

    /// The Ed25519 key of these 32 bytes, nil unless ``EdwardsPoint/isUsable(_:)``.
    static func ed25519(_ bytes: [UInt8]) -> KeyHandle? {
        find(bytes) { EdwardsPoint.isUsable($0) ? KeyHandle(ed25519Public: $0) : nil }
    }

    private static func find(
        _ coordinates: [UInt8], _ make: ([UInt8]) -> KeyHandle?
    ) -> KeyHandle? {
        if let handle = known.withLock({ $0.value(for: coordinates) }) { return handle }
        guard let handle = make(coordinates) else { return nil }
        known.withLock { $0.insert(handle, for: coordinates) }
        return handle
    }
}
