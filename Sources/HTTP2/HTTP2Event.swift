// SPDX-License-Identifier: Apache-2.0
package import HTTP

/// The first bytes of a client with prior knowledge, to tell it from HTTP/1.1 where both are
/// served in clear text (RFC 9113 §3.4).
package enum HTTP2Preface {
    /// What the first bytes of a connection say.
    package enum Answer: Sendable, Equatable {
        case http2, other, tooFew
    }

    /// Looks at the first bytes; no more than 24 are needed, usually the first.
    package static func recognize(_ bytes: ArraySlice<UInt8>) -> Answer {
        guard bytes.prefix(text.count).elementsEqual(text.prefix(bytes.count)) else {
            return .other
        }
        return bytes.count >= text.count ? .http2 : .tooFew
    }

    private static let text = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
}

/// A stream's number. It is a name, not a quantity.
package struct HTTP2StreamID: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let number: Int32

    package init(_ number: Int32) {
        self.number = number
    }

    package var description: String { String(number) }

    package static func < (left: HTTP2StreamID, right: HTTP2StreamID) -> Bool {
        left.number < right.number
    }
}

/// What happened on a connection, in the order in which it happened.
///
/// A server hears of a stream by ``request(_:_:isLast:)``, a client when it submits; from then on
/// exactly one ``closed(_:_:)`` comes for it, and nothing after that.
package enum HTTP2Event: Sendable, Equatable {
    /// A request's head; `isLast` when neither body nor trailers follow.
    case request(HTTP2StreamID, HTTPRequestHead, isLast: Bool)
    /// The head of the final response; interim ones are skipped.
    case response(HTTP2StreamID, HTTPResponseHead, isLast: Bool)
    /// Bytes of a body. They hold the peer's windows until ``HTTP2Session/consume(_:on:)``.
    case data(HTTP2StreamID, [UInt8])
    /// The end of the peer's message, after at least its head, with its trailers.
    case end(HTTP2StreamID, trailers: HTTPFields)
    /// A request that the session answered itself; the owner hears of it only to count it.
    case rejected(HTTP2StreamID, HTTP2Rejection)
    /// The stream is over. Whatever the owner does for it should stop.
    case closed(HTTP2StreamID, HTTP2Closure)
    /// So much was sent that the owner may write again, after ``HTTP2Backlog/full``.
    case writable(HTTP2StreamID)
    /// The peer's SETTINGS came; the number of streams it allows may have changed.
    case settings
    /// The peer takes no new streams; those above the last one were closed as retryable.
    case goAway(last: HTTP2StreamID, HTTP2ErrorCode)
    /// The answer to ``HTTP2Session/ping(_:)``.
    case pong(UInt64)
}

/// How a stream ended.
package struct HTTP2Closure: Sendable, Equatable {
    /// Who ended it.
    package enum Initiator: Sendable, Equatable {
        /// Both sides had sent their end.
        case completion
        /// The peer reset it or refused it.
        case peer
        /// The session reset it: the peer broke a rule or missed a deadline of the stream.
        case session
        /// The owner reset it.
        case owner
        /// The connection was lost under it.
        case connection
    }

    package let initiator: Initiator
    /// `noError` for a completion.
    package let code: HTTP2ErrorCode
    /// Whether it is certain that the peer did nothing with the request (RFC 9113 §8.7).
    package let isRetryable: Bool

    package init(initiator: Initiator, code: HTTP2ErrorCode, isRetryable: Bool) {
        self.initiator = initiator
        self.code = code
        self.isRetryable = isRetryable
    }
}

/// Why the session answered a request itself, beyond what the library refuses.
package enum HTTP2Rejection: String, Error, CaseIterable, Sendable {
    /// `host` that differs from `:authority`, or more than one (RFC 9113 §8.3.1).
    case hostMismatch = "host-mismatch"
    case authority
    case userinfo
    case path
    case scheme
    /// CONNECT: this program is no tunnel.
    case tunnel
    /// A method that is no token, or a field with bytes that are no UTF-8.
    case malformed
    case headerListTooLarge = "header-list-too-large"

    /// The status of the answer.
    package var status: Int {
        switch self {
        case .headerListTooLarge: 431
        case .tunnel: 501
        default: 400
        }
    }
}

/// What the owner should do after writing.
package enum HTTP2Backlog: Sendable, Equatable {
    /// Go on.
    case room
    /// Wait for ``HTTP2Event/writable(_:)``.
    case full
    /// The stream is closed; the bytes were dropped.
    case gone
}
