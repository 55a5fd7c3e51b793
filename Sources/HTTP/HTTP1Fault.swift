// SPDX-License-Identifier: Apache-2.0

/// The rule of HTTP/1.1 that a message breaks. Every one ends the connection: after a framing
/// fault nobody knows where the next message begins (RFC 9112 §9.3, §11.2).
package enum HTTP1Fault: String, Error, CaseIterable, Sendable {
    // The start line.
    case startLineTooLong = "start-line-too-long"
    case startLine = "start-line"
    case method
    case target
    case version
    case versionUnsupported = "version-unsupported"
    /// CONNECT: this program is no tunnel.
    case tunnel
    // Lines.
    case bareLF = "bare-lf"
    case bareCR = "bare-cr"
    case foldedField = "folded-field"
    // Fields.
    case fieldWithoutColon = "field-without-colon"
    case spaceBeforeColon = "space-before-colon"
    case fieldName = "field-name"
    case fieldValue = "field-value"
    case fieldEncoding = "field-encoding"
    case fieldsTooLarge = "fields-too-large"
    case tooManyFields = "too-many-fields"
    // Host.
    case hostMissing = "host-missing"
    case hostDuplicate = "host-duplicate"
    case host
    /// An absolute target and a `host` that differ.
    case hostMismatch = "host-mismatch"
    case userinfo
    // Framing.
    case contentLength = "content-length"
    case contentLengthDuplicate = "content-length-duplicate"
    case transferEncoding = "transfer-encoding"
    case transferEncodingDuplicate = "transfer-encoding-duplicate"
    /// Chunked in HTTP/1.0, which a front that only knows 1.0 would not see.
    case transferEncodingInOldVersion = "transfer-encoding-in-1.0"
    case bothLengthAndEncoding = "both-length-and-encoding"
    case expectation
    // Body.
    case bodyTooLarge = "body-too-large"
    case chunkSize = "chunk-size"
    case chunkLineTooLong = "chunk-line-too-long"
    case chunkEnd = "chunk-end"
    /// A field in the trailers that frames, routes or authenticates (RFC 9110 §6.5.1).
    case trailerField = "trailer-field"
    /// The connection ended inside a message.
    case truncated
    // Responses only.
    case status
    /// 101 although no upgrade was asked for.
    case upgrade
    /// More interim answers than anyone needs.
    case tooManyInterim = "too-many-interim"
    /// Bytes where no request is outstanding.
    case unexpectedBytes = "unexpected-bytes"

    /// The status that a server answers before it closes.
    package var status: Int {
        switch self {
        case .startLineTooLong: 414
        case .fieldsTooLarge, .tooManyFields: 431
        case .bodyTooLarge: 413
        case .versionUnsupported: 505
        case .transferEncoding, .tunnel: 501
        case .expectation: 417
        default: 400
        }
    }
}

/// What one HTTP/1.1 connection may make us keep.
package struct HTTP1Limits: Sendable {
    /// Bytes of the request or status line. 8 KiB is what RFC 9112 §3 recommends as the least,
    /// and what common servers allow.
    package var startLine = 8 << 10
    /// Octets of all field lines of a head together, and again of the trailers; equal to the
    /// limit of HTTP/2 so that the edge is no way around it.
    package var fieldBytes = 32 << 10
    /// Field lines of a head, and again of the trailers.
    package var fieldCount = 100
    /// Bytes of a chunk's size line with its extensions, which nobody reads.
    package var chunkLine = 64
    /// Bytes of a body; 8 MiB from a peer, the owner raises it for local agents.
    package var body = 8 << 20
    /// Bytes handed out in one body event.
    package var piece = 64 << 10
    /// Interim (1xx) answers before the answer.
    package var interim = 10

    package init() {}
}
