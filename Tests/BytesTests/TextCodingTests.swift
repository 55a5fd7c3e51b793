// SPDX-License-Identifier: Apache-2.0

import Bytes
import TestSupport
import Testing

@Suite struct Base64Tests {
    /// RFC 4648 §10.
    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="),
        ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
    ])
    func vectorsOfTheRFC(_ plain: String, _ text: String) {
        let bytes = Array(plain.utf8)
        let unpadded = String(text.prefix { $0 != "=" })
        #expect(Base64.encode(bytes) == text)
        #expect(Base64.decode(text) == bytes)
        #expect(Base64URL.encode(bytes) == unpadded)
        #expect(Base64URL.decode(unpadded) == bytes)
        #expect(Base64.decodeLenient(text) == bytes)
        #expect(Base64.decodeLenient(unpadded) == bytes)
    }

    @Test func alphabetsDifferInTwoDigits() {
        let bytes: [UInt8] = [0xFB, 0xEF, 0xFF]
        #expect(Base64.encode(bytes) == "++//")
        #expect(Base64URL.encode(bytes) == "--__")
        #expect(Base64.decode("--__") == nil)
        #expect(Base64URL.decode("++//") == nil)
        #expect(Base64.decodeLenient("++//") == bytes)
        #expect(Base64.decodeLenient("--__") == bytes)
    }

    @Test(arguments: [
        "Zg==", "Zg=", "Zm9v=", "Z", "Zm9vY", "Zh", "Zm9", "Zm8\n", " Zm8", "Zm 8", "Zm+v", "Zé",
        "=", "====", "Zg\0",
    ])
    func urlFormIsStrict(_ text: String) {
        #expect(Base64URL.decode(text) == nil)
    }

    @Test(arguments: [
        "Zg", "Zg=", "Zg===", "Zm8", "Zh==", "Zm9=", "Zg==Zg==", "Zm9v====", "=Zg=", "Zm9v\n",
        "Zm-v",
    ])
    func standardFormIsStrict(_ text: String) {
        #expect(Base64.decode(text) == nil)
    }

    @Test(arguments: ["Zg=", "Zh", "Zm9v=", "Zm8==", "Zm8 "])
    func lenientFormIsNotCareless(_ text: String) {
        #expect(Base64.decodeLenient(text) == nil)
    }

    @Test func anyBytesComeBack() {
        let random = SeededRandom(seed: 1)
        for length in 0..<200 {
            let bytes = random.bytes(length)
            #expect(Base64.decode(Base64.encode(bytes)) == bytes)
            #expect(Base64URL.decode(Base64URL.encode(bytes)) == bytes)
            #expect(Hex.decode(Hex.encode(bytes)) == bytes)
        }
    }
}

@Suite struct HexTests {
    @Test func writesLowerReadsBoth() {
        #expect(Hex.encode([0x00, 0x9A, 0xFF]) == "009aff")
        #expect(Hex.decode("009aFF") == [0x00, 0x9A, 0xFF])
        #expect(Hex.decode("") == [])
    }

    @Test(arguments: ["0", "0g", "0x00", " 00", "００"])
    func refused(_ text: String) {
        #expect(Hex.decode(text) == nil)
    }
}

@Suite struct Base32CrockfordTests {
    /// The identifier that the ULID specification shows.
    @Test func knownIdentifier() {
        let bytes = Hex.decode("01563e3ab5d3d6764c61efb99302bd5b") ?? []
        #expect(Base32Crockford.encode(bytes) == "01ARZ3NDEKTSV4RRFFQ69G5FAV")
        #expect(Base32Crockford.decode("01ARZ3NDEKTSV4RRFFQ69G5FAV") == bytes)
    }

    @Test func ends() {
        let least = [UInt8](repeating: 0, count: 16)
        let most = [UInt8](repeating: 255, count: 16)
        #expect(Base32Crockford.encode(least) == "00000000000000000000000000")
        #expect(Base32Crockford.encode(most) == "7ZZZZZZZZZZZZZZZZZZZZZZZZZ")
        #expect(Base32Crockford.decode("7ZZZZZZZZZZZZZZZZZZZZZZZZZ") == most)
    }

    @Test(arguments: [
        "", "01ARZ3NDEKTSV4RRFFQ69G5FA", "01ARZ3NDEKTSV4RRFFQ69G5FAVV",
        "01arz3ndektsv4rrffq69g5fav", "O1ARZ3NDEKTSV4RRFFQ69G5FAV", "01ARZ3NDEKTSV4RRFFQ69G5FAU",
        "80000000000000000000000000", "01ARZ3NDEK-TSV4RRFFQ69G5FAV",
    ])
    func refused(_ text: String) {
        #expect(Base32Crockford.decode(text) == nil)
    }
}

@Suite struct UUIDTests {
    /// RFC 9562 appendix A.6.
    @Test func exampleOfTheRFC() throws {
        let id = try #require(UUIDv7("017f22e2-79b0-7cc3-98c4-dc0c0c07398f"))
        #expect(id.instant.rfc3339 == "2022-02-22T19:22:22.000Z")
        #expect(id.version == 7)
        #expect(id.text == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f")
        #expect(Base32Crockford.decode(id.base32) == id.bytes)
    }

    @Test func madeHere() {
        let random = SeededRandom(seed: 9)
        let instant = Instant(milliseconds: 1_795_222_923_456)
        let id = UUIDv7(at: instant, random: random)
        #expect(id.instant == instant)
        #expect(id.version == 7)
        #expect(id.bytes[8] & 0xC0 == 0x80)
        #expect(UUIDv7(id.text) == id)
        #expect(UUIDv7(at: instant, random: random) != id)
        #expect(UUIDv7(at: Instant(milliseconds: -5), random: random).instant.seconds == 0)
    }

    @Test func laterSortsLater() {
        let random = SeededRandom(seed: 3)
        let ids = (0..<50).map {
            UUIDv7(at: Instant(milliseconds: 1_000 * Int64($0)), random: random)
        }
        #expect(ids == ids.sorted())
        #expect(ids.map(\.text) == ids.map(\.text).sorted())
        #expect(ids.map(\.base32) == ids.map(\.base32).sorted())
    }

    @Test(arguments: [
        "", "017F22E2-79B0-7CC3-98C4-DC0C0C07398F", "017f22e279b07cc398c4dc0c0c07398f",
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398", "017f22e2-79b0-7cc3-98c4-dc0c0c07398f0",
        "{17f22e2-79b0-7cc3-98c4-dc0c0c07398f", "017f22e27-9b0-7cc3-98c4-dc0c0c07398f",
    ])
    func refused(_ text: String) {
        #expect(UUIDv7(text) == nil)
        #expect(!UUID.isCanonical(text))
    }

    @Test func otherVersionsAreRead() {
        #expect(UUIDv7("919108f7-52d1-4320-9bac-f847db4148a8")?.version == 4)
        #expect(UUIDv7(bytes: [1, 2]) == nil)
    }
}
