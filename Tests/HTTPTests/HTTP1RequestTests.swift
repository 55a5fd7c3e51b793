// SPDX-License-Identifier: Apache-2.0
import HTTP
import Testing

@Suite struct HTTP1RequestTests {
    static let refused = TextVector.all("http1/refused-requests.txt")
    static let accepted = TextVector.all("http1/accepted-requests.txt")

    @Test(arguments: refused)
    func refuses(_ vector: TextVector) {
        let size = vector.bytes.count
        for cut in size > 20_000 ? [size, 1_000, 7] : [size, 1, 2, 3] {
            #expect(Self.fault(of: vector.bytes, cut: cut)?.rawValue == vector.expectation)
        }
    }

    @Test(arguments: accepted)
    func accepts(_ vector: TextVector) throws {
        for cut in [vector.bytes.count, 1, 2, 3] {
            let seen = try Self.transcript(of: vector.bytes, cut: cut)
            let expected = String(
                decoding: TextVector.expand(Array(vector.expectation.utf8)[...]), as: UTF8.self)
            #expect(seen == expected)
        }
    }

    @Test func thereAreEnoughVectorsAndEachRuleHasOne() {
        #expect(Self.refused.count >= 60)
        let seen = Set(Self.refused.map(\.expectation))
        let responsesOnly: Set<HTTP1Fault> = [
            .status, .upgrade, .tooManyInterim, .unexpectedBytes,
        ]
        for rule in HTTP1Fault.allCases where !responsesOnly.contains(rule) {
            #expect(seen.contains(rule.rawValue), "no vector for \(rule.rawValue)")
        }
    }

    @Test func repeatsItsFaultAndReadsNothingMore() {
        var parser = HTTP1RequestParser(scheme: .https)
        parser.append(Array("GET /x HTTP/1.1\r\n\r\n".utf8))
        #expect(throws: HTTP1Fault.hostMissing) { try parser.next() }
        parser.append(Array("GET /x HTTP/1.1\r\nhost: a\r\n\r\n".utf8))
        #expect(throws: HTTP1Fault.hostMissing) { try parser.next() }
    }

    @Test func pipelinedRequestWaitsForTheAnswer() throws {
        let request = "POST /1 HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\nhi"
        var parser = HTTP1RequestParser(scheme: .https)
        parser.append(Array((request + "GET /2 HTTP/1.1\r\nhost: a\r\n\r\n").utf8))
        guard case .head(let first) = try parser.next() else { return #expect(Bool(false)) }
        #expect(first.request.path == "/1")
        #expect(try parser.next() == .body(Array("hi".utf8)))
        #expect(try parser.next() == .end(trailers: [:]))
        #expect(try parser.next() == nil)
        #expect(parser.buffered > 0 && !parser.isInsideRequest)
        parser.responseDone()
        guard case .head(let second) = try parser.next() else { return #expect(Bool(false)) }
        #expect(second.request.path == "/2")
    }

    @Test func handsOutTheBodyInBoundedPieces() throws {
        var limits = HTTP1Limits()
        limits.piece = 10
        var parser = HTTP1RequestParser(scheme: .https, limits: limits)
        parser.append(Array("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 25\r\n\r\n".utf8))
        _ = try parser.next()
        parser.append([UInt8](repeating: 65, count: 25))
        var sizes: [Int] = []
        while case .body(let piece) = try parser.next() { sizes.append(piece.count) }
        #expect(sizes == [10, 10, 5])
    }

    @Test func statusesNameTheBlame() {
        #expect(HTTP1Fault.startLineTooLong.status == 414)
        #expect(HTTP1Fault.tooManyFields.status == 431)
        #expect(HTTP1Fault.bodyTooLarge.status == 413)
        #expect(HTTP1Fault.transferEncoding.status == 501)
        #expect(HTTP1Fault.bothLengthAndEncoding.status == 400)
    }

    private static func fault(of bytes: [UInt8], cut: Int) -> HTTP1Fault? {
        var parser = HTTP1RequestParser(scheme: .https)
        do throws(HTTP1Fault) {
            for piece in bytes[...].pieces(of: cut) {
                parser.append(piece)
                while try parser.next() != nil {}
            }
            try parser.finish()
            return nil
        } catch {
            return error
        }
    }

    private static func transcript(of bytes: [UInt8], cut: Int) throws -> String {
        var parser = HTTP1RequestParser(scheme: .https)
        var head: HTTP1RequestParser.Head?
        var body: [UInt8] = []
        var trailers = HTTPFields()
        for piece in bytes[...].pieces(of: cut) {
            parser.append(piece)
            while let event = try parser.next() {
                switch event {
                case .head(let new): head = new
                case .body(let new): body += new
                case .end(let new): trailers = new
                }
            }
        }
        try parser.finish()
        let request = try #require(head).request
        let fields = request.fields.count > 50 ? "many" : text(request.fields)
        return "\(request.method) \(request.authority) \(request.path) "
            + (fields.isEmpty ? "[]" : fields)
            + " body=\(String(decoding: body, as: UTF8.self)) trailers=\(text(trailers))"
            + (head?.keepsAlive == true ? " keep" : " close")
            + (head?.expectsContinue == true ? " continue" : "")
    }

    private static func text(_ fields: HTTPFields) -> String {
        fields.map { "[\($0.name): \($0.value)]" }.joined()
    }
}
