// SPDX-License-Identifier: Apache-2.0

/// Where a message's body ends (RFC 9112 §6.3).
package enum HTTP1Framing: Sendable, Equatable {
    /// No body at all.
    case none
    /// Exactly that many bytes.
    case length(Int)
    case chunked
    /// All until the connection ends; responses only.
    case untilClose

    /// Reads the framing fields; `nil` when there is none of them.
    ///
    /// Everything that two readers have been seen to read differently is refused: both fields,
    /// one of them twice (even with equal values), a sign, a list, leading zeros, any coding but
    /// exactly `chunked`.
    static func declared(
        in fields: HTTPFields, isOldVersion: Bool
    ) throws(HTTP1Fault) -> HTTP1Framing? {
        let lengths = fields.all(.contentLength)
        let codings = fields.all(.transferEncoding)
        guard codings.isEmpty || lengths.isEmpty else { throw .bothLengthAndEncoding }
        guard lengths.count <= 1 else { throw .contentLengthDuplicate }
        guard codings.count <= 1 else { throw .transferEncodingDuplicate }
        if let coding = codings.first {
            guard !isOldVersion else { throw .transferEncodingInOldVersion }
            guard HTTPCharacters.lowered(coding) == "chunked" else { throw .transferEncoding }
            return .chunked
        }
        guard let length = lengths.first else { return nil }
        return .length(try decimal(length))
    }

    private static func decimal(_ text: String) throws(HTTP1Fault) -> Int {
        let digits = text.utf8
        guard (1...18).contains(digits.count), digits.allSatisfy(HTTPCharacters.isDigit),
            digits.count == 1 || digits.first != UInt8(ascii: "0")
        else { throw .contentLength }
        return digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
    }
}
