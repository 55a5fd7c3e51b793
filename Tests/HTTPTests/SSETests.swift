// SPDX-License-Identifier: Apache-2.0
import HTTP
import Testing

@Suite struct SSETests {
    @Test(arguments: TextVector.all("sse/streams.txt"))
    func reads(_ vector: TextVector) {
        let size = vector.bytes.count
        let expected = String(
            decoding: TextVector.expand(Array(vector.expectation.utf8)[...]), as: UTF8.self)
        for cut in size > 20_000 ? [size, 16_384] : [size, 1, 2, 3] {
            var parser = SSEParser()
            var events: [SSEEvent] = []
            var fault: SSEFault?
            do throws(SSEFault) {
                for piece in vector.bytes[...].pieces(of: cut) {
                    try parser.receive(piece, into: &events)
                }
            } catch {
                fault = error
            }
            var seen = events.map {
                "\($0.type)|\(String(decoding: $0.data, as: UTF8.self))|\($0.lastEventID)"
            }
            if let fault { seen.append("fault:\(fault.rawValue)") }
            #expect(seen.joined(separator: " ") == expected)
        }
    }

    @Test func tellsWhetherAnEventWasCut() throws {
        var parser = SSEParser()
        _ = try parser.receive(Array("data: a\n\n".utf8))
        #expect(parser.isBetweenEvents)
        _ = try parser.receive(Array("data: b\n".utf8))
        #expect(!parser.isBetweenEvents)
    }

    @Test func countsCommentsAndCutsRetry() throws {
        var parser = SSEParser()
        _ = try parser.receive(Array(": a\n:b\nretry: 99999999\n\n".utf8))
        #expect(parser.commentCount == 2 && parser.retryMilliseconds == 60_000)
    }

    @Test func repeatsItsFault() {
        var parser = SSEParser()
        #expect(throws: SSEFault.encoding) {
            try parser.receive(Array("event: ".utf8) + [255, 10])
        }
        #expect(throws: SSEFault.encoding) { try parser.receive(Array("data: a\n\n".utf8)) }
    }

    @Test func writesWhatItReads() throws {
        var output: [UInt8] = []
        try SSEWriter.write(data: Array("{}".utf8), into: &output)
        try SSEWriter.write(data: Array("[1]".utf8), event: "error", id: "7", into: &output)
        output += SSEWriter.keepAlive
        #expect(
            String(decoding: output, as: UTF8.self)
                == "data: {}\n\nevent: error\nid: 7\ndata: [1]\n\n:\n\n")
        var parser = SSEParser()
        #expect(
            try parser.receive(output) == [
                SSEEvent(data: Array("{}".utf8)),
                SSEEvent(type: "error", data: Array("[1]".utf8), lastEventID: "7"),
            ])
    }

    @Test(arguments: ["a\nb", "a\rb", "a\0b", "\n"])
    func refusesToWriteLineBreaks(text: String) {
        var output: [UInt8] = []
        #expect(throws: SSEFault.lineBreak) {
            try SSEWriter.write(data: Array(text.utf8), into: &output)
        }
        #expect(throws: SSEFault.lineBreak) {
            try SSEWriter.write(data: [], event: text, into: &output)
        }
        #expect(throws: SSEFault.lineBreak) {
            try SSEWriter.write(data: [], id: text, into: &output)
        }
        #expect(output.isEmpty)
    }
}
