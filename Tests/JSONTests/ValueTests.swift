// SPDX-License-Identifier: Apache-2.0

import JSON
import Testing

@Suite struct ValueTests {
    private let document: JSONDocument

    init() throws {
        document = try JSONDocument(
            parsing: #"""
                {"id": "t-1", "n": 42, "list": [1, {"k": [true, null]}, "x"],
                 "\u00e9t\u00e9": "caf\u00e9", "amount": 328.00, "empty": {},
                 "none": [], "big": 9223372036854775808}
                """#)
    }

    @Test func lookup() {
        let root = document.root
        #expect(root.kind == .object)
        #expect(root.count == 8)
        #expect(root["id"]?.string == "t-1")
        #expect(root["été"]?.string == "café")
        #expect(root["list"]?[1]?["k"]?[0]?.bool == true)
        #expect(root["list"]?[1]?["k"]?[1]?.isNull == true)
        #expect(root["list"]?[2]?.string == "x")
        #expect(root["list"]?[3] == nil)
        #expect(root["list"]?[-1] == nil)
        #expect(root["missing"] == nil)
        #expect(root["id"]?["x"] == nil)
        #expect(root[0] == nil)
        #expect(root["list"]?["x"] == nil)
    }

    @Test func kindsDoNotMix() {
        let root = document.root
        #expect(root["id"]?.int == nil)
        #expect(root["n"]?.string == nil)
        #expect(root["n"]?.bool == nil)
        #expect(root["n"]?.isNull == false)
        #expect(root["n"]?.string(equals: "42") == false)
        #expect(root.numberText == nil)
        #expect(root["n"]?.elements.map(\.kind) == [])
        #expect(root["list"]?.members.map(\.name) == [])
        #expect(root["n"]?.count == 0)
    }

    @Test func sequences() {
        let root = document.root
        #expect(
            root.members.map(\.name)
                == ["id", "n", "list", "été", "amount", "empty", "none", "big"])
        #expect(root["list"]?.elements.map(\.rawText) == ["1", #"{"k": [true, null]}"#, "\"x\""])
        #expect(root["empty"]?.members.map(\.name) == [])
        #expect(root["none"]?.elements.map(\.kind) == [])
    }

    @Test func sourceIsKept() {
        let root = document.root
        #expect(root["amount"]?.rawText == "328.00")
        #expect(root["été"]?.rawText == #""caf\u00e9""#)
        #expect(root["empty"]?.rawText == "{}")
        #expect(root.range == 0..<document.bytes.count)
        let range = root["id"]?.range ?? 0..<0
        #expect(String(decoding: document.bytes[range], as: UTF8.self) == "\"t-1\"")
    }

    @Test(arguments: [
        ("0", 0), ("-0", 0), ("42", 42), ("-7", -7), ("9223372036854775807", Int64.max),
        ("-9223372036854775808", Int64.min), ("9223372036854775808", nil),
        ("-9223372036854775809", nil), ("18446744073709551616", nil), ("1.0", nil), ("1e3", nil),
        ("100000000000000000000000", nil),
    ])
    func integers(_ text: String, _ value: Int64?) throws {
        let number = try JSONDocument(parsing: text).root
        #expect(number.int == value)
        #expect(number.numberText == text)
        #expect(number.detached().int == value)
    }

    @Test(arguments: [
        ("1.5", 1.5), ("-2e3", -2000), ("1e309", nil), ("-1e309", nil), ("1e-400", 0),
        ("12345678901234567890", 12_345_678_901_234_567_168),
    ])
    func doubles(_ text: String, _ value: Double?) throws {
        let number = try JSONDocument(parsing: text).root
        #expect(number.double == value)
        #expect(number.detached().double == value)
    }

    @Test(arguments: [
        (#""abc""#, "abc"), (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t"),
        (#""\u4e2d文\ud83d\ude00😀""#, "中文😀😀"), (#""""#, ""),
    ])
    func strings(_ text: String, _ value: String) throws {
        let string = try JSONDocument(parsing: text).root
        #expect(string.string == value)
        #expect(string.string(equals: value))
        #expect(!string.string(equals: value + "!"))
        #expect(value.isEmpty || !string.string(equals: String(value.unicodeScalars.dropLast())))
        #expect(!string.string(equals: "?" + String(value.dropFirst())))
    }

    @Test func parserAllowsWhatItsLimitsAllow() throws {
        var limits = JSONLimits()
        limits.depth = 5000
        let deep = [UInt8](repeating: 0x5B, count: 1024) + [UInt8](repeating: 0x5D, count: 1024)
        let document = try JSONDocument(parsing: deep, limits: limits)
        #expect(document.root.detached().bytes == deep)
        #expect(try JSONCanonical.encode(document.root) == deep)
        #expect(throws: JSONFault.self) {
            _ = try JSONDocument(parsing: [0x5B] + deep + [0x5D], limits: limits)
        }
        limits.bytes = 3
        #expect(throws: JSONFault.self) { _ = try JSONDocument(parsing: "[ 1]", limits: limits) }
        limits.depth = 0
        #expect(try JSONDocument(parsing: "1", limits: limits).root.int == 1)
        #expect(throws: JSONFault.self) { _ = try JSONDocument(parsing: "[]", limits: limits) }
    }

    @Test func faultsSayWhereButNotWhat() {
        do {
            _ = try JSONDocument(parsing: "{\n \"秘密\": secret }")
            Issue.record("accepted")
        } catch {
            #expect(error.description == "line 2, column 8 (byte 13): value-expected")
        }
    }

    /// Duplicate names that lax limits let in still have no canonical form.
    @Test func duplicatesHaveNoCanonicalForm() throws {
        let text = #"{"b":1,"a":2,"b":3}"#
        let document = try JSONDocument(parsing: text, limits: .grammar)
        #expect(document.root["b"]?.int == 1)
        do {
            _ = try JSONCanonical.encode(document.root)
            Issue.record("encoded")
        } catch {
            #expect(error.rule == .duplicateName)
            #expect(error.offset == 13)
        }
    }
}
