// SPDX-License-Identifier: Apache-2.0
import HTTP
import Testing

@Suite struct HTTP1ResponseTests {
    @Test(arguments: [1, 2, 1_000])
    func readsALengthThenAnotherResponse(cut: Int) throws {
        var parser = HTTP1ResponseParser()
        parser.expectResponse(to: .get)
        let first = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"
        #expect(try read(first, &parser, cut: cut) == "200 hi.")
        #expect(parser.keepsAlive && !parser.isBusy)
        parser.expectResponse(to: .get)
        let second =
            "HTTP/1.1 404 \r\ntransfer-encoding: chunked\r\n\r\n"
            + "1\r\nx\r\n0\r\na: b\r\n\r\n"
        #expect(try read(second, &parser, cut: cut) == "404 x.b")
    }

    @Test func skipsInterimAnswers() throws {
        var parser = HTTP1ResponseParser()
        parser.expectResponse(to: .post)
        let text = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nlink: x\r\n\r\n"
        #expect(
            try read(text + "HTTP/1.1 204 No Content\r\n\r\n", &parser, cut: 3) == "204 .")
    }

    @Test func withoutFramingReadsUntilTheConnectionEnds() throws {
        var parser = HTTP1ResponseParser()
        parser.expectResponse(to: .get)
        #expect(try read("HTTP/1.1 200\r\n\r\nabc", &parser, cut: 5) == "200 abc")
        #expect(!parser.keepsAlive)
        #expect(try parser.finish() == .end(trailers: [:]))
    }

    @Test func answersToHeadHaveNoBody() throws {
        var parser = HTTP1ResponseParser()
        parser.expectResponse(to: .head)
        let text = "HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n"
        #expect(try read(text, &parser, cut: 100) == "200 .")
        #expect(parser.keepsAlive)
    }

    @Test(arguments: [
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n",
            HTTP1Fault.bothLengthAndEncoding
        ),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 2\r\n\r\n",
            .contentLengthDuplicate
        ),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\n", .transferEncoding),
        ("HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n", .upgrade),
        ("HTTP/1.1 99 Low\r\n\r\n", .version),
        ("HTTP/1.1 999 High\r\n\r\n", .status),
        ("HTTP/2.0 200 OK\r\n\r\n", .version),
        ("HTTP/1.1 200 OK\nx: y\r\n\r\n", .bareLF),
        ("HTTP/1.1 200 O\u{1}K\r\n\r\n", .fieldValue),
        ("HTTP/1.1 200 OK\r\nx: y\r\n z\r\n\r\n", .foldedField),
        ("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nab", .truncated),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n", .truncated),
        ("", .truncated),
        (String(repeating: "HTTP/1.1 100 C\r\n\r\n", count: 11), .tooManyInterim),
        ("HTTP/1.1 204 No\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", .unexpectedBytes),
    ])
    func refuses(text: String, fault: HTTP1Fault) {
        var parser = HTTP1ResponseParser()
        parser.expectResponse(to: .get)
        #expect(throws: fault) {
            _ = try read(text, &parser, cut: 4)
            while try parser.finish() != nil {}
        }
        #expect(!parser.keepsAlive)
    }

    private func read(
        _ text: String, _ parser: inout HTTP1ResponseParser, cut: Int
    ) throws(HTTP1Fault) -> String {
        var seen = ""
        for piece in Array(text.utf8)[...].pieces(of: cut) {
            parser.append(piece)
            while let event = try parser.next() {
                switch event {
                case .head(let head): seen += "\(head.status) "
                case .body(let bytes): seen += String(decoding: bytes, as: UTF8.self)
                case .end(let trailers):
                    seen += "." + trailers.map(\.value.text).joined(separator: ",")
                }
            }
        }
        return seen
    }
}
