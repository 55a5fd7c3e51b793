// SPDX-License-Identifier: Apache-2.0

/// Odd behaviour and how much each is held against a peer. None is proof of malice alone.
package enum HTTP2Glitch: Int, Sendable {
    case receivedReset = 1
    case emptyData = 2
    case refusedStream = 3
    case sentReset = 5
    case invalidFrame = 10
    case late = 20
    case oversizedHeaderList = 50
    /// A limit was passed and the connection cut. It weighs so much that an identity that comes
    /// again and again is refused soon, also where what it does has no weight of its own.
    case cut = 100

    /// Named apart because some weigh the same.
    static let earlyReset = HTTP2Glitch.receivedReset
    static let priority = HTTP2Glitch.receivedReset
    static let ping = HTTP2Glitch.receivedReset
    static let continuation = HTTP2Glitch.receivedReset
    static let unknownFrame = HTTP2Glitch.receivedReset
    static let settings = HTTP2Glitch.emptyData
    static let rejectedRequest = HTTP2Glitch.sentReset
    static let lateStream = HTTP2Glitch.sentReset

    /// What it weighs.
    package var weight: Int { rawValue }
}
