// SPDX-License-Identifier: Apache-2.0

import Bytes
import HTTP

/// What must hold for any bytes at all; libFuzzer looks for bytes for which it does not.
@c(LLVMFuzzerTestOneInput)
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    let whole = requests(bytes, cut: max(1, count))
    for cut in [1, 2, 7] {
        invariant(requests(bytes, cut: cut) == whole, "the cut of the bytes changed the request")
    }
    for request in whole.requests { checkWritten(request) }
    let answers = responses(bytes, cut: max(1, count))
    invariant(responses(bytes, cut: 1) == answers, "the cut of the bytes changed the response")
    return 0
}

/// One request as it was read; pieces of the body joined.
private struct Request: Equatable {
    var head: HTTP1RequestParser.Head
    var body: [UInt8] = []
    var trailers: HTTPFields?
}

private struct Requests: Equatable {
    var requests: [Request] = []
    var fault: HTTP1Fault?
}

private func requests(_ bytes: [UInt8], cut: Int) -> Requests {
    var parser = HTTP1RequestParser(scheme: .https)
    var seen = Requests()
    do throws(HTTP1Fault) {
        for start in stride(from: 0, to: bytes.count, by: cut) {
            parser.append(bytes[start..<min(start + cut, bytes.count)])
            while let event = try parser.next() {
                let last = seen.requests.count - 1
                switch event {
                case .head(let head): seen.requests.append(Request(head: head))
                case .body(let piece): seen.requests[last].body += piece
                case .end(let trailers):
                    seen.requests[last].trailers = trailers
                    parser.responseDone()
                }
            }
        }
        try parser.finish()
    } catch {
        seen.fault = error
    }
    return seen
}

private func responses(_ bytes: [UInt8], cut: Int) -> [String] {
    var parser = HTTP1ResponseParser()
    parser.expectResponse(to: .get)
    var seen: [String] = []
    var body: [UInt8] = []
    func note(_ event: HTTP1ResponseParser.Event) {
        switch event {
        case .head(let head): seen.append("\(head)")
        case .body(let piece): body += piece
        case .end(let trailers): seen.append("\(trailers)")
        }
    }
    do throws(HTTP1Fault) {
        for start in stride(from: 0, to: bytes.count, by: cut) {
            parser.append(bytes[start..<min(start + cut, bytes.count)])
            while let event = try parser.next() { note(event) }
        }
        while let event = try parser.finish() { note(event) }
    } catch {
        seen.append(error.rawValue)
    }
    return seen + ["\(body)"]
}

/// What was read and is written again, as to an upstream, is one request and the same.
private func checkWritten(_ request: Request) {
    guard let trailers = request.trailers, !request.head.request.authority.isEmpty else { return }
    var output: [UInt8] = []
    HTTP1Serializer.write(request.head.request, framing: .chunked, into: &output)
    HTTP1Serializer.writeChunk(request.body[...], into: &output)
    HTTP1Serializer.writeEnd(trailers: trailers, into: &output)
    let again = requests(output, cut: output.count)
    // Names such as `te` are dropped from trailers as well, and all framing is our own.
    invariant(again.fault == nil, "what was written is refused")
    invariant(again.requests.count == 1, "one request became several")
    invariant(again.requests[0].body == request.body, "the body changed")
    invariant(again.requests[0].head.request.path == request.head.request.path, "path changed")
    invariant(
        again.requests[0].head.request.authority == request.head.request.authority,
        "authority changed")
}
