// SPDX-License-Identifier: Apache-2.0

import Bytes
import TestSupport
import Testing

@Suite struct ByteCursorTests {
    @Test func whatIsWrittenIsRead() {
        var writer = ByteWriter(capacity: 32)
        writer.u8(0x01)
        writer.u16(0x0203)
        writer.u24(0x04_0506)
        writer.u32(0x0708_090A)
        writer.u64(0x0B0C_0D0E_0F10_1112)
        writer.bytes([0x13, 0x14])
        #expect(writer.bytes == Array(0x01...0x14))

        var reader = ByteReader(writer.bytes)
        #expect(reader.u8() == 0x01)
        #expect(reader.u16() == 0x0203)
        #expect(reader.u24() == 0x04_0506)
        #expect(reader.u32() == 0x0708_090A)
        #expect(reader.u64() == 0x0B0C_0D0E_0F10_1112)
        #expect(reader.remaining == 2)
        #expect(reader.bytes(2) == [0x13, 0x14])
        #expect(reader.isAtEnd)
    }

    @Test func tooFewBytesMoveNothing() {
        var reader = ByteReader([1, 2, 3][1...])
        #expect(reader.u24() == nil)
        #expect(reader.u32() == nil)
        #expect(reader.u64() == nil)
        #expect(reader.bytes(3) == nil)
        #expect(reader.bytes(-1) == nil)
        #expect(reader.remaining == 2)
        #expect(reader.u16() == 0x0203)
        #expect(reader.u8() == nil)
        #expect(reader.rest() == [])
    }

    @Test func aTooLargeIntegerOfThreeBytesStops() async {
        await #expect(processExitsWith: .failure) {
            var writer = ByteWriter()
            writer.u24(1 << 24)
        }
    }
}

@Suite struct ComparisonTests {
    @Test func constantTimeEqualIsEquality() {
        #expect(constantTimeEqual([], []))
        #expect(constantTimeEqual([1, 2, 3], [1, 2, 3]))
        #expect(!constantTimeEqual([1, 2, 3], [1, 2, 4]))
        #expect(!constantTimeEqual([0, 2, 3], [1, 2, 3]))
        #expect(!constantTimeEqual([1, 2], [1, 2, 3]))
    }

    @Test func aBrokenInvariantStops() async {
        invariant(true, "holds")
        await #expect(processExitsWith: .failure) { invariant(false, "does not hold") }
    }
}

@Suite struct EntityIDTests {
    @Test(arguments: [
        "https://a.example", "https://a.example:8443", "https://a.example:443",
        "https://xn--fiq228c.example", "https://localhost", "https://127.0.0.1:1",
        "https://a-b.c1.example:65535",
    ])
    func accepted(_ text: String) {
        #expect(EntityID(text)?.text == text)
    }

    @Test(arguments: [
        "", "https://", "http://a.example", "HTTPS://a.example", "https://A.example",
        "https://a.example/", "https://a.example.", "https://.a.example", "https://a..example",
        "https://u@a.example", "https://a.example?", "https://a.example#", "https://-a.example",
        "https://a-.example", "https://a_b.example", "https://a.example:", "https://a.example:0",
        "https://a.example:0443", "https://a.example:65536", "https://a.example:+1",
        "https://a.example:80:80", "https://[::1]", "https://münchen.example",
        "https://аpple.example", " https://a.example", "https://a.example ", "spiffe://a.example",
        "https://a%2eexample", "https://" + String(repeating: "a", count: 64) + ".example",
        "https://" + String(repeating: "a.", count: 127),
    ])
    func refused(_ text: String) {
        #expect(EntityID(text) == nil)
    }

    @Test func parts() throws {
        let plain = try #require(EntityID("https://a.example"))
        let other = try #require(EntityID("https://a.example:8443"))
        #expect(plain.host == "a.example")
        #expect(plain.port == 443)
        #expect(other.host == "a.example")
        #expect(other.port == 8443)
        #expect(other.authority == "a.example:8443")
        #expect(plain < other)
        #expect(EntityID("https://a.example:443") != plain)
    }
}
