// SPDX-License-Identifier: Apache-2.0
import Bytes
import TestSupport
import Testing

@testable import Crypto

/// HPKE in base mode, against RFC 9180, appendix A.1.1.
@Suite struct SealedBoxTests {
    private let info = Hex.decode("4f6465206f6e2061204772656369616e2055726e") ?? []
    private let receiver =
        Hex.decode("4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8") ?? []
    private let ephemeral =
        Hex.decode("52c4a758a802cd8b936eceea314432798d5baf2d7e9235dc084ab1b9cfa2f736") ?? []
    private let plain = Array("Beauty is truth, truth beauty".utf8)
    private let sealed =
        Hex.decode(
            "37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431"
                + "f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a9"
                + "6d8770ac83d07bea87e13c512a") ?? []

    @Test func itSealsAsTheRFC() throws {
        let key = try #require(OpeningKey(secret: receiver))
        #expect(
            Hex.encode(key.publicKey)
                == "3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d")
        let sender = try #require(OpeningKey(secret: ephemeral))
        let count = Array("Count-0".utf8)
        #expect(
            SealedBox.seal(
                plain, to: key.publicKey, info: info, additional: count, from: sender) == sealed)
        #expect(SealedBox.open(sealed, with: key, info: info, additional: count) == plain)
    }

    @Test func whatWasChangedDoesNotOpen() throws {
        let random = SeededRandom(seed: 3)
        let key = OpeningKey(random: random)
        let box = try #require(
            SealedBox.seal(plain, to: key.publicKey, info: info, random: random))
        #expect(SealedBox.open(box, with: key, info: info) == plain)
        for index in box.indices {
            var changed = box
            changed[index] ^= 0x80
            #expect(SealedBox.open(changed, with: key, info: info) == nil, "byte \(index)")
        }
        for count in 0..<box.count {
            #expect(SealedBox.open(Array(box.prefix(count)), with: key, info: info) == nil)
        }
        #expect(SealedBox.open(box + [0], with: key, info: info) == nil)
        #expect(SealedBox.open(box, with: key, info: info + [0]) == nil)
        #expect(SealedBox.open(box, with: OpeningKey(random: random), info: info) == nil)
    }

    @Test func nothingIsSealedToNoKey() {
        let random = SeededRandom(seed: 3)
        for key in [[], [UInt8](repeating: 0, count: 32), [UInt8](repeating: 9, count: 31)] {
            #expect(SealedBox.seal(plain, to: key, info: info, random: random) == nil)
        }
        #expect(OpeningKey(secret: [1, 2, 3]) == nil)
    }

    @Test func emptyMessagesAndEverySealingAnew() throws {
        let random = SeededRandom(seed: 4)
        let key = OpeningKey(random: random)
        let first = try #require(SealedBox.seal([], to: key.publicKey, info: [], random: random))
        let second = try #require(SealedBox.seal([], to: key.publicKey, info: [], random: random))
        #expect(first.count == SealedBox.overhead && first != second)
        #expect(SealedBox.open(first, with: key, info: []) == [])
    }
}
