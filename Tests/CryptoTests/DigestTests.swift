// SPDX-License-Identifier: Apache-2.0
import Bytes
import Crypto
import TestSupport
import Testing

@Suite struct DigestTests {
    private let abc = Array("abc".utf8)

    @Test func digestsOfAbc() {
        // FIPS 180-4, the examples of NIST.
        let sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        let sha384 =
            "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
            + "8086072ba1e7cc2358baeca134c825a7"
        let sha512 =
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
            + "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
        #expect(Hex.encode(Digest.sha256(abc)) == sha256)
        #expect(Hex.encode(Digest.sha384(abc)) == sha384)
        #expect(Hex.encode(Digest.sha512(abc)) == sha512)
    }

    @Test func partsAreTheirConcatenation() {
        let parts: [[UInt8]] = [[], [0x61], [], [0x62, 0x63], []]
        #expect(Digest.sha256(parts: parts) == Digest.sha256(abc))
        #expect(Digest.sha256(parts: []) == Digest.sha256([]))
    }

    @Test func authenticationCodesOfRFC4231() {
        // Cases 1, 2 and 6: a short key, a text key, a key longer than the block.
        let cases: [(key: [UInt8], data: String, code: String)] = [
            (
                [UInt8](repeating: 0x0b, count: 20), "Hi There",
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
            ),
            (
                Array("Jefe".utf8), "what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
            ),
            (
                [UInt8](repeating: 0xaa, count: 131),
                "Test Using Larger Than Block-Size Key - Hash Key First",
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
            ),
        ]
        for (key, data, code) in cases {
            #expect(Hex.encode(Digest.hmacSHA256(key: key, Array(data.utf8))) == code)
            let coder = MessageCoder(key: key)
            for _ in 0..<2 { #expect(Hex.encode(coder.code(of: Array(data.utf8))) == code) }
        }
        #expect(Digest.hmacSHA256(key: [], []).count == 32)
    }

    @Test func systemRandomnessDoesNotRepeat() {
        let random = SystemRandom()
        #expect(random.bytes(0).isEmpty)
        #expect(Set((0..<100).map { _ in random.bytes(16) }).count == 100)
        // Sizes that do not divide what is made at a time, and some above what is shared.
        for count in [1, 7, 10, 31, 32, 33, 5000] { #expect(random.bytes(count).count == count) }
        #expect(Set((0..<400).map { _ in random.bytes(10) }).count == 400)
    }
}
