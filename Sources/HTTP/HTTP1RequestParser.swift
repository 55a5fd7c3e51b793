// SPDX-License-Identifier: Apache-2.0

/// The server's reader of HTTP/1.1: bytes in, requests out, one at a time.
///
/// After ``Event/end(trailers:)`` the parser stands still, whatever was pipelined behind, until
/// ``responseDone()`` says that the answer was written: answers cannot overtake each other, and
/// nobody can make us start a hundred requests with one packet. After a fault it only repeats
/// the fault; the owner answers ``HTTP1Fault/status`` and closes.
package struct HTTP1RequestParser: Sendable {
    /// What was read.
    package enum Event: Sendable, Equatable {
        case head(Head)
        case body([UInt8])
        case end(trailers: HTTPFields)
    }

    /// A request's head and what only HTTP/1.1 asks about it.
    package struct Head: Sendable, Equatable {
        package let request: HTTPRequestHead
        /// Chunked, a length, or none.
        package let framing: HTTP1Framing
        /// The client waits for `100 Continue` before it sends the body.
        package let expectsContinue: Bool
        /// Whether another request may follow on the connection.
        package let keepsAlive: Bool
        /// HTTP/1.0: the answer must not be chunked.
        package let isOldVersion: Bool
    }

    private enum State: Sendable {
        case startLine(emptyLines: Int)
        case fields(HTTP1StartLine, HTTP1FieldReader)
        case body(HTTP1BodyReader)
        case answering
        case failed(HTTP1Fault)
    }

    private let limits: HTTP1Limits
    private let scheme: HTTPScheme
    private var input = HTTP1Input()
    private var state = State.startLine(emptyLines: 0)

    /// The scheme is what the connection is: `https` under TLS.
    package init(scheme: HTTPScheme, limits: HTTP1Limits = HTTP1Limits()) {
        self.scheme = scheme
        self.limits = limits
    }

    /// Bytes received and not yet handed out: the owner stops reading the socket above its mark.
    package var buffered: Int { input.count }

    /// Whether a request has begun and not ended: such a connection must not stay silent.
    package var isInsideRequest: Bool {
        switch state {
        case .startLine: input.count > 0
        case .fields, .body: true
        case .answering, .failed: false
        }
    }

    /// Takes bytes as they were received, in pieces of any size.
    package mutating func append(_ bytes: ArraySlice<UInt8>) {
        input.append(bytes)
    }

    /// Takes bytes as they were received, in pieces of any size.
    package mutating func append(_ bytes: [UInt8]) {
        input.append(bytes[...])
    }

    /// The next event, `nil` when more bytes are needed or the answer is not done.
    /// - Throws: The rule that the request breaks, again on each further call.
    package mutating func next() throws(HTTP1Fault) -> Event? {
        do {
            return try advance()
        } catch {
            state = .failed(error)
            throw error
        }
    }

    /// The answer to the last request was written; the next one may be read.
    package mutating func responseDone() {
        if case .answering = state { state = .startLine(emptyLines: 0) }
    }

    /// The client closed its side.
    /// - Throws: ``HTTP1Fault/truncated`` if that cut a request in two.
    package mutating func finish() throws(HTTP1Fault) {
        if isInsideRequest {
            state = .failed(.truncated)
            throw .truncated
        }
    }

    private mutating func advance() throws(HTTP1Fault) -> Event? {
        while true {
            switch state {
            case .startLine(let emptyLines):
                let line = try input.line(limit: limits.startLine, tooLong: .startLineTooLong)
                guard let line else { return nil }
                if line.isEmpty {
                    // RFC 9112 §2.2: some clients send a line break too many after a body.
                    guard emptyLines == 0 else { throw .startLine }
                    state = .startLine(emptyLines: 1)
                } else {
                    state = .fields(try HTTP1StartLine(line), HTTP1FieldReader())
                }
            case .fields(let startLine, var reader):
                guard try reader.read(from: &input, limits: limits) else {
                    state = .fields(startLine, reader)
                    return nil
                }
                let head = try startLine.head(with: reader.fields, scheme: scheme)
                state = .body(try HTTP1BodyReader(head.framing, limits: limits))
                return .head(head)
            case .body(var reader):
                let piece = try reader.next(from: &input, limits: limits)
                state = .body(reader)
                switch piece {
                case nil: return nil
                case .bytes(let bytes): return .body(bytes)
                case .end(let trailers):
                    state = .answering
                    return .end(trailers: trailers)
                }
            case .answering:
                return nil
            case .failed(let fault):
                throw fault
            }
        }
    }
}
