// SPDX-License-Identifier: Apache-2.0

/// The client's reader of HTTP/1.1: bytes in, one response for each announced request out.
///
/// Interim answers are skipped and counted. After a fault it only repeats the fault.
package struct HTTP1ResponseParser: Sendable {
    /// What was read.
    package enum Event: Sendable, Equatable {
        case head(HTTPResponseHead)
        case body([UInt8])
        case end(trailers: HTTPFields)
    }

    private enum State: Sendable {
        case idle
        case statusLine(interim: Int)
        case fields(StatusLine, HTTP1FieldReader, interim: Int)
        case body(HTTP1BodyReader)
        case failed(HTTP1Fault)
    }

    private struct StatusLine: Sendable {
        let status: Int
        let isOldVersion: Bool
    }

    private let limits: HTTP1Limits
    private var input = HTTP1Input()
    private var state = State.idle
    private var method = HTTPMethod.get
    /// Whether the connection may carry another request after this response.
    package private(set) var keepsAlive = true

    package init(limits: HTTP1Limits = HTTP1Limits()) {
        self.limits = limits
    }

    /// Bytes received and not yet handed out.
    package var buffered: Int { input.count }

    /// Whether a response is awaited or under way.
    package var isBusy: Bool {
        switch state {
        case .idle, .failed: false
        case .statusLine, .fields, .body: true
        }
    }

    /// A request was sent; its method decides whether the answer has a body.
    package mutating func expectResponse(to method: HTTPMethod) {
        precondition(!isBusy, "one request at a time")
        self.method = method
        if case .idle = state { state = .statusLine(interim: 0) }
    }

    /// Takes bytes as they were received, in pieces of any size.
    package mutating func append(_ bytes: ArraySlice<UInt8>) {
        input.append(bytes)
    }

    /// Takes bytes as they were received, in pieces of any size.
    package mutating func append(_ bytes: [UInt8]) {
        input.append(bytes[...])
    }

    /// The next event, `nil` when more bytes are needed.
    /// - Throws: The rule that the response breaks, again on each further call.
    package mutating func next() throws(HTTP1Fault) -> Event? {
        do {
            return try advance()
        } catch {
            state = .failed(error)
            keepsAlive = false
            throw error
        }
    }

    /// The server closed the connection: the end of a body that has no other.
    /// - Throws: ``HTTP1Fault/truncated`` if a response was awaited or cut in two.
    package mutating func finish() throws(HTTP1Fault) -> Event? {
        keepsAlive = false
        if let event = try next() { return event }
        switch state {
        case .idle:
            return nil
        case .body(let reader) where reader.endsWithConnection:
            state = .idle
            return .end(trailers: [:])
        default:
            state = .failed(.truncated)
            throw .truncated
        }
    }

    private mutating func advance() throws(HTTP1Fault) -> Event? {
        while true {
            switch state {
            case .idle:
                guard input.count == 0 else { throw .unexpectedBytes }
                return nil
            case .statusLine(let interim):
                let line = try input.line(limit: limits.startLine, tooLong: .startLineTooLong)
                guard let line else { return nil }
                state = .fields(
                    try Self.statusLine(line), HTTP1FieldReader(), interim: interim)
            case .fields(let line, var reader, let interim):
                guard try reader.read(from: &input, limits: limits) else {
                    state = .fields(line, reader, interim: interim)
                    return nil
                }
                guard line.status < 200 else {
                    return .head(try begin(line, reader.fields))
                }
                guard line.status != 101 else { throw .upgrade }
                guard interim < limits.interim else { throw .tooManyInterim }
                state = .statusLine(interim: interim + 1)
            case .body(var reader):
                let piece = try reader.next(from: &input, limits: limits)
                state = .body(reader)
                switch piece {
                case nil: return nil
                case .bytes(let bytes): return .body(bytes)
                case .end(let trailers):
                    state = .idle
                    return .end(trailers: trailers)
                }
            case .failed(let fault):
                throw fault
            }
        }
    }

    private mutating func begin(
        _ line: StatusLine, _ fields: HTTPFields
    ) throws(HTTP1Fault) -> HTTPResponseHead {
        let declared = try HTTP1Framing.declared(in: fields, isOldVersion: line.isOldVersion)
        let hasBody = method != .head && line.status != 204 && line.status != 304
        let framing = hasBody ? declared ?? .untilClose : .none
        let closes = fields.list(.connection).contains { HTTPCharacters.lowered($0) == "close" }
        keepsAlive = !closes && !line.isOldVersion && framing != .untilClose
        state = .body(try HTTP1BodyReader(framing, limits: limits))
        return HTTPResponseHead(status: line.status, fields: fields)
    }

    /// `HTTP/1.x SP 3DIGIT [ SP reason ]`; the reason is not kept.
    private static func statusLine(_ line: ArraySlice<UInt8>) throws(HTTP1Fault) -> StatusLine {
        let bytes = Array(line)
        guard bytes.count >= 12, bytes.starts(with: Array("HTTP/1.".utf8)),
            bytes[7] == UInt8(ascii: "0") || bytes[7] == UInt8(ascii: "1"),
            bytes[8] == 0x20, bytes.count == 12 || bytes[12] == 0x20
        else { throw .version }
        guard bytes[9...11].allSatisfy(HTTPCharacters.isDigit) else { throw .status }
        let status = bytes[9...11].reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
        guard (100...599).contains(status) else { throw .status }
        guard bytes.dropFirst(12).allSatisfy(HTTPCharacters.isFieldContent) else {
            throw .fieldValue
        }
        return StatusLine(status: status, isOldVersion: bytes[7] == UInt8(ascii: "0"))
    }
}
