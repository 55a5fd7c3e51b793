// SPDX-License-Identifier: Apache-2.0

/// Takes a body out of its framing, piece by piece.
struct HTTP1BodyReader: Sendable {
    enum Piece: Sendable {
        case bytes([UInt8])
        case end(trailers: HTTPFields)
    }

    private enum State: Sendable {
        case length(remaining: Int)
        case untilClose
        case chunkSize
        case chunk(remaining: Int)
        case chunkEnd
        case trailers(HTTP1FieldReader)
        case done
    }

    private var state: State
    private var received = 0

    /// - Throws: ``HTTP1Fault/bodyTooLarge`` at once when the declared length is over the limit.
    init(_ framing: HTTP1Framing, limits: HTTP1Limits) throws(HTTP1Fault) {
        switch framing {
        case .none: state = .length(remaining: 0)
        case .length(let length):
            guard length <= limits.body else { throw .bodyTooLarge }
            state = .length(remaining: length)
        case .chunked: state = .chunkSize
        case .untilClose: state = .untilClose
        }
    }

    /// Whether the end of the connection is the end of the body.
    var endsWithConnection: Bool {
        if case .untilClose = state { true } else { false }
    }

    /// The next piece, `nil` when more bytes are needed.
    mutating func next(
        from input: inout HTTP1Input, limits: HTTP1Limits
    ) throws(HTTP1Fault) -> Piece? {
        while true {
            switch state {
            case .length(remaining: 0):
                state = .done
                return .end(trailers: [:])
            case .length(let remaining):
                guard input.count > 0 else { return nil }
                let piece = input.take(atMost: min(remaining, limits.piece))
                state = .length(remaining: remaining - piece.count)
                return .bytes(piece)
            case .untilClose:
                guard input.count > 0 else { return nil }
                let piece = input.take(atMost: limits.piece)
                received += piece.count
                guard received <= limits.body else { throw .bodyTooLarge }
                return .bytes(piece)
            case .chunkSize:
                let line = try input.line(limit: limits.chunkLine, tooLong: .chunkLineTooLong)
                guard let line else { return nil }
                let size = try Self.chunkSize(line)
                guard size <= limits.body - received else { throw .bodyTooLarge }
                received += size
                state = size == 0 ? .trailers(HTTP1FieldReader()) : .chunk(remaining: size)
            case .chunk(let remaining):
                guard input.count > 0 else { return nil }
                let piece = input.take(atMost: min(remaining, limits.piece))
                state =
                    piece.count == remaining
                    ? .chunkEnd : .chunk(remaining: remaining - piece.count)
                return .bytes(piece)
            case .chunkEnd:
                guard let line = try input.line(limit: 0, tooLong: .chunkEnd) else { return nil }
                guard line.isEmpty else { throw .chunkEnd }
                state = .chunkSize
            case .trailers(var reader):
                guard try reader.read(from: &input, limits: limits) else {
                    state = .trailers(reader)
                    return nil
                }
                for field in reader.fields where Self.forbiddenTrailers.contains(field.name) {
                    throw .trailerField
                }
                state = .done
                return .end(trailers: reader.fields)
            case .done:
                return nil
            }
        }
    }

    /// `1*HEXDIG [ ";" anything ]`: at most 15 digits, no space, no sign, no `0x`.
    private static func chunkSize(_ line: ArraySlice<UInt8>) throws(HTTP1Fault) -> Int {
        let digits = line.prefix { $0 != UInt8(ascii: ";") }
        guard (1...15).contains(digits.count) else { throw .chunkSize }
        guard line.allSatisfy(HTTPCharacters.isFieldContent) else { throw .chunkSize }
        var size = 0
        for digit in digits {
            guard let value = HTTPCharacters.hexValue(digit) else { throw .chunkSize }
            size = size << 4 | Int(value)
        }
        return size
    }

    private static let forbiddenTrailers: Set<HTTPFieldName> = [
        .authorization, .cacheControl, .connection, .contentEncoding, .contentLength,
        .contentType, .cookie, .expect, .host, .keepAlive, .location, .proxyAuthorization,
        .setCookie, .te, .trailer, .transferEncoding, .upgrade, "content-range",
        "max-forwards", "range",
    ]
}
