// SPDX-License-Identifier: Apache-2.0
import Bytes

/// The Merkle tree of RFC 9162 §2.1 over a list that only grows: one 32-byte root commits to all
/// entries in their order, and short proofs show that an entry is in it, or that a later tree
/// still has everything of an earlier one.
///
/// It keeps the hashes of all complete subtrees, 64 bytes per entry; adding an entry takes
/// constant time on average, a proof logarithmic time.
package struct MerkleTree: Sendable {
    /// `levels[k]` holds, 32 bytes each, the roots of the complete subtrees of 2^k entries.
    private var levels: [[UInt8]] = [[]]

    /// The tree of no entries.
    package init() {}

    /// The tree of these entries.
    package init(entries: some Sequence<[UInt8]>) {
        for entry in entries { append(entry) }
    }

    /// How many entries there are.
    package var count: Int { levels[0].count / 32 }

    /// The root hash of all entries; for none, the SHA-256 of nothing.
    package var root: [UInt8] { root(of: count) }

    /// Adds an entry at the end.
    package mutating func append(_ entry: [UInt8]) {
        append(leafHash: Self.leafHash(of: entry))
    }

    /// Adds an entry of which only the leaf hash is known.
    package mutating func append(leafHash: [UInt8]) {
        invariant(leafHash.count == 32, "a leaf hash has 32 bytes")
        var hash = leafHash
        var level = 0
        while true {
            if level == levels.count { levels.append([]) }
            levels[level] += hash
            let nodes = levels[level].count / 32
            guard nodes.isMultiple(of: 2) else { return }
            hash = Self.nodeHash(node(level, nodes - 2), hash)
            level += 1
        }
    }

    /// The root hash of the first `size` entries.
    package func root(of size: Int) -> [UInt8] {
        invariant(0...count ~= size, "a tree has no more entries than were added")
        return size == 0 ? Digest.sha256([]) : hash(of: 0..<size)
    }

    /// The audit path of entry `index` in the tree of the first `size` entries (§2.1.3.1): at most
    /// one hash per level, from the bottom up. Nil when there is no such entry.
    package func inclusionProof(of index: Int, in size: Int) -> [[UInt8]]? {
        guard index >= 0, index < size, size <= count else { return nil }
        return path(to: index, in: 0..<size)
    }

    /// The proof that the tree of the first `size` entries continues that of the first `earlier`
    /// ones (§2.1.4.1). Nil unless 0 < earlier ≤ size ≤ ``count``; empty when they are equal.
    package func consistencyProof(from earlier: Int, to size: Int) -> [[UInt8]]? {
        guard earlier > 0, earlier <= size, size <= count else { return nil }
        return subproof(earlier, 0..<size, isComplete: true)
    }

    // MARK: - Hashes

    /// SHA-256 of 0x00 and the entry (§2.1.1).
    package static func leafHash(of entry: [UInt8]) -> [UInt8] {
        Digest.sha256(parts: [[0], entry])
    }

    /// SHA-256 of 0x01 and the hashes of the two children (§2.1.1).
    package static func nodeHash(_ left: [UInt8], _ right: [UInt8]) -> [UInt8] {
        Digest.sha256([1] + left + right)
    }

    private func node(_ level: Int, _ index: Int) -> [UInt8] {
        Array(levels[level][index * 32..<index * 32 + 32])
    }

    /// The hash of the subtree over `range`, which starts at a multiple of the power of two that
    /// holds it.
    private func hash(of range: Range<Int>) -> [UInt8] {
        if range.count & (range.count - 1) == 0 {
            let level = range.count.trailingZeroBitCount
            return node(level, range.lowerBound >> level)
        }
        let (left, right) = Self.halves(range)
        return Self.nodeHash(hash(of: left), hash(of: right))
    }

    /// `range` cut after the largest power of two that is smaller than its length.
    private static func halves(_ range: Range<Int>) -> (left: Range<Int>, right: Range<Int>) {
        let half = 1 << (Int.bitWidth - 1 - (range.count - 1).leadingZeroBitCount)
        let middle = range.lowerBound + half
        return (range.lowerBound..<middle, middle..<range.upperBound)
    }

    private func path(to index: Int, in range: Range<Int>) -> [[UInt8]] {
        guard range.count > 1 else { return [] }
        let (left, right) = Self.halves(range)
        return left.contains(index)
            ? path(to: index, in: left) + [hash(of: right)]
            : path(to: index, in: right) + [hash(of: left)]
    }

    /// SUBPROOF of §2.1.4.1; `isComplete` is its third argument, whether the earlier root itself
    /// covers `range` up to here.
    private func subproof(
        _ earlier: Int, _ range: Range<Int>, isComplete: Bool
    ) -> [[UInt8]] {
        if earlier == range.upperBound { return isComplete ? [] : [hash(of: range)] }
        let (left, right) = Self.halves(range)
        return earlier <= left.upperBound
            ? subproof(earlier, left, isComplete: isComplete) + [hash(of: right)]
            : subproof(earlier, right, isComplete: false) + [hash(of: left)]
    }
}

// MARK: - Verifying, without a tree

extension MerkleTree {
    /// Whether `proof` shows that the entry with `leafHash` is number `index` of the `size` entries
    /// under `root` (§2.1.3.2). For a proof of any origin.
    package static func verifyInclusion(
        leafHash: [UInt8], index: Int, size: Int, proof: [[UInt8]], root: [UInt8]
    ) -> Bool {
        guard index >= 0, index < size, areHashes(proof + [leafHash, root]) else { return false }
        var (node, last, hash) = (index, size - 1, leafHash)
        for sibling in proof {
            guard last > 0 else { return false }
            if node & 1 == 1 || node == last {
                hash = nodeHash(sibling, hash)
                while node & 1 == 0, node != 0 { (node, last) = (node >> 1, last >> 1) }
            } else {
                hash = nodeHash(hash, sibling)
            }
            (node, last) = (node >> 1, last >> 1)
        }
        return last == 0 && hash == root
    }

    /// Whether `proof` shows that the first `earlier` of the `size` entries under `root` are the
    /// entries under `earlierRoot` (§2.1.4.2). For a proof of any origin.
    package static func verifyConsistency(
        earlier: Int, size: Int, earlierRoot: [UInt8], root: [UInt8], proof: [[UInt8]]
    ) -> Bool {
        guard earlier > 0, earlier <= size, areHashes(proof + [earlierRoot, root]) else {
            return false
        }
        if earlier == size { return proof.isEmpty && earlierRoot == root }
        let isPowerOfTwo = earlier & (earlier - 1) == 0
        var path = (isPowerOfTwo ? [earlierRoot] : []) + proof
        guard !path.isEmpty else { return false }
        var (node, last) = (earlier - 1, size - 1)
        while node & 1 == 1 { (node, last) = (node >> 1, last >> 1) }
        let first = path.removeFirst()
        var (old, new) = (first, first)
        for sibling in path {
            guard last > 0 else { return false }
            if node & 1 == 1 || node == last {
                old = nodeHash(sibling, old)
                new = nodeHash(sibling, new)
                while node & 1 == 0, node != 0 { (node, last) = (node >> 1, last >> 1) }
            } else {
                new = nodeHash(new, sibling)
            }
            (node, last) = (node >> 1, last >> 1)
        }
        return last == 0 && old == earlierRoot && new == root
    }

    private static func areHashes(_ hashes: [[UInt8]]) -> Bool {
        hashes.allSatisfy { $0.count == 32 }
    }
}
