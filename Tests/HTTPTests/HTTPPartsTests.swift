// SPDX-License-Identifier: Apache-2.0
import HTTP
import Testing

@Suite struct HTTPPartsTests {
    @Test(arguments: ["a\r\nb", "a\nb", "a\rb", "a\0", "\u{1}", "\u{7F}", " a", "a ", "\ta"])
    func refusesValues(text: String) {
        #expect(throws: HTTPFault.fieldValue) { try HTTPFieldValue(text) }
    }

    @Test(arguments: ["", "a b", "a:", "a\r\n", "é", "a(", "\0"])
    func refusesNames(text: String) {
        #expect(throws: HTTPFault.fieldName) { try HTTPFieldName(text) }
    }

    @Test func namesAreComparedWithoutCase() throws {
        let text = "Content-TYPE"
        #expect(try HTTPFieldName(text) == .contentType)
    }

    @Test func fieldsKeepOrderAndRepetition() {
        var fields: HTTPFields = ["a": "1", "b": "2", "a": "3"]
        #expect(fields["a"] == "1" && fields.all("a") == ["1", "3"] && fields.count == 3)
        fields.set("a", "4")
        #expect(fields.map(\.name.text) == ["b", "a"] && fields["a"] == "4")
        fields.remove("b")
        #expect(!fields.contains("b") && fields.listSize == 1 + 1 + 32)
    }

    @Test func listsRunOverAllLines() {
        let fields: HTTPFields = ["vary": "a , b,,", "vary": "c"]
        #expect(fields.list(.vary) == ["a", "b", "c"])
    }

    @Test(arguments: [
        ("/", [""]), ("/a/b", ["a", "b"]), ("/a/", ["a", ""]), ("/a%2Fb", ["a/b"]),
        ("/%E4%BD%A0?x", ["你"]), ("/a+b", ["a+b"]),
    ])
    func decodesSegments(target: String, segments: [String]) {
        #expect(HTTPPath(target).segments == segments)
    }

    @Test(arguments: [
        "/%", "/%4", "/%zz", "/a/../b", "/%2e%2E", "/.", "/%00", "/%0a", "/%ff", "*", "/%2e",
    ])
    func refusesSegments(target: String) {
        #expect(HTTPPath(target).segments == nil)
    }

    @Test func decodesParameters() throws {
        let parameters = try #require(HTTPPath("/x?a=1&b=x+y%26z&c&=d&&a=2").parameters)
        #expect(
            parameters.map { "\($0.name)=\($0.value)" } == [
                "a=1", "b=x y&z", "c=", "=d", "a=2",
            ])
        #expect(HTTPPath("/x?a=%f").parameters == nil)
        #expect(HTTPPath("/x").parameters?.isEmpty == true)
    }

    @Test func encodesWhatItDecodes() {
        let text = "a b/c?d&e=f%你"
        #expect(HTTPPath.decode(HTTPPath.encode(text)[...]) == text)
        #expect(HTTPPath.encode("/?") == "%2F%3F")
    }

    @Test(arguments: [
        ("u@a", HTTPFault.userinfo), ("a:b", .authority), ("a/b", .authority), ("a:", .authority),
        ("[::1", .authority), ("[]", .authority), ("a b", .authority), (":80", .authority),
        ("a:99999", .authority), ("[::1]x", .authority), ("a%2e", .authority),
    ])
    func refusesAuthorities(text: String, fault: HTTPFault) {
        #expect(throws: fault) {
            try HTTPRequestHead(method: .get, scheme: .https, authority: text, path: "/")
        }
    }

    @Test(arguments: ["x", "", "/a b", "/a#b", "/a\r\nb", "/é", "*", "/\\"])
    func refusesPaths(path: String) {
        #expect(throws: HTTPFault.path) {
            try HTTPRequestHead(method: .get, scheme: .https, authority: "a", path: path)
        }
    }

    @Test func statusesHaveARange() {
        #expect(throws: HTTPFault.status) { try HTTPResponseHead(validating: 99) }
        #expect(throws: HTTPFault.status) { try HTTPResponseHead(validating: 600) }
    }
}
