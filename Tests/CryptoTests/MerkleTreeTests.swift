// SPDX-License-Identifier: Apache-2.0
import Bytes
import Crypto
import JSON
import TestSupport
import Testing

@Suite struct MerkleTreeTests {
    private static func hashes(_ value: JSONValue?) throws -> [[UInt8]] {
        try #require(value).elements.map { try #require($0.string.flatMap { Hex.decode($0) }) }
    }

    @Test func vectors() throws {
        let vectors = try SpecVectors.json("merkle", "tree.json")
        let leaves = try Self.hashes(vectors["leaves"])
        let roots = try Self.hashes(vectors["roots"])
        #expect(
            leaves.map { MerkleTree.leafHash(of: $0) } == (try Self.hashes(vectors["leafHashes"])))
        let tree = MerkleTree(entries: leaves)
        for size in 0...leaves.count { #expect(tree.root(of: size) == roots[size]) }
        #expect(tree.root == roots[leaves.count])
        for proof in try #require(vectors["inclusion"]).elements {
            let index = Int(try #require(proof["index"]?.int))
            let size = Int(try #require(proof["size"]?.int))
            #expect(tree.inclusionProof(of: index, in: size) == (try Self.hashes(proof["proof"])))
        }
        for proof in try #require(vectors["consistency"]).elements {
            let from = Int(try #require(proof["from"]?.int))
            let to = Int(try #require(proof["to"]?.int))
            #expect(tree.consistencyProof(from: from, to: to) == (try Self.hashes(proof["proof"])))
        }
    }

    private static let entries = (0..<33).map { Array("entry \($0)".utf8) }

    @Test func everyInclusionIsProven() throws {
        let tree = MerkleTree(entries: Self.entries)
        for size in 1...33 {
            for index in 0..<size {
                let proof = try #require(tree.inclusionProof(of: index, in: size))
                let leaf = MerkleTree.leafHash(of: Self.entries[index])
                func holds(
                    _ leaf: [UInt8], _ index: Int, _ size: Int, _ proof: [[UInt8]]
                ) -> Bool {
                    MerkleTree.verifyInclusion(
                        leafHash: leaf, index: index, size: size, proof: proof,
                        root: tree.root(of: size))
                }
                #expect(holds(leaf, index, size, proof))
                #expect(!holds(MerkleTree.leafHash(of: [1]), index, size, proof))
                #expect(!holds(leaf, index, size, proof + [leaf]))
                #expect(size == 1 || !holds(leaf, index, size, proof.dropLast()))
                #expect(size == 1 || !holds(leaf, (index + 1) % size, size, proof))
                for place in proof.indices {
                    var changed = proof
                    changed[place][0] ^= 1
                    #expect(!holds(leaf, index, size, changed))
                }
            }
        }
    }

    @Test func everyConsistencyIsProven() throws {
        let tree = MerkleTree(entries: Self.entries)
        for size in 1...33 {
            for earlier in 1...size {
                let proof = try #require(tree.consistencyProof(from: earlier, to: size))
                func holds(_ earlierRoot: [UInt8], _ root: [UInt8], _ proof: [[UInt8]]) -> Bool {
                    MerkleTree.verifyConsistency(
                        earlier: earlier, size: size, earlierRoot: earlierRoot, root: root,
                        proof: proof)
                }
                let (old, new) = (tree.root(of: earlier), tree.root(of: size))
                #expect(holds(old, new, proof))
                #expect(!holds(Digest.sha256([9]), new, proof))
                #expect(!holds(old, Digest.sha256([9]), proof))
                #expect(!holds(old, new, proof + [old]))
                #expect(proof.isEmpty || !holds(old, new, proof.dropLast()))
                for place in proof.indices {
                    var changed = proof
                    changed[place][31] ^= 0x80
                    #expect(!holds(old, new, changed))
                }
            }
        }
    }

    @Test func aProofOfSomethingElseIsNone() {
        let tree = MerkleTree(entries: Self.entries)
        #expect(tree.inclusionProof(of: 33, in: 33) == nil)
        #expect(tree.inclusionProof(of: -1, in: 33) == nil)
        #expect(tree.inclusionProof(of: 0, in: 34) == nil)
        #expect(tree.inclusionProof(of: 0, in: 0) == nil)
        #expect(tree.consistencyProof(from: 0, to: 33) == nil)
        #expect(tree.consistencyProof(from: 5, to: 4) == nil)
        #expect(tree.consistencyProof(from: 5, to: 34) == nil)
        let leaf = MerkleTree.leafHash(of: Self.entries[0])
        #expect(
            !MerkleTree.verifyInclusion(
                leafHash: leaf, index: 0, size: 0, proof: [], root: leaf))
        #expect(
            !MerkleTree.verifyInclusion(
                leafHash: [1], index: 0, size: 1, proof: [], root: [1]))
        #expect(
            !MerkleTree.verifyConsistency(
                earlier: 1, size: 2, earlierRoot: leaf, root: tree.root(of: 2), proof: []))
        #expect(
            !MerkleTree.verifyConsistency(
                earlier: 0, size: 1, earlierRoot: Digest.sha256([]), root: leaf, proof: []))
    }

    @Test func leafHashesMakeTheSameTree() {
        var tree = MerkleTree()
        for entry in Self.entries { tree.append(leafHash: MerkleTree.leafHash(of: entry)) }
        #expect(tree.root == MerkleTree(entries: Self.entries).root)
        #expect(tree.count == 33)
        #expect(MerkleTree().root == Digest.sha256([]))
    }
}
