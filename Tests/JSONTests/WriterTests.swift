// SPDX-License-Identifier: Apache-2.0

import JSON
import Testing

@Suite struct WriterTests {
    @Test func commasComeByThemselves() throws {
        let source = try JSONDocument(parsing: #"{"kept": 1.50}"#).root
        var writer = JSONWriter()
        writer.beginObject()
        writer.name("a")
        writer.beginArray()
        writer.int(Int64.min)
        writer.bool(false)
        writer.null()
        writer.beginObject()
        writer.endObject()
        writer.number(text: "1e-7")
        writer.endArray()
        writer.member("s", "x\"\\\u{1}\n é")
        writer.member("i", 7)
        writer.member("long", Int64(8))
        writer.member("b", true)
        writer.member("v", source)
        writer.member("n", ["p": [1, "q"], "r": .null] as JSONNode)
        writer.member("no", String?.none)
        writer.member("no", Int?.none)
        writer.member("no", Int64?.none)
        writer.member("no", Bool?.none)
        writer.member("no", JSONValue?.none)
        writer.member("no", JSONNode?.none)
        writer.name("raw")
        writer.raw("[ 1 ]".utf8)
        writer.name("value")
        writer.value(source["kept"] ?? source)
        writer.endObject()
        let expected =
            #"{"a":[-9223372036854775808,false,null,{},1e-7],"s":"x\"\\\u0001\n é","i":7,"#
            + #""long":8,"b":true,"v":{"kept": 1.50},"n":{"p":[1,"q"],"r":null},"#
            + #""raw":[ 1 ],"value":1.50}"#
        #expect(String(decoding: writer.bytes, as: UTF8.self) == expected)
    }

    @Test func textThatIsNoNumberStops() async {
        await #expect(processExitsWith: .failure) {
            var writer = JSONWriter()
            writer.number(text: "1,\"admin\":true")
        }
    }
}

@Suite struct NodeTests {
    @Test func literalsKeepOrder() {
        let node: JSONNode = ["z": 1, "a": [true, "x", .null], "m": "\(2)"]
        #expect(node.text == #"{"z":1,"a":[true,"x",null],"m":"2"}"#)
    }

    @Test func members() {
        var node: JSONNode = ["a": 1, "b": 2]
        node["b"] = "two"
        node["c"] = 3
        node["a"] = nil
        node["never"] = nil
        #expect(node.text == #"{"b":"two","c":3}"#)
        #expect(node["b"]?.string == "two")
        #expect(node["c"]?.int == 3)
        #expect(node["a"] == nil)
        #expect(node.members?.map(\.name) == ["b", "c"])
        #expect(JSONNode.null["a"] == nil)
        node["c"]?["deep"] = nil
        #expect(node["c"]?.int == 3)
    }

    @Test func accessors() {
        #expect(JSONNode.bool(true).bool == true)
        #expect(JSONNode.null.isNull)
        #expect(JSONNode.int(UInt8(5)) == .number("5"))
        #expect(JSONNode.number("1.5").double == 1.5)
        #expect(JSONNode.number("1.5").int == nil)
        #expect(JSONNode.number("5").numberText == "5")
        #expect(JSONNode.array([1]).array == [1])
        #expect(JSONNode.string("x").bool == nil)
        #expect(JSONNode.string("x").array == nil)
        #expect(JSONNode.string("x").members == nil)
        #expect(JSONNode.bool(false).string == nil)
        #expect(JSONNode.bool(false).numberText == nil)
    }

    @Test func rawTextIsReadWhenCanonicalised() throws {
        let node: JSONNode = ["b": .raw(Array(#"{ "d": 1.0, "c": "\u0041" }"#.utf8)), "a": 1]
        let canonical = try JSONCanonical.encode(node)
        #expect(String(decoding: canonical, as: UTF8.self) == #"{"a":1,"b":{"c":"A","d":1}}"#)
        #expect(throws: JSONFault.self) {
            _ = try JSONCanonical.encode(JSONNode.raw(Array("1,2".utf8)))
        }
        #expect(throws: JSONFault.self) {
            _ = try JSONCanonical.encode(["a": 1, "a": 2] as JSONNode)
        }
    }
}

@Suite struct SpliceTests {
    @Test(arguments: [3, 16, 17, 200])
    func changesInAnyOrderStandInTheirPlaces(count: Int) throws {
        let text = "[" + (0..<count).map(String.init).joined(separator: ",") + "]"
        let document = try JSONDocument(parsing: text)
        var splice = JSONSplice(document)
        // Odd places from the end to the front, then the even ones from the front.
        let order =
            (0..<count).filter { $0 % 2 == 1 }.reversed() + (0..<count).filter { $0 % 2 == 0 }
        for index in order {
            let value = try #require(document.root[index])
            splice.replace(value.range.lowerBound..<value.range.lowerBound, with: [0x31])
            splice.replace(value.range.lowerBound..<value.range.lowerBound, with: [0x32])
        }
        let expected = "[" + (0..<count).map { "12\($0)" }.joined(separator: ",") + "]"
        #expect(String(decoding: splice.applied(), as: UTF8.self) == expected)
    }

