// SPDX-License-Identifier: Apache-2.0

/// An error code of RFC 9113 §7. Codes of others are kept as they came.
package struct HTTP2ErrorCode: RawRepresentable, Hashable, Sendable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// Nothing is wrong; also a reset after a complete early response.
    package static let noError = HTTP2ErrorCode(rawValue: 0x0)
    /// A rule of the protocol was broken that has no code of its own.
    package static let protocolError = HTTP2ErrorCode(rawValue: 0x1)
    /// The sender of the code has a problem of its own.
    package static let internalError = HTTP2ErrorCode(rawValue: 0x2)
    /// More was sent than the window allowed.
    package static let flowControlError = HTTP2ErrorCode(rawValue: 0x3)
    /// SETTINGS were not acknowledged in time.
    package static let settingsTimeout = HTTP2ErrorCode(rawValue: 0x4)
    /// A frame came for a stream that its sender had ended.
    package static let streamClosed = HTTP2ErrorCode(rawValue: 0x5)
    /// A frame of a length that its type does not have.
    package static let frameSizeError = HTTP2ErrorCode(rawValue: 0x6)
    /// Nothing was done with the request; it may be sent again.
    package static let refusedStream = HTTP2ErrorCode(rawValue: 0x7)
    /// The result is not wanted any more.
    package static let cancel = HTTP2ErrorCode(rawValue: 0x8)
    /// The header compression lost its common state.
    package static let compressionError = HTTP2ErrorCode(rawValue: 0x9)
    /// The tunnel of a CONNECT broke.
    package static let connectError = HTTP2ErrorCode(rawValue: 0xA)
    /// The peer passes the limits on its behaviour.
    package static let enhanceYourCalm = HTTP2ErrorCode(rawValue: 0xB)
    /// TLS is weaker than HTTP/2 asks for.
    package static let inadequateSecurity = HTTP2ErrorCode(rawValue: 0xC)
    /// The request is to be sent over HTTP/1.1.
    package static let http11Required = HTTP2ErrorCode(rawValue: 0xD)
}

/// The limit of ``HTTP2Limits`` that a peer passed.
package enum HTTP2Abuse: String, CaseIterable, Sendable {
    case receivedResets = "received-resets"
    case earlyResets = "early-resets"
    case sentResets = "sent-resets"
    case emptyData = "empty-data"
    case priorities
    case pings
    case settings
    case settingsEntries = "settings-entries"
    case windowUpdates = "window-updates"
    case continuations
    case headerBlock = "header-block"
    case headerList = "header-list"
    case invalidFrames = "invalid-frames"
    case unknownFrames = "unknown-frames"
    case interimResponses = "interim-responses"
    case outboundFrames = "outbound-frames"
    case outboundControlFrames = "outbound-control-frames"
    case glitches
}

/// The deadline of ``HTTP2Limits`` that a peer missed.
package enum HTTP2Deadline: String, CaseIterable, Sendable {
    case preface, headers
    case settingsAck = "settings-ack"
}

/// Why a connection is over. Whatever it is: write what
/// ``HTTP2Session/takeOutput(into:atMost:now:)`` still gives, then close.
package enum HTTP2Error: Error, Equatable, Sendable {
    /// The peer passed a limit.
    case abuse(HTTP2Abuse)
    /// The peer broke the protocol; the code is what it is told.
    case violation(HTTP2ErrorCode)
    /// The peer missed a deadline.
    case late(HTTP2Deadline)
    /// The owner ended it, or the transport did.
    case ended

    /// What the last GOAWAY says.
    var code: HTTP2ErrorCode {
        switch self {
        case .abuse: .enhanceYourCalm
        case .violation(let code): code
        case .late(.settingsAck): .settingsTimeout
        case .late(.headers), .late(.preface): .enhanceYourCalm
        case .ended: .noError
        }
    }
}

/// Why a message cannot be sent now. Nothing was changed.
package enum HTTP2SubmitError: Error, Equatable, Sendable {
    /// The stream was closed; an event said or will say why.
    case noSuchStream
    /// The peer's limit on streams is reached; another connection, or later.
    case noCapacity
    /// A GOAWAY came or went, or the connection is over: another connection.
    case goingAway
}
