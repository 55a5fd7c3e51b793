// SPDX-License-Identifier: Apache-2.0
package import Bytes
package import HTTP
import JSON

/// The request that a load run repeats.
package struct LoadRequest: Sendable {
    package let method: HTTPMethod
    /// In origin form.
    package let path: String
    package let fields: HTTPFields
    /// The body, cut at the places that differ from request to request.
    private let pieces: [Piece]
    private let random: any RandomBytes
    private let time: any TimeSource

    private enum Piece: Sendable {
        case bytes([UInt8])
        case uuid
        case number
    }

    /// - Parameter isFilled: Whether `{{uuid}}` in the body stands for a new UUID in each request
    ///   and `{{number}}` for its number from 1, since a server may know a repeated one again.
    package init(
        method: HTTPMethod, path: String, fields: HTTPFields, body: [UInt8], isFilled: Bool = false,
        random: any RandomBytes, time: any TimeSource
    ) {
        self.method = method
        self.path = path
        self.fields = fields
        self.random = random
        self.time = time
        pieces = isFilled ? Self.cut(body) : body.isEmpty ? [] : [.bytes(body)]
    }

    /// The body of the request with this number.
    func body(_ number: Int) -> [UInt8] {
        if pieces.isEmpty { return [] }
        if pieces.count == 1, case .bytes(let bytes) = pieces[0] { return bytes }
        var body: [UInt8] = []
        for piece in pieces {
            switch piece {
            case .bytes(let bytes): body += bytes
            case .uuid: body += UUIDv7(at: time.now(), random: random).text.utf8
            case .number: body += String(number).utf8
            }
        }
        return body
    }

    private static func cut(_ body: [UInt8]) -> [Piece] {
        let marks: [(text: [UInt8], piece: Piece)] = [
            (Array("{{uuid}}".utf8), .uuid), (Array("{{number}}".utf8), .number),
        ]
        var pieces: [Piece] = []
        var plain: [UInt8] = []
        var rest = body[...]
        while let first = rest.first {
            guard first == UInt8(ascii: "{"),
                let mark = marks.first(where: { rest.starts(with: $0.text) })
            else {
                plain.append(rest.removeFirst())
                continue
            }
            if !plain.isEmpty { pieces.append(.bytes(plain)) }
            plain = []
            pieces.append(mark.piece)
            rest = rest.dropFirst(mark.text.count)
        }
        if !plain.isEmpty { pieces.append(.bytes(plain)) }
        return pieces
    }
}

/// Which answers are as they should be; all others count as failed.
package struct LoadExpectation: Sendable {
    /// Statuses that are right.
    package var statuses: Set<Int> = Set(200...299)
    /// Bytes that the body must hold.
    package var text: [UInt8]?
    /// A JSON Pointer (RFC 6901) to a value that the body must have, as `/result`. A JSON-RPC
    /// error comes with status 200; this tells it from a result.
    package var pointer: JSONPointer?

    package init() {}

    /// Whether bodies must be kept to judge them.
    var readsBody: Bool { text != nil || pointer != nil }

    /// Whether a body is as it should be.
    func accepts(_ body: [UInt8]) -> Bool {
        if let text, !Self.contains(body, text) { return false }
        guard let pointer else { return true }
        guard let document = try? JSONDocument(parsing: body) else { return false }
        return pointer.value(in: document.root) != nil
    }

    private static func contains(_ body: [UInt8], _ text: [UInt8]) -> Bool {
        guard let first = text.first else { return true }
        guard body.count >= text.count else { return false }
        return (0...(body.count - text.count)).contains {
            body[$0] == first && body[$0...].starts(with: text)
        }
    }
}

/// A place in a JSON text (RFC 6901).
package struct JSONPointer: Sendable, Equatable {
    private let steps: [String]

    /// Reads `/a/0/b`, where `~1` stands for `/` and `~0` for `~`; empty names the whole. Nil for
    /// anything else.
    package init?(_ text: String) {
        guard text.isEmpty || text.hasPrefix("/") else { return nil }
        var steps: [String] = []
        for part in text.split(separator: "/", omittingEmptySubsequences: false).dropFirst() {
            var step = ""
            var rest = part[...]
            while let character = rest.popFirst() {
                guard character == "~" else {
                    step.append(character)
                    continue
                }
                switch rest.popFirst() {
                case "0": step.append("~")
                case "1": step.append("/")
                default: return nil
                }
            }
            steps.append(step)
        }
        self.steps = steps
    }

    /// The value at this place, if there is one.
    func value(in root: JSONValue) -> JSONValue? {
        var value = root
        for step in steps {
            let next: JSONValue?
            switch value.kind {
            case .object: next = value[step]
            case .array: next = Self.position(step).flatMap { value[$0] }
            default: next = nil
            }
            guard let next else { return nil }
            value = next
        }
        return value
    }

    /// Digits without leading zeros.
    private static func position(_ step: String) -> Int? {
        guard step.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            step == "0" || !step.hasPrefix("0")
        else { return nil }
        return Int(step)
    }
}