    private let document: JSONDocument

    init() throws {
        document = try JSONDocument(
            parsing: #"{ "id" : "a", "list":[ 1 , {"id":"b"} ], "empty":{ }, "x": 1.50 }"#)
    }

    @Test func everythingElseStays() throws {
        var splice = JSONSplice(document)
        #expect(splice.isEmpty)
        #expect(splice.applied() == document.bytes)
        splice.replace(try #require(document.root["list"]?[1]?["id"]), with: "longer than it was")
        splice.replace(try #require(document.root["id"]), with: 7)
        #expect(!splice.isEmpty)
        let expected =
            #"{ "id" : 7, "list":[ 1 , {"id":"longer than it was"} ], "empty":{ }, "x": 1.50 }"#
        #expect(String(decoding: splice.applied(), as: UTF8.self) == expected)
    }

    @Test func membersAreAdded() throws {
        let empty = try #require(document.root["empty"])
        var splice = JSONSplice(document)
        splice.add("p", 1, to: empty)
        splice.add("q\"", [2], to: empty)
        splice.add("last", .null, to: document.root)
        splice.replace(2..<6, with: Array("\"ID\"".utf8))
        let expected =
            #"{ "ID" : "a", "list":[ 1 , {"id":"b"} ], "empty":{ "p":1,"q\"":[2]}, "#
            + #""x": 1.50 ,"last":null}"#
        #expect(String(decoding: splice.applied(), as: UTF8.self) == expected)
        #expect(try JSONDocument(parsing: splice.applied()).root.count == 5)
    }

    @Test func partOfADocument() throws {
        let list = try #require(document.root["list"])
        var splice = JSONSplice(within: list)
        #expect(String(decoding: splice.applied(), as: UTF8.self) == #"[ 1 , {"id":"b"} ]"#)
        let object = try #require(list[1])
        splice.add("n", 1, to: object)
        splice.replace(try #require(object["id"]), with: "c")
        #expect(String(decoding: splice.applied(), as: UTF8.self) == #"[ 1 , {"id":"c","n":1} ]"#)
    }

    @Test func insertionsStandBeforeReplacements() throws {
        let document = try JSONDocument(parsing: "[1]")
        var splice = JSONSplice(document)
        splice.replace(1..<2, with: Array("3".utf8))
        splice.replace(1..<1, with: Array("1,".utf8))
        splice.replace(1..<1, with: Array("2,".utf8))
        #expect(String(decoding: splice.applied(), as: UTF8.self) == "[1,2,3]")
    }

    @Test func overlapsStop() async {
        await #expect(processExitsWith: .failure) {
            let document = try JSONDocument(parsing: "[[1],2]")
            var splice = JSONSplice(document)
            splice.replace(document.root, with: 1)
            if let inner = document.root[0] { splice.replace(inner, with: 2) }
            _ = splice.applied()
        }
    }
}

@Suite struct CommentTests {
    @Test(arguments: [
        ("{} // end", "{}       "), ("// a\n{}", "    \n{}"),
        ("[1,/* x\ny */2]", "[1,    \n    2]"),
        (#"{"u":"http://x/*y*/"}"#, #"{"u":"http://x/*y*/"}"#),
        (#"["\"//", 1] // c"#, #"["\"//", 1]     "#), ("/* open", "       "), ("/", "/"),
        ("1 / 2", "1 / 2"), ("/*/ 1", "     "), ("//\r\n1", "  \r\n1"), (#""\"#, #""\"#),
    ])
    func stripped(_ text: String, _ expected: String) {
        let bytes = JSONComments.strip(Array(text.utf8))
        #expect(String(decoding: bytes, as: UTF8.self) == expected)
    }

    @Test func placesStayTrue() {
        let text = "{\n  // 说明\n  \"a\": /* x */ oops }"
        do {
            _ = try JSONDocument(parsing: JSONComments.strip(Array(text.utf8)))
            Issue.record("accepted")
        } catch {
            #expect(error.line == 3)
            #expect(error.column == 16)
        }
    }
}
