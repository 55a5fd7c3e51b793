// SPDX-License-Identifier: Apache-2.0
import HTTP
import Testing

@Suite struct HTTP1SerializerTests {
    @Test func writesARequestOfItsOwnFraming() throws {
        let head = try HTTPRequestHead(
            method: .post, scheme: .http, authority: "a.example", path: "/x?y=1",
            fields: [
                "accept": "application/json", "connection": "x-private, close",
                "x-private": "1", "keep-alive": "timeout=5", "te": "trailers",
                "transfer-encoding": "chunked", "content-length": "999", "host": "b.example",
                "expect": "100-continue", "upgrade": "h2c", "proxy-authorization": "Basic eA==",
            ])
        var output: [UInt8] = []
        HTTP1Serializer.write(head, framing: .length(2), into: &output)
        #expect(
            String(decoding: output, as: UTF8.self) == """
                POST /x?y=1 HTTP/1.1\r\nhost: a.example\r\naccept: application/json\r\n\
                content-length: 2\r\n\r\n
                """)
    }

    @Test func saysZeroWhereAMethodSuggestsABody() throws {
        let head = try HTTPRequestHead(
            method: .post, scheme: .http, authority: "a", path: "/")
        var output: [UInt8] = []
        HTTP1Serializer.write(head, framing: .none, closes: true, into: &output)
        #expect(
            String(decoding: output, as: UTF8.self)
                == "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
    }

    @Test(arguments: [
        (200, HTTP1Framing.chunked, "transfer-encoding: chunked\r\n\r\n"),
        (200, .length(3), "content-length: 3\r\n\r\n"),
        (200, .none, "content-length: 0\r\n\r\n"),
        (200, .untilClose, "connection: close\r\n\r\n"),
        (204, .length(3), "\r\n"),
        (304, .none, "\r\n"),
        (103, .none, "\r\n"),
    ])
    func writesResponses(status: Int, framing: HTTP1Framing, end: String) {
        var output: [UInt8] = []
        HTTP1Serializer.write(
            HTTPResponseHead(status: status), framing: framing, closes: false, into: &output)
        let text = String(decoding: output, as: UTF8.self)
        #expect(text.hasPrefix("HTTP/1.1 \(status) "))
        #expect(text.split(separator: "\r\n", maxSplits: 1)[1] == end)
    }

    @Test func whatIsWrittenIsReadBack() throws {
        var output: [UInt8] = []
        let response = HTTPResponseHead(status: 200, fields: ["content-type": "text/plain"])
        HTTP1Serializer.write(response, framing: .chunked, closes: false, into: &output)
        HTTP1Serializer.writeChunk(Array("hello ".utf8)[...], into: &output)
        HTTP1Serializer.writeChunk([], into: &output)
        HTTP1Serializer.writeChunk([UInt8](repeating: 33, count: 300)[...], into: &output)
        HTTP1Serializer.writeEnd(trailers: ["x-sum": "7"], into: &output)
        var parser = HTTP1ResponseParser()
        parser.expectResponse(to: .get)
        parser.append(output)
        guard case .head(let head) = try parser.next() else { return #expect(Bool(false)) }
        #expect(head.fields[.contentType] == "text/plain")
        #expect(try parser.next() == .body(Array("hello ".utf8)))
        #expect(try parser.next() == .body([UInt8](repeating: 33, count: 300)))
        #expect(try parser.next() == .end(trailers: ["x-sum": "7"]))
    }
}
